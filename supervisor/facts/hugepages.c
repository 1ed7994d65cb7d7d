/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/hugepages.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/meminfo.h"

#define NUMBER_MAX 64
#define STATUS_MAX (64 * 1024)
#define PREFIX "hugepages-"

static bool read_number(const char *root, const char *pool, const char *name, uint64_t *ret_number)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/%s", root, pool, name) >= (int)sizeof(path) ||
	    kw_file_read(path, NUMBER_MAX, &text, NULL))
		return false;
	text[strcspn(text, "\n")] = '\0';
	return !kw_text_u64(text, UINT64_MAX, ret_number);
}

bool kw_hugepages_size(const char *name, uint64_t *ret_bytes)
{
	char digits[24];
	size_t length;

	if (!kw_text_starts(name, PREFIX))
		return false;
	length = strspn(name + strlen(PREFIX), "0123456789");
	if (length >= sizeof(digits) || !kw_text_equal(name + strlen(PREFIX) + length, "kB"))
		return false;
	memcpy(digits, name + strlen(PREFIX), length);
	digits[length] = '\0';
	return !kw_text_size(digits, "KiB", 1, ret_bytes) && *ret_bytes;
}

static bool read_pool(const char *root, const char *name, struct kw_huge_pool *pool)
{
	return read_number(root, name, "nr_hugepages", &pool->total_pages) &&
	       read_number(root, name, "free_hugepages", &pool->free_pages) &&
	       read_number(root, name, "resv_hugepages", &pool->reserved_pages);
}

void kw_hugepages_read(const char *root, const char *proc, struct kw_huge_pools *ret_pools)
{
	struct kw_huge_pools pools = { .known = true };
	_cleanup_closedir_ DIR *dir = opendir(root);
	struct dirent *entry;

	if (!dir)
		pools.known = errno == ENOENT;
	while (dir && (entry = readdir(dir)) && pools.count < KW_HUGE_SIZES) {
		struct kw_huge_pool *pool = &pools.pools[pools.count];

		if (!kw_hugepages_size(entry->d_name, &pool->page_bytes))
			continue;
		pools.known = pools.known && read_pool(root, entry->d_name, pool);
		pools.count++;
	}
	pools.default_page_bytes = kw_meminfo_hugepage_bytes(proc).value;
	*ret_pools = pools;
}

static struct kw_u64 of_process(const char *proc, pid_t pid)
{
	static const char key[] = "\nHugetlbPages:";
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *line, *number, *save;
	uint64_t bytes;

	if (snprintf(path, sizeof(path), "%s/%d/status", proc, (int)pid) >= (int)sizeof(path) ||
	    kw_file_read(path, STATUS_MAX, &text, NULL))
		return (struct kw_u64){ 0 };
	line = strstr(text, key);
	number = line ? strtok_r(line + strlen(key), " \t\n", &save) : NULL;
	if (!number || kw_text_size(number, "KiB", 1, &bytes))
		return (struct kw_u64){ 0 };
	return KW_U64(bytes);
}

void kw_hugepages_of_guests(const char *proc, struct kw_guest_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->guests[i].orphan)
			list->guests[i].hugetlb_bytes = of_process(proc, list->guests[i].pid);
}
