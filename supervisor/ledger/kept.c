/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ledger/json.h"
#include "ledger/uuid_files.h"

#define VERSION 1
#define FILE_MAX (64u << 20)	/* a definition of 16 MiB, however much of it JSON escapes */

int kw_kept_dir(const char *definitions, const char *host, char *ret_dir, size_t size)
{
	if (!*host || *host == '.' || strchr(host, '/'))
		return -EINVAL;
	return snprintf(ret_dir, size, "%s/%s", definitions, host) < (int)size ? 0 : -ENAMETOOLONG;
}

static bool has_version(struct json_object *from)
{
	uint64_t version;

	return kw_get_number(from, "version", UINT64_MAX, &version) && version == VERSION;
}

static int put_host(struct json_object *to, const struct kw_host_name *host)
{
	return kw_put_number(to, "version", VERSION) || kw_put_text(to, "host", host->name) ||
	       kw_put_text(to, "host_uuid", host->uuid);
}

static bool get_host(struct json_object *from, struct kw_host_name *host)
{
	return has_version(from) && kw_get_text(from, "host", host->name, sizeof(host->name)) &&
	       kw_get_text(from, "host_uuid", host->uuid, sizeof(host->uuid));
}

int kw_kept_host(const char *dir, struct kw_host_name *ret_host)
{
	_cleanup_json_ struct json_object *from = NULL;
	struct kw_host_name host;
	char path[PATH_MAX];
	int error = kw_uuid_files_path(dir, "host.json", path);

	if (!error)
		error = kw_json_load(path, FILE_MAX, &from);
	if (!error && !get_host(from, &host))
		error = -EBADMSG;
	if (!error)
		*ret_host = host;
	return error;
}

static int put_down_host(const char *dir, const struct kw_host_name *host)
{
	_cleanup_json_ struct json_object *to = json_object_new_object();
	struct kw_host_name before;
	char path[PATH_MAX];
	int error = kw_uuid_files_path(dir, "host.json", path);

	if (error || (!kw_kept_host(dir, &before) && !strcmp(before.name, host->name) &&
		      !strcmp(before.uuid, host->uuid)))
		return error;
	return to && !put_host(to, host) ? kw_json_save(path, to, 0600) : -ENOMEM;
}

/* A host that was installed anew has none of the guests of the one before it. */
static int check_host(const char *dir, const struct kw_host_name *host)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list guests = {};
	struct kw_host_name before;
	int error;

	if (kw_kept_host(dir, &before) || !strcmp(before.uuid, host->uuid))
		return 0;
	error = kw_uuid_files_list(dir, "json", &guests);
	return error || !guests.count ? error : -EEXIST;
}

int kw_kept_begin(const char *dir, const struct kw_host_name *host)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int error = kw_uuid_files_path(dir, KW_KEPT_LOCK, path);

	if (!error)
		error = kw_uuid_files_make(dir);
	if (error)
		return error;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	error = check_host(dir, host);
	if (!error)
		error = put_down_host(dir, host);
	return error ? error : kw_steal_fd(&fd);
}

/* Source: Linux, fs/nfs/nfs4state.c: I/O under a lock that was lost fails, NFS_LOCK_LOST. */
bool kw_kept_holds(int lock_fd)
{
	return pwrite(lock_fd, "\n", 1, 0) == 1 && !fsync(lock_fd);
}

static bool get_kept(struct json_object *from, struct kw_kept *kept)
{
	return has_version(from) && kw_get_text(from, "name", kept->name, sizeof(kept->name)) &&
	       kw_get_text(from, "uuid", kept->uuid, sizeof(kept->uuid)) &&
	       kw_get_bool(from, "runs", &kept->runs) &&
	       kw_get_bool(from, "autostart", &kept->autostart) &&
	       kw_get_new_text(from, "xml", &kept->xml);
}

/* A file under another guest's name is damage, too. */
int kw_kept_load(const char *dir, const char *uuid, struct kw_kept *ret_kept)
{
	_cleanup_(kw_kept_done) struct kw_kept kept = {};
	_cleanup_json_ struct json_object *from = NULL;
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, "json", path);

	if (!error)
		error = kw_json_load(path, FILE_MAX, &from);
	if (!error && (!get_kept(from, &kept) || strcmp(kept.uuid, uuid)))
		error = -EBADMSG;
	if (error)
		return error;
	*ret_kept = kept;
	kept = (struct kw_kept){};
	return 0;
}

static bool stands_so(const char *dir, const struct kw_kept *kept)
{
	_cleanup_(kw_kept_done) struct kw_kept before = {};

	return !kw_kept_load(dir, kept->uuid, &before) && !strcmp(before.name, kept->name) &&
	       before.runs == kept->runs && before.autostart == kept->autostart &&
	       !strcmp(before.xml, kept->xml);
}

int kw_kept_save(const char *dir, const struct kw_kept *kept)
{
	_cleanup_json_ struct json_object *to = json_object_new_object();
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, kept->uuid, "json", path);

	if (error || stands_so(dir, kept))
		return error;
	if (!to || kw_put_number(to, "version", VERSION) || kw_put_text(to, "name", kept->name) ||
	    kw_put_text(to, "uuid", kept->uuid) || kw_put_bool(to, "runs", kept->runs) ||
	    kw_put_bool(to, "autostart", kept->autostart) || kw_put_text(to, "xml", kept->xml))
		return -ENOMEM;
	return kw_json_save(path, to, 0600);
}

/* The definition goes last: as long as that is listed, this is done again. */
int kw_kept_settle(const char *dir, const char *uuid)
{
	int error = kw_uuid_file_remove(dir, uuid, "nvram");

	return error ? error : kw_uuid_file_remove(dir, uuid, "json");
}

int kw_kept_remove(const char *dir, const char *uuid)
{
	int error = kw_kept_settle(dir, uuid);

	return error ? error : kw_uuid_file_remove(dir, uuid, "taken");
}

int kw_kept_load_nvram(const char *dir, const char *uuid, char **ret_bytes, size_t *ret_size)
{
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, "nvram", path);

	return error ? error : kw_file_read(path, KW_NVRAM_MAX, ret_bytes, ret_size);
}

int kw_kept_save_nvram(const char *dir, const char *uuid, const void *bytes, size_t size)
{
	_cleanup_free_ char *before = NULL;
	size_t size_before;
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, "nvram", path);

	if (error || (!kw_kept_load_nvram(dir, uuid, &before, &size_before) &&
		      size_before == size && !memcmp(before, bytes, size)))
		return error;
	return kw_file_write(path, bytes, size, 0600);
}

int kw_kept_taker(const char *dir, const char *uuid, struct kw_taker *ret_taker)
{
	_cleanup_json_ struct json_object *from = NULL;
	struct kw_taker taker;
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, "taken", path);

	if (!error)
		error = kw_json_load(path, FILE_MAX, &from);
	if (!error && (!get_host(from, &taker.host) ||
		       !kw_get_number(from, "taken_ms", UINT64_MAX, &taker.taken_ms)))
		error = -EBADMSG;
	if (!error)
		*ret_taker = taker;
	return error;
}

/*
 * Under a name of the taker's own first: link(2) is one step, also over NFS, where it may say
 * EEXIST of the link that it has made itself when the first answer was lost.
 */
static int link_new(const char *dir, const char *uuid, const struct kw_taker *taker,
		    struct json_object *to)
{
	char own[PATH_MAX], path[PATH_MAX], end[16 + KW_UUID_LEN];
	int error, result = 0;

	snprintf(end, sizeof(end), "taken.%s", taker->host.uuid);
	error = kw_uuid_file_path(dir, uuid, end, own);
	if (!error)
		error = kw_uuid_file_path(dir, uuid, "taken", path);
	if (!error)
		error = kw_json_save(own, to, 0600);
	if (error)
		return error;
	if (link(own, path) < 0)
		result = -errno;
	error = kw_uuid_file_remove(dir, uuid, end);
	return result ? result : error;
}

int kw_kept_take(const char *dir, const char *uuid, const struct kw_taker *taker)
{
	_cleanup_json_ struct json_object *to = json_object_new_object();
	struct kw_taker now;
	int error;

	if (!to || put_host(to, &taker->host) || kw_put_number(to, "taken_ms", taker->taken_ms))
		return -ENOMEM;
	error = link_new(dir, uuid, taker, to);
	if (error == -EEXIST && !kw_kept_taker(dir, uuid, &now) &&
	    !strcmp(now.host.uuid, taker->host.uuid))
		error = 0;
	return error;
}

int kw_kept_give_back(const char *dir, const char *uuid)
{
	return kw_uuid_file_remove(dir, uuid, "taken");
}
