/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/notes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ledger/ledger.h"

static int notes_path(const char *dir, char *ret_path, size_t size)
{
	return snprintf(ret_path, size, "%s/released", dir) < (int)size ? 0 : -ENAMETOOLONG;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int kw_release_note_leave(const char *dir, const char *uuid)
{
	_cleanup_close_ int dir_fd = -1, fd = -1;
	char path[PATH_MAX], canonical[KW_UUID_LEN + 1];
	int error = kw_text_uuid(uuid, canonical);

	if (!error)
		error = notes_path(dir, path, sizeof(path));
	if (!error)
		error = make_dir(dir);
	if (!error)
		error = make_dir(path);
	if (error)
		return error;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	fd = openat(dir_fd, canonical, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

static DIR *open_notes(const char *dir, int *ret_error)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	DIR *notes;

	*ret_error = notes_path(dir, path, sizeof(path));
	if (*ret_error)
		return NULL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	notes = fd < 0 ? NULL : fdopendir(fd);
	if (notes)
		fd = -1;
	else
		*ret_error = -errno;
	return notes;
}

/* A directory of that name could not be removed again, and would release for ever. */
static bool is_note(DIR *notes, const char *name)
{
	struct stat status;

	return kw_text_is_uuid(name) &&
	       fstatat(dirfd(notes), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode);
}

int kw_notes_read(const char *dir, struct kw_uuid_list *ret_noted)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list noted = {0};
	_cleanup_closedir_ DIR *notes = NULL;
	struct dirent *entry;
	int error;

	notes = open_notes(dir, &error);
	if (error && error != -ENOENT)
		return error;
	while (notes && (entry = readdir(notes))) {
		error = is_note(notes, entry->d_name) ? kw_uuid_list_add(&noted, entry->d_name) : 0;
		if (error)
			return error;
	}
	*ret_noted = noted;
	noted = (struct kw_uuid_list){0};
	return 0;
}

int kw_notes_remove(const char *dir, const struct kw_uuid_list *noted)
{
	_cleanup_closedir_ DIR *notes = NULL;
	int error = 0;

	if (!noted->count)
		return 0;
	notes = open_notes(dir, &error);
	if (error == -ENOENT)
		return 0;
	for (size_t i = 0; notes && i < noted->count; i++)
		if (unlinkat(dirfd(notes), noted->uuids[i], 0) < 0 && errno != ENOENT)
			error = -errno;
	return error;
}
