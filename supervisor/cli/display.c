/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <langinfo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli/display.h"

static bool utf8_locale(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* Format characters that change how the text around them looks. */
static bool deceives(wchar_t c)
{
	return c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Bytes of the character that may be shown as it is, with its columns; 0 for none. */
static size_t character(const char *text, size_t *ret_columns)
{
	mbstate_t state = {};
	wchar_t c;
	size_t length;

	if ((unsigned char)*text < 0x80) {
		*ret_columns = 1;
		return *text >= ' ' && *text != 0x7f;
	}
	if (!utf8_locale())
		return 0;
	length = mbrtowc(&c, text, strnlen(text, 8), &state);
	if (length > 8 || wcwidth(c) < 0 || deceives(c))
		return 0;
	*ret_columns = wcwidth(c);
	return length;
}

char *kw_display(const char *text)
{
	char *shown = malloc(4 * strlen(text) + 1), *to = shown;
	size_t length, columns;

	if (!shown)
		return NULL;
	for (; *text; text += length ? length : 1) {
		length = character(text, &columns);
		if (*text == '\\')
			to = stpcpy(to, "\\\\");
		else if (length)
			to = mempcpy(to, text, length);
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
	}
	*to = 0;
	return shown;
}

size_t kw_display_width(const char *text)
{
	size_t width = 0, length, columns;

	for (; *text; text += length ? length : 1) {
		length = character(text, &columns);
		width += length ? columns : 1;
	}
	return width;
}

char *kw_display_cut(const char *text, size_t width)
{
	const char *ellipsis = utf8_locale() ? "\u2026" : "...";
	size_t mark = utf8_locale() ? 1 : 3, used = 0, length, columns;
	const char *at = text;
	char *cut = NULL;

	if (kw_display_width(text) <= width)
		return strdup(text);
	if (width < mark) {
		ellipsis = "";
		mark = 0;
	}
	for (; *at; at += length, used += columns) {
		length = character(at, &columns);
		if (!length)
			length = columns = 1;
		if (used + columns > width - mark)
			break;
	}
	if (asprintf(&cut, "%.*s%s", (int)(at - text), text, ellipsis) < 0)
		return NULL;
	return cut;
}
