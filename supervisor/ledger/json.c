/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define DEPTH_MAX 8

static void tokener_free_at(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

int kw_put_member(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(object, key, value)) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

int kw_put_number(struct json_object *object, const char *key, uint64_t number)
{
	return kw_put_member(object, key, json_object_new_uint64(number));
}

int kw_put_text(struct json_object *object, const char *key, const char *text)
{
	return kw_put_member(object, key, json_object_new_string(text));
}

int kw_put_bool(struct json_object *object, const char *key, bool yes)
{
	return kw_put_member(object, key, json_object_new_boolean(yes));
}

bool kw_get_number(struct json_object *object, const char *key, uint64_t max,
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

bool kw_get_text(struct json_object *object, const char *key, char *to, size_t to_size)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
	       json_object_is_type(value, json_type_string) &&
	       strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value) &&
	       kw_text_copy(to, to_size, json_object_get_string(value));
}

bool kw_get_new_text(struct json_object *object, const char *key, char **ret_text)
{
	struct json_object *value;
	char *text;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	text = strdup(json_object_get_string(value));
	if (text)
		*ret_text = text;
	return text;
}

bool kw_get_bool(struct json_object *object, const char *key, bool *ret_yes)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_boolean))
		return false;
	*ret_yes = json_object_get_boolean(value);
	return true;
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

int kw_json_load(const char *path, size_t max, struct json_object **ret_object)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ struct json_object *object = NULL;
	size_t length;
	int error = kw_file_read(path, max, &text, &length);

	if (error == -EFBIG)
		return -EBADMSG;
	if (error)
		return error;
	object = parse(text, length);
	if (!json_object_is_type(object, json_type_object))
		return -EBADMSG;
	*ret_object = KW_STEAL(object);
	return 0;
}

int kw_json_save(const char *path, struct json_object *object, mode_t mode)
{
	size_t length;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

	return text ? kw_file_write(path, text, length, mode) : -ENOMEM;
}
