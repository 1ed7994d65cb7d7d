/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_CONNECTION_H
#define KW_ACT_CONNECTION_H

#include "act/domain.h"
#include "act/libvirt_load.h"
#include "base/cleanup.h"

/* For the files of act/: what kw_libvirt_open() made. */
struct kw_libvirt {
	virConnectPtr connection;
};

static inline void kw_virdomain_free(virDomain *domain)
{
	vir.DomainFree(domain);
}

KW_CLEANUP_OF(virDomain, kw_virdomain_free);

/* libvirt's own text of what went wrong last in this thread; -EIO. */
int kw_libvirt_failed(char *error, size_t error_size);

#endif
