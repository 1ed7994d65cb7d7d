/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_RUNNING_H
#define KW_ACT_RUNNING_H

#include <stddef.h>

#include "act/domain.h"

/* A guest that has a QEMU, paused ones included. */
struct kw_running {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
};

/*
 * All guests that libvirt runs, by name. 0 or negative errno with libvirt's own
 * text in error. The caller frees *ret_guests.
 */
int kw_libvirt_running(struct kw_libvirt *libvirt, struct kw_running **ret_guests,
		       size_t *ret_count, char *error, size_t error_size);

#endif
