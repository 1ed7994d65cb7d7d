/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_GUESTS_H
#define KW_CLI_GUESTS_H

#include <json-c/json.h>
#include <stdio.h>

#include "model/guest.h"

/* The guests as an array, as 'kvmward guests --json' shows them. The caller owns it. */
struct json_object *kw_json_guests(const struct kw_guest_list *list);

/* The table, in full when wide; sizes in bytes when exact; width as for kw_table_print(). */
int kw_guests_print(const struct kw_guest_list *list, bool wide, bool exact, FILE *to,
		    size_t width);

#endif
