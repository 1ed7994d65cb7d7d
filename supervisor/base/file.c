/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

/* One byte more than max is asked for: that tells a file that is too long from one that fits. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, text + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

/* Grows in steps: max may be far more than what files usually have. */
static int read_grow(int fd, size_t max, char **text, size_t *ret_length)
{
	size_t size = 0, length = 0;

	for (;;) {
		size_t next = size ? size * 2 : 4096;
		char *grown;
		ssize_t got;

		if (next > max + 1)
			next = max + 1;
		grown = realloc(*text, next + 1);
		if (!grown)
			return -ENOMEM;
		*text = grown;
		size = next;
		got = read_up_to(fd, *text + length, size - length);
		if (got < 0)
			return (int)got;
		length += (size_t)got;
		if (length > max)
			return -EFBIG;
		if (length < size)
			break;
	}
	*ret_length = length;
	return 0;
}

int kw_file_read_fd(int fd, size_t max, char **ret_text, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int error;

	if (max >= SSIZE_MAX - 1)
		return -EINVAL;
	error = read_grow(fd, max, &text, &length);
	if (error)
		return error;
	text[length] = '\0';
	*ret_text = KW_STEAL(text);
	if (ret_length)
		*ret_length = length;
	return 0;
}

int kw_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return kw_file_read_fd(fd, max, ret_text, ret_length);
}

/* Cuts what is behind the last line that says something; returns where that begins. */
static char *last_line(char *text)
{
	size_t length = strlen(text);
	char *line;

	while (length && strchr("\r\n .", text[length - 1]))
		text[--length] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

void kw_file_last_line(int fd, char *ret_line, size_t size)
{
	const off_t room = 2047;
	char text[2048];
	struct stat file = {};
	ssize_t length;

	fstat(fd, &file);
	length = pread(fd, text, (size_t)room, file.st_size > room ? file.st_size - room : 0);
	text[length > 0 ? length : 0] = '\0';
	kw_text_copy(ret_line, size, last_line(text));
}

int kw_file_write_fd(int fd, const void *text, size_t length)
{
	while (length) {
		ssize_t put = write(fd, text, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		text += put;
		length -= (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/*
 * Makes the new name last as well. The new text is in force already, so a
 * file system that cannot do this (EINVAL) is no failure.
 */
static void sync_directory_of(const char *path)
{
	_cleanup_close_ int fd = -1;
	char dir[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

static int write_new(const char *path, const void *text, size_t length, mode_t mode)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0)
		return -errno;
	return kw_file_write_fd(fd, text, length);
}

int kw_file_write(const char *path, const void *text, size_t length, mode_t mode)
{
	char next[PATH_MAX];
	int error;

	if (snprintf(next, sizeof(next), "%s.tmp", path) >= (int)sizeof(next))
		return -ENAMETOOLONG;
	error = write_new(next, text, length, mode);
	if (!error && rename(next, path) < 0)
		error = -errno;
	if (error) {
		unlink(next);
		return error;
	}
	sync_directory_of(path);
	return 0;
}
