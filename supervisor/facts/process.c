/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/printable.h"
#include "facts/qemu.h"

/*
 * Whom to believe. A command line is whatever its process wants it to be, and a
 * UUID decides: it confirms a hold, keeps one alive, and takes a claim out of
 * the sum. A user who starts "qemu -uuid" of somebody else's pending guest could
 * so have one slot given out twice, or kept for ever. A UUID is therefore taken
 * only from a process in a cgroup where nobody but root and libvirt can put
 * one. Whoever can write to those cgroups is root already. Of any other the command
 * line is not even read to show a name: that takes the lock of the process's memory
 * map, which a user can have held for long, by a mapping of a file in a file
 * system (FUSE) of his own.
 */

#define COMMAND_LINE_MAX (1u << 20)
#define SMALL_MAX 4096
#define CGROUP_MAX (64 * 1024)

/* An open /proc/PID stays that process: once it is gone, reads fail; no other takes its place. */
static int open_process(const char *proc, const char *pid)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", proc, pid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int read_in(int process, const char *name, size_t max, char **ret_text, size_t *ret_length)
{
	_cleanup_close_ int fd = openat(process, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : kw_file_read_fd(fd, max, ret_text, ret_length);
}

/* Field 22 of stat, in clock ticks since boot; the name in field 2 may hold anything. */
static struct kw_u64 start_ticks(int process)
{
	_cleanup_free_ char *text = NULL;
	char *field, *save;
	uint64_t ticks;

	if (read_in(process, "stat", SMALL_MAX, &text, NULL) || !(field = strrchr(text, ')')))
		return (struct kw_u64){ 0 };
	field = strtok_r(field + 1, " ", &save);
	for (int number = 3; field && number < 22; number++)
		field = strtok_r(NULL, " ", &save);
	if (kw_text_u64(field, UINT64_MAX, &ticks))
		return (struct kw_u64){ 0 };
	return KW_U64(ticks);
}

/* A pid may have passed to another process since the kernel stated its facts. */
static bool is_same_process(int process, const struct kw_guest *guest)
{
	uint64_t tick_ns = KW_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	struct kw_u64 ticks;

	if (!guest->start_time_ns.known)
		return true;
	ticks = start_ticks(process);
	return ticks.known && ticks.value == guest->start_time_ns.value / tick_ns;
}

/*
 * "0::/path" is the unified hierarchy; where that is not in use, systemd still
 * keeps its own of that name. *ret_cgroup points into text.
 */
static const char *find_cgroup(char *text)
{
	const char *unified = NULL, *named = NULL;
	char *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *name = strchr(line, ':');

		if (kw_text_starts(line, "0::"))
			unified = line + 3;
		else if (name && kw_text_starts(name, ":name=systemd:"))
			named = name + strlen(":name=systemd:");
	}
	if (named && (!unified || kw_text_equal(unified, "/")))
		return named;
	return unified ? unified : "";
}

static bool is_in_libvirt_cgroup(int process)
{
	_cleanup_free_ char *text = NULL;

	return read_in(process, "cgroup", CGROUP_MAX, &text, NULL) == 0 &&
	       kw_cgroup_is_libvirt(find_cgroup(text));
}

static void fill_cgroup(int process, struct kw_guest *guest)
{
	_cleanup_free_ char *text = NULL;

	if (read_in(process, "cgroup", CGROUP_MAX, &text, NULL))
		return;
	kw_text_copy(guest->cgroup, sizeof(guest->cgroup), find_cgroup(text));
	kw_printable(guest->cgroup);
}

static bool read_identity(int process, char *ret_uuid, char *ret_name)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	if (read_in(process, "cmdline", COMMAND_LINE_MAX, &text, &length))
		return false;
	kw_qemu_identity(text, length, ret_uuid, ret_name);
	return true;
}

/* The holder of an orphan may be any process: its command line is not about this guest. */
static void name_guest(const char *proc, struct kw_guest *guest)
{
	char pid[16];
	_cleanup_close_ int process = -1;

	snprintf(pid, sizeof(pid), "%d", (int)guest->pid);
	process = open_process(proc, pid);
	if (process < 0 || !is_same_process(process, guest))
		return;
	if (!guest->cgroup[0] || kw_text_equal(guest->cgroup, "/"))
		fill_cgroup(process, guest);
	guest->libvirt = !guest->orphan && kw_cgroup_is_libvirt(guest->cgroup) &&
			 read_identity(process, guest->uuid, guest->name);
}

void kw_process_name_guests(const char *proc, struct kw_guest_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->guests[i].uuid[0])
			name_guest(proc, &list->guests[i]);
}

static bool is_same_guest(const struct kw_guest *a, const struct kw_guest *b)
{
	return a->pid == b->pid && a->start_time_ns.known && b->start_time_ns.known &&
	       a->start_time_ns.value == b->start_time_ns.value &&
	       kw_text_equal(a->cgroup, b->cgroup);
}

static void keep_name(const struct kw_guest *from, struct kw_guest *guest)
{
	memcpy(guest->uuid, from->uuid, sizeof(guest->uuid));
	memcpy(guest->name, from->name, sizeof(guest->name));
	guest->libvirt = true;
}

/* Both lists are in the order of processes: the next one sought is mostly the next one there. */
void kw_process_keep_names(const struct kw_guest_list *before, struct kw_guest_list *list)
{
	size_t at = 0;

	for (size_t i = 0; i < list->count; i++) {
		for (size_t tried = 0; tried < before->count; tried++, at++) {
			const struct kw_guest *from = &before->guests[at %= before->count];

			if (!is_same_guest(from, &list->guests[i]))
				continue;
			if (from->libvirt && !list->guests[i].orphan)
				keep_name(from, &list->guests[i]);
			break;
		}
	}
}

/*
 * The cgroup is looked at first: it alone decides whether the UUID counts, it
 * needs nothing of the process's memory (a command line does, and can be long),
 * and, unlike the command name, it does not depend on how the emulator of a
 * domain is called. It costs some 7 us a process, a command name 4.
 */
static int add_process(const char *proc, const char *pid, struct kw_uuid_list *list)
{
	char uuid[KW_UUID_LEN + 1], name[KW_NAME_MAX];
	_cleanup_close_ int process = open_process(proc, pid);

	if (process < 0 || !is_in_libvirt_cgroup(process) ||
	    !read_identity(process, uuid, name) || !uuid[0])
		return 0;
	return kw_uuid_list_add(list, uuid);
}

int kw_process_uuids(const char *proc, struct kw_uuid_list *ret_list)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list list = { 0 };
	_cleanup_closedir_ DIR *dir = opendir(proc);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		int error = isdigit((unsigned char)entry->d_name[0]) ?
				    add_process(proc, entry->d_name, &list) : 0;

		if (error)
			return error;
	}
	if (errno)
		return -errno;
	*ret_list = list;
	list = (struct kw_uuid_list){ 0 };
	return 0;
}
