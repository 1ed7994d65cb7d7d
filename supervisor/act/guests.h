/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_GUESTS_H
#define KW_ACT_GUESTS_H

#include <stddef.h>

#include "act/domain.h"

/* A guest, by the names that libvirt has for it. */
struct kw_guest_name {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
};

/*
 * All guests that libvirt has, whether they run or are defined only, by name.
 * 0 or negative errno with libvirt's own text in error. The caller frees
 * *ret_guests.
 */
int kw_libvirt_guests(struct kw_libvirt *libvirt, struct kw_guest_name **ret_guests,
		       size_t *ret_count, char *error, size_t error_size);

#endif
