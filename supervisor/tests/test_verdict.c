/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "model/verdict.h"

/* The unit tests run in supervisor/. */
#define PAGE "man/kvmward-verdicts.7"

static void finds_every_code_by_its_name(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KW_CODE_COUNT; i++) {
		enum kw_code code = KW_CODE_COUNT;

		assert_int_equal(kw_code_find(kw_code_name((enum kw_code)i), &code), 0);
		assert_int_equal(code, i); /* so no name is there twice */
		assert_true(strlen(kw_code_meaning(code)) > 10);
		assert_true(strlen(kw_code_remedy(code)) > 5);
	}
}

static void has_words_for_a_code_that_is_none(void **state)
{
	enum kw_code code = KW_ADMITTED;

	(void)state;
	assert_string_equal(kw_code_name(KW_CODE_COUNT), "unknown-code");
	assert_non_null(kw_code_meaning((enum kw_code)-1));
	assert_non_null(kw_code_remedy((enum kw_code)4711));
	assert_int_equal(kw_code_find("no-such-code", &code), -ENOENT);
	assert_int_equal(code, KW_ADMITTED);
}

static void only_one_code_admits(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KW_CODE_COUNT; i++) {
		struct kw_verdict verdict = { .code = (enum kw_code)i };

		assert_int_equal(kw_verdict_admits(&verdict), i == KW_ADMITTED);
	}
}

static void keeps_sentences_printable(void **state)
{
	struct kw_verdict verdict;
	char name[600];

	(void)state;
	kw_verdict_set(&verdict, KW_NOT_KVM, "line %d: '%s'", 3, "\x1b[2J\n\x7f");
	assert_int_equal(verdict.code, KW_NOT_KVM);
	assert_string_equal(verdict.sentence, "line 3: '?[2J?\?'");
	for (size_t i = 0; i < sizeof(name) - 1; i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	name[sizeof(name) - 2] = '\0';
	kw_verdict_set(&verdict, KW_NOT_KVM, "%s", name);
	assert_true(kw_text_is_utf8(verdict.sentence));
	assert_int_equal(strlen(verdict.sentence), sizeof(verdict.sentence) - 2);
}

static bool item_names(const char *item, const char *code)
{
	size_t length = strlen(code);

	return !strncmp(item, code, length) && item[length] == '\n';
}

static unsigned int items_of(const char *page, const char *code)
{
	static const char start[] = "\n.It Sy ";
	unsigned int count = 0;

	for (const char *at = page; (at = strstr(at, start)); at += strlen(start))
		if (!code || item_names(at + strlen(start), code))
			count++;
	return count;
}

static void every_code_is_in_the_manual_and_no_other(void **state)
{
	_cleanup_free_ char *page = NULL;

	(void)state;
	assert_int_equal(kw_file_read(PAGE, 1 << 20, &page, NULL), 0);
	for (unsigned int i = 0; i < KW_CODE_COUNT; i++)
		if (items_of(page, kw_code_name((enum kw_code)i)) != 1)
			fail_msg("%s: code %s is there %u times", PAGE,
				 kw_code_name((enum kw_code)i),
				 items_of(page, kw_code_name((enum kw_code)i)));
	assert_int_equal(items_of(page, NULL), KW_CODE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_code_by_its_name),
		cmocka_unit_test(has_words_for_a_code_that_is_none),
		cmocka_unit_test(only_one_code_admits),
		cmocka_unit_test(keeps_sentences_printable),
		cmocka_unit_test(every_code_is_in_the_manual_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
