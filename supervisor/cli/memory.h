/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MEMORY_H
#define KW_CLI_MEMORY_H

#include <json-c/json.h>
#include <stdio.h>

#include "model/config.h"
#include "model/room.h"

/* The sum as an object, and with it the pools of hugepages; null when not known. The caller's. */
struct json_object *kw_json_memory(const struct kw_memory_status *memory,
				   const struct kw_config *config);

/* The sum line by line, and a table of the pools where there are some. 0 or -ENOMEM. */
int kw_memory_print(const struct kw_memory_status *memory, const struct kw_config *config,
		    bool exact, FILE *to, size_t width);

/* The same in a paragraph of one or two lines. */
void kw_memory_print_brief(const struct kw_memory_status *memory, const struct kw_config *config,
			   FILE *to, size_t width);

#endif
