/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "policy/pinned.h"

#define CLAIMED (256 * KW_MIB)
#define PLUG (64 * KW_MIB)
#define MEMLOCK (CLAIMED + PLUG + 16 * KW_MIB)

static enum kw_pinned compare(bool started, struct kw_u64 pinned)
{
	const struct kw_hold hold = { .claim = { .pinned_bytes = CLAIMED, .plug_bytes = PLUG,
						 .memlock_bytes = MEMLOCK },
				      .started = started };
	const struct kw_guest guest = { .pinned_bytes = pinned };

	return kw_pinned_compare(&hold, &guest);
}

static void more_is_told_of_those_that_are_up(void **state)
{
	(void)state;
	assert_int_equal(compare(true, KW_U64(CLAIMED)), KW_PINNED_AS_CLAIMED);
	/* memory was plugged */
	assert_int_equal(compare(true, KW_U64(CLAIMED + PLUG)), KW_PINNED_AS_CLAIMED);
	assert_int_equal(compare(true, KW_U64(CLAIMED + PLUG + 1)), KW_PINNED_MORE);
	assert_int_equal(compare(true, KW_U64(UINT64_MAX)), KW_PINNED_MORE);
}

static void more_than_its_lock_is_told_at_once(void **state)
{
	(void)state;
	/* its firmware is being encrypted */
	assert_int_equal(compare(false, KW_U64(MEMLOCK)), KW_PINNED_AS_CLAIMED);
	assert_int_equal(compare(false, KW_U64(MEMLOCK + 1)), KW_PINNED_MORE);
	assert_int_equal(compare(false, KW_U64(UINT64_MAX)), KW_PINNED_MORE);
}

static void less_is_told_of_those_that_are_up(void **state)
{
	(void)state;
	assert_int_equal(compare(false, KW_U64(0)), KW_PINNED_AS_CLAIMED);
	assert_int_equal(compare(true, KW_U64(0)), KW_PINNED_LESS);
	assert_int_equal(compare(true, KW_U64(CLAIMED - KW_MIB - 1)), KW_PINNED_LESS);
	assert_int_equal(compare(true, KW_U64(CLAIMED - KW_MIB)), KW_PINNED_AS_CLAIMED);
}

static void unknown_is_not_told(void **state)
{
	const struct kw_hold plain = { .claim = { .type = KW_GUEST_PLAIN }, .started = true };
	const struct kw_guest guest = { .pinned_bytes = KW_U64(KW_GIB) };

	(void)state;
	assert_int_equal(compare(true, (struct kw_u64){ false, 0 }), KW_PINNED_AS_CLAIMED);
	assert_int_equal(compare(true, (struct kw_u64){ false, UINT64_MAX }), KW_PINNED_AS_CLAIMED);
	assert_int_equal(kw_pinned_compare(&plain, &guest), KW_PINNED_AS_CLAIMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_is_told_of_those_that_are_up),
		cmocka_unit_test(more_than_its_lock_is_told_at_once),
		cmocka_unit_test(less_is_told_of_those_that_are_up),
		cmocka_unit_test(unknown_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
