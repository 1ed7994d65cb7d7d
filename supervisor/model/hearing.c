/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/hearing.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name, *title;
} words[KW_HEARING_COUNT] = {
	[KW_HEARING_TIMER] = { "timer", "a slow timer" },
	[KW_HEARING_UEVENTS] = { "uevents", "KVM's uevents" },
	[KW_HEARING_SLOTS] = { "slot-events", "the module's slot events" },
};

const char *kw_hearing_name(enum kw_hearing from)
{
	return words[from].name;
}

const char *kw_hearing_title(enum kw_hearing from)
{
	return words[from].title;
}

int kw_hearing_find(const char *name, enum kw_hearing *ret_from)
{
	for (enum kw_hearing from = 0; from < KW_HEARING_COUNT; from++) {
		if (!strcmp(words[from].name, name)) {
			*ret_from = from;
			return 0;
		}
	}
	return -ENOENT;
}
