/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/domain.h"
#include "model/facts.h"
#include "model/uuids.h"

#define UUID_A "aaaaaaaa-0000-0000-0000-000000000001"
#define UUID_B "bbbbbbbb-0000-0000-0000-000000000002"

static void finds_by_uuid_only(void **state)
{
	struct kw_guest guests[] = { { .pid = 1 }, { .pid = 2, .uuid = UUID_A }, { .pid = 3 } };
	struct kw_guest_list list = { .known = true, .guests = guests, .count = 3 };

	(void)state;
	assert_ptr_equal(kw_guest_list_find(&list, UUID_A), &guests[1]);
	assert_ptr_equal(kw_guest_list_find(&list, "AAAAAAAA-0000-0000-0000-000000000001"),
			 &guests[1]);
	assert_null(kw_guest_list_find(&list, UUID_B));
	/* a guest without a UUID is nobody's */
	assert_null(kw_guest_list_find(&list, ""));
}

static void knows_the_pool_of_each_type(void **state)
{
	static const struct {
		enum kw_guest_type type;
		const char *name;
		bool slot;
		enum kw_pool pool, pool_apart;
	} rows[] = {
		{ KW_GUEST_PLAIN, "plain", false, 0, 0 },
		{ KW_GUEST_SEV, "sev", true, KW_POOL_SEV, KW_POOL_SEV },
		{ KW_GUEST_SEV_ES, "sev-es", true, KW_POOL_SEV_ES, KW_POOL_SEV_ES },
		{ KW_GUEST_SNP, "snp", true, KW_POOL_SEV_ES, KW_POOL_SNP },
		{ (enum kw_guest_type)9, "unknown", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum kw_pool pool = KW_POOL_COUNT;

		assert_string_equal(kw_guest_type_name(rows[i].type), rows[i].name);
		assert_int_equal(kw_guest_type_pool(rows[i].type, false, &pool), rows[i].slot);
		assert_int_equal(pool, rows[i].slot ? rows[i].pool : KW_POOL_COUNT);
		assert_int_equal(kw_guest_type_pool(rows[i].type, true, &pool), rows[i].slot);
		assert_int_equal(pool, rows[i].slot ? rows[i].pool_apart : KW_POOL_COUNT);
	}
}

static void reads_the_type_from_the_policy(void **state)
{
	static const struct {
		enum kw_security security;
		struct kw_u64 policy;
		bool known;
		enum kw_guest_type type;
	} rows[] = {
		{ KW_SECURITY_NONE, { false, 0 }, true, KW_GUEST_PLAIN },
		{ KW_SECURITY_SEV, { true, 0x33 }, true, KW_GUEST_SEV },
		{ KW_SECURITY_SEV, { true, 0x37 }, true, KW_GUEST_SEV_ES },
		{ KW_SECURITY_SEV, { false, 0 }, true, KW_GUEST_SEV },
		{ KW_SECURITY_SNP, { true, 0x30000 }, true, KW_GUEST_SNP },
		{ KW_SECURITY_OTHER, { false, 0 }, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_domain domain = { .security = rows[i].security,
					    .policy = rows[i].policy };
		enum kw_guest_type type = KW_GUEST_SNP;

		assert_int_equal(kw_domain_guest_type(&domain, &type), rows[i].known);
		assert_int_equal(type, rows[i].known ? rows[i].type : KW_GUEST_SNP);
	}
}

static void ends_take_null_and_empty(void **state)
{
	struct kw_facts facts = { .host_known = true };
	struct kw_uuid_list uuids = { 0 };

	(void)state;
	facts.guests.guests = calloc(1, sizeof(*facts.guests.guests));
	facts.guests.count = 1;
	kw_facts_done(&facts);
	assert_null(facts.guests.guests);
	assert_false(facts.host_known);
	kw_facts_done(&facts);
	kw_facts_done(NULL);
	kw_guest_list_done(NULL);
	kw_domain_done(NULL);
	kw_uuid_list_done(&uuids);
	kw_uuid_list_done(NULL);
}

static void looks_uuids_up(void **state)
{
	char uuids[][KW_UUID_LEN + 1] = { UUID_A };
	struct kw_uuid_list list = { uuids, 1 };

	(void)state;
	assert_int_equal(kw_uuid_list_count(&list, UUID_A), 1);
	assert_int_equal(kw_uuid_list_count(&list, UUID_B), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_uuid_only),
		cmocka_unit_test(knows_the_pool_of_each_type),
		cmocka_unit_test(reads_the_type_from_the_policy),
		cmocka_unit_test(ends_take_null_and_empty),
		cmocka_unit_test(looks_uuids_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
