/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/limits.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define SMALL_MAX 8192
#define MEMLOCK_LINE "\nMax locked memory "

static char *read_in(int process, const char *name)
{
	_cleanup_close_ int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
	char *text = NULL;

	return fd < 0 || kw_file_read_fd(fd, SMALL_MAX, &text, NULL) ? NULL : text;
}

/* Anyone may call a process so; a user's own session daemon starts no guests of the system. */
static bool is_libvirt(int process, uid_t root)
{
	_cleanup_free_ char *name = read_in(process, "comm");
	struct stat status;

	if (!name || fstat(process, &status) < 0 || status.st_uid != root)
		return false;
	name[strcspn(name, "\n")] = '\0';
	return kw_text_equal(name, "libvirtd") || kw_text_equal(name, "virtqemud");
}

/* "Max locked memory         67108864             67108864             bytes": soft, hard. */
static struct kw_u64 memlock_of(int process)
{
	_cleanup_free_ char *text = read_in(process, "limits");
	char *line = text ? strstr(text, MEMLOCK_LINE) : NULL, *soft, *save;
	uint64_t bytes;

	if (!line)
		return (struct kw_u64){ 0 };
	soft = strtok_r(line + strlen(MEMLOCK_LINE), " \n", &save);
	if (kw_text_equal(soft, "unlimited"))
		return KW_U64(UINT64_MAX);
	if (kw_text_u64(soft, UINT64_MAX, &bytes))
		return (struct kw_u64){ 0 };
	return KW_U64(bytes);
}

static struct kw_u64 smaller(struct kw_u64 a, struct kw_u64 b)
{
	if (!a.known || !b.known)
		return a.known ? a : b;
	return a.value < b.value ? a : b;
}

static struct kw_u64 memlock_of_libvirt(int proc, const char *pid, uid_t root)
{
	_cleanup_close_ int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return process >= 0 && is_libvirt(process, root) ? memlock_of(process)
							  : (struct kw_u64){ 0 };
}

struct kw_u64 kw_limits_libvirt_memlock_bytes(const char *proc)
{
	_cleanup_closedir_ DIR *dir = opendir(proc);
	struct kw_u64 least = { 0 };
	struct dirent *entry;
	struct stat status;

	/* /proc itself is root's, and so is what root runs; a recorded tree has one owner */
	if (!dir || fstat(dirfd(dir), &status) < 0)
		return least;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			least = smaller(least, memlock_of_libvirt(dirfd(dir), entry->d_name,
								  status.st_uid));
	return least;
}
