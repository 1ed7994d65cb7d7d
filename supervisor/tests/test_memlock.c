/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "policy/memlock.h"

#define NEEDED_BYTES (272 * KW_MIB)

static const struct kw_claim sev = { .type = KW_GUEST_SEV, .pinned_bytes = 262 * KW_MIB,
				     .memlock_bytes = NEEDED_BYTES, .ceiling_bytes = 330 * KW_MIB };

static void expect(const struct kw_domain *domain, const struct kw_claim *claim,
		   struct kw_u64 inherited, enum kw_code code, const char *in_sentence)
{
	struct kw_verdict verdict = { .code = KW_ADMITTED };
	bool fits = kw_memlock_suffices(domain, claim, inherited, &verdict);

	assert_int_equal(fits, code == KW_ADMITTED);
	if (verdict.code != code || !strstr(verdict.sentence, in_sentence))
		fail_msg("wanted %s with \"%s\", got %s: %s", kw_code_name(code), in_sentence,
			 kw_code_name(verdict.code), verdict.sentence);
}

static void refuses_what_libvirt_would_leave_it_with(void **state)
{
	struct kw_domain domain = {};

	(void)state;
	expect(&domain, &sev, KW_U64(64 * KW_MIB), KW_MEMLOCK_SMALL,
	       "which is 65536 KiB, and the guest needs 278528 KiB locked; add "
	       "<memtune><hard_limit unit='KiB'>337920</hard_limit></memtune>");
	expect(&domain, &sev, KW_U64(NEEDED_BYTES - 1), KW_MEMLOCK_SMALL, "278527 KiB");
	expect(&domain, &sev, KW_U64(NEEDED_BYTES), KW_ADMITTED, "");
	expect(&domain, &sev, KW_U64(UINT64_MAX), KW_ADMITTED, "");
	/* nobody can tell: no guest starts on a guess */
	expect(&domain, &sev, (struct kw_u64){ false, UINT64_MAX }, KW_MEMLOCK_SMALL,
	       "is not known");
}

static void what_the_file_says_overrules_the_daemon(void **state)
{
	struct kw_domain domain = { .hard_limit_bytes = KW_U64(NEEDED_BYTES - 1),
				    .line_hard_limit = 7 };

	(void)state;
	expect(&domain, &sev, KW_U64(UINT64_MAX), KW_MEMLOCK_SMALL,
	       "line 7: <hard_limit> is 278527 KiB");
	/* libvirt prefers the limit */
	domain.memory_locked = true;
	domain.line_hard_limit = 0;
	expect(&domain, &sev, KW_U64(UINT64_MAX), KW_MEMLOCK_SMALL, "<hard_limit> is 278527 KiB");
	domain.hard_limit_bytes = KW_U64(NEEDED_BYTES);
	expect(&domain, &sev, KW_U64(0), KW_ADMITTED, "");
	domain.hard_limit_bytes.known = false;
	expect(&domain, &sev, KW_U64(0), KW_ADMITTED, "");
}

static void devices_make_libvirt_raise_it(void **state)
{
	struct kw_device devices[] = {
		{ KW_DEVICE_HOSTDEV, .model = "usb" },
		{ KW_DEVICE_INTERFACE, .type = "network" },
		{ KW_DEVICE_DISK, .bus = "virtio" },
	};
	struct kw_domain domain = { .memory_bytes = 256 * KW_MIB, .devices = devices,
				    .device_count = 3 };

	(void)state;
	expect(&domain, &sev, KW_U64(0), KW_MEMLOCK_SMALL, "");
	strcpy(devices[0].model, "pci");
	expect(&domain, &sev, KW_U64(0), KW_ADMITTED, "");
	strcpy(devices[0].model, "mdev");
	expect(&domain, &sev, KW_U64(0), KW_ADMITTED, "");
	strcpy(devices[0].model, "scsi");
	expect(&domain, &sev, KW_U64(0), KW_MEMLOCK_SMALL, "");
	strcpy(devices[1].type, "vdpa");
	expect(&domain, &sev, KW_U64(0), KW_ADMITTED, "");
	strcpy(devices[1].type, "network");
	devices[2].nvme = true;
	expect(&domain, &sev, KW_U64(0), KW_ADMITTED, "");
	assert_false(kw_memlock_is_inherited(&domain, &sev));
}

/* Memory that is plugged in later is pinned from the start, and not in libvirt's sum. */
static void what_it_is_raised_to_may_be_too_small(void **state)
{
	struct kw_device devices[] = {
		{ KW_DEVICE_DISK, .nvme = true },
		{ KW_DEVICE_INTERFACE, .type = "vdpa" },
	};
	struct kw_domain domain = { .memory_bytes = 256 * KW_MIB, .devices = devices,
				    .device_count = 1 };
	struct kw_claim large = { .type = KW_GUEST_SEV, .memlock_bytes = 1280 * KW_MIB + 1 };

	(void)state;
	expect(&domain, &large, KW_U64(64 * KW_MIB), KW_MEMLOCK_SMALL,
	       "is raised to 1310720 KiB for its devices, and the guest needs 1310721 KiB");
	expect(&domain, &large, (struct kw_u64){ 0 }, KW_MEMLOCK_SMALL, "is raised to");
	expect(&domain, &large, KW_U64(1280 * KW_MIB), KW_MEMLOCK_SMALL, "which is 1310720 KiB");
	expect(&domain, &large, KW_U64(UINT64_MAX), KW_ADMITTED, "");
	domain.device_count = 2;
	expect(&domain, &large, KW_U64(0), KW_ADMITTED, "");
}

static void binds_only_who_pins(void **state)
{
	struct kw_claim snp = { .type = KW_GUEST_SNP, .ceiling_bytes = 330 * KW_MIB };
	struct kw_domain domain = {};

	(void)state;
	assert_true(kw_memlock_is_inherited(&domain, &sev));
	assert_false(kw_memlock_is_inherited(&domain, &snp));
	expect(&domain, &snp, KW_U64(0), KW_ADMITTED, "");
	domain.hard_limit_bytes = KW_U64(1);
	expect(&domain, &snp, KW_U64(0), KW_ADMITTED, "");
	assert_false(kw_memlock_is_inherited(&domain, &sev));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_libvirt_would_leave_it_with),
		cmocka_unit_test(what_the_file_says_overrules_the_daemon),
		cmocka_unit_test(devices_make_libvirt_raise_it),
		cmocka_unit_test(what_it_is_raised_to_may_be_too_small),
		cmocka_unit_test(binds_only_who_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
