/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_EVACUATE_TABLE_H
#define KW_CLI_EVACUATE_TABLE_H

#include <json-c/json.h>
#include <stdio.h>

#include "cli/evacuate_look.h"

/* What would become of each guest, with the reasons below. 0 or -ENOMEM; width as for tables. */
int kw_evacuation_print(const struct kw_evacuation *evacuation, FILE *to, size_t width);

/* All of it, and what has become of guests that have been tried. The caller owns it. */
struct json_object *kw_json_evacuation(const struct kw_evacuation *evacuation);

#endif
