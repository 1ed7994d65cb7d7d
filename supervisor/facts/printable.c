/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/printable.h"

#include <stdbool.h>

#include "base/text.h"

/* U+0080 to U+009F, which some terminals obey as well. */
static bool is_c1_control(const unsigned char *at)
{
	return at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
}

void kw_printable(char *text)
{
	bool utf8 = kw_text_is_utf8(text);

	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (is_c1_control(at))
			at[0] = at[1] = '?';
		else if (*at < ' ' || *at == 0x7f || (*at > 0x7f && !utf8))
			*at = '?';
	}
}
