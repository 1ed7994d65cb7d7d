/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/claim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int kw_hold_list_add(struct kw_hold_list *list, const struct kw_hold *hold)
{
	struct kw_hold *holds = reallocarray(list->holds, list->count + 1, sizeof(*holds));

	if (!holds)
		return -ENOMEM;
	list->holds = holds;
	list->holds[list->count++] = *hold;
	return 0;
}

void kw_hold_list_done(struct kw_hold_list *list)
{
	free(list->holds);
	*list = (struct kw_hold_list){};
}

void kw_hold_list_drop(struct kw_hold_list *list, struct kw_hold *hold)
{
	size_t after = list->count - (size_t)(hold - list->holds) - 1;

	memmove(hold, hold + 1, after * sizeof(*hold));
	list->count--;
}
