/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/text.h"
#include "policy/claims.h"

#define POLICY_SEV 0x33
#define POLICY_ES 0x37

/* A guest as in the lab: q35, OVMF with 4 MiB of flash. */
static struct kw_domain sev_domain(uint64_t memory_bytes)
{
	return (struct kw_domain){
		.name = "guest",
		.uuid = "aaaaaaaa-0000-0000-0000-000000000001",
		.memory_bytes = memory_bytes,
		.max_memory_bytes = memory_bytes,
		.vcpus = 1,
		.security = KW_SECURITY_SEV,
		.policy = KW_U64(POLICY_SEV),
		.loader = true,
		.loader_type = "pflash",
		.loader_bytes = KW_U64(3653632),
		.nvram_bytes = KW_U64(540672),
	};
}

static struct kw_claim claim_of(struct kw_domain domain, struct kw_device *devices, size_t count)
{
	struct kw_claim claim;

	domain.devices = devices;
	domain.device_count = count;
	assert_int_equal(kw_claim_make(&domain, &claim), 0);
	return claim;
}

/* What kvm_sev_info.pages_locked showed for QEMU 7.2 with the 4M OVMF build. */
static void pins_what_was_measured(void **state)
{
	static struct kw_device vga = { KW_DEVICE_VIDEO, .model = "vga" };
	static struct kw_device virtio_vga = { KW_DEVICE_VIDEO, .model = "virtio" };
	static struct kw_device nic = { KW_DEVICE_INTERFACE, .model = "virtio" };
	static struct kw_device nic_no_rom = { KW_DEVICE_INTERFACE, .model = "virtio",
					       .rom_disabled = true };
	static const struct {
		uint64_t memory_mib;
		struct kw_device *device;
		uint64_t pinned_kib;
	} rows[] = {
		{ 256, NULL, 268612 },
		{ 256, &vga, 268612 + 16384 + 64 },
		{ 256, &nic, 268612 + 256 },
		{ 256, &nic_no_rom, 268612 },
		{ 300, &virtio_vga, 300 * 1024 + 6468 + 8192 + 64 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_claim claim = claim_of(sev_domain(rows[i].memory_mib * KW_MIB),
						 rows[i].device, rows[i].device ? 1 : 0);

		assert_int_equal(claim.pinned_bytes, rows[i].pinned_kib * KW_KIB);
	}
}

static void takes_the_usual_firmware_when_the_file_is_not_known(void **state)
{
	struct kw_domain domain = sev_domain(256 * KW_MIB);

	(void)state;
	domain.loader_bytes.known = domain.nvram_bytes.known = false;
	assert_int_equal(claim_of(domain, NULL, 0).pinned_bytes, 268612 * KW_KIB);
	/* <os firmware='efi'> before libvirt has chosen */
	domain.loader = false;
	domain.loader_type[0] = '\0';
	assert_int_equal(claim_of(domain, NULL, 0).pinned_bytes, 268612 * KW_KIB);
	/* a combined image without a store of variables */
	domain.loader_stateless = true;
	domain.loader_bytes = KW_U64(4 * KW_MIB);
	assert_int_equal(claim_of(domain, NULL, 0).pinned_bytes, 268612 * KW_KIB);
}

static void counts_video_memory_as_qemu_makes_it(void **state)
{
	static const struct {
		struct kw_device device;
		uint64_t kib;
	} rows[] = {
		{ { KW_DEVICE_VIDEO, .model = "vga", .vram_bytes = 32 * KW_MIB }, 32768 + 64 },
		{ { KW_DEVICE_VIDEO, .model = "vga", .vram_bytes = 17 * KW_MIB }, 32768 + 64 },
		{ { KW_DEVICE_VIDEO, .model = "vga", .vram_bytes = 1 }, 1024 + 64 },
				{ { KW_DEVICE_VIDEO, .model = "virtio", .vram_bytes = 64 * KW_MIB }, 8192 + 64 },
		{ { KW_DEVICE_VIDEO, .model = "bochs" }, 16384 + 32 },
		{ { KW_DEVICE_VIDEO, .model = "qxl" }, 65536 + 65536 + 64 + 8 },
		{ { KW_DEVICE_VIDEO, .model = "qxl", .ram_bytes = 128 * KW_MIB,
		    .vram_bytes = 32 * KW_MIB }, 131072 + 32768 + 64 + 8 },
		/* the same memory by a second name, and two framebuffers in the other */
		{ { KW_DEVICE_VIDEO, .model = "qxl", .vram64_bytes = 129 * KW_MIB },
		  65536 + 262144 + 64 + 8 },
		{ { KW_DEVICE_VIDEO, .model = "qxl", .vram_bytes = 32 * KW_MIB,
		    .vram64_bytes = 16 * KW_MIB }, 65536 + 32768 + 64 + 8 },
		{ { KW_DEVICE_VIDEO, .model = "qxl", .vgamem_bytes = 64 * KW_MIB },
		  131072 + 65536 + 64 + 8 },
		{ { KW_DEVICE_VIDEO, .model = "qxl", .ram_bytes = 16 * KW_MIB,
		    .vgamem_bytes = 16 * KW_MIB }, 32768 + 65536 + 64 + 8 },
		{ { KW_DEVICE_VIDEO, .model = "qxl", .ram_bytes = 128 * KW_MIB,
		    .vgamem_bytes = 16 * KW_MIB }, 131072 + 65536 + 64 + 8 },
		{ { KW_DEVICE_VIDEO, .model = "cirrus" }, 4096 + 64 },
		{ { KW_DEVICE_VIDEO, .model = "vmvga" }, 16384 + 64 + 64 },
		{ { KW_DEVICE_VIDEO, .model = "ramfb" }, 0 },
		{ { KW_DEVICE_VIDEO, .model = "none" }, 0 },
		/* not known here: rather too much than nothing */
		{ { KW_DEVICE_VIDEO, .model = "hologram" }, 16384 + 64 },
		{ { KW_DEVICE_VIDEO }, 16384 + 64 },
		{ { KW_DEVICE_DISK, .bus = "virtio" }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_device device = rows[i].device;
		struct kw_claim claim = claim_of(sev_domain(256 * KW_MIB), &device, 1);

		assert_int_equal(claim.pinned_bytes, (268612 + rows[i].kib) * KW_KIB);
	}
}

static void counts_each_video_by_its_place(void **state)
{
	struct kw_device devices[] = {
		{ KW_DEVICE_VIDEO, .model = "virtio" },
		{ KW_DEVICE_VIDEO, .model = "virtio" },
		{ KW_DEVICE_VIDEO, .model = "qxl" },
	};
	struct kw_domain domain = sev_domain(256 * KW_MIB);

	(void)state;
	/* virtio-vga, virtio-gpu-pci, qxl */
	assert_int_equal(claim_of(domain, devices, 2).pinned_bytes, (268612 + 8192 + 64) * KW_KIB);
	assert_int_equal(claim_of(domain, devices, 3).pinned_bytes,
			 (268612 + 8192 + 64 + 131072 + 8) * KW_KIB);
	devices[2].primary = true;
	assert_int_equal(claim_of(domain, devices, 3).pinned_bytes,
			 (268612 + 131072 + 72) * KW_KIB);
	/* libvirt's own choice, where nobody has made one */
	domain.graphics = true;
	assert_int_equal(claim_of(domain, NULL, 0).pinned_bytes, (268612 + 4096 + 64) * KW_KIB);
	strcpy(devices[0].model, "none");
	assert_int_equal(claim_of(domain, devices, 1).pinned_bytes, 268612 * KW_KIB);
}

static void counts_what_few_guests_have(void **state)
{
	static const struct {
		struct kw_device device;
		uint64_t kib;
	} rows[] = {
		{ { KW_DEVICE_SHMEM, .model = "ivshmem-plain", .size_bytes = 8 * KW_MIB }, 8192 },
		{ { KW_DEVICE_SHMEM, .model = "ivshmem-plain" }, 4096 },
		{ { KW_DEVICE_TPM, .model = "tpm-crb" }, 4 },
		{ { KW_DEVICE_TPM, .model = "tpm-tis" }, 0 },
		{ { KW_DEVICE_INTERFACE, .model = "virtio", .rom_bytes = KW_U64(300 * KW_KIB) },
		  512 },
		{ { KW_DEVICE_INTERFACE, .model = "virtio", .rom_bytes = KW_U64(64 * KW_KIB) }, 64 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kw_device device = rows[i].device;
		struct kw_claim claim = claim_of(sev_domain(256 * KW_MIB), &device, 1);

		assert_int_equal(claim.pinned_bytes, (268612 + rows[i].kib) * KW_KIB);
	}
}

static void locks_at_least_novas_16_mib_beside_ram_and_video(void **state)
{
	struct kw_device nics[64];

	(void)state;
	assert_int_equal(claim_of(sev_domain(256 * KW_MIB), NULL, 0).memlock_bytes,
			 (256 + 16) * KW_MIB);
	for (size_t i = 0; i < 64; i++)
		nics[i] = (struct kw_device){ KW_DEVICE_INTERFACE, .model = "virtio" };
	/* 64 ROMs, 6468 KiB, 3568 KiB of them twice, 256 KiB to spare: more than 16 MiB */
	assert_int_equal(claim_of(sev_domain(256 * KW_MIB), nics, 64).memlock_bytes,
			 (256 + 27) * KW_MIB);
}

struct told {
	uint64_t bytes;
	size_t count;
	char last[64];
};

static void tell(const struct kw_claim_part *part, void *data)
{
	struct told *told = data;

	assert_true(part->bytes > 0);
	told->bytes += part->bytes;
	told->count++;
	kw_text_copy(told->last, sizeof(told->last), part->what);
}

static void tells_what_it_is_the_sum_of(void **state)
{
	static struct kw_device devices[] = {
		{ KW_DEVICE_VIDEO, .model = "qxl" },
		{ KW_DEVICE_INTERFACE, .model = "virtio", .rom_disabled = true },
		{ KW_DEVICE_INTERFACE, .model = "virtio" },
	};
	struct kw_domain domain = sev_domain(256 * KW_MIB);
	uint64_t pinned_bytes = claim_of(domain, devices, 3).pinned_bytes;
	struct told told = {};

	(void)state;
	domain.devices = devices;
	domain.device_count = 3;
	assert_int_equal(kw_claim_explain(&domain, tell, &told), 0);
	assert_int_equal(told.bytes, pinned_bytes);
	/* memory, firmware 2, BIOS, ACPI, qxl 2 and its ROMs, one NIC's ROM */
	assert_int_equal(told.count, 10);
	assert_string_equal(told.last, "ROM of interface");

	told = (struct told){};
	domain.security = KW_SECURITY_NONE;
	assert_int_equal(kw_claim_explain(&domain, tell, &told), 0);
	assert_int_equal(told.count, 0);
	domain.security = KW_SECURITY_OTHER;
	assert_int_equal(kw_claim_explain(&domain, tell, &told), -EINVAL);
}

/* hard_limit sets the memory lock and the cgroup's limit at once, so one value must do for both. */
static void ceiling_is_enough_for_the_lock(void **state)
{
	static const uint64_t mib[] = { 1, 64, 256, 1000, 4096, 65536, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(mib) / sizeof(*mib); i++) {
		struct kw_claim claim = claim_of(sev_domain(mib[i] * KW_MIB), NULL, 0);

		assert_true(claim.ceiling_bytes > claim.memlock_bytes);
		assert_true(claim.memlock_bytes > claim.pinned_bytes);
	}
}

static void ceiling_follows_the_formula(void **state)
{
	struct kw_domain domain = sev_domain(4096 * KW_MIB);
	uint64_t pinned = 4096 * KW_MIB + 6468 * KW_KIB;

	(void)state;
	domain.vcpus = 4;
	assert_int_equal(claim_of(domain, NULL, 0).ceiling_bytes,
			 pinned + 2 * 8 * KW_MIB + (50 + 4 * 8 + 8) * KW_MIB);
}

static void counts_hot_plugged_memory(void **state)
{
	struct kw_domain domain = sev_domain(256 * KW_MIB);
	struct kw_claim small = claim_of(domain, NULL, 0), claim;

	(void)state;
	domain.max_memory_bytes = 1024 * KW_MIB;
	claim = claim_of(domain, NULL, 0);
	assert_int_equal(claim.memory_bytes, 1024 * KW_MIB);
	/* pinned only once it is plugged, but the lock and the host must have room for it */
	assert_int_equal(claim.pinned_bytes, small.pinned_bytes);
	assert_int_equal(claim.plug_bytes, 768 * KW_MIB);
	assert_int_equal(claim.memlock_bytes, small.memlock_bytes + 768 * KW_MIB);
	assert_int_equal(claim.ceiling_bytes, small.ceiling_bytes + 768 * KW_MIB + 3 * KW_MIB);
	domain.max_memory_bytes = 0;
	assert_int_equal(claim_of(domain, NULL, 0).memory_bytes, 256 * KW_MIB);
	assert_int_equal(claim_of(domain, NULL, 0).plug_bytes, 0);
}

static void each_type_claims_what_it_pins(void **state)
{
	struct kw_domain domain = sev_domain(512 * KW_MIB);
	struct kw_claim sev = claim_of(domain, NULL, 0), claim;

	(void)state;
	domain.policy = KW_U64(POLICY_ES);
	claim = claim_of(domain, NULL, 0);
	assert_int_equal(claim.type, KW_GUEST_SEV_ES);
	assert_int_equal(claim.pinned_bytes, sev.pinned_bytes);
	domain.security = KW_SECURITY_SNP;
	claim = claim_of(domain, NULL, 0);
	assert_int_equal(claim.type, KW_GUEST_SNP);
	assert_int_equal(claim.pinned_bytes, 0);
	assert_int_equal(claim.memlock_bytes, 0);
	assert_int_equal(claim.ceiling_bytes, sev.ceiling_bytes - KW_MIB);
	domain.security = KW_SECURITY_NONE;
	claim = claim_of(domain, NULL, 0);
	assert_int_equal(claim.type, KW_GUEST_PLAIN);
	assert_int_equal(claim.pinned_bytes, 0);
	assert_int_equal(claim.memlock_bytes, 0);
	assert_true(claim.ceiling_bytes > 512 * KW_MIB);
}

static void never_wraps_into_a_small_claim(void **state)
{
	struct kw_device video = { KW_DEVICE_VIDEO, .model = "vga", .vram_bytes = UINT64_MAX };
	struct kw_domain domain = sev_domain(UINT64_MAX);
	struct kw_claim claim = claim_of(domain, NULL, 0);

	(void)state;
	assert_int_equal(claim.pinned_bytes, UINT64_MAX);
	assert_int_equal(claim.ceiling_bytes, UINT64_MAX);
	assert_int_equal(claim.memlock_bytes, UINT64_MAX);
	domain = sev_domain(256 * KW_MIB);
	domain.loader_bytes = KW_U64(UINT64_MAX);
	assert_int_equal(claim_of(domain, NULL, 0).pinned_bytes, UINT64_MAX);
	assert_int_equal(claim_of(sev_domain(KW_MIB), &video, 1).pinned_bytes, UINT64_MAX);
}

static void names_the_guest_or_fails_whole(void **state)
{
	struct kw_domain domain = sev_domain(256 * KW_MIB);
	struct kw_claim claim = claim_of(domain, NULL, 0);

	(void)state;
	assert_string_equal(claim.name, "guest");
	assert_string_equal(claim.uuid, "aaaaaaaa-0000-0000-0000-000000000001");
	domain.security = KW_SECURITY_OTHER;
	domain.name[0] = 'x';
	assert_int_equal(kw_claim_make(&domain, &claim), -EINVAL);
	assert_string_equal(claim.name, "guest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_what_was_measured),
		cmocka_unit_test(takes_the_usual_firmware_when_the_file_is_not_known),
		cmocka_unit_test(counts_video_memory_as_qemu_makes_it),
		cmocka_unit_test(counts_each_video_by_its_place),
		cmocka_unit_test(counts_what_few_guests_have),
		cmocka_unit_test(tells_what_it_is_the_sum_of),
		cmocka_unit_test(locks_at_least_novas_16_mib_beside_ram_and_video),
		cmocka_unit_test(ceiling_is_enough_for_the_lock),
		cmocka_unit_test(ceiling_follows_the_formula),
		cmocka_unit_test(counts_hot_plugged_memory),
		cmocka_unit_test(each_type_claims_what_it_pins),
		cmocka_unit_test(never_wraps_into_a_small_claim),
		cmocka_unit_test(names_the_guest_or_fails_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
