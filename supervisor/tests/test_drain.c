/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/drain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kw-drain-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(dir);
}

static void it_is_kept(void **state)
{
	(void)state;
	assert_false(kw_drain_is_on(dir));
	assert_int_equal(kw_drain_set(dir, false), 0);
	assert_int_equal(kw_drain_set(dir, true), 0);
	assert_true(kw_drain_is_on(dir));
	assert_int_equal(kw_drain_set(dir, true), 0);
	assert_int_equal(kw_drain_set(dir, false), 0);
	assert_false(kw_drain_is_on(dir));
}

static void the_directory_is_made(void **state)
{
	char below[96], deeper[128];

	(void)state;
	snprintf(below, sizeof(below), "%s/kept", dir);
	snprintf(deeper, sizeof(deeper), "%s/kept", below);
	assert_false(kw_drain_is_on(below));
	assert_int_equal(kw_drain_set(deeper, true), -ENOENT);
	assert_int_equal(kw_drain_set(below, true), 0);
	assert_true(kw_drain_is_on(below));
}

static void what_cannot_be_told_shuts_the_door(void **state)
{
	char file[96];

	(void)state;
	assert_int_equal(tree_put(dir, "file", ""), 0);
	snprintf(file, sizeof(file), "%s/file", dir);
	assert_true(kw_drain_is_on(file));
}

static void a_guest_on_its_way_back_is_spared(void **state)
{
	char moves[96];

	(void)state;
	assert_false(kw_drain_spares(dir, UUID));
	snprintf(moves, sizeof(moves), "%s/moves", dir);
	assert_int_equal(mkdir(moves, 0700), 0);
	assert_int_equal(tree_put(dir, "moves/" UUID ".json", "{}"), 0);
	assert_true(kw_drain_spares(dir, UUID));
	assert_true(kw_drain_spares(dir, "AAAAAAAA-0000-4000-8000-000000000001"));
	assert_false(kw_drain_spares(dir, "bbbbbbbb-0000-4000-8000-000000000001"));
	assert_false(kw_drain_spares(dir, ""));
	assert_false(kw_drain_spares(dir, "../moves/" UUID));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_kept),
		TEST(the_directory_is_made),
		TEST(what_cannot_be_told_shuts_the_door),
		TEST(a_guest_on_its_way_back_is_spared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
