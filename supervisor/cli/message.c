/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/message.h"
#include "cli/display.h"

/* Further lines are set in, so that none of them can pass for a message of its own. */
static void print_lines(char *text)
{
	const char *before = "kvmward: ";
	char *line;

	while ((line = strsep(&text, "\n"))) {
		_cleanup_free_ char *shown = kw_display(line);

		if (shown && *shown)
			fprintf(stderr, "%s%s\n", before, shown);
		before = "  ";
	}
}

void kw_message(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	fflush(stdout);
	if (text)
		print_lines(text);
}

void kw_message_refused(const struct kw_verdict *verdict)
{
	kw_message("refused: %s: %s", kw_code_name(verdict->code), verdict->sentence);
}
