/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_KEPT_H
#define KW_MODEL_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/guest.h"

#define KW_HOST_MAX 256	/* of a host's name, with the final 0 */

/* What a host keeps of a guest on shared storage, against the day that the host is gone. */
struct kw_kept {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
	bool runs, autostart;		/* when it was kept */
	char *xml;			/* the definition with its secrets; owned */
};

/* A host, by the names that its libvirt has for it. */
struct kw_host_name {
	char name[KW_HOST_MAX];
	char uuid[KW_UUID_LEN + 1];
};

/* Another host that starts the guest, or has: the one that keeps it may not any more. */
struct kw_taker {
	struct kw_host_name host;
	uint64_t taken_ms;		/* of the real-time clock */
};

/* Frees what it owns and empties it; takes NULL. */
void kw_kept_done(struct kw_kept *kept);

#endif
