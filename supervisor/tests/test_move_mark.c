/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/move_mark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "facts/domain_xml.h"

KW_CLEANUP_OF(struct kw_domain, kw_domain_done);

static const struct kw_mark arriving = {
	.kind = KW_MARK_ARRIVING, .job = "7", .peer = "<h1> & 'co'",
};

/* What is written is what the door reads. */
static void expect_mark(const char *xml, const struct kw_mark *mark)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	char error[160];

	assert_int_equal(kw_domain_xml_parse(xml, strlen(xml), &domain, error, sizeof(error)), 0);
	assert_int_equal(domain.mark.kind, mark->kind);
	assert_string_equal(domain.mark.job, mark->job);
	assert_string_equal(domain.mark.peer, mark->peer);
}

#define HEAD "<domain type='kvm'><name>g</name><memory>65536</memory>"
#define TAIL "<os><type>hvm</type></os></domain>"

static void the_door_reads_what_is_written(void **state)
{
	_cleanup_free_ char *bare = NULL, *beside = NULL;

	(void)state;
	assert_int_equal(kw_move_mark_definition(HEAD TAIL, &arriving, &bare), 0);
	expect_mark(bare, &arriving);
	assert_int_equal(kw_move_mark_definition(HEAD "<metadata><k:class xmlns:k='urn:kvmward:1'>gold"
						 "</k:class></metadata>" TAIL, &arriving, &beside), 0);
	expect_mark(beside, &arriving);
	assert_non_null(strstr(beside, "urn:kvmward:1"));
}

static void another_mark_gives_way(void **state)
{
	_cleanup_free_ char *once = NULL, *twice = NULL;
	const struct kw_mark leaving = { .kind = KW_MARK_LEAVING, .job = "8", .peer = "h3" };

	(void)state;
	assert_int_equal(kw_move_mark_definition(HEAD TAIL, &leaving, &once), 0);
	assert_int_equal(kw_move_mark_definition(once, &arriving, &twice), 0);
	expect_mark(twice, &arriving);
}

static void a_mark_is_taken_away(void **state)
{
	_cleanup_free_ char *once = NULL, *none = NULL, *bare = NULL;
	const struct kw_mark unmarked = {};

	(void)state;
	assert_int_equal(kw_move_mark_definition(HEAD TAIL, &arriving, &once), 0);
	assert_int_equal(kw_move_mark_definition(once, NULL, &none), 0);
	expect_mark(none, &unmarked);
	assert_int_equal(kw_move_mark_definition(HEAD TAIL, NULL, &bare), 0);
	assert_null(strstr(bare, "metadata"));
}

static void the_element_names_its_job(void **state)
{
	_cleanup_free_ char *element = NULL;
	char job[KW_MARK_JOB_MAX];

	(void)state;
	assert_int_equal(kw_move_mark_element(&arriving, &element), 0);
	assert_string_equal(element, "<move job=\"7\" peer=\"&lt;h1&gt; &amp; 'co'\">arriving</move>");
	assert_int_equal(kw_move_mark_job(element, job, sizeof(job)), 0);
	assert_string_equal(job, "7");
	assert_int_equal(kw_move_mark_job("<move peer='h1'>leaving</move>", job, sizeof(job)),
			 -EBADMSG);
	assert_int_equal(kw_move_mark_job("<move job=''/>", job, sizeof(job)), -EBADMSG);
	assert_int_equal(kw_move_mark_job("move", job, sizeof(job)), -EBADMSG);
	assert_int_equal(kw_move_mark_job("<move job='1234'/>", job, 4), -EBADMSG);
}

static void what_is_no_domain_is_not_marked(void **state)
{
	char *xml = NULL;

	(void)state;
	assert_int_equal(kw_move_mark_definition("<network/>", &arriving, &xml), -EBADMSG);
	assert_int_equal(kw_move_mark_definition("<domain", &arriving, &xml), -EBADMSG);
	assert_null(xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_door_reads_what_is_written),
		cmocka_unit_test(another_mark_gives_way),
		cmocka_unit_test(a_mark_is_taken_away),
		cmocka_unit_test(the_element_names_its_job),
		cmocka_unit_test(what_is_no_domain_is_not_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
