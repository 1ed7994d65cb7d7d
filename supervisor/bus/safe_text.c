/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/safe_text.h"

#include "base/text.h"

const char *kw_bus_safe_text(char *to, size_t to_size, const char *text)
{
	kw_text_copy(to, to_size, text);
	if (kw_text_is_utf8(to))
		return to;
	for (char *c = to; *c; c++)
		if ((unsigned char)*c > 127)
			*c = '?';
	return to;
}
