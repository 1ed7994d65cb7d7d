/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void expect(struct kw_mark mark, const char *sentence)
{
	struct kw_domain domain = { .name = "vault", .mark = mark };
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	assert_false(kw_entry_admits(&domain, true, &verdict));
	assert_int_equal(verdict.code, KW_GUEST_MOVING);
	assert_false(kw_entry_admits(&domain, false, &verdict));
	assert_int_equal(verdict.code, KW_GUEST_MOVING);
	assert_string_equal(verdict.sentence, sentence);
}

static void every_mark_bars(void **state)
{
	(void)state;
	expect((struct kw_mark){ KW_MARK_LEAVING, "m7", "h2", 4 },
	       "move m7 takes this guest to h2, and is not finished; 'kvmward job resume vault' "
	       "goes on with it, 'kvmward job undo vault' keeps the guest here");
	expect((struct kw_mark){ KW_MARK_LEAVING, KW_MARK_EVACUATED, "h2", 4 },
	       "h2 has taken this guest while this host was gone ('kvmward evacuate'), and it runs "
	       "there or may; 'virsh undefine vault' here, once it is seen there");
	expect((struct kw_mark){ KW_MARK_ARRIVING, "m7", "h1", 4 },
	       "move m7 brings this guest from h1, and is not finished; on h1, 'kvmward job resume "
	       "vault' goes on with it, 'kvmward job undo vault' keeps the guest there");
	expect((struct kw_mark){ .kind = KW_MARK_UNKNOWN, .line = 4 },
	       "line 4: the mark of a move in <metadata> is not understood, so neither is whether "
	       "this guest may start here; finish or undo the move with the kvmward that began it");
}

static void without_one_nothing_is_said(void **state)
{
	struct kw_domain domain = { .name = "vault" };
	struct kw_verdict verdict = { .code = KW_SLOT_FULL };

	(void)state;
	assert_true(kw_entry_admits(&domain, false, &verdict));
	assert_int_equal(verdict.code, KW_SLOT_FULL);
}

static void a_drained_host_bars_all(void **state)
{
	struct kw_domain domain = { .name = "vault" };
	struct kw_verdict verdict = { .code = KW_ADMITTED };

	(void)state;
	assert_false(kw_entry_admits(&domain, true, &verdict));
	assert_int_equal(verdict.code, KW_HOST_DRAINING);
	assert_non_null(strstr(verdict.sentence, "'kvmward undrain'"));
}

static void no_encrypted_guest_is_restored(void **state)
{
	struct kw_domain domain = { .name = "vault", .security = KW_SECURITY_SEV };
	struct kw_verdict verdict = { .code = KW_ADMITTED };

	(void)state;
	assert_false(kw_entry_restores(&domain, &verdict));
	assert_int_equal(verdict.code, KW_NO_RESTORE);
	assert_non_null(strstr(verdict.sentence, "'virsh managedsave-remove vault'"));
	domain.security = KW_SECURITY_NONE;
	verdict.code = KW_ADMITTED;
	assert_true(kw_entry_restores(&domain, &verdict));
	assert_int_equal(verdict.code, KW_ADMITTED);
}

static void words_are_read_as_they_are_written(void **state)
{
	(void)state;
	assert_int_equal(kw_mark_kind_of(kw_mark_name(KW_MARK_LEAVING)), KW_MARK_LEAVING);
	assert_int_equal(kw_mark_kind_of(kw_mark_name(KW_MARK_ARRIVING)), KW_MARK_ARRIVING);
	assert_int_equal(kw_mark_kind_of("none"), KW_MARK_UNKNOWN);
	assert_int_equal(kw_mark_kind_of("Leaving"), KW_MARK_UNKNOWN);
	assert_int_equal(kw_mark_kind_of(""), KW_MARK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mark_bars),
		cmocka_unit_test(without_one_nothing_is_said),
		cmocka_unit_test(a_drained_host_bars_all),
		cmocka_unit_test(no_encrypted_guest_is_restored),
		cmocka_unit_test(words_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
