/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/walls_built.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define TEXT_MAX 256

static int path_of(const char *dir, char *to, size_t to_size)
{
	return snprintf(to, to_size, "%s/walls", dir) < (int)to_size ? 0 : -ENAMETOOLONG;
}

static void take_line(char *line, struct kw_walls_built *built)
{
	char *value = line;
	uint64_t bytes;

	strsep(&value, " ");
	if (!strcmp(line, "memory_max") && value && !kw_text_u64(value, UINT64_MAX - 1, &bytes))
		built->memory_max_bytes = KW_U64(bytes);
	if (!strcmp(line, "misc_max") && !value)
		built->misc_max = true;
}

void kw_walls_built_read(const char *dir, struct kw_walls_built *ret_built)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *rest, *line;

	*ret_built = (struct kw_walls_built){ 0 };
	if (path_of(dir, path, sizeof(path)) || kw_file_read(path, TEXT_MAX, &text, NULL))
		return;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		take_line(line, ret_built);
}

int kw_walls_built_write(const char *dir, const struct kw_walls_built *built)
{
	char path[PATH_MAX], text[TEXT_MAX] = "";
	int used = 0;

	if (path_of(dir, path, sizeof(path)))
		return -ENAMETOOLONG;
	if (built->memory_max_bytes.known)
		used = snprintf(text, sizeof(text), "memory_max %" PRIu64 "\n",
				built->memory_max_bytes.value);
	if (built->misc_max)
		snprintf(text + used, sizeof(text) - (size_t)used, "misc_max\n");
	return kw_file_write(path, text, strlen(text), 0600);
}
