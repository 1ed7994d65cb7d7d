/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/meminfo.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define MEMINFO_MAX (64 * 1024)

/* "MemTotal:       16318480 kB": the kernel's kB are KiB. */
static struct kw_u64 parse_line(char *text, const char *key)
{
	char *line = strstr(text, key), *number, *save;
	uint64_t bytes;

	if (!line || (line != text && line[-1] != '\n'))
		return (struct kw_u64){ 0 };
	line[strcspn(line, "\n")] = '\0';
	strtok_r(line, " \t", &save);
	number = strtok_r(NULL, " \t", &save);
	if (!kw_text_equal(strtok_r(NULL, " \t", &save), "kB") ||
	    kw_text_size(number, "KiB", 1, &bytes))
		return (struct kw_u64){ 0 };
	return KW_U64(bytes);
}

static struct kw_u64 read_line(const char *proc, const char *key)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/meminfo", proc) >= (int)sizeof(path) ||
	    kw_file_read(path, MEMINFO_MAX, &text, NULL))
		return (struct kw_u64){ 0 };
	return parse_line(text, key);
}

struct kw_u64 kw_meminfo_total_bytes(const char *proc)
{
	return read_line(proc, "MemTotal:");
}

struct kw_u64 kw_meminfo_hugetlb_bytes(const char *proc)
{
	struct kw_u64 bytes = read_line(proc, "Hugetlb:");

	return !bytes.known && kw_meminfo_total_bytes(proc).known ? KW_U64(0) : bytes;
}

struct kw_u64 kw_meminfo_hugepage_bytes(const char *proc)
{
	return read_line(proc, "Hugepagesize:");
}
