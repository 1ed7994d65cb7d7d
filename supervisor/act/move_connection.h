/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_MOVE_CONNECTION_H
#define KW_ACT_MOVE_CONNECTION_H

#include "act/libvirt_load.h"
#include "act/move_side.h"
#include "act/opening.h"
#include "base/cleanup.h"

struct kw_move_side {
	char *uri;
	char uuid[KW_UUID_LEN + 1];
	virConnectPtr connection;	/* NULL while there is none */
	struct kw_opening *opening;	/* on its way meanwhile, or NULL */
	unsigned int open_limit_ms;	/* for each call that waits for it */
	char error[1024];
};

static inline void kw_vir_domain_free(virDomain *domain)
{
	vir.DomainFree(domain);
}

KW_CLEANUP_OF(virDomain, kw_vir_domain_free);

/* Makes the connection unless there is one that works. 0 or negative errno as in move_side.h. */
int kw_move_side_connect(struct kw_move_side *side);

/* -ENOENT, -ENOTCONN or -EIO for the call of libvirt that has just failed, its words kept. */
int kw_move_side_fail(struct kw_move_side *side);

/* The guest, the caller's to free. -ENOENT when there is none. */
int kw_move_side_find(struct kw_move_side *side, virDomainPtr *ret_domain);

#endif
