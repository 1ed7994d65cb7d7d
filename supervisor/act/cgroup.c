/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* In one write, which is one command to the kernel. */
static int command(const char *root, const char *name, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int kw_cgroup_enable_misc(const char *root)
{
	return command(root, "cgroup.subtree_control", "+misc");
}

int kw_cgroup_set_misc_max(const char *root, enum kw_misc_key key, uint64_t slots)
{
	char text[64];

	if (slots == KW_NO_LIMIT)
		snprintf(text, sizeof(text), "%s max", kw_misc_name(key));
	else
		snprintf(text, sizeof(text), "%s %" PRIu64, kw_misc_name(key), slots);
	return command(root, KW_GUEST_SLICE "/misc.max", text);
}
