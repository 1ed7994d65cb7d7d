/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/uuids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

void kw_uuid_list_done(struct kw_uuid_list *list)
{
	if (!list)
		return;
	free(list->uuids);
	memset(list, 0, sizeof(*list));
}

int kw_uuid_list_add(struct kw_uuid_list *list, const char *uuid)
{
	void *grown = reallocarray(list->uuids, list->count + 1, sizeof(*list->uuids));

	if (!grown)
		return -ENOMEM;
	list->uuids = grown;
	kw_text_copy(list->uuids[list->count++], sizeof(*list->uuids), uuid);
	return 0;
}

size_t kw_uuid_list_count(const struct kw_uuid_list *list, const char *uuid)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += !strcasecmp(list->uuids[i], uuid);
	return count;
}
