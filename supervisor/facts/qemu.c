/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/qemu.h"

#include <string.h>

#include "base/text.h"
#include "facts/printable.h"

static bool starts(const char *part, size_t length, const char *prefix)
{
	return length >= strlen(prefix) && !memcmp(part, prefix, strlen(prefix));
}

static bool ends(const char *part, size_t length, const char *suffix)
{
	size_t suffix_length = strlen(suffix);

	return length > suffix_length &&
	       !memcmp(part + length - suffix_length, suffix, suffix_length);
}

static bool is(const char *part, size_t length, const char *name)
{
	return length == strlen(name) && !memcmp(part, name, length);
}

/* The cgroup of one guest, or of libvirt itself, which keeps guests there if it must. */
static bool is_guest_part(const char *part, size_t length)
{
	return (starts(part, length, "machine-qemu\\x2d") && ends(part, length, ".scope")) ||
	       (starts(part, length, "qemu-") && ends(part, length, ".libvirt-qemu")) ||
	       is(part, length, "libvirtd.service") || is(part, length, "virtqemud.service");
}

/* What may stand above it: made by root, holding no processes of users. */
static bool is_parent_part(const char *part, size_t length)
{
	return (ends(part, length, ".slice") && !is(part, length, "user.slice")) ||
	       is(part, length, "machine") || ends(part, length, ".partition");
}

bool kw_cgroup_is_libvirt(const char *cgroup)
{
	const char *part = cgroup + strspn(cgroup, "/");

	while (*part) {
		size_t length = strcspn(part, "/");

		if (is_guest_part(part, length))
			return part > cgroup + 1;
		if (!is_parent_part(part, length))
			return false;
		part += length;
		part += strspn(part, "/");
	}
	return false;
}

/* Copies up to the comma that ends the value, ",," being one; returns where it ended. */
static const char *copy_value(const char *from, char *to, size_t size)
{
	size_t length = 0;

	while (*from && (*from != ',' || from[1] == ',')) {
		if (*from == ',')
			from++;
		if (length + 1 < size)
			to[length++] = *from;
		from++;
	}
	to[length] = '\0';
	return *from ? from + 1 : from;
}

/* "guest=N" anywhere, or the first part when it has no key: QEMU's implied one. */
static void read_name(const char *argument, char *ret_name)
{
	char value[4 * KW_NAME_MAX];
	bool first = true;

	while (*argument) {
		const char *name = NULL;

		argument = copy_value(argument, value, sizeof(value));
		if (kw_text_starts(value, "guest="))
			name = value + strlen("guest=");
		else if (first && !strchr(value, '='))
			name = value;
		if (name) {
			kw_text_copy(ret_name, KW_NAME_MAX, name);
			return;
		}
		first = false;
	}
}

static bool is_option(const char *argument, const char *option)
{
	if (*argument != '-')
		return false;
	argument += argument[1] == '-' ? 2 : 1;
	return kw_text_equal(argument, option);
}

void kw_qemu_identity(const char *arguments, size_t length, char *ret_uuid, char *ret_name)
{
	const char *end = arguments + length, *argument = arguments;

	ret_uuid[0] = ret_name[0] = '\0';
	while (argument < end) {
		const char *value = argument + strnlen(argument, end - argument) + 1;

		if (value >= end || !memchr(value, 0, end - value))
			break;
		if (!ret_uuid[0] && is_option(argument, "uuid"))
			kw_text_uuid(value, ret_uuid);
		else if (!ret_name[0] && is_option(argument, "name"))
			read_name(value, ret_name);
		argument = value;
	}
	kw_printable(ret_name);
}
