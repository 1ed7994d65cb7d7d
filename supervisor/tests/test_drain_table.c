/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/drain_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static const char *const uris[] = { "qemu+ssh://root@h2/system", "qemu+ssh://root@h3/system" };

static struct kw_move_facts facts[3][2];
static struct kw_move_plan plans[3][2];
static struct kw_drain_guest guests[3];
static struct kw_drain_move moves[3];
static struct kw_drain_row table[4];
static struct kw_drain_rows rows = { .rows = table, .count = 4, .uris = uris,
				     .destination_count = 2, .shutdown_s = 120 };

/* web moves live, vault cold, db stays, and odd is not libvirt's. */
static int setup(void **state)
{
	static const char *const names[] = { "web", "vault", "db", "odd" };
	static const struct kw_obstacle encrypted = { { KW_SLOT_NONE, "it is encrypted" },
						      KW_OBSTACLE_NOT_LIVE };

	(void)state;
	memset(facts, 0, sizeof(facts));
	memset(plans, 0, sizeof(plans));
	memset(moves, 0, sizeof(moves));
	for (size_t i = 0; i < 3; i++) {
		facts[i][0].domain.memory_bytes = 2 * KW_GIB;
		guests[i] = (struct kw_drain_guest){ facts[i], plans[i], i < 2, i % 2 };
	}
	for (size_t i = 0; i < 4; i++)
		table[i] = (struct kw_drain_row){ names[i], "u", i < 3 ? &guests[i] : NULL, NULL };
	plans[0][0] = (struct kw_move_plan){ .kind = KW_MOVE_LIVE, .downtime_ms = KW_U64(300),
					     .copy_bytes = KW_U64(0) };
	plans[1][1] = (struct kw_move_plan){ .kind = KW_MOVE_COLD, .stops = true, .count = 1,
					     .copy_bytes = KW_U64(20 * KW_GIB) };
	plans[1][1].obstacles[0] = encrypted;
	for (size_t j = 0; j < 2; j++) {
		struct kw_obstacle *bar = &plans[2][j].obstacles[plans[2][j].count++];

		kw_verdict_set(&bar->verdict, j ? KW_MEMORY_FULL : KW_SLOT_FULL, "h%zu: no \x1b", j + 2);
	}
	return 0;
}

static void expect(int (*print)(const struct kw_drain_rows *, FILE *, size_t), const char *wanted)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	assert_int_equal(print(&rows, to, 0), 0);
	fclose(to);
	assert_string_equal(text, wanted);
	free(text);
}

static void the_plan_says_why(void **state)
{
	(void)state;
	expect(kw_drain_print_plan,
	       "NAME   TYPE     MEMORY  TO       MOVES  STOPS FOR\n"
	       "web    plain  2048 MiB  root@h2  live   about 300 ms\n"
	       "vault  plain  2048 MiB  root@h3  cold   shutdown (at most 120 s), copying 20.0 GiB, "
	       "start\n"
	       "db     plain  2048 MiB  -        stays\n"
	       "odd    -             -  -        stays\n"
	       "vault moves cold: slot-none: it is encrypted\n"
	       "db stays: slot-full: h2: no ?\n"
	       "db stays: memory-full: h3: no ?\n"
	       "odd stays: libvirt does not know it, so nothing here can move it; 'kvmward guests' "
	       "shows it\n");
}

static void who_is_off_stops_for_nothing(void **state)
{
	(void)state;
	plans[0][0].kind = KW_MOVE_COLD;
	rows.count = 1;
	expect(kw_drain_print_plan,
	       "NAME  TYPE     MEMORY  TO       MOVES  STOPS FOR\n"
	       "web   plain  2048 MiB  root@h2  cold   (it is off)\n");
	rows.count = 4;
}

static void the_end_says_what_became_of_each(void **state)
{
	(void)state;
	moves[0] = (struct kw_drain_move){ .end = KW_DRAIN_MOVED, .words = "a warning",
					   .total_ms = KW_U64(12345), .downtime_ms = KW_U64(41) };
	moves[1] = (struct kw_drain_move){ .end = KW_DRAIN_STAYED, .words = "it did not shut down" };
	table[0].move = &moves[0];
	table[1].move = &moves[1];
	expect(kw_drain_print_end,
	       "NAME   TO       END     TOOK  STOPPED FOR\n"
	       "web    root@h2  moved   12 s        41 ms\n"
	       "vault  root@h3  stayed     -            -\n"
	       "db     -        stays      -            -\n"
	       "odd    -        stays      -            -\n"
	       "vault: it did not shut down\n");
}

static const char *text_at(struct json_object *of, const char *key)
{
	struct json_object *found;

	assert_true(json_object_object_get_ex(of, key, &found));
	return found ? json_object_get_string(found) : "null";
}

static void json_has_all_of_it(void **state)
{
	struct json_object *list, *result;

	(void)state;
	moves[0] = (struct kw_drain_move){ .end = KW_DRAIN_MOVED, .total_ms = KW_U64(9) };
	table[0].move = &moves[0];
	list = kw_json_drain(&rows);
	assert_int_equal(json_object_array_length(list), 4);
	assert_string_equal(text_at(json_object_array_get_idx(list, 0), "uri"), uris[0]);
	assert_string_equal(text_at(json_object_array_get_idx(list, 0), "kind"), "live");
	json_object_object_get_ex(json_object_array_get_idx(list, 0), "result", &result);
	assert_string_equal(text_at(result, "end"), "moved");
	assert_string_equal(text_at(result, "total_ms"), "9");
	assert_string_equal(text_at(json_object_array_get_idx(list, 1), "result"), "null");
	assert_string_equal(text_at(json_object_array_get_idx(list, 2), "moves"), "false");
	json_object_object_get_ex(json_object_array_get_idx(list, 2), "bars", &result);
	assert_int_equal(json_object_array_length(result), 2);
	assert_string_equal(text_at(json_object_array_get_idx(list, 3), "bars"), "null");
	json_object_put(list);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_plan_says_why),
		TEST(who_is_off_stops_for_nothing),
		TEST(the_end_says_what_became_of_each),
		TEST(json_has_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
