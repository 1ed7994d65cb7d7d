/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_JSON_H
#define KW_LEDGER_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

static inline void kw_json_put_at(struct json_object **object)
{
	json_object_put(*object);
}

#define _cleanup_json_ _cleanup_(kw_json_put_at)

/* Adds a member; takes the value over, whether it succeeds or not. 0 or -ENOMEM. */
int kw_put_member(struct json_object *object, const char *key, struct json_object *value);
int kw_put_number(struct json_object *object, const char *key, uint64_t number);
int kw_put_text(struct json_object *object, const char *key, const char *text);
int kw_put_bool(struct json_object *object, const char *key, bool yes);

/*
 * The member of that name; false, with the output untouched, when there is none
 * or it is of another kind. A text must fit: what was saved came from a field of
 * the same size; new: of any size, the caller's to free.
 */
bool kw_get_number(struct json_object *object, const char *key, uint64_t max,
		   uint64_t *ret_number);
bool kw_get_text(struct json_object *object, const char *key, char *to, size_t to_size);
bool kw_get_new_text(struct json_object *object, const char *key, char **ret_text);
bool kw_get_bool(struct json_object *object, const char *key, bool *ret_yes);

/*
 * load: one JSON object of at most max bytes and nothing behind it, the caller's
 * to put. 0, -ENOENT, -EBADMSG for any other text, or negative errno.
 * save: laid out in lines, as one step; see base/file.h. 0 or negative errno.
 */
int kw_json_load(const char *path, size_t max, struct json_object **ret_object);
int kw_json_save(const char *path, struct json_object *object, mode_t mode);

#endif
