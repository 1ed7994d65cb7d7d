/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/moves.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ledger/json.h"
#include "ledger/uuid_files.h"

#define VERSION 1
#define FILE_MAX (64u << 20)	/* a definition of 16 MiB, however much of it JSON escapes */

static int put_options(struct json_object *to, const struct kw_move_options *options)
{
	return kw_put_bool(to, "force", options->force) ||
	       kw_put_bool(to, "unguarded", options->unguarded) ||
	       kw_put_number(to, "timeout_s", options->timeout_s) ||
	       kw_put_number(to, "shutdown_timeout_s", options->shutdown_timeout_s);
}

static bool get_options(struct json_object *from, struct kw_move_options *options)
{
	uint64_t timeout_s, shutdown_s;

	if (!kw_get_bool(from, "force", &options->force) ||
	    !kw_get_bool(from, "unguarded", &options->unguarded) ||
	    !kw_get_number(from, "timeout_s", UINT32_MAX, &timeout_s) ||
	    !kw_get_number(from, "shutdown_timeout_s", UINT32_MAX, &shutdown_s))
		return false;
	options->timeout_s = (uint32_t)timeout_s;
	options->shutdown_timeout_s = (uint32_t)shutdown_s;
	return true;
}

static int put_memory(struct json_object *to, const struct kw_move_memory *memory)
{
	return kw_put_bool(to, "undo", memory->undo) || kw_put_bool(to, "runs", memory->runs) ||
	       kw_put_bool(to, "copied", memory->copied) ||
	       kw_put_bool(to, "given", memory->given) ||
	       kw_put_bool(to, "started", memory->started) ||
	       kw_put_bool(to, "lost", memory->lost);
}

static bool get_memory(struct json_object *from, struct kw_move_memory *memory)
{
	return kw_get_bool(from, "undo", &memory->undo) &&
	       kw_get_bool(from, "runs", &memory->runs) &&
	       kw_get_bool(from, "copied", &memory->copied) &&
	       kw_get_bool(from, "given", &memory->given) &&
	       kw_get_bool(from, "started", &memory->started) &&
	       kw_get_bool(from, "lost", &memory->lost);
}

static int put_verdict(struct json_object *to, const struct kw_verdict *verdict)
{
	return kw_put_text(to, "verdict", kw_code_name(verdict->code)) ||
	       kw_put_text(to, "sentence", verdict->sentence);
}

static bool get_verdict(struct json_object *from, struct kw_verdict *verdict)
{
	char code[64];

	return kw_get_text(from, "verdict", code, sizeof(code)) &&
	       !kw_code_find(code, &verdict->code) &&
	       kw_get_text(from, "sentence", verdict->sentence, sizeof(verdict->sentence));
}

static struct json_object *move_to_json(const struct kw_move *move)
{
	_cleanup_json_ struct json_object *to = json_object_new_object();

	if (!to || kw_put_number(to, "version", VERSION) || kw_put_text(to, "id", move->id) ||
	    kw_put_text(to, "name", move->name) || kw_put_text(to, "uuid", move->uuid) ||
	    kw_put_text(to, "source", move->source) || kw_put_text(to, "uri", move->uri) ||
	    kw_put_text(to, "host", move->host) ||
	    kw_put_text(to, "kind", kw_move_kind_name(move->kind)) ||
	    put_options(to, &move->options) || put_memory(to, &move->memory) ||
	    kw_put_bool(to, "persistent", move->persistent) ||
	    kw_put_bool(to, "autostart", move->autostart) ||
	    kw_put_bool(to, "nvram_new", move->nvram_new) ||
	    kw_put_text(to, "step", move->step) || kw_put_text(to, "error", move->error) ||
	    put_verdict(to, &move->verdict) || kw_put_number(to, "begun_ms", move->begun_ms) ||
	    kw_put_number(to, "off_ms", move->off_ms) || kw_put_number(to, "on_ms", move->on_ms) ||
	    kw_put_text(to, "copy_disks", move->copy_disks ?: "") ||
	    kw_put_text(to, "xml", move->xml ?: ""))
		return NULL;
	return KW_STEAL(to);
}

static bool get_kind(struct json_object *from, enum kw_move_kind *ret_kind)
{
	char name[16];

	return kw_get_text(from, "kind", name, sizeof(name)) && !kw_move_kind_find(name, ret_kind);
}

static bool get_move(struct json_object *from, struct kw_move *move)
{
	uint64_t version;

	return kw_get_number(from, "version", UINT64_MAX, &version) && version == VERSION &&
	       kw_get_text(from, "id", move->id, sizeof(move->id)) && move->id[0] &&
	       kw_get_text(from, "name", move->name, sizeof(move->name)) &&
	       kw_get_text(from, "uuid", move->uuid, sizeof(move->uuid)) &&
	       kw_get_text(from, "source", move->source, sizeof(move->source)) &&
	       kw_get_text(from, "uri", move->uri, sizeof(move->uri)) &&
	       kw_get_text(from, "host", move->host, sizeof(move->host)) &&
	       get_kind(from, &move->kind) && get_options(from, &move->options) &&
	       get_memory(from, &move->memory) &&
	       kw_get_bool(from, "persistent", &move->persistent) &&
	       kw_get_bool(from, "autostart", &move->autostart) &&
	       kw_get_bool(from, "nvram_new", &move->nvram_new) &&
	       kw_get_text(from, "step", move->step, sizeof(move->step)) &&
	       kw_get_text(from, "error", move->error, sizeof(move->error)) &&
	       get_verdict(from, &move->verdict) &&
	       kw_get_number(from, "begun_ms", UINT64_MAX, &move->begun_ms) &&
	       kw_get_number(from, "off_ms", UINT64_MAX, &move->off_ms) &&
	       kw_get_number(from, "on_ms", UINT64_MAX, &move->on_ms) &&
	       kw_get_new_text(from, "copy_disks", &move->copy_disks) &&
	       kw_get_new_text(from, "xml", &move->xml);
}

/* A file under another guest's name is damage, too. */
int kw_move_load(const char *dir, const char *uuid, struct kw_move *ret_move)
{
	_cleanup_(kw_move_done) struct kw_move move = {};
	_cleanup_json_ struct json_object *from = NULL;
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, "json", path);

	if (!error)
		error = kw_json_load(path, FILE_MAX, &from);
	if (!error && (!get_move(from, &move) || strcmp(move.uuid, uuid)))
		error = -EBADMSG;
	if (error)
		return error;
	*ret_move = move;
	move = (struct kw_move){};
	return 0;
}

int kw_move_save(const char *dir, const struct kw_move *move)
{
	_cleanup_json_ struct json_object *to = move_to_json(move);
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, move->uuid, "json", path);

	if (!error)
		error = kw_uuid_files_make(dir);
	if (!error)
		error = to ? kw_json_save(path, to, 0600) : -ENOMEM;
	return error;
}

int kw_move_exists(const char *dir, const char *uuid)
{
	char path[PATH_MAX];
	struct stat status;
	int error = kw_uuid_file_path(dir, uuid, "json", path);

	if (error)
		return error;
	if (!lstat(path, &status))
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int kw_move_create(const char *dir, const struct kw_move *move)
{
	int exists = kw_move_exists(dir, move->uuid);

	if (exists)
		return exists < 0 ? exists : -EEXIST;
	return kw_move_save(dir, move);
}

int kw_move_remove(const char *dir, const char *uuid)
{
	return kw_uuid_file_remove(dir, uuid, "json");
}

int kw_move_lock(const char *dir, const char *uuid)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int error = kw_uuid_file_path(dir, uuid, "lock", path);

	if (!error)
		error = kw_uuid_files_make(dir);
	if (error)
		return error;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return kw_steal_fd(&fd);
}
