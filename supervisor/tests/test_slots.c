/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/slots.h"

static const struct kw_u32 unknown = { 0 };

static void counts_the_larger_of_both_sources(void **state)
{
	const struct {
		struct kw_u32 charged, in_use, taken;
	} rows[] = {
		{ KW_U32(3), KW_U32(3), KW_U32(3) },
		{ KW_U32(5), KW_U32(3), KW_U32(5) }, /* leaked slots */
		{ KW_U32(0), KW_U32(3), KW_U32(3) }, /* charged to a cgroup we do not count */
		{ unknown, KW_U32(3), KW_U32(3) },
		{ KW_U32(3), unknown, KW_U32(3) },
		{ KW_U32(0), unknown, KW_U32(0) },
		{ unknown, unknown, unknown },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_slots slots = { .charged = rows[i].charged, .in_use = rows[i].in_use };
		struct kw_u32 taken = kw_slots_taken(&slots);

		assert_int_equal(taken.known, rows[i].taken.known);
		assert_int_equal(taken.value, rows[i].taken.value);
	}
}

static void names_the_pools(void **state)
{
	(void)state;
	assert_string_equal(kw_pool_name(KW_POOL_SEV), "sev");
	assert_string_equal(kw_pool_name(KW_POOL_SEV_ES), "sev-es");
	assert_string_equal(kw_pool_name(KW_POOL_SNP), "snp");
	assert_string_equal(kw_pool_title(KW_POOL_SEV, false), "SEV");
	assert_string_equal(kw_pool_title(KW_POOL_SEV_ES, false), "SEV-ES/SNP");
	assert_string_equal(kw_pool_title(KW_POOL_SEV_ES, true), "SEV-ES");
	assert_string_equal(kw_pool_title(KW_POOL_SNP, true), "SEV-SNP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_the_larger_of_both_sources),
		cmocka_unit_test(names_the_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
