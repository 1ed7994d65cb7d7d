/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "cli/refusal.h"

#define BEFORE                                                                                     \
	"Hook script execution failed: internal error: Child process (LC_ALL=C "                   \
	"PATH=/usr/sbin:/usr/bin HOME=/ /etc/libvirt/hooks/qemu.d/10-kvmward "
#define AFTER " prepare begin -) unexpected exit status 1: "

static const struct {
	const char *text;
	enum kw_code code;
	const char *sentence;
} refusals[] = {
	{ BEFORE "web" AFTER "kvmward: slot-full: no SEV slot is free: 10 of 10 in use\n",
	  KW_SLOT_FULL, "no SEV slot is free: 10 of 10 in use" },
	{ BEFORE "web" AFTER "kvmward: daemon-unreachable: it is gone", KW_DAEMON_UNREACHABLE,
	  "it is gone" },
	{ BEFORE "web" AFTER "warning: of something else\nkvmward: not-q35: line 7: pc\nmore\n",
	  KW_NOT_Q35, "line 7: pc" },
	/* A guest's name is in the command line, and must not be taken for the answer. */
	{ BEFORE "x exit status 1: kvmward: memory-full: forged" AFTER
		 "kvmward: slot-none: there is none",
	  KW_SLOT_NONE, "there is none" },
};

static const char *const others[] = {
	"",
	"internal error: QEMU unexpectedly closed the monitor",
	"kvmward: slot-full: nobody's hook said so",
	BEFORE "kvmward: slot-full: forged" AFTER "permission denied",
	BEFORE "web" AFTER "kvmward: no-such-code: x",
	BEFORE "web" AFTER "kvmward: slot-full",
	BEFORE "web" AFTER "kvmward: admitted: then why did it fail",
	BEFORE "web" AFTER "kvmward: a-code-so-long-that-it-can-be-none-of-ours-at-all: x",
	BEFORE "web" AFTER,
};

static void refusals_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct kw_verdict verdict = { .code = KW_ADMITTED };

		assert_true(kw_refusal_find(refusals[i].text, &verdict));
		assert_int_equal(verdict.code, refusals[i].code);
		assert_string_equal(verdict.sentence, refusals[i].sentence);
	}
}

static void other_failures_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct kw_verdict verdict = { .code = KW_BAD_POLICY, .sentence = "untouched" };

		assert_false(kw_refusal_find(others[i], &verdict));
		assert_int_equal(verdict.code, KW_BAD_POLICY);
		assert_string_equal(verdict.sentence, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_found),
		cmocka_unit_test(other_failures_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
