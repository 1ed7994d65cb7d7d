/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/file.h"

#define MOUNTINFO_MAX (4u << 20)

/* QEMU's permissions, by their bits. */
enum { READ, WRITE, WRITE_UNCHANGED, RESIZE };
#define DOES 100	/* bytes of those that it has */
#define DENIES 200	/* and of those that it lets nobody else have */

bool kw_locks_are_local(const char *mountinfo, unsigned int major, unsigned int minor)
{
	unsigned int line_major, line_minor;
	char line[4096];

	for (const char *at = mountinfo; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		if (sscanf(line, "%*u %*u %u:%u ", &line_major, &line_minor) == 2 &&
		    line_major == major && line_minor == minor)
			return strstr(line, ",local_lock=all") || strstr(line, ",local_lock=posix");
	}
	return false;
}

static bool stays_here(int fd)
{
	_cleanup_free_ char *mountinfo = NULL;
	struct stat status;

	if (fstat(fd, &status) < 0 ||
	    kw_file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, NULL))
		return true;
	return kw_locks_are_local(mountinfo, major(status.st_dev), minor(status.st_dev));
}

/* Anything that a lock of the whole range for writing would have to wait for. */
static enum kw_lock ask(int fd, off_t start, off_t length)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start,
			      .l_len = length };

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return KW_LOCK_UNKNOWN;
	return lock.l_type == F_UNLCK ? KW_LOCK_FREE : KW_LOCK_HELD;
}

/* Devices are opened without waiting for what is not in them. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int kw_file_lock(const char *path, enum kw_lock *ret_lock)
{
	_cleanup_close_ int fd = open_file(path);

	if (fd < 0)
		return fd;
	*ret_lock = stays_here(fd) ? KW_LOCK_UNKNOWN : ask(fd, 0, 0);
	return 0;
}

/* A device's locks are the host's own. */
int kw_disk_lock(const char *path, enum kw_lock *ret_lock)
{
	static const struct { off_t start, length; } bytes[] = {
		{ DOES + WRITE, 1 }, { DOES + RESIZE, 1 }, { DENIES + READ, RESIZE + 1 },
	};
	_cleanup_close_ int fd = open_file(path);
	enum kw_lock lock = KW_LOCK_FREE;
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || stays_here(fd))
		lock = KW_LOCK_UNKNOWN;
	for (size_t i = 0; lock == KW_LOCK_FREE && i < sizeof(bytes) / sizeof(*bytes); i++)
		lock = ask(fd, bytes[i].start, bytes[i].length);
	*ret_lock = lock;
	return 0;
}
