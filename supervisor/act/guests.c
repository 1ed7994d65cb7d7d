/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/connection.h"
#include "base/text.h"

static int by_name(const void *a, const void *b)
{
	const struct kw_guest_name *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* A guest that has ended meanwhile still has its name. */
static int copy(virDomainPtr domain, struct kw_guest_name *ret_guest)
{
	const char *name = vir.DomainGetName(domain);

	if (!name || vir.DomainGetUUIDString(domain, ret_guest->uuid))
		return -EIO;
	return kw_text_copy(ret_guest->name, sizeof(ret_guest->name), name) ? 0 : -ENAMETOOLONG;
}

int kw_libvirt_guests(struct kw_libvirt *libvirt, struct kw_guest_name **ret_guests,
		       size_t *ret_count, char *error, size_t error_size)
{
	_cleanup_free_ struct kw_guest_name *guests = NULL;
	_cleanup_free_ virDomainPtr *domains = NULL;
	int failed = 0, count = vir.ConnectListAllDomains(libvirt->connection, &domains, 0);

	if (count < 0)
		return kw_libvirt_failed(error, error_size);
	guests = calloc((size_t)count + 1, sizeof(*guests));
	for (int i = 0; i < count; i++) {
		if (guests && !failed)
			failed = copy(domains[i], &guests[i]);
		vir.DomainFree(domains[i]);
	}
	if (failed == -EIO)
		return kw_libvirt_failed(error, error_size);
	if (!guests || failed) {
		kw_text_copy(error, error_size, strerror(guests ? -failed : ENOMEM));
		return guests ? failed : -ENOMEM;
	}
	qsort(guests, (size_t)count, sizeof(*guests), by_name);
	*ret_guests = KW_STEAL(guests);
	*ret_count = (size_t)count;
	return 0;
}
