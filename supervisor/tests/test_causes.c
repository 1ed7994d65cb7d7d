/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "policy/causes.h"

/* What libvirt puts before QEMU's words. */
#define LIBVIRT "internal error: process exited while connecting to monitor: "
#define LIBVIRT_10 "internal error: QEMU unexpectedly closed the monitor (vm='sev1'): "
#define TIME "2026-11-25T21:00:00.123456Z "

static const struct {
	const char *text, *cause, *remedy;
} cases[] = {
	/* libvirt 9.0 */
	{ "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not support virt "
	  "type 'kvm'", "modules are not loaded", "kvmward host" },
	/* QEMU 7.2 */
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: failed to initialize ret=-16 fw_error=0 ''\n"
	  TIME "qemu-system-x86_64: failed to initialize kvm: Operation not permitted",
	  "KVM has no key slot left", "kvmward slots" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: failed to initialize ret=-25 fw_error=0 ''",
	  "KVM does not offer this kind of guest", "kvmward host" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: failed to initialize ret=-22 fw_error=0 ''",
	  "no slots for it at all", "kvmward host" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: failed to initialize ret=-5 fw_error=1 "
	  "'Platform state is invalid'",
	  "error 1, INVALID_PLATFORM_STATE", "dmesg" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_launch_start: LAUNCH_START ret=1 fw_error=21 "
	  "'Feature not supported'",
	  "no SEV-ES guest where SEV-SNP is initialised", "sev_snp=0" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_launch_start: LAUNCH_START ret=-5 fw_error=11 "
	  "'Bad measurement'",
	  "error 11, BAD_MEASUREMENT: the session", "<dhCert> and <session>" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_launch_update_data: LAUNCH_UPDATE ret=-5 "
	  "fw_error=14 'WBINVD is required'",
	  "error 14, WBINVD_REQUIRED", "kernel" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_ram_block_added: failed to register region "
	  "(0x7f1234000000+0x10000000) error 'Cannot allocate memory'",
	  "more memory than its memory lock", "<hard_limit>" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: cbitpos check failed, host '51' requested "
	  "'47'", "<cbitpos> of the domain", "remove <cbitpos>" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: Failed to open /dev/sev 'Permission denied'",
	  "may not open /dev/sev", "cgroup_device_acl" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: Failed to open /dev/sev 'No such file or "
	  "directory'", "no /dev/sev", "kvmward host" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: guest policy requires SEV-ES, but host SEV-ES "
	  "support unavailable", "not set up for SEV-ES", "ccp" },
	{ LIBVIRT TIME "qemu-system-x86_64: sev_kvm_init: failed to get platform status ret=-5 "
	  "fw_error='1: Platform state is invalid'", "does not answer", "ccp" },
	/* QEMU 10 */
	{ LIBVIRT_10 TIME "qemu-system-x86_64: -accel kvm: sev_common_kvm_init: failed to initialize "
	  "ret=-16 fw_error=0 ''",
	  "KVM has no key slot left", "misc.max" },
	{ LIBVIRT_10 TIME "qemu-system-x86_64: sev_snp_launch_start: SNP_LAUNCH_START ret=-5 "
	  "fw_error=7 'Policy is not allowed'",
	  "error 7, POLICY_FAILURE", "<policy>" },
	{ LIBVIRT_10 TIME "qemu-system-x86_64: SNP_LAUNCH_UPDATE ret=-5 fw_error=22 'Invalid "
	  "parameter'", "error 22, INVALID_PARAM", "update" },
	{ LIBVIRT_10 TIME "qemu-system-x86_64: sev_launch_start: LAUNCH_START ret=-5 fw_error=21 "
	  "'Feature not supported'", "CVE-2025-48514", "sev-snp" },
};

static void known_words_have_a_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_cause cause = { "", "" };

		if (!kw_cause_find(cases[i].text, &cause) ||
		    !strstr(cause.cause, cases[i].cause) || !strstr(cause.remedy, cases[i].remedy))
			fail_msg("%s\nwanted \"%s\" and \"%s\", got \"%s\" and \"%s\"",
				 cases[i].text, cases[i].cause, cases[i].remedy, cause.cause,
				 cause.remedy);
	}
}

static void every_firmware_error_has_one(void **state)
{
	(void)state;
	for (int error = -1; error < 40; error++) {
		struct kw_cause cause = { "untouched", NULL };
		char text[80];

		snprintf(text, sizeof(text), "x: LAUNCH_FINISH ret=-5 fw_error=%d ''", error);
		if (error >= 1 && error <= 24) {
			assert_true(kw_cause_find(text, &cause));
			assert_non_null(cause.remedy);
			assert_null(strstr(cause.cause, "(null)"));
		} else {
			assert_false(kw_cause_find(text, &cause));
			assert_string_equal(cause.cause, "untouched");
		}
	}
}

/* A wrong cause is worse than none. */
static void other_words_have_none(void **state)
{
	static const char *const texts[] = {
		"", "\n\n", "fw_error=", "fw_error=x", "fw_error='", "ret=-16",
		"ret=-16 fw_error=0", "failed to initialize", "failed to initialize kvm: No such file",
		"failed to initialize ret=-1 fw_error=0 ''",
		"failed to initialize\nret=-16 fw_error=0",
		"failed to register region (0x1+0x2) error 'Bad address'",
		"LAUNCH_START ret=-5 fw_error=99999999999999999999999 ''",
		"unsupported configuration: domain needs 21 disks",
		"Cannot allocate memory",
	};
	struct kw_cause cause = { "untouched", NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(kw_cause_find(texts[i], &cause));
		assert_string_equal(cause.cause, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_words_have_a_cause),
		cmocka_unit_test(every_firmware_error_has_one),
		cmocka_unit_test(other_words_have_none),
	};

	return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
