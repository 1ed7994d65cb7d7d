/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mover/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What both hosts show, and what that means. */
static const struct {
	enum kw_side_state here, there;
	enum kw_move_state expected;	/* of a guest that is defined */
} cases[] = {
	{ KW_SIDE_UNKNOWN, KW_SIDE_UNKNOWN, KW_MOVE_RUNNING },
	{ KW_SIDE_UNKNOWN, KW_SIDE_ABSENT, KW_MOVE_RUNNING },
	{ KW_SIDE_UNKNOWN, KW_SIDE_OFF, KW_MOVE_RUNNING },
	{ KW_SIDE_UNKNOWN, KW_SIDE_RUNS, KW_MOVE_RUNNING },
	{ KW_SIDE_ABSENT, KW_SIDE_UNKNOWN, KW_MOVE_RUNNING },
	{ KW_SIDE_ABSENT, KW_SIDE_ABSENT, KW_MOVE_STOPPED },
	{ KW_SIDE_ABSENT, KW_SIDE_OFF, KW_MOVE_MOVED },
	{ KW_SIDE_ABSENT, KW_SIDE_RUNS, KW_MOVE_MOVED },
	{ KW_SIDE_OFF, KW_SIDE_UNKNOWN, KW_MOVE_RUNNING },
	{ KW_SIDE_OFF, KW_SIDE_ABSENT, KW_MOVE_STAYED },
	{ KW_SIDE_OFF, KW_SIDE_OFF, KW_MOVE_STOPPED },
	{ KW_SIDE_OFF, KW_SIDE_RUNS, KW_MOVE_MOVED },
	{ KW_SIDE_RUNS, KW_SIDE_UNKNOWN, KW_MOVE_RUNNING },
	{ KW_SIDE_RUNS, KW_SIDE_ABSENT, KW_MOVE_STAYED },
	{ KW_SIDE_RUNS, KW_SIDE_OFF, KW_MOVE_STAYED },
	{ KW_SIDE_RUNS, KW_SIDE_RUNS, KW_MOVE_RUNNING },
};

static void what_became_of_it_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(kw_live_judge(cases[i].here, cases[i].there, true),
				 cases[i].expected);
}

static void a_guest_that_is_not_defined_may_be_nowhere(void **state)
{
	(void)state;
	assert_int_equal(kw_live_judge(KW_SIDE_ABSENT, KW_SIDE_ABSENT, false), KW_MOVE_STAYED);
	assert_int_equal(kw_live_judge(KW_SIDE_ABSENT, KW_SIDE_UNKNOWN, false), KW_MOVE_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_became_of_it_is_seen),
		cmocka_unit_test(a_guest_that_is_not_defined_may_be_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
