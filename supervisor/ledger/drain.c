/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "model/guest.h"

static const char text[] =
	"This host is being drained: no guest is started on it. 'kvmward undrain' ends that.\n";

static int path_of(const char *dir, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/draining", dir) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

bool kw_drain_is_on(const char *dir)
{
	char path[PATH_MAX];

	return path_of(dir, path) || !access(path, F_OK) || errno != ENOENT;
}

static int set(const char *dir, const char *path)
{
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	return kw_file_write(path, text, strlen(text), 0644);
}

static int clear(const char *dir, const char *path)
{
	_cleanup_close_ int fd = -1;

	if (unlink(path) < 0)
		return errno == ENOENT ? 0 : -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
	return 0;
}

int kw_drain_set(const char *dir, bool on)
{
	char path[PATH_MAX];
	int error = path_of(dir, path);

	return error ?: (on ? set : clear)(dir, path);
}

bool kw_drain_spares(const char *dir, const char *uuid)
{
	char path[PATH_MAX], canonical[KW_UUID_LEN + 1];

	if (kw_text_uuid(uuid, canonical))
		return false;
	return snprintf(path, sizeof(path), "%s/moves/%s.json", dir, canonical) < PATH_MAX &&
	       !access(path, F_OK);
}
