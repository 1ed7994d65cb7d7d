/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

/* Bytes of the character at text, 0 when it is none: the shortest prefix that is UTF-8. */
static size_t character(const char *text)
{
	char prefix[5] = "";

	for (size_t length = 0; length < 4 && text[length]; length++) {
		prefix[length] = text[length];
		if (kw_text_is_utf8(prefix))
			return length + 1;
	}
	return 0;
}

char *kw_utf8_repair(const char *text)
{
	char *repaired = malloc(strlen(text) * strlen(REPLACEMENT) + 1), *to = repaired;
	size_t length;

	if (!repaired)
		return NULL;
	for (; *text; text += length ? length : 1) {
		length = character(text);
		to = length ? mempcpy(to, text, length) : stpcpy(to, REPLACEMENT);
	}
	*to = 0;
	return repaired;
}
