/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/move_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"

static const struct kw_move_progress live = {
	.name = "db1", .host = "root@h2", .kind = KW_MOVE_LIVE, .step = "migrate", .runs = true,
};

static void expect_line(const struct kw_move_progress *progress, const char *expected)
{
	char line[512];

	assert_string_equal(kw_move_line(line, sizeof(line), progress), expected);
}

static void expect_result(const struct kw_move_progress *progress, const char *expected)
{
	char text[512];

	assert_string_equal(kw_move_result(text, sizeof(text), progress), expected);
}

static void what_is_known_is_shown(void **state)
{
	struct kw_move_progress progress = live;

	(void)state;
	expect_line(&progress, "db1: live to root@h2: moving");
	progress.moved_bytes = KW_U64(64 * KW_MIB);
	progress.remaining_bytes = KW_U64(0);
	progress.bytes_per_s = KW_U64(0);
	expect_line(&progress, "db1: live to root@h2: moving, 64 MiB moved, 0 B to go");
	progress.bytes_per_s = KW_U64(90 * KW_MIB);
	progress.downtime_ms = KW_U64(300);
	expect_line(&progress, "db1: live to root@h2: moving, 64 MiB moved, 0 B to go, 90 MiB/s, "
			       "downtime of 300 ms");
	progress = live;
	progress.undo = true;
	strcpy(progress.step, "start-here");
	strcpy(progress.error, "cancelled");
	expect_line(&progress, "db1: live to root@h2: taking it back: starting it here (cancelled)");
}

static void how_it_went_is_said(void **state)
{
	struct kw_move_progress progress = live;

	(void)state;
	progress.state = KW_MOVE_MOVED;
	expect_result(&progress, "moved db1 to root@h2");
	progress.downtime_ms = KW_U64(0);
	progress.total_ms = KW_U64(12345);
	expect_result(&progress, "moved db1 to root@h2, downtime 0 ms, total 12.3 s");
	progress.state = KW_MOVE_STAYED;
	strcpy(progress.error, "cancelled");
	expect_result(&progress, "db1 was not moved, and is here, running: cancelled");
	progress.runs = false;
	expect_result(&progress, "db1 was not moved, and is here, off: cancelled");
	progress.state = KW_MOVE_STOPPED;
	expect_result(&progress, "db1: the move to root@h2 has stopped: cancelled; 'kvmward job resume "
				 "db1' goes on with it, 'kvmward job undo db1' takes it back");
}

/* However long names and words are. */
static void nothing_is_written_beyond_the_end(void **state)
{
	struct kw_move_progress progress = live;
	char text[64];

	(void)state;
	memset(progress.error, 'e', sizeof(progress.error) - 1);
	memset(progress.name, 'n', sizeof(progress.name) - 1);
	progress.moved_bytes = progress.remaining_bytes = progress.bytes_per_s = KW_U64(UINT64_MAX);
	progress.downtime_ms = KW_U64(UINT64_MAX);
	for (int state_of = KW_MOVE_RUNNING; state_of <= KW_MOVE_STOPPED; state_of++) {
		progress.state = state_of;
		assert_int_equal(strlen(kw_move_result(text, sizeof(text), &progress)), 63);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known_is_shown),
		cmocka_unit_test(how_it_went_is_said),
		cmocka_unit_test(nothing_is_written_beyond_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
