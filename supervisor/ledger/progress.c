/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ledger/json.h"
#include "ledger/moves.h"

#define FILE_MAX (1u << 16)

/* Not known: no such member. */
static int put_known(struct json_object *to, const char *key, struct kw_u64 number)
{
	return number.known ? kw_put_number(to, key, number.value) : 0;
}

static bool get_known(struct json_object *from, const char *key, struct kw_u64 *number)
{
	number->known = json_object_object_get_ex(from, key, NULL);
	return !number->known || kw_get_number(from, key, UINT64_MAX, &number->value);
}

static int put_numbers(struct json_object *to, const struct kw_move_progress *progress)
{
	return put_known(to, "total_bytes", progress->total_bytes) ||
	       put_known(to, "moved_bytes", progress->moved_bytes) ||
	       put_known(to, "remaining_bytes", progress->remaining_bytes) ||
	       put_known(to, "bytes_per_s", progress->bytes_per_s) ||
	       put_known(to, "downtime_ms", progress->downtime_ms) ||
	       put_known(to, "total_ms", progress->total_ms);
}

static bool get_numbers(struct json_object *from, struct kw_move_progress *progress)
{
	return get_known(from, "total_bytes", &progress->total_bytes) &&
	       get_known(from, "moved_bytes", &progress->moved_bytes) &&
	       get_known(from, "remaining_bytes", &progress->remaining_bytes) &&
	       get_known(from, "bytes_per_s", &progress->bytes_per_s) &&
	       get_known(from, "downtime_ms", &progress->downtime_ms) &&
	       get_known(from, "total_ms", &progress->total_ms);
}

static struct json_object *progress_to_json(const struct kw_move_progress *progress)
{
	_cleanup_json_ struct json_object *to = json_object_new_object();

	if (!to || kw_put_text(to, "id", progress->id) || kw_put_text(to, "name", progress->name) ||
	    kw_put_text(to, "uuid", progress->uuid) || kw_put_text(to, "host", progress->host) ||
	    kw_put_text(to, "kind", kw_move_kind_name(progress->kind)) ||
	    kw_put_text(to, "state", kw_move_state_name(progress->state)) ||
	    kw_put_bool(to, "undo", progress->undo) || kw_put_bool(to, "runs", progress->runs) ||
	    kw_put_text(to, "step", progress->step) || kw_put_text(to, "error", progress->error) ||
	    kw_put_text(to, "verdict", kw_code_name(progress->verdict.code)) ||
	    kw_put_text(to, "sentence", progress->verdict.sentence) || put_numbers(to, progress))
		return NULL;
	return KW_STEAL(to);
}

static bool get_names(struct json_object *from, struct kw_move_progress *progress)
{
	char kind[16], state[16], code[64];
	struct kw_verdict *verdict = &progress->verdict;

	return kw_get_text(from, "kind", kind, sizeof(kind)) &&
	       !kw_move_kind_find(kind, &progress->kind) &&
	       kw_get_text(from, "state", state, sizeof(state)) &&
	       !kw_move_state_find(state, &progress->state) &&
	       kw_get_text(from, "verdict", code, sizeof(code)) &&
	       !kw_code_find(code, &verdict->code) &&
	       kw_get_text(from, "sentence", verdict->sentence, sizeof(verdict->sentence));
}

static bool get_progress(struct json_object *from, struct kw_move_progress *progress)
{
	return kw_get_text(from, "id", progress->id, sizeof(progress->id)) &&
	       kw_get_text(from, "name", progress->name, sizeof(progress->name)) &&
	       kw_get_text(from, "uuid", progress->uuid, sizeof(progress->uuid)) &&
	       kw_get_text(from, "host", progress->host, sizeof(progress->host)) &&
	       get_names(from, progress) && kw_get_bool(from, "undo", &progress->undo) &&
	       kw_get_bool(from, "runs", &progress->runs) &&
	       kw_get_text(from, "step", progress->step, sizeof(progress->step)) &&
	       kw_get_text(from, "error", progress->error, sizeof(progress->error)) &&
	       get_numbers(from, progress);
}

static int path_of(const char *dir, const char *uuid, char path[PATH_MAX])
{
	if (!kw_text_is_uuid(uuid))
		return -EINVAL;
	return snprintf(path, PATH_MAX, "%s/%s.json", dir, uuid) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int kw_progress_load(const char *dir, const char *uuid, struct kw_move_progress *ret_progress)
{
	_cleanup_json_ struct json_object *from = NULL;
	struct kw_move_progress progress = {};
	char path[PATH_MAX];
	int error = path_of(dir, uuid, path);

	if (!error)
		error = kw_json_load(path, FILE_MAX, &from);
	if (!error && (!get_progress(from, &progress) || strcmp(progress.uuid, uuid)))
		error = -EBADMSG;
	if (!error)
		*ret_progress = progress;
	return error;
}

int kw_progress_save(const char *dir, const struct kw_move_progress *progress)
{
	_cleanup_json_ struct json_object *to = progress_to_json(progress);
	char path[PATH_MAX];
	int error = path_of(dir, progress->uuid, path);

	if (!error)
		error = to ? kw_json_save(path, to, 0600) : -ENOMEM;
	return error;
}
