/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of cgroup v2, Documentation/admin-guide/cgroup-v2.rst: lists of words
 * (cgroup.controllers), single values (memory.max) and lines "key value"
 * (misc.max, memory.stat).
 */
#include "facts/cgroups.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define FILE_MAX (64 * 1024)
#define SLICE "/" KW_GUEST_SLICE "/"

/* The text of a file below root, NULL when it cannot be had. Owned by the caller. */
static char *read_below(const char *root, const char *name)
{
	char path[PATH_MAX], *text = NULL;

	if (snprintf(path, sizeof(path), "%s%s", root, name) >= (int)sizeof(path) ||
	    kw_file_read(path, FILE_MAX, &text, NULL))
		return NULL;
	return text;
}

static bool has_word(char *text, const char *word)
{
	char *found;

	while ((found = text ? strsep(&text, " \n") : NULL))
		if (!strcmp(found, word))
			return true;
	return false;
}

static struct kw_u64 number_of(const char *text)
{
	uint64_t number;

	if (kw_text_equal(text, "max"))
		return KW_U64(KW_NO_LIMIT);
	if (!text || kw_text_u64(text, UINT64_MAX - 1, &number))
		return (struct kw_u64){ 0 };
	return KW_U64(number);
}

static struct kw_u64 value_in(const char *root, const char *name)
{
	_cleanup_free_ char *text = read_below(root, name);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return number_of(text);
}

/* Of a text with a line "key value" for each key. */
static struct kw_u64 value_of(const char *text, const char *key)
{
	size_t length = strlen(key);

	while (text && *text) {
		size_t line = strcspn(text, "\n");
		char value[32];

		if (!strncmp(text, key, length) && text[length] == ' ' &&
		    line - length - 1 < sizeof(value)) {
			snprintf(value, sizeof(value), "%.*s", (int)(line - length - 1),
				 text + length + 1);
			return number_of(value);
		}
		text += line + (text[line] == '\n');
	}
	return (struct kw_u64){ 0 };
}

static void read_misc(const char *root, const char *name, struct kw_u64 ret_values[KW_MISC_COUNT])
{
	_cleanup_free_ char *text = read_below(root, name);

	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++)
		ret_values[key] = value_of(text, kw_misc_name(key));
}

void kw_cgroups_counts(const char *root, struct kw_u64 ret_counts[KW_MISC_COUNT])
{
	read_misc(root, SLICE "misc.current", ret_counts);
}

struct kw_u64 kw_cgroups_kept_bytes(const char *root)
{
	_cleanup_free_ char *text = read_below(root, SLICE "memory.stat");
	struct kw_u64 used = value_in(root, SLICE "memory.current");
	struct kw_u64 active = value_of(text, "active_file");
	struct kw_u64 inactive = value_of(text, "inactive_file");
	uint64_t cache = active.value + inactive.value;

	if (!used.known || !active.known || !inactive.known)
		return (struct kw_u64){ 0 };
	return KW_U64(used.value > cache ? used.value - cache : 0);
}

static bool slice_is_there(const char *root)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s" SLICE, root) < (int)sizeof(path) &&
	       !access(path, F_OK);
}

void kw_cgroups_read(const char *root, struct kw_cgroups *ret_cgroups)
{
	_cleanup_free_ char *controllers = read_below(root, "/cgroup.controllers");
	_cleanup_free_ char *enabled = read_below(root, "/cgroup.subtree_control");
	struct kw_u64 max[KW_MISC_COUNT], current[KW_MISC_COUNT];
	struct kw_cgroups cgroups = {
		.unified = controllers,
		.misc_offered = has_word(controllers, "misc"),
		.misc_enabled = has_word(enabled, "misc"),
		.slice = slice_is_there(root),
		.memory_max_bytes = value_in(root, SLICE "memory.max"),
	};

	read_misc(root, SLICE "misc.max", max);
	kw_cgroups_counts(root, current);
	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++)
		cgroups.misc[key] = (struct kw_misc){ max[key], current[key] };
	*ret_cgroups = cgroups;
}

void kw_cgroups_settle(const struct kw_u64 earlier[KW_MISC_COUNT], struct kw_cgroups *cgroups)
{
	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++) {
		struct kw_u64 *now = &cgroups->misc[key].current;

		if (earlier[key].known && now->known && earlier[key].value != now->value)
			*now = (struct kw_u64){ 0 };
	}
}
