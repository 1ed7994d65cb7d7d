// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The opponents that every Linux has: the links in /proc/PID/fd, and KVM's
 * debugfs. Written for speed: directories by the bare system call into a large
 * buffer, everything relative to an open directory, no string made that is not
 * needed, nothing read that does not serve to find guests.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <dirent.h>

#include "method.h"

#define DEBUGFS_KVM "/sys/kernel/debug/kvm"

struct linux_dirent {		/* struct linux_dirent64, which no header has */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	unsigned char type;
	char name[];
};

static int entries_visit(int dir, const char *data, size_t len, method_entry_fn entry,
			 struct method_result *result)
{
	while (len) {
		const struct linux_dirent *dirent = (const void *)data;
		int ret = 0;

		if (dirent->name[0] != '.')
			ret = entry(dir, dirent->name, dirent->type, result);
		if (ret)
			return ret;
		data += dirent->reclen;
		len -= dirent->reclen;
	}
	return 0;
}

int method_each_entry(int parent, const char *path, method_entry_fn entry,
		      struct method_result *result)
{
	/* One for each level of nesting; a directory is read in one or two calls. */
	static char buffers[4][65536] __attribute__((aligned(8)));
	static unsigned int depth;
	int dir = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *buf = buffers[depth++];
	ssize_t len = 0;
	int ret = dir < 0 ? -errno : 0;

	result->calls++;
	while (!ret && (len = syscall(SYS_getdents64, dir, buf, sizeof(buffers[0]))) > 0) {
		result->calls++;
		ret = entries_visit(dir, buf, len, entry, result);
	}
	if (dir >= 0) {
		close(dir);
		result->calls += 2;
	}
	depth--;
	return ret;
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A link's target is all that tells a VM from any other file. */
static int link_look(int dir, const char *name, unsigned char type, struct method_result *result)
{
	static const char vm[] = "anon_inode:kvm-vm";
	char target[sizeof(vm) + 1];
	ssize_t len = readlinkat(dir, name, target, sizeof(target));

	result->calls++;
	if (len > 0)
		result->bytes += len;
	if (len == sizeof(vm) - 1 && !memcmp(target, vm, len))
		result->guests++;
	return 0;
}

/* A process may be gone by now: that is not our failure. */
static int process_look(int proc, const char *name, unsigned char type,
			struct method_result *result)
{
	char path[32];

	if (!is_digit(name[0]))
		return 0;
	snprintf(path, sizeof(path), "%s/fd", name);
	method_each_entry(proc, path, link_look, result);
	return 0;
}

static void file_read(int dir, const char *name, struct method_result *result)
{
	char buf[4096];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	result->calls++;
	if (fd < 0)
		return;
	len = read(fd, buf, sizeof(buf));
	if (len > 0)
		result->bytes += len;
	close(fd);
	result->calls += 2;
}

static int walk_run(struct method_result *ret_result)
{
	*ret_result = (struct method_result){ 0 };
	return method_each_entry(AT_FDCWD, "/proc", process_look, ret_result);
}

/* Start time; name, user, locked and pinned memory; cgroup: all that /proc has of a dump. */
static int holder_look(int proc, const char *name, unsigned char type,
		       struct method_result *result)
{
	static const char *const files[] = { "stat", "status", "cgroup" };
	uint64_t before = result->guests;
	char path[32];
	unsigned int i;

	process_look(proc, name, type, result);
	for (i = 0; result->guests > before && i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		file_read(proc, path, result);
	}
	return 0;
}

static int facts_run(struct method_result *ret_result)
{
	*ret_result = (struct method_result){ 0 };
	return method_each_entry(AT_FDCWD, "/proc", holder_look, ret_result);
}

static int walk_setup(void)
{
	return access("/proc/self/fd", X_OK) ? -errno : 0;
}

/* Directories of VMs are named PID-FD. */
static int vm_count(int dir, const char *name, unsigned char type, struct method_result *result)
{
	if (type == DT_DIR && is_digit(name[0])) {
		result->guests++;
		result->bytes += strlen(name);
	}
	return 0;
}

static int list_run(struct method_result *ret_result)
{
	*ret_result = (struct method_result){ 0 };
	return method_each_entry(AT_FDCWD, DEBUGFS_KVM, vm_count, ret_result);
}

/* Files of a VM, and of its vCPUs in directories of their own. */
static int file_look(int dir, const char *name, unsigned char type, struct method_result *result)
{
	if (type == DT_DIR)
		method_each_entry(dir, name, file_look, result);
	else
		file_read(dir, name, result);
	return 0;
}

static int vm_look(int dir, const char *name, unsigned char type, struct method_result *result)
{
	if (type != DT_DIR || !is_digit(name[0]))
		return 0;
	result->guests++;
	method_each_entry(dir, name, file_look, result);
	return 0;
}

static int debugfs_run(struct method_result *ret_result)
{
	*ret_result = (struct method_result){ 0 };
	return method_each_entry(AT_FDCWD, DEBUGFS_KVM, vm_look, ret_result);
}

static int debugfs_setup(void)
{
	return access(DEBUGFS_KVM, X_OK) ? -errno : 0;
}

const struct method method_walk = { "walk", walk_setup, walk_run };
const struct method method_walk_facts = { "walk-facts", walk_setup, facts_run };
const struct method method_debugfs_list = { "debugfs-list", debugfs_setup, list_run };
const struct method method_debugfs = { "debugfs", debugfs_setup, debugfs_run };
