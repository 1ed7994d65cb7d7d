/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/display.h"
#include "cli/table.h"

#define GAP 2		/* blanks between columns */

struct kw_table {
	const struct kw_column *columns;
	size_t column_count;
	char **cells;		/* printable */
	size_t cell_count, room;
	bool incomplete;	/* memory ran out */
};

struct kw_table *kw_table_create(const struct kw_column *columns, size_t count)
{
	struct kw_table *table = calloc(1, sizeof(*table));

	if (table) {
		table->columns = columns;
		table->column_count = count;
	}
	return table;
}

void kw_table_destroy(struct kw_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

static bool make_room(struct kw_table *table)
{
	size_t room = table->room ? 2 * table->room : 64;
	char **cells;

	if (table->cell_count < table->room)
		return true;
	cells = reallocarray(table->cells, room, sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

void kw_table_text(struct kw_table *table, const char *text)
{
	char *cell = text ? kw_display(text) : NULL;

	if (!cell || !make_room(table)) {
		free(cell);
		table->incomplete = true;
		return;
	}
	table->cells[table->cell_count++] = cell;
}

void kw_table_format(struct kw_table *table, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	kw_table_text(table, text);
}

void kw_table_u32(struct kw_table *table, struct kw_u32 number)
{
	if (number.known)
		kw_table_format(table, "%" PRIu32, number.value);
	else
		kw_table_text(table, KW_UNKNOWN_CELL);
}

void kw_table_bytes(struct kw_table *table, struct kw_u64 bytes, bool exact)
{
	char text[32];

	if (!bytes.known)
		kw_table_text(table, KW_UNKNOWN_CELL);
	else if (exact || !bytes.value)
		kw_table_format(table, "%" PRIu64, bytes.value);
	else
		kw_table_text(table, kw_text_bytes(text, sizeof(text), bytes.value));
}

static void measure(const struct kw_table *table, size_t *widths)
{
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = kw_display_width(table->columns[i].title);
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t width = kw_display_width(table->cells[i]);

		if (width > widths[i % table->column_count])
			widths[i % table->column_count] = width;
	}
}

/* The widest column that may still be cut, or column_count. */
static size_t widest(const struct kw_table *table, const size_t *widths)
{
	size_t found = table->column_count;

	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].least && widths[i] > table->columns[i].least &&
		    (found == table->column_count || widths[i] > widths[found]))
			found = i;
	return found;
}

static void fit(const struct kw_table *table, size_t *widths, size_t width)
{
	size_t total = GAP * (table->column_count - 1), at;

	for (size_t i = 0; i < table->column_count; i++)
		total += widths[i];
	for (; total > width; total--) {
		at = widest(table, widths);
		if (at == table->column_count)
			return;
		widths[at]--;
	}
}

/* *blanks: those owed before the next text, so that no line ends in one. */
static int print_cell(const struct kw_table *table, FILE *to, size_t column, const char *text,
		      size_t width, size_t *blanks)
{
	_cleanup_free_ char *cut = kw_display_cut(text, width);
	bool right = table->columns[column].right;
	size_t padding;

	if (!cut)
		return -ENOMEM;
	padding = width - kw_display_width(cut);
	if (*cut) {
		fprintf(to, "%*s%s", (int)(*blanks + (right ? padding : 0)), "", cut);
		*blanks = 0;
	}
	*blanks += GAP + (right && *cut ? 0 : padding);
	if (column + 1 == table->column_count) {
		fputc('\n', to);
		*blanks = 0;
	}
	return 0;
}

int kw_table_print(const struct kw_table *table, FILE *to, size_t width)
{
	_cleanup_free_ size_t *widths = calloc(table->column_count, sizeof(*widths));
	size_t columns = table->column_count, blanks = 0;
	int error = 0;

	if (!widths || table->incomplete)
		return -ENOMEM;
	measure(table, widths);
	if (width)
		fit(table, widths, width);
	for (size_t i = 0; i < columns && !error; i++)
		error = print_cell(table, to, i, table->columns[i].title, widths[i],
				   &blanks);
	for (size_t i = 0; i < table->cell_count && !error; i++)
		error = print_cell(table, to, i % columns, table->cells[i], widths[i % columns],
				   &blanks);
	return error;
}

size_t kw_terminal_width(FILE *stream)
{
	struct winsize size = {};

	if (!isatty(fileno(stream)))
		return 0;
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) || !size.ws_col)
		return 80;
	return size.ws_col;
}
