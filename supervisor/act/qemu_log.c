/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/qemu_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

void kw_qemu_log_mark(const char *dir, const char *domain, struct kw_qemu_log *ret_log)
{
	struct stat file;
	int length;

	*ret_log = (struct kw_qemu_log){};
	length = snprintf(ret_log->path, sizeof(ret_log->path), "%s/%s.log", dir, domain);
	if (strchr(domain, '/') || length >= (int)sizeof(ret_log->path)) {
		*ret_log->path = '\0';
		return;
	}
	if (stat(ret_log->path, &file))
		return;
	ret_log->inode = file.st_ino;
	ret_log->end = file.st_size;
}

size_t kw_qemu_log_since(const struct kw_qemu_log *log, char *ret_text, size_t size)
{
	_cleanup_close_ int fd = open(log->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	off_t from = 0, room = (off_t)size - 1;
	struct stat file;
	ssize_t length;

	*ret_text = '\0';
	if (fd < 0 || fstat(fd, &file))
		return 0;
	if (file.st_ino == log->inode && file.st_size >= log->end)
		from = log->end;
	if (file.st_size - from > room)
		from = file.st_size - room;
	length = pread(fd, ret_text, (size_t)room, from);
	if (length < 0)
		length = 0;
	ret_text[length] = '\0';
	return (size_t)length;
}
