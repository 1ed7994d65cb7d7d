/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_TABLE_H
#define KW_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "model/known.h"

#define KW_UNKNOWN_CELL "-"

struct kw_column {
	const char *title;
	bool right;		/* numbers */
	size_t least;		/* narrowest that it may be cut to; 0 never cut */
};

struct kw_table;

/* An empty table; columns are borrowed. NULL without memory. */
struct kw_table *kw_table_create(const struct kw_column *columns, size_t count);
void kw_table_destroy(struct kw_table *table);
KW_CLEANUP_OF(struct kw_table, kw_table_destroy);

/*
 * Adds the next cell, from left to right and then to the next row. The text is
 * made printable. Lack of memory is told by kw_table_print().
 */
void kw_table_text(struct kw_table *table, const char *text);
void kw_table_format(struct kw_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for numbers; KW_UNKNOWN_CELL when not known. */
void kw_table_u32(struct kw_table *table, struct kw_u32 number);
void kw_table_bytes(struct kw_table *table, struct kw_u64 bytes, bool exact);

/*
 * Prints titles and rows, cutting columns that may be cut until a line takes
 * at most width columns; 0 never cuts. 0 or -ENOMEM. Output errors stay in the
 * stream.
 */
int kw_table_print(const struct kw_table *table, FILE *to, size_t width);

/* Columns of the terminal that the stream is; 0 when it is none. */
size_t kw_terminal_width(FILE *stream);

#endif
