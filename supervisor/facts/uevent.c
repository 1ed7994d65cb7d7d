/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/uevent.h"

#include <string.h>

#include "base/text.h"

/* The value of KEY= among the strings, "" when it is not there. key includes the '='. */
static const char *value_of(const char *text, size_t length, const char *key)
{
	const char *end = text + length;

	while (text < end) {
		const char *next = memchr(text, 0, end - text);

		if (!next)
			break;
		if (kw_text_starts(text, key))
			return text + strlen(key);
		text = next + 1;
	}
	return "";
}

bool kw_uevent_is_kvm(const char *text, size_t length)
{
	const char *device = value_of(text, length, "DEVNAME=");
	const char *event = value_of(text, length, "EVENT=");
	const char *action = value_of(text, length, "ACTION=");

	if (!kw_text_equal(device, "kvm") && !kw_text_equal(device, "/dev/kvm"))
		return false;
	return kw_text_equal(event, "create") || kw_text_equal(event, "destroy") ||
	       kw_text_equal(action, "add") || kw_text_equal(action, "remove");
}
