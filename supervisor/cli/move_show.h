/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MOVE_SHOW_H
#define KW_CLI_MOVE_SHOW_H

#include <json-c/json.h>

#include "model/move.h"

/* How a move is shown: one line over and over on a terminal, else a line for every news. */
struct kw_move_show {
	bool json;
	bool terminal;			/* standard error is one */
	size_t width;			/* of what stands in the line now */
	char last[512];			/* what was shown last */
	struct kw_move_progress told;	/* likewise, as JSON, but for the time that it took */
};

void kw_move_show_begin(struct kw_move_show *show, bool json);
void kw_move_show(struct kw_move_show *show, const struct kw_move_progress *progress);

/* Ends the line, so that something else can be written. */
void kw_move_show_end(struct kw_move_show *show);

/* What is known, in one line: "db1: live to h2: moving, 1.2 GiB moved, …". Returns to. */
char *kw_move_line(char *to, size_t size, const struct kw_move_progress *progress);

/* How it went, in a sentence: where the guest is, whether it runs, how long it took. Returns to. */
char *kw_move_result(char *to, size_t size, const struct kw_move_progress *progress);

/* The caller owns the object. Keys never change. */
struct json_object *kw_json_move(const struct kw_move_progress *progress);

#endif
