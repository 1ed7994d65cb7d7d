/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real locks on a real file, by another process, as QEMU takes them. */
#include "facts/file_lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/kw-lock-XXXXXX";

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* A process that has this byte locked, for reading as QEMU does, and ends when the pipe does. */
static pid_t lock_byte(off_t byte, int *ret_end)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte,
			      .l_len = 1 };
	int ready[2], end[2];
	pid_t pid;
	char c;

	assert_false(pipe(ready) || pipe(end));
	pid = fork();
	if (!pid) {
		close(end[1]);
		if (fcntl(open(path, O_RDONLY), F_OFD_SETLK, &lock) || write(ready[1], "", 1) < 1)
			_exit(1);
		_exit(read(end[0], &c, 1) != 0);
	}
	close(end[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*ret_end = end[1];
	return pid;
}

static void expect(off_t byte, enum kw_lock disk, enum kw_lock file)
{
	enum kw_lock found = KW_LOCK_UNKNOWN;
	int end, status;
	pid_t pid = lock_byte(byte, &end);

	assert_int_equal(kw_disk_lock(path, &found), 0);
	if (found != disk)
		fail_msg("byte %ld: %d", (long)byte, found);
	assert_int_equal(kw_file_lock(path, &found), 0);
	assert_int_equal(found, file);
	close(end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(kw_disk_lock(path, &found), 0);
	assert_int_equal(found, KW_LOCK_FREE);
}

/* The permissions of QEMU in their order: read, write, write unchanged, resize. */
static void who_writes_or_lets_nobody_write_is_seen(void **state)
{
	(void)state;
	expect(101, KW_LOCK_HELD, KW_LOCK_HELD);
	expect(103, KW_LOCK_HELD, KW_LOCK_HELD);
	expect(200, KW_LOCK_HELD, KW_LOCK_HELD);
	expect(201, KW_LOCK_HELD, KW_LOCK_HELD);
	expect(203, KW_LOCK_HELD, KW_LOCK_HELD);
}

static void who_only_reads_is_not(void **state)
{
	(void)state;
	expect(100, KW_LOCK_FREE, KW_LOCK_HELD);
	expect(99, KW_LOCK_FREE, KW_LOCK_HELD);
	expect(204, KW_LOCK_FREE, KW_LOCK_HELD);
}

static void what_cannot_be_opened_is_told(void **state)
{
	enum kw_lock found = KW_LOCK_UNKNOWN;

	(void)state;
	assert_int_equal(kw_disk_lock("/no/such/disk", &found), -ENOENT);
	assert_int_equal(kw_file_lock("/no/such/file", &found), -ENOENT);
	assert_int_equal(kw_disk_lock("/dev/null", &found), 0);
	assert_int_equal(found, KW_LOCK_UNKNOWN);
}

/* Lines of /proc/self/mountinfo with NFS, the second with locks that no other host sees. */
static void locks_may_stay_on_their_host(void **state)
{
	static const char mounts[] =
		"36 25 0:41 / /shared rw - nfs4 h1:/ rw,vers=4.2,local_lock=none,addr=10.9.9.1\n"
		"37 25 0:42 / /old rw - nfs h1:/ rw,vers=3,nolock,local_lock=all,addr=10.9.9.1\n"
		"38 25 0:43 / /b rw - nfs h1:/ rw,vers=3,local_lock=posix,addr=10.9.9.1";

	(void)state;
	assert_false(kw_locks_are_local(mounts, 0, 41));
	assert_true(kw_locks_are_local(mounts, 0, 42));
	assert_true(kw_locks_are_local(mounts, 0, 43));
	assert_false(kw_locks_are_local(mounts, 8, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_writes_or_lets_nobody_write_is_seen),
		cmocka_unit_test(who_only_reads_is_not),
		cmocka_unit_test(what_cannot_be_opened_is_told),
		cmocka_unit_test(locks_may_stay_on_their_host),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
