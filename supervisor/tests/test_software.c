/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "policy/software.h"

static void old_software_starts_no_new_guests(void **state)
{
	static const struct {
		enum kw_guest_type type;
		struct kw_u32 libvirt, qemu;
		const char *refused;	/* in the sentence; NULL: it fits */
	} rows[] = {
		{ KW_GUEST_SNP, KW_U32(9000000), KW_U32(7002000),
		  "libvirt 9.0 does not start SEV-SNP guests: it has to be 10.5 or later" },
		{ KW_GUEST_SNP, KW_U32(10005000), KW_U32(9000099), "QEMU 9.0 does not start" },
		{ KW_GUEST_SNP, KW_U32(10005000), KW_U32(9001000), NULL },
		{ KW_GUEST_SNP, KW_U32(11003000), { 0 }, NULL },
		{ KW_GUEST_SNP, { 0 }, KW_U32(7002000), "QEMU 7.2" },
		{ KW_GUEST_SEV_ES, KW_U32(9000000), KW_U32(5002000), "QEMU 5.2 does not start SEV-ES" },
		{ KW_GUEST_SEV_ES, KW_U32(9000000), KW_U32(7002000), NULL },
		{ KW_GUEST_SEV, KW_U32(4004000), KW_U32(7002000), "libvirt 4.4" },
		{ KW_GUEST_SEV, { 0 }, { 0 }, NULL },
		{ KW_GUEST_PLAIN, KW_U32(1), KW_U32(1), NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_software software = { rows[i].libvirt, rows[i].qemu };
		struct kw_verdict verdict = { .code = KW_ADMITTED };

		if (kw_software_fits(&software, rows[i].type, &verdict) != !rows[i].refused)
			fail_msg("row %zu", i);
		if (!rows[i].refused)
			continue;
		assert_int_equal(verdict.code, KW_SOFTWARE_OLD);
		if (!strstr(verdict.sentence, rows[i].refused))
			fail_msg("row %zu: %s", i, verdict.sentence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_software_starts_no_new_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
