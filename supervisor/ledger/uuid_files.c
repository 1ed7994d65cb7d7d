/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/uuid_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

int kw_uuid_file_path(const char *dir, const char *uuid, const char *end, char path[PATH_MAX])
{
	if (!kw_text_is_uuid(uuid))
		return -EINVAL;
	return snprintf(path, PATH_MAX, "%s/%s.%s", dir, uuid, end) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int kw_uuid_files_path(const char *dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static void sync_directory(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

/* What is in it is worth nothing if after a crash the directory is not there. */
int kw_uuid_files_make(const char *dir)
{
	char parent[PATH_MAX];

	if (mkdir(dir, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	snprintf(parent, sizeof(parent), "%s/..", dir);
	sync_directory(parent);
	return 0;
}

int kw_uuid_file_remove(const char *dir, const char *uuid, const char *end)
{
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, end, path);

	if (error)
		return error;
	if (unlink(path) < 0)
		return errno == ENOENT ? 0 : -errno;
	sync_directory(dir);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The UUID of a file name "UUID.end". */
static bool read_name(const char *file, const char *end, char uuid[KW_UUID_LEN + 1])
{
	return strlen(file) > KW_UUID_LEN && file[KW_UUID_LEN] == '.' &&
	       !strcmp(file + KW_UUID_LEN + 1, end) &&
	       snprintf(uuid, KW_UUID_LEN + 1, "%.*s", KW_UUID_LEN, file) == KW_UUID_LEN &&
	       kw_text_is_uuid(uuid);
}

int kw_uuid_files_list(const char *dir, const char *end, struct kw_uuid_list *ret_uuids)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list uuids = {};
	_cleanup_closedir_ DIR *files = opendir(dir);
	struct dirent *entry;
	char uuid[KW_UUID_LEN + 1];

	if (!files && errno != ENOENT)
		return -errno;
	errno = 0;
	while (files && (entry = readdir(files)))
		if (read_name(entry->d_name, end, uuid) && kw_uuid_list_add(&uuids, uuid))
			return -ENOMEM;
	if (files && errno)
		return -errno;
	if (uuids.count)
		qsort(uuids.uuids, uuids.count, sizeof(*uuids.uuids), compare);
	*ret_uuids = uuids;
	uuids = (struct kw_uuid_list){};
	return 0;
}
