/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/evacuate_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static struct kw_evacuation_guest guests[2];
static struct kw_evacuation evacuation = { .host.name = "h2", .guests = guests, .count = 2 };

/* vault starts, of which there is a doubt; db stays. */
static int setup(void **state)
{
	static const char *const names[] = { "vault", "db" };

	(void)state;
	memset(guests, 0, sizeof(guests));
	for (size_t i = 0; i < 2; i++) {
		struct kw_obstacle *obstacle = &guests[i].plan.obstacles[guests[i].plan.count++];

		strcpy(guests[i].kept.name, names[i]);
		guests[i].evacuee.move.domain.memory_bytes = 2 * KW_GIB;
		guests[i].kept.runs = !i;
		guests[i].act = i ? KW_EVACUEE_STAYS : KW_EVACUEE_STARTS;
		kw_verdict_set(&obstacle->verdict, i ? KW_DISK_LOCKED : KW_NO_LOCK, "words \x1b");
		obstacle->weight = i ? KW_OBSTACLE_BARS : KW_OBSTACLE_WARNS;
	}
	return 0;
}

static void the_table_says_why(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_int_equal(kw_evacuation_print(&evacuation, to, 80), 0);
	fclose(to);
	assert_string_equal(text, "NAME   TYPE     MEMORY  RAN  HERE IT\n"
				  "vault  plain  2048 MiB  yes  starts\n"
				  "db     plain  2048 MiB  no   stays\n"
				  "vault warning: no-lock: words ?\n"
				  "db stays: disk-locked: words ?\n");
	free(text);
}

static const char *member(size_t guest, const char *key)
{
	static struct json_object *json;
	struct json_object *value;

	json_object_put(json);
	json = kw_json_evacuation(&evacuation);
	value = json_object_array_get_idx(json_object_object_get(json, "guests"), guest);
	assert_true(json_object_object_get_ex(value, key, &value));
	return json_object_to_json_string(value);
}

/* Not tried is not failed. */
static void json_tells_what_was_tried(void **state)
{
	(void)state;
	guests[0].done = true;
	assert_string_equal(member(0, "act"), "\"starts\"");
	assert_string_equal(member(0, "done"), "true");
	assert_string_equal(member(0, "error"), "null");
	strcpy(guests[0].error, "no");
	assert_string_equal(member(0, "done"), "false");
	assert_string_equal(member(0, "error"), "\"no\"");
	assert_string_equal(member(1, "done"), "null");
	assert_non_null(strstr(member(1, "obstacles"), "disk-locked"));
	assert_non_null(strstr(member(1, "obstacles"), "bars"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_table_says_why, setup),
		cmocka_unit_test_setup(json_tells_what_was_tried, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
