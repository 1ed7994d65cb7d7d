/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/taken.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/kept.h"
#include "tests/kept_dir.h"
#include "tests/tree.h"

#define GUEST "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER "aaaaaaaa-0000-4000-8000-000000000002"

/* The host's own disk, and its directory on the storage. */
static char top[32], dir[64], kept[64];
static const struct kw_host_name here = { "h1", "bbbbbbbb-0000-4000-8000-000000000001" };
static const struct kw_taker taker = {
	{ "h2", "bbbbbbbb-0000-4000-8000-000000000002" }, 1,
};

static int setup(void **state)
{
	(void)state;
	if (kept_dir_make(&here, top, kept))
		return -1;
	snprintf(dir, sizeof(dir), "%s/own", top);
	return kw_taken_set_place(dir, kept);
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(top);
}

static struct kw_mark mark_of(const char *uuid)
{
	struct kw_domain domain = {};

	strcpy(domain.uuid, uuid);
	kw_taken_mark(dir, &domain);
	return domain.mark;
}

static void expect_mark(const char *uuid, const char *peer)
{
	struct kw_mark mark = mark_of(uuid);

	assert_int_equal(mark.kind, *peer ? KW_MARK_LEAVING : KW_MARK_NONE);
	assert_string_equal(mark.job, *peer ? KW_MARK_EVACUATED : "");
	assert_string_equal(mark.peer, peer);
}

static void the_place_is_known_later(void **state)
{
	char place[PATH_MAX] = "";

	(void)state;
	assert_int_equal(kw_taken_get_place(top, place, sizeof(place)), -ENOENT);
	assert_int_equal(kw_taken_get_place(dir, place, sizeof(place)), 0);
	assert_string_equal(place, kept);
	assert_int_equal(kw_taken_set_place(dir, "/elsewhere"), 0);
	assert_int_equal(kw_taken_get_place(dir, place, sizeof(place)), 0);
	assert_string_equal(place, "/elsewhere");
	assert_int_equal(kw_taken_get_place(dir, place, 4), -EFBIG);
	assert_int_equal(kw_taken_set_place("/nonexistent/kvmward", kept), -ENOENT);
}

static void taken_guests_are_marked_until_they_are_given_back(void **state)
{
	(void)state;
	expect_mark(GUEST, "");
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	expect_mark(GUEST, "");
	assert_int_equal(kw_kept_take(kept, GUEST, &taker), 0);
	expect_mark(GUEST, "");
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	expect_mark(GUEST, "h2");
	expect_mark(OTHER, "");
	expect_mark("", "");
	assert_int_equal(kw_kept_give_back(kept, GUEST), 0);
	assert_int_equal(kw_kept_take(kept, OTHER, &taker), 0);
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	expect_mark(GUEST, "");
	expect_mark(OTHER, "h2");
	assert_int_equal(kw_taken_clear(dir), 0);
	expect_mark(OTHER, "");
	assert_int_equal(kw_taken_clear(dir), 0);
}

static void without_the_storage_what_is_put_down_stays(void **state)
{
	(void)state;
	assert_int_equal(kw_kept_take(kept, GUEST, &taker), 0);
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	assert_int_equal(tree_remove(kept), 0);
	assert_int_equal(kw_taken_copy(dir, kept), -ENOENT);
	expect_mark(GUEST, "h2");
	/* what it was to be mounted over */
	assert_int_equal(mkdir(kept, 0700), 0);
	assert_int_equal(kw_taken_copy(dir, kept), -ENOENT);
	expect_mark(GUEST, "h2");
}

static void what_is_damaged_is_taken_by_somebody(void **state)
{
	(void)state;
	assert_int_equal(tree_put(kept, GUEST ".taken", "{"), 0);
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	expect_mark(GUEST, "another host");
}

static void a_mark_that_is_there_stays(void **state)
{
	struct kw_domain domain = { .uuid = GUEST, .mark = { KW_MARK_ARRIVING, "m7", "h3", 0 } };

	(void)state;
	assert_int_equal(kw_kept_take(kept, GUEST, &taker), 0);
	assert_int_equal(kw_taken_copy(dir, kept), 0);
	kw_taken_mark(dir, &domain);
	assert_int_equal(domain.mark.kind, KW_MARK_ARRIVING);
	assert_string_equal(domain.mark.peer, "h3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_place_is_known_later, setup, teardown),
		cmocka_unit_test_setup_teardown(taken_guests_are_marked_until_they_are_given_back,
						setup, teardown),
		cmocka_unit_test_setup_teardown(without_the_storage_what_is_put_down_stays, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_damaged_is_taken_by_somebody, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_mark_that_is_there_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
