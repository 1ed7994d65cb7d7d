/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "policy/rules.h"

/* What each test breaks one thing of. */
static struct kw_domain good_domain(void)
{
	return (struct kw_domain){
		.virt_type = "kvm",
		.machine = "pc-q35-7.2",
		.memory_bytes = 256 * KW_MIB,
		.max_memory_bytes = 256 * KW_MIB,
		.vcpus = 1,
		.security = KW_SECURITY_SEV,
		.security_type = "sev",
		.policy = KW_U64(0x33),
		.loader = true,
		.loader_type = "pflash",
		.loader_path = "/usr/share/OVMF/OVMF_CODE_4M.fd",
		.line_os = 10,
		.line_type = 11,
		.line_loader = 12,
		.line_smm = 21,
		.line_vmcoreinfo = 22,
		.line_security = 90,
		.line_policy = 93,
	};
}

static struct kw_domain snp_domain(void)
{
	struct kw_domain domain = good_domain();

	domain.security = KW_SECURITY_SNP;
	strcpy(domain.security_type, "sev-snp");
	domain.policy = KW_U64(0x30000);
	strcpy(domain.loader_type, "rom");
	return domain;
}

static void expect(const struct kw_domain *domain, enum kw_code code, const char *in_sentence)
{
	struct kw_verdict verdict;

	kw_rules_check(domain, &verdict);
	if (verdict.code != code || !strstr(verdict.sentence, in_sentence))
		fail_msg("wanted %s with \"%s\", got %s: %s", kw_code_name(code), in_sentence,
			 kw_code_name(verdict.code), verdict.sentence);
}

static void expect_device(struct kw_device device, enum kw_code code, const char *in_sentence)
{
	struct kw_device devices[] = { { KW_DEVICE_DISK, .bus = "virtio" }, device };
	struct kw_domain domain = good_domain();

	domain.devices = devices;
	domain.device_count = 2;
	expect(&domain, code, in_sentence);
}

static void lets_good_domains_pass(void **state)
{
	struct kw_domain domain = good_domain();

	(void)state;
	expect(&domain, KW_ADMITTED, "");
	domain.policy = KW_U64(0x37);
	expect(&domain, KW_ADMITTED, "");
	domain = snp_domain();
	expect(&domain, KW_ADMITTED, "");
}

static void binds_no_plain_guest(void **state)
{
	struct kw_device hostdev = { KW_DEVICE_HOSTDEV, .model = "pci" };
	struct kw_domain domain = { .virt_type = "qemu", .smm_on = true, .vmcoreinfo = true,
				    .devices = &hostdev, .device_count = 1 };

	(void)state;
	expect(&domain, KW_ADMITTED, "plain");
}

static void wants_a_known_type_and_kvm(void **state)
{
	struct kw_domain domain = good_domain();

	(void)state;
	domain.security = KW_SECURITY_OTHER;
	strcpy(domain.security_type, "tdx");
	expect(&domain, KW_UNKNOWN_SECURITY, "line 90: <launchSecurity type='tdx'>");
	domain = good_domain();
	strcpy(domain.virt_type, "qemu");
	expect(&domain, KW_NOT_KVM, "<domain type='qemu'>");
	domain.virt_type[0] = '\0';
	expect(&domain, KW_NOT_KVM, "set type='kvm'");
}

static void wants_uefi(void **state)
{
	struct kw_domain domain = good_domain();

	(void)state;
	domain.loader = false;
	domain.loader_type[0] = '\0';
	expect(&domain, KW_NO_UEFI, "line 10: <os>");
	domain.firmware_efi = true;
	expect(&domain, KW_ADMITTED, "");
	domain = good_domain();
	strcpy(domain.loader_type, "rom");
	strcpy(domain.loader_path, "/usr/share/seabios/bios-256k.bin");
	expect(&domain, KW_NO_UEFI, "line 12: <loader>");
	strcpy(domain.loader_path, "/usr/share/ovmf/OVMF.amdsev.fd");
	expect(&domain, KW_ADMITTED, "");
	strcpy(domain.loader_path, "/usr/share/edk2/x64/code.fd");
	expect(&domain, KW_ADMITTED, "");
}

static void wants_q35(void **state)
{
	struct kw_domain domain = good_domain();

	(void)state;
	strcpy(domain.machine, "pc");
	expect(&domain, KW_NOT_Q35,
	       "line 11: <type machine='pc'>: an encrypted guest needs machine type q35; set "
	       "machine='q35'");
	domain.machine[0] = '\0';
	expect(&domain, KW_NOT_Q35, "line 11: <type> names no machine");
	domain.line_type = 0;
	expect(&domain, KW_NOT_Q35, "line 10: ");
	strcpy(domain.machine, "q35");
	expect(&domain, KW_ADMITTED, "");
}

static void wants_stateless_firmware_for_snp_only(void **state)
{
	struct kw_domain domain = snp_domain();

	(void)state;
	strcpy(domain.loader_type, "pflash");
	expect(&domain, KW_NOT_STATELESS, "line 12: ");
	domain.loader_stateless = true;
	expect(&domain, KW_ADMITTED, "");
	domain = snp_domain();
	domain.loader = false;
	domain.loader_type[0] = '\0';
	domain.firmware_efi = true;
	expect(&domain, KW_NOT_STATELESS, "line 12: ");
}

static void refuses_secure_boot(void **state)
{
	struct kw_domain domain = good_domain();

	(void)state;
	domain.loader_secure = true;
	expect(&domain, KW_SECURE_BOOT, "line 12: <loader secure='yes'>");
	domain = good_domain();
	domain.smm_on = true;
	expect(&domain, KW_SECURE_BOOT, "line 21: <smm>");
}

static void refuses_host_devices_that_reach_memory(void **state)
{
	(void)state;
	expect_device((struct kw_device){ KW_DEVICE_HOSTDEV, 50, .model = "pci" }, KW_PASSTHROUGH,
		      "line 50: <hostdev type='pci'>");
	expect_device((struct kw_device){ KW_DEVICE_HOSTDEV, 51, .model = "mdev" }, KW_PASSTHROUGH,
		      "line 51: <hostdev type='mdev'>");
	expect_device((struct kw_device){ KW_DEVICE_HOSTDEV, 52, .model = "" }, KW_PASSTHROUGH,
		      "line 52: ");
	expect_device((struct kw_device){ KW_DEVICE_INTERFACE, 53, .type = "hostdev" },
		      KW_PASSTHROUGH, "line 53: <interface type='hostdev'>");
	expect_device((struct kw_device){ KW_DEVICE_HOSTDEV, 54, .model = "usb" }, KW_ADMITTED, "");
	expect_device((struct kw_device){ KW_DEVICE_HOSTDEV, 54, .model = "scsi_host" },
		      KW_ADMITTED, "");
	expect_device((struct kw_device){ KW_DEVICE_INTERFACE, 55, .type = "vhostuser" },
		      KW_ADMITTED, "");
}

static void refuses_ide_disks(void **state)
{
	(void)state;
	expect_device((struct kw_device){ KW_DEVICE_DISK, 30, .bus = "ide", .target = "hda" },
		      KW_IDE_DISK, "line 30: disk 'hda'");
	expect_device((struct kw_device){ KW_DEVICE_DISK, 31, .target = "hdb" }, KW_IDE_DISK,
		      "line 31: disk 'hdb'");
	expect_device((struct kw_device){ KW_DEVICE_DISK, 32, .bus = "sata", .target = "hda" },
		      KW_ADMITTED, "");
	expect_device((struct kw_device){ KW_DEVICE_DISK, 33, .target = "vda" }, KW_ADMITTED, "");
	expect_device((struct kw_device){ KW_DEVICE_DISK, 34, .bus = "scsi" }, KW_ADMITTED, "");
}

static void refuses_vmcoreinfo_and_boot_roms(void **state)
{
	struct kw_domain domain = good_domain();
	struct kw_device card = { KW_DEVICE_INTERFACE, 60, .type = "network", .boot = true };

	(void)state;
	domain.vmcoreinfo = true;
	expect(&domain, KW_VMCOREINFO, "line 22: ");
	expect_device(card, KW_BOOT_ROM, "line 60: ");
	card.rom_disabled = true;
	expect_device(card, KW_ADMITTED, "");
	card = (struct kw_device){ KW_DEVICE_INTERFACE, 61, .type = "network" };
	expect_device(card, KW_ADMITTED, "");
	/* a disk may boot */
	expect_device((struct kw_device){ KW_DEVICE_DISK, 62, .bus = "virtio", .boot = true },
		      KW_ADMITTED, "");
}

static void wants_a_policy_of_the_type(void **state)
{
	static const struct {
		bool snp;
		struct kw_u64 policy;
		enum kw_code code;
		const char *in_sentence;
	} rows[] = {
		{ false, { true, 0x0 }, KW_ADMITTED, "" },
		{ false, { true, 0x3f }, KW_ADMITTED, "" },
		{ false, { true, 0x33010033 }, KW_ADMITTED, "" }, /* firmware 1.51 or later */
		{ false, { false, 0 }, KW_BAD_POLICY, "line 90: <launchSecurity> gives no <policy>" },
		{ false, { true, 0x40 }, KW_BAD_POLICY, "line 93: <policy> 0x40 has bits" },
		{ false, { true, 0x8033 }, KW_BAD_POLICY, "0x0033 for SEV" },
		{ false, { true, 0x100000033 }, KW_BAD_POLICY, "has bits" },
		{ false, { true, 0x30000 }, KW_BAD_POLICY, "SEV-SNP" },
		{ true, { true, 0x30000 }, KW_ADMITTED, "" },
		{ true, { true, 0x10b0000 }, KW_ADMITTED, "" },
		{ true, { false, 0 }, KW_BAD_POLICY, "<policy>0x00030000</policy>" },
		{ true, { true, 0x33 }, KW_BAD_POLICY, "lacks bit 17" },
		{ true, { true, 0x4030000 }, KW_BAD_POLICY, "has bits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_domain domain = rows[i].snp ? snp_domain() : good_domain();

		domain.policy = rows[i].policy;
		expect(&domain, rows[i].code, rows[i].in_sentence);
	}
}

/* What becomes of a small one is in kvmward.conf, and so for kvmwardd to say. */
static void leaves_the_memory_lock_to_others(void **state)
{
	struct kw_domain domain = good_domain();

	(void)state;
	domain.hard_limit_bytes = KW_U64(0);
	expect(&domain, KW_ADMITTED, "");
}

static void says_nothing_of_a_line_that_is_not_known(void **state)
{
	struct kw_verdict verdict;
	struct kw_domain domain = good_domain();

	(void)state;
	domain.line_policy = domain.line_security = 0;
	domain.policy = KW_U64(0x40);
	kw_rules_check(&domain, &verdict);
	assert_int_equal(strncmp(verdict.sentence, "<policy>", 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_good_domains_pass),
		cmocka_unit_test(binds_no_plain_guest),
		cmocka_unit_test(wants_a_known_type_and_kvm),
		cmocka_unit_test(wants_uefi),
		cmocka_unit_test(wants_q35),
		cmocka_unit_test(wants_stateless_firmware_for_snp_only),
		cmocka_unit_test(refuses_secure_boot),
		cmocka_unit_test(refuses_host_devices_that_reach_memory),
		cmocka_unit_test(refuses_ide_disks),
		cmocka_unit_test(refuses_vmcoreinfo_and_boot_roms),
		cmocka_unit_test(wants_a_policy_of_the_type),
		cmocka_unit_test(leaves_the_memory_lock_to_others),
		cmocka_unit_test(says_nothing_of_a_line_that_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
