/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/move_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "act/move_connection.h"
#include "base/text.h"

#define POOL_NAME_MAX (sizeof("kvmward-") + KW_UUID_LEN)

/* A folder of that host, as a pool of its libvirt. */
struct folder {
	virStoragePoolPtr pool;
	bool ours;			/* made by us, or by a mover that ended then */
	const char *file;		/* name in it */
};

static void folder_done(struct folder *folder)
{
	if (!folder->pool)
		return;
	if (folder->ours)
		vir.StoragePoolDestroy(folder->pool); /* the pool, not what is in it */
	vir.StoragePoolFree(folder->pool);
}

static void volume_free(virStorageVol *volume)
{
	vir.StorageVolFree(volume);
}

static void stream_free(virStream *stream)
{
	vir.StreamFree(stream);
}

KW_CLEANUP_OF(virStorageVol, volume_free);
KW_CLEANUP_OF(virStream, stream_free);

/* 0; -EINVAL for what would have to be escaped, which no file of libvirt's has in its name. */
static int split(const char *path, char dir[PATH_MAX], const char **ret_file)
{
	const char *slash = strrchr(path, '/');

	if (*path != '/' || slash == path || !slash[1] || strpbrk(path, "<>&'\"") ||
	    strlen(path) >= PATH_MAX)
		return -EINVAL;
	snprintf(dir, PATH_MAX, "%.*s", (int)(slash - path), path);
	*ret_file = slash + 1;
	return 0;
}

static void name_pool(const struct kw_move_side *side, char name[POOL_NAME_MAX])
{
	snprintf(name, POOL_NAME_MAX, "kvmward-%s", side->uuid);
}

static int make_pool(struct kw_move_side *side, const char *dir, struct folder *folder)
{
	char xml[PATH_MAX + 256], name[POOL_NAME_MAX];

	name_pool(side, name);
	snprintf(xml, sizeof(xml),
		 "<pool type='dir'><name>%s</name><target><path>%s</path></target></pool>", name,
		 dir);
	folder->pool = vir.StoragePoolCreateXML(side->connection, xml, 0);
	folder->ours = folder->pool;
	return folder->pool ? 0 : kw_move_side_fail(side);
}

static int open_folder(struct kw_move_side *side, const char *path, struct folder *folder)
{
	char dir[PATH_MAX], name[POOL_NAME_MAX];
	int error = split(path, dir, &folder->file);

	if (error)
		kw_text_copy(side->error, sizeof(side->error), "its path is not one of libvirt's");
	else
		error = kw_move_side_connect(side);
	if (error)
		return error;
	folder->pool = vir.StoragePoolLookupByTargetPath(side->connection, dir);
	if (!folder->pool)
		return make_pool(side, dir, folder);
	name_pool(side, name);
	folder->ours = !strcmp(vir.StoragePoolGetName(folder->pool), name);
	return vir.StoragePoolRefresh(folder->pool, 0) ? kw_move_side_fail(side) : 0;
}

/* *ret_volume NULL when there is no such file. */
static int find(struct kw_move_side *side, const struct folder *folder,
		virStorageVolPtr *ret_volume)
{
	*ret_volume = vir.StorageVolLookupByName(folder->pool, folder->file);
	if (*ret_volume || vir.GetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
		return 0;
	return kw_move_side_fail(side);
}

int kw_move_side_has_file(struct kw_move_side *side, const char *path, bool *ret_there)
{
	_cleanup_(folder_done) struct folder folder = {};
	_cleanup_(volume_free_at) virStorageVol *volume = NULL;
	int error = open_folder(side, path, &folder);

	if (!error)
		error = find(side, &folder, &volume);
	if (!error)
		*ret_there = volume;
	return error;
}

static int make(struct kw_move_side *side, const struct folder *folder, size_t size,
		virStorageVolPtr *ret_volume)
{
	char xml[PATH_MAX + 256];

	snprintf(xml, sizeof(xml),
		 "<volume><name>%s</name><capacity unit='bytes'>%zu</capacity><target>"
		 "<format type='raw'/><permissions><mode>0600</mode></permissions></target>"
		 "</volume>", folder->file, size);
	*ret_volume = vir.StorageVolCreateXML(folder->pool, xml, 0);
	return *ret_volume ? 0 : kw_move_side_fail(side);
}

/* One of another size is another file than ours: there is no storage that both hosts see. */
static int find_or_make(struct kw_move_side *side, const struct folder *folder, size_t size,
			virStorageVolPtr *ret_volume)
{
	_cleanup_(volume_free_at) virStorageVol *volume = NULL;
	virStorageVolInfo info;
	int error = find(side, folder, &volume);

	if (!error && volume && vir.StorageVolGetInfo(volume, &info))
		error = kw_move_side_fail(side);
	if (error)
		return error;
	if (volume && info.capacity == size) {
		*ret_volume = KW_STEAL(volume);
		return 0;
	}
	if (volume && vir.StorageVolDelete(volume, 0))
		return kw_move_side_fail(side);
	return make(side, folder, size, ret_volume);
}

static int send_all(struct kw_move_side *side, virStreamPtr stream, const char *bytes, size_t size)
{
	const size_t part = 256u << 10;	/* the most that one message takes */

	while (size) {
		int sent = vir.StreamSend(stream, bytes, size < part ? size : part);

		if (sent < 0) {
			int error = kw_move_side_fail(side);

			vir.StreamAbort(stream);
			return error;
		}
		bytes += sent;
		size -= (size_t)sent;
	}
	return vir.StreamFinish(stream) ? kw_move_side_fail(side) : 0;
}

int kw_move_side_put_file(struct kw_move_side *side, const char *path, const char *bytes,
			  size_t size)
{
	_cleanup_(folder_done) struct folder folder = {};
	_cleanup_(volume_free_at) virStorageVol *volume = NULL;
	_cleanup_(stream_free_at) virStream *stream = NULL;
	int error = open_folder(side, path, &folder);

	if (!error)
		error = find_or_make(side, &folder, size, &volume);
	if (error)
		return error;
	stream = vir.StreamNew(side->connection, 0);
	if (!stream || vir.StorageVolUpload(volume, stream, 0, size, 0))
		return kw_move_side_fail(side);
	return send_all(side, stream, bytes, size);
}
