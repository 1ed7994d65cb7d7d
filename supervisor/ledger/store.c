/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/store.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define VERSION 1
#define FILE_MAX (16u << 20) /* some 40,000 holds */
#define DEPTH_MAX 8

static void json_put_at(struct json_object **object)
{
	json_object_put(*object);
}

static void tokener_free_at(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

#define _cleanup_json_ _cleanup_(json_put_at)

void kw_holds_done(struct kw_hold_list *holds)
{
	if (!holds)
		return;
	free(holds->holds);
	memset(holds, 0, sizeof(*holds));
}

static int add_member(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(object, key, value)) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int add_number(struct json_object *object, const char *key, uint64_t number)
{
	return add_member(object, key, json_object_new_uint64(number));
}

static int add_text(struct json_object *object, const char *key, const char *text)
{
	return add_member(object, key, json_object_new_string(text));
}

static int fill_hold(struct json_object *object, const struct kw_hold *hold)
{
	const struct kw_claim *claim = &hold->claim;

	if (add_text(object, "uuid", claim->uuid) || add_text(object, "name", claim->name) ||
	    add_text(object, "class", claim->class_name) ||
	    add_text(object, "type", kw_guest_type_name(claim->type)) ||
	    add_number(object, "memory_bytes", claim->memory_bytes) ||
	    add_number(object, "pinned_bytes", claim->pinned_bytes) ||
	    add_number(object, "memlock_bytes", claim->memlock_bytes) ||
	    add_number(object, "ceiling_bytes", claim->ceiling_bytes) ||
	    add_number(object, "taken_ns", hold->taken_ns) ||
	    add_number(object, "pid", (uint64_t)hold->pid) ||
	    add_number(object, "start_time_ns", hold->start_time_ns))
		return -ENOMEM;
	return 0;
}

static int add_hold(struct json_object *array, const struct kw_hold *hold)
{
	_cleanup_json_ struct json_object *object = json_object_new_object();

	if (!object || fill_hold(object, hold) || json_object_array_add(array, object))
		return -ENOMEM;
	object = NULL; /* the array's now */
	return 0;
}

static struct json_object *holds_to_json(const struct kw_hold_list *holds)
{
	_cleanup_json_ struct json_object *root = json_object_new_object();
	struct json_object *array = json_object_new_array();

	if (!root) {
		json_object_put(array);
		return NULL;
	}
	if (add_number(root, "version", VERSION) || add_member(root, "holds", array))
		return NULL;
	for (size_t i = 0; i < holds->count; i++)
		if (add_hold(array, &holds->holds[i]))
			return NULL;
	return KW_STEAL(root);
}

int kw_holds_save(const char *path, const struct kw_hold_list *holds)
{
	_cleanup_json_ struct json_object *root = holds_to_json(holds);
	const char *text;
	size_t length;

	if (!root)
		return -ENOMEM;
	text = json_object_to_json_string_length(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	if (!text)
		return -ENOMEM;
	return kw_file_write(path, text, length, 0600);
}

/* NULL unless the whole text is one JSON value: strict mode minds what comes after it, too. */
static struct json_object *parse(const char *text, size_t length)
{
	_cleanup_(tokener_free_at) struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);

	if (!tokener || length > INT_MAX)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	return json_tokener_parse_ex(tokener, text, (int)length);
}

static bool get_number(struct json_object *object, const char *key, uint64_t max,
		       uint64_t *ret_number)
{
	struct json_object *value;
	uint64_t number;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return false;
	number = json_object_get_uint64(value);
	if (number > max)
		return false;
	*ret_number = number;
	return true;
}

/* The text must fit: what was saved came from a field of the same size. */
static bool get_text(struct json_object *object, const char *key, char *to, size_t to_size)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
	       json_object_is_type(value, json_type_string) &&
	       strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value) &&
	       kw_text_copy(to, to_size, json_object_get_string(value));
}

static bool get_type(struct json_object *object, enum kw_guest_type *ret_type)
{
	char name[16];

	if (!get_text(object, "type", name, sizeof(name)))
		return false;
	for (enum kw_guest_type type = KW_GUEST_PLAIN; type <= KW_GUEST_SNP; type++) {
		if (!strcmp(name, kw_guest_type_name(type))) {
			*ret_type = type;
			return true;
		}
	}
	return false;
}

/* A kvmwardd that knew of no classes wrote none. */
static bool get_class(struct json_object *object, struct kw_claim *claim)
{
	return !json_object_object_get_ex(object, "class", NULL) ||
	       get_text(object, "class", claim->class_name, sizeof(claim->class_name));
}

static bool read_claim(struct json_object *object, struct kw_claim *claim)
{
	return get_class(object, claim) &&
	       get_text(object, "uuid", claim->uuid, sizeof(claim->uuid)) &&
	       kw_text_is_uuid(claim->uuid) &&
	       get_text(object, "name", claim->name, sizeof(claim->name)) &&
	       get_type(object, &claim->type) &&
	       get_number(object, "memory_bytes", UINT64_MAX, &claim->memory_bytes) &&
	       get_number(object, "pinned_bytes", UINT64_MAX, &claim->pinned_bytes) &&
	       get_number(object, "memlock_bytes", UINT64_MAX, &claim->memlock_bytes) &&
	       get_number(object, "ceiling_bytes", UINT64_MAX, &claim->ceiling_bytes);
}

static bool read_hold(struct json_object *object, struct kw_hold *hold)
{
	uint64_t pid;

	memset(hold, 0, sizeof(*hold));
	if (!read_claim(object, &hold->claim) ||
	    !get_number(object, "taken_ns", UINT64_MAX, &hold->taken_ns) ||
	    !get_number(object, "pid", INT_MAX, &pid) ||
	    !get_number(object, "start_time_ns", UINT64_MAX, &hold->start_time_ns))
		return false;
	hold->pid = (pid_t)pid;
	return true;
}

static bool has_uuid(const struct kw_hold_list *holds, const char *uuid)
{
	for (size_t i = 0; i < holds->count; i++)
		if (!strcmp(holds->holds[i].claim.uuid, uuid))
			return true;
	return false;
}

static int read_holds(struct json_object *array, struct kw_hold_list *holds)
{
	size_t count = json_object_array_length(array);

	holds->holds = calloc(count ? count : 1, sizeof(*holds->holds));
	if (!holds->holds)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct kw_hold *hold = &holds->holds[i];

		if (!read_hold(json_object_array_get_idx(array, i), hold) ||
		    has_uuid(holds, hold->claim.uuid))
			return -EBADMSG;
		holds->count++;
	}
	return 0;
}

static int holds_from_json(struct json_object *root, struct kw_hold_list *ret_holds)
{
	_cleanup_(kw_holds_done) struct kw_hold_list holds = {0};
	struct json_object *array;
	uint64_t version;
	int error;

	if (!get_number(root, "version", UINT64_MAX, &version) || version != VERSION ||
	    !json_object_object_get_ex(root, "holds", &array) ||
	    !json_object_is_type(array, json_type_array))
		return -EBADMSG;
	error = read_holds(array, &holds);
	if (error)
		return error;
	*ret_holds = holds;
	holds = (struct kw_hold_list){0};
	return 0;
}

int kw_holds_load(const char *path, struct kw_hold_list *ret_holds)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_object *root = NULL;
	size_t length;
	int error = kw_file_read(path, FILE_MAX, &text, &length);

	if (error == -EFBIG)
		return -EBADMSG;
	if (error)
		return error;
	root = parse(text, length);
	if (!json_object_is_type(root, json_type_object))
		return -EBADMSG;
	return holds_from_json(root, ret_holds);
}
