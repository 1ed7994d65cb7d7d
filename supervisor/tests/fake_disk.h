/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that fails, and a process that dies, between any two changes to files.
 * A test that includes this is linked with --wrap of each function below (see
 * the Makefile), so that the code under test calls these.
 */
#ifndef KW_TESTS_FAKE_DISK_H
#define KW_TESTS_FAKE_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKE_DISK_DEATH 99	/* exit status of a process that died here */
#define FAKE_DISK_FOREVER (-1l)

static long fake_disk_left = FAKE_DISK_FOREVER;	/* changes until this process dies */
static bool (*fake_disk_fails)(void);		/* shall this change fail? NULL: none does */

int __real_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *from, size_t size);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_unlinkat(int dir, const char *path, int flags);
int __real_mkdir(const char *path, mode_t mode);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *from, size_t size);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_mkdir(const char *path, mode_t mode);

static inline bool fake_disk_dies(void)
{
	return fake_disk_left != FAKE_DISK_FOREVER && fake_disk_left-- == 0;
}

/* True when the change is to fail, with errno set. As by kill -9: nothing is run at exit. */
static inline bool fake_disk_stops(void)
{
	if (fake_disk_dies())
		_exit(FAKE_DISK_DEATH);
	if (!fake_disk_fails || !fake_disk_fails())
		return false;
	errno = ENOSPC;
	return true;
}

static inline mode_t fake_disk_mode(int flags, va_list args)
{
	return flags & O_CREAT ? va_arg(args, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = fake_disk_mode(flags, args);
	va_end(args);
	if (flags & (O_CREAT | O_TRUNC) && fake_disk_stops())
		return -1;
	return __real_open(path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = fake_disk_mode(flags, args);
	va_end(args);
	if (flags & (O_CREAT | O_TRUNC) && fake_disk_stops())
		return -1;
	return __real_openat(dir, path, flags, mode);
}

/* A process may die with a part of it written. */
ssize_t __wrap_write(int fd, const void *from, size_t size)
{
	if (fake_disk_left == 0 && size > 1 && __real_write(fd, from, size / 2) < 0)
		_exit(1);
	return fake_disk_stops() ? -1 : __real_write(fd, from, size);
}

int __wrap_fsync(int fd)
{
	return fake_disk_stops() ? -1 : __real_fsync(fd);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fake_disk_stops() ? -1 : __real_fchmod(fd, mode);
}

int __wrap_rename(const char *from, const char *to)
{
	return fake_disk_stops() ? -1 : __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	return fake_disk_stops() ? -1 : __real_unlink(path);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
	return fake_disk_stops() ? -1 : __real_unlinkat(dir, path, flags);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return fake_disk_stops() ? -1 : __real_mkdir(path, mode);
}

#endif
