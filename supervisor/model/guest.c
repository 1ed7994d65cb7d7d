/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/guest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void kw_guest_list_done(struct kw_guest_list *list)
{
	if (!list)
		return;
	free(list->guests);
	memset(list, 0, sizeof(*list));
}

const struct kw_guest *kw_guest_list_find(const struct kw_guest_list *list, const char *uuid)
{
	if (!uuid[0])
		return NULL;
	for (size_t i = 0; i < list->count; i++)
		if (!strcasecmp(list->guests[i].uuid, uuid))
			return &list->guests[i];
	return NULL;
}

const char *kw_guest_type_name(enum kw_guest_type type)
{
	switch (type) {
	case KW_GUEST_PLAIN:
		return "plain";
	case KW_GUEST_SEV:
		return "sev";
	case KW_GUEST_SEV_ES:
		return "sev-es";
	case KW_GUEST_SNP:
		return "snp";
	}
	return "unknown";
}

bool kw_guest_type_pool(enum kw_guest_type type, bool snp_apart, enum kw_pool *ret_pool)
{
	switch (type) {
	case KW_GUEST_PLAIN:
		return false;
	case KW_GUEST_SEV:
		*ret_pool = KW_POOL_SEV;
		return true;
	case KW_GUEST_SEV_ES:
		*ret_pool = KW_POOL_SEV_ES;
		return true;
	case KW_GUEST_SNP:
		*ret_pool = snp_apart ? KW_POOL_SNP : KW_POOL_SEV_ES;
		return true;
	}
	return false;
}
