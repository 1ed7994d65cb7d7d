/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mark.h"

#include <string.h>

static const char *const names[] = {
	[KW_MARK_NONE] = "none",
	[KW_MARK_LEAVING] = "leaving",
	[KW_MARK_ARRIVING] = "arriving",
	[KW_MARK_UNKNOWN] = "unknown",
};

const char *kw_mark_name(enum kw_mark_kind kind)
{
	return names[kind <= KW_MARK_UNKNOWN ? kind : KW_MARK_UNKNOWN];
}

enum kw_mark_kind kw_mark_kind_of(const char *word)
{
	if (!strcmp(word, names[KW_MARK_LEAVING]))
		return KW_MARK_LEAVING;
	return strcmp(word, names[KW_MARK_ARRIVING]) ? KW_MARK_UNKNOWN : KW_MARK_ARRIVING;
}
