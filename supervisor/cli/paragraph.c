/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/paragraph.h"

#include <string.h>

#include "base/cleanup.h"
#include "cli/display.h"

/* Bytes of the text that one line takes: up to the last blank that fits, or one whole word. */
static size_t line_length(const char *text, size_t room)
{
	size_t length = strcspn(text, " ");

	while (text[length]) {
		size_t longer = length + 1 + strcspn(text + length + 1, " ");

		if (longer > room)
			break;
		length = longer;
	}
	return length;
}

void kw_paragraph_labelled(FILE *to, const char *label, size_t indent, size_t width,
			   const char *text)
{
	_cleanup_free_ char *shown = kw_display(text);
	const char *at = shown ? shown : "";
	size_t room = !width ? strlen(at) : width > indent ? width - indent : 1;

	do {
		size_t length = line_length(at, room);

		fprintf(to, "%-*s%.*s\n", (int)indent, label, (int)length, at);
		label = "";
		at += length + (at[length] == ' ');
	} while (*at);
}

void kw_paragraph_print(FILE *to, size_t indent, size_t width, const char *text)
{
	kw_paragraph_labelled(to, "", indent, width, text);
}
