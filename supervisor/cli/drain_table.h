/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_DRAIN_TABLE_H
#define KW_CLI_DRAIN_TABLE_H

#include <json-c/json.h>
#include <stdio.h>

#include "cli/drain_run.h"
#include "policy/drain.h"

/* One guest of the host that is drained. Borrowed strings. */
struct kw_drain_row {
	const char *name, *uuid;
	const struct kw_drain_guest *guest;	/* NULL: libvirt does not know it */
	const struct kw_drain_move *move;	/* NULL: not moved, or not yet */
};

/* What is printed, before the moves and after them. */
struct kw_drain_rows {
	const struct kw_drain_row *rows;
	size_t count;
	const char *const *uris;		/* of the destinations */
	size_t destination_count;
	uint32_t shutdown_s;			/* that a guest has to shut down */
};

/* What would happen, with the reasons below. 0 or -ENOMEM; width as for kw_table_print(). */
int kw_drain_print_plan(const struct kw_drain_rows *rows, FILE *to, size_t width);

/* What did. */
int kw_drain_print_end(const struct kw_drain_rows *rows, FILE *to, size_t width);

/* The guests as an array, with what is known of each by now. The caller owns it. */
struct json_object *kw_json_drain(const struct kw_drain_rows *rows);

/* "waits", "runs", "moved", "stayed", "failed". */
const char *kw_drain_end_name(enum kw_drain_end end);

#endif
