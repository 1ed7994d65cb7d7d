/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_UUIDS_H
#define KW_MODEL_UUIDS_H

#include "model/guest.h"

/* Guest UUIDs, in no order. */
struct kw_uuid_list {
	char (*uuids)[KW_UUID_LEN + 1];
	size_t count;
};

/* Frees what the list owns and empties it; takes NULL. */
void kw_uuid_list_done(struct kw_uuid_list *list);

/* 0 or -ENOMEM. */
int kw_uuid_list_add(struct kw_uuid_list *list, const char *uuid);

/* How often that UUID is in it. */
size_t kw_uuid_list_count(const struct kw_uuid_list *list, const char *uuid);

#endif
