/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "cli/request.h"

#define NOVA "tests/data/domains/nova.xml"
#define PLAIN "tests/data/domains/virt-install.xml"
#define SMALL "tests/data/domains/live.xml"	/* its hard_limit is too small */

static void read_it(const char *path, struct kw_request *ret_request)
{
	assert_int_equal(kw_request_read(path, ret_request), 0);
}

static void an_encrypted_guest_gets_what_it_lacks(void **state)
{
	_cleanup_(kw_request_done) struct kw_request request = {};
	_cleanup_free_ char *xml = NULL;

	(void)state;
	read_it(NOVA, &request);
	assert_true(request.takes_slot);
	kw_request_complete(&request, KW_U32(51), KW_U32(5));
	assert_true(request.additions.hard_limit_bytes.known);
	assert_true(request.additions.hard_limit_bytes.value >= request.claim.memlock_bytes);
	assert_true(request.additions.hard_limit_bytes.value >= request.claim.ceiling_bytes);
	kw_request_check(&request);
	assert_int_equal(request.verdict.code, KW_ADMITTED);
	assert_int_equal(kw_request_xml(&request, &xml), 0);
	assert_non_null(strstr(xml, "<hard_limit unit=\"KiB\">"));
}

static void what_the_file_says_is_kept(void **state)
{
	_cleanup_(kw_request_done) struct kw_request request = {};

	(void)state;
	read_it(SMALL, &request);
	assert_true(request.domain.hard_limit_bytes.known);
	kw_request_complete(&request, (struct kw_u32){}, (struct kw_u32){});
	assert_false(request.additions.hard_limit_bytes.known);
	/* a small limit too: by its configuration, kvmwardd says what becomes of that */
	kw_request_check(&request);
	assert_int_equal(request.verdict.code, KW_ADMITTED);
}

static void a_plain_guest_is_left_alone(void **state)
{
	_cleanup_(kw_request_done) struct kw_request request = {};
	_cleanup_free_ char *xml = NULL;

	(void)state;
	read_it(PLAIN, &request);
	assert_false(request.takes_slot);
	kw_request_complete(&request, KW_U32(51), KW_U32(5));
	kw_request_check(&request);
	assert_int_equal(request.verdict.code, KW_ADMITTED);
	assert_int_equal(kw_request_xml(&request, &xml), 0);
	assert_string_equal(xml, request.xml);
}

static const struct {
	const char *path, *place;
} hostile[] = {
	{ "tests/data/hostile/entity-bomb.xml", "tests/data/hostile/entity-bomb.xml:2: " },
	{ "tests/data/hostile/truncated.xml", "tests/data/hostile/truncated.xml:45: " },
	{ "tests/data/hostile/zero-byte.xml", "tests/data/hostile/zero-byte.xml:2: " },
	{ "/dev/zero", "/dev/zero: larger than 4 MiB" },
};

static void no_domain_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		_cleanup_(kw_request_done) struct kw_request request = {};

		read_it(hostile[i].path, &request);
		kw_request_complete(&request, KW_U32(1), KW_U32(1));
		kw_request_check(&request);
		kw_request_ask(&request);
		assert_int_equal(request.verdict.code, KW_XML_INVALID);
		assert_memory_equal(request.verdict.sentence, hostile[i].place,
				    strlen(hostile[i].place));
	}
}

static void who_waits_has_a_uuid(void **state)
{
	_cleanup_(kw_request_done) struct kw_request request = {};

	(void)state;
	read_it("tests/data/domains/nova.xml", &request);
	assert_true(request.takes_slot && request.domain.uuid[0]);
	assert_int_equal(kw_request_name(&request), 0);
	assert_string_equal(request.additions.uuid, "");
	request.domain.uuid[0] = '\0';
	assert_int_equal(kw_request_name(&request), 0);
	assert_true(kw_text_is_uuid(request.additions.uuid));
}

static void a_file_that_cannot_be_read_is_no_verdict(void **state)
{
	struct kw_request request = { .path = "untouched" };

	(void)state;
	assert_int_equal(kw_request_read("tests/data/no-such-file", &request), -ENOENT);
	assert_int_equal(kw_request_read("tests/data", &request), -EISDIR);
	assert_string_equal(request.path, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_encrypted_guest_gets_what_it_lacks),
		cmocka_unit_test(what_the_file_says_is_kept),
		cmocka_unit_test(a_plain_guest_is_left_alone),
		cmocka_unit_test(who_waits_has_a_uuid),
		cmocka_unit_test(no_domain_is_refused_with_its_place),
		cmocka_unit_test(a_file_that_cannot_be_read_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
