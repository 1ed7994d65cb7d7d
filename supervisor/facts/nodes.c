/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/nodes.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "facts/hugepages.h"

#define MEMINFO_MAX (64 * 1024)

/* "Node 0 MemTotal:  19228884 kB" */
static bool read_line(const char *text, const char *key, uint64_t *ret_bytes)
{
	const char *line = strstr(text, key);
	char number[24], unit[4];

	return line && sscanf(line + strlen(key), " %23s %3s", number, unit) == 2 &&
	       kw_text_equal(unit, "kB") && !kw_text_size(number, "KiB", 1, ret_bytes);
}

static bool read_text(const char *dir, const char *name, char **ret_text)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
	       !kw_file_read(path, MEMINFO_MAX, ret_text, NULL);
}

static bool add_pool(const char *dir, const char *name, uint64_t page_bytes, uint64_t *bytes)
{
	_cleanup_free_ char *text = NULL;
	char file[64];
	uint64_t pages;

	snprintf(file, sizeof(file), "%.40s/nr_hugepages", name);
	if (!read_text(dir, file, &text))
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (kw_text_u64(text, INT64_MAX / page_bytes, &pages))
		return false;
	*bytes = kw_add(*bytes, pages * page_bytes);
	return true;
}

/* The sum over the node's pools; a kernel without hugepages has none. */
static bool read_pools(const char *node, uint64_t *ret_bytes)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	uint64_t bytes = 0, page_bytes;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/hugepages", node) >= (int)sizeof(path))
		return false;
	dir = opendir(path);
	if (!dir && errno != ENOENT)
		return false;
	while (dir && (entry = readdir(dir)))
		if (kw_hugepages_size(entry->d_name, &page_bytes) &&
		    !add_pool(path, entry->d_name, page_bytes, &bytes))
			return false;
	*ret_bytes = bytes;
	return true;
}

static void read_node(const char *root, uint32_t node, struct kw_nodes *nodes)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/node%u", root, node) < (int)sizeof(path) &&
	    read_text(path, "meminfo", &text) &&
	    read_line(text, " MemTotal:", &nodes->total_bytes[node]) &&
	    read_pools(path, &nodes->pools_bytes[node]))
		nodes->known |= 1ull << node;
}

/* Their numbers need not follow each other. */
void kw_nodes_read(const char *root, struct kw_nodes *ret_nodes)
{
	_cleanup_closedir_ DIR *dir = opendir(root);
	struct kw_nodes nodes = {};
	struct dirent *entry;
	uint32_t node;

	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "node", 4) &&
		    !kw_text_u32(entry->d_name + 4, KW_NODES_MAX - 1, &node))
			read_node(root, node, &nodes);
	*ret_nodes = nodes;
}
