/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/store.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ledger/json.h"

#define VERSION 1
#define FILE_MAX (16u << 20) /* some 40,000 holds */

static int add_part(struct json_object *array, const char *key, uint64_t number, uint64_t bytes)
{
	_cleanup_json_ struct json_object *object = json_object_new_object();

	if (!object || kw_put_number(object, key, number) ||
	    kw_put_number(object, "bytes", bytes) || json_object_array_add(array, object))
		return -ENOMEM;
	object = NULL; /* the array's now */
	return 0;
}

static int add_parts(struct json_object *object, const struct kw_claim *claim)
{
	struct json_object *huge = json_object_new_array(), *bound = json_object_new_array();
	int error = kw_put_member(object, "hugepages", huge);

	error = kw_put_member(object, "bound", bound) ?: error;
	for (size_t i = 0; !error && i < KW_HUGE_SIZES && claim->huge[i].bytes; i++)
		error = add_part(huge, "page_bytes", claim->huge[i].page_bytes, claim->huge[i].bytes);
	for (size_t i = 0; !error && i < KW_BOUND_MAX && claim->bound[i].bytes; i++)
		error = add_part(bound, "nodes", claim->bound[i].nodes, claim->bound[i].bytes);
	return error;
}

static int fill_hold(struct json_object *object, const struct kw_hold *hold)
{
	const struct kw_claim *claim = &hold->claim;

	if (kw_put_text(object, "uuid", claim->uuid) || kw_put_text(object, "name", claim->name) ||
	    kw_put_text(object, "class", claim->class_name) ||
	    kw_put_text(object, "type", kw_guest_type_name(claim->type)) ||
	    kw_put_number(object, "memory_bytes", claim->memory_bytes) ||
	    kw_put_number(object, "pinned_bytes", claim->pinned_bytes) ||
	    kw_put_number(object, "plug_bytes", claim->plug_bytes) ||
	    kw_put_number(object, "memlock_bytes", claim->memlock_bytes) ||
	    kw_put_number(object, "ceiling_bytes", claim->ceiling_bytes) ||
	    kw_put_number(object, "taken_ns", hold->taken_ns) ||
	    kw_put_number(object, "pid", (uint64_t)hold->pid) ||
	    kw_put_number(object, "start_time_ns", hold->start_time_ns) ||
	    add_parts(object, claim) || kw_put_bool(object, "started", hold->started) ||
	    kw_put_bool(object, "differs", hold->differs) ||
	    kw_put_bool(object, "lent", hold->lent))
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
	if (kw_put_number(root, "version", VERSION) || kw_put_member(root, "holds", array))
		return NULL;
	for (size_t i = 0; i < holds->count; i++)
		if (add_hold(array, &holds->holds[i]))
			return NULL;
	return KW_STEAL(root);
}

int kw_holds_save(const char *path, const struct kw_hold_list *holds)
{
	_cleanup_json_ struct json_object *root = holds_to_json(holds);

	return root ? kw_json_save(path, root, 0600) : -ENOMEM;
}

static bool get_type(struct json_object *object, enum kw_guest_type *ret_type)
{
	char name[16];

	if (!kw_get_text(object, "type", name, sizeof(name)))
		return false;
	for (enum kw_guest_type type = KW_GUEST_PLAIN; type <= KW_GUEST_SNP; type++) {
		if (!strcmp(name, kw_guest_type_name(type))) {
			*ret_type = type;
			return true;
		}
	}
	return false;
}

static bool has(struct json_object *object, const char *key)
{
	return json_object_object_get_ex(object, key, NULL);
}

/* The next member of an array of parts. */
static bool get_part(struct json_object *array, size_t i, const char *key, uint64_t *ret_number,
		     uint64_t *ret_bytes)
{
	struct json_object *part = json_object_array_get_idx(array, i);

	return json_object_is_type(part, json_type_object) &&
	       kw_get_number(part, key, UINT64_MAX, ret_number) &&
	       kw_get_number(part, "bytes", UINT64_MAX, ret_bytes);
}

/* The array of that name, which has at most so many parts. */
static bool get_array(struct json_object *object, const char *key, size_t most,
		      struct json_object **ret_array, size_t *ret_count)
{
	if (!json_object_object_get_ex(object, key, ret_array) ||
	    !json_object_is_type(*ret_array, json_type_array))
		return false;
	*ret_count = json_object_array_length(*ret_array);
	return *ret_count <= most;
}

static bool get_huge(struct json_object *object, struct kw_claim *claim)
{
	struct json_object *array;
	size_t count, i = 0;

	if (!get_array(object, "hugepages", KW_HUGE_SIZES, &array, &count))
		return false;
	while (i < count && get_part(array, i, "page_bytes", &claim->huge[i].page_bytes,
				     &claim->huge[i].bytes))
		i++;
	return i == count;
}

static bool get_bound(struct json_object *object, struct kw_claim *claim)
{
	struct json_object *array;
	size_t count, i = 0;

	if (!get_array(object, "bound", KW_BOUND_MAX, &array, &count))
		return false;
	while (i < count &&
	       get_part(array, i, "nodes", &claim->bound[i].nodes, &claim->bound[i].bytes))
		i++;
	return i == count;
}

/* What a kvmwardd of before did not write yet: it knew of none of it. */
static bool get_later_keys(struct json_object *object, struct kw_hold *hold)
{
	struct kw_claim *claim = &hold->claim;

	return (!has(object, "class") ||
		kw_get_text(object, "class", claim->class_name, sizeof(claim->class_name))) &&
	       (!has(object, "plug_bytes") ||
		kw_get_number(object, "plug_bytes", UINT64_MAX, &claim->plug_bytes)) &&
	       (!has(object, "hugepages") || get_huge(object, claim)) &&
	       (!has(object, "bound") || get_bound(object, claim)) &&
	       (!has(object, "started") || kw_get_bool(object, "started", &hold->started)) &&
	       (!has(object, "differs") || kw_get_bool(object, "differs", &hold->differs)) &&
	       (!has(object, "lent") || kw_get_bool(object, "lent", &hold->lent));
}

static bool read_claim(struct json_object *object, struct kw_claim *claim)
{
	return kw_get_text(object, "uuid", claim->uuid, sizeof(claim->uuid)) &&
	       kw_text_is_uuid(claim->uuid) &&
	       kw_get_text(object, "name", claim->name, sizeof(claim->name)) &&
	       get_type(object, &claim->type) &&
	       kw_get_number(object, "memory_bytes", UINT64_MAX, &claim->memory_bytes) &&
	       kw_get_number(object, "pinned_bytes", UINT64_MAX, &claim->pinned_bytes) &&
	       kw_get_number(object, "memlock_bytes", UINT64_MAX, &claim->memlock_bytes) &&
	       kw_get_number(object, "ceiling_bytes", UINT64_MAX, &claim->ceiling_bytes);
}

static bool read_hold(struct json_object *object, struct kw_hold *hold)
{
	uint64_t pid;

	memset(hold, 0, sizeof(*hold));
	if (!read_claim(object, &hold->claim) || !get_later_keys(object, hold) ||
	    !kw_get_number(object, "taken_ns", UINT64_MAX, &hold->taken_ns) ||
	    !kw_get_number(object, "pid", INT_MAX, &pid) ||
	    !kw_get_number(object, "start_time_ns", UINT64_MAX, &hold->start_time_ns))
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
	_cleanup_(kw_hold_list_done) struct kw_hold_list holds = {0};
	struct json_object *array;
	uint64_t version;
	int error;

	if (!kw_get_number(root, "version", UINT64_MAX, &version) || version != VERSION ||
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
	_cleanup_json_ struct json_object *root = NULL;
	int error = kw_json_load(path, FILE_MAX, &root);

	return error ? error : holds_from_json(root, ret_holds);
}
