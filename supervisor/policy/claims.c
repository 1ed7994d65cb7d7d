/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest takes. QEMU registers every RAM block with SEV
 * (target/i386/sev.c, sev_ram_block_added), each at its maximum size, so the
 * claim is a sum over the blocks a machine of this kind has. The sum was
 * compared with kvm_sev_info.pages_locked on QEMU 7.2; tests/test_claims.c has
 * the figures.
 */
#include "policy/claims.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "policy/security.h"

#define PAGE_BYTES (4 * KW_KIB)

/* Sizes of the OVMF build with 4 MiB of flash, for a file that cannot be looked at. */
#define OVMF_CODE_BYTES (3568 * KW_KIB)
#define OVMF_VARS_BYTES (528 * KW_KIB)
#define OVMF_BYTES (OVMF_CODE_BYTES + OVMF_VARS_BYTES)

/* pc.rom and the largest isa-bios. Source: QEMU hw/i386/pc.c, x86.c. */
#define BIOS_WINDOWS_BYTES ((128 + 128) * KW_KIB)
/* Maxima of etc/acpi/tables, table-loader, rsdp. Source: QEMU hw/i386/acpi-build.c. */
#define ACPI_BYTES ((2048 + 64 + 4) * KW_KIB)

/* QEMU's own ROM files, rounded up to a power of two as hw/pci/pci.c does. */
#define NIC_ROM_BYTES (256 * KW_KIB)
#define VGA_ROM_BYTES (64 * KW_KIB)
#define BOCHS_ROM_BYTES (32 * KW_KIB)
#define QXL_DATA_ROM_BYTES (8 * KW_KIB)
/* Not video memory, and beside it. Source: QEMU hw/display/vmware_vga.c. */
#define VMVGA_QUEUE_BYTES (64 * KW_KIB)

/* Of <shmem> without <size>, and of tpm-crb's buffer. Source: libvirt docs/formatdomain.rst, QEMU. */
#define SHMEM_BYTES (4 * KW_MIB)
#define TPM_CRB_BYTES (4 * KW_KIB)

/* Nova's figure of its Stein release for all that is neither RAM nor video. */
#define LOCKED_OTHER_LEAST_BYTES (16 * KW_MIB)
#define LOCKED_SPARE_BYTES (256 * KW_KIB)

/* What QEMU itself takes, generously. */
#define QEMU_BASE_BYTES (50 * KW_MIB)
#define QEMU_VCPU_BYTES (8 * KW_MIB)
#define QEMU_SPARE_BYTES (8 * KW_MIB)

/* An array of pointers to 4 KiB pages, and a page table of 8-byte entries: each 1/512 of the RAM.
 */
#define PER_PAGE_DIVISOR 512

struct blocks {
	uint64_t ram, video, other;
	uint64_t plug; /* may come later: in no sum of what is pinned */
	uint64_t launch; /* is pinned once more while QEMU has it encrypted */
	kw_claim_teller *tell; /* NULL: nobody wants to know */
	void *data;
};

static void put(struct blocks *blocks, uint64_t *sum, const char *what, const char *model,
		uint64_t bytes)
{
	const struct kw_claim_part part = {what, model, bytes};

	*sum = kw_add(*sum, bytes);
	if (blocks->tell && bytes)
		blocks->tell(&part, blocks->data);
}

static uint64_t round_up(uint64_t bytes, uint64_t step)
{
	return bytes % step ? kw_add(bytes, step - bytes % step) : bytes;
}

static uint64_t power_of_two(uint64_t bytes)
{
	uint64_t size = bytes ? 1 : 0;

	while (size < bytes && size < UINT64_MAX / 2)
		size *= 2;
	return size < bytes ? bytes : size;
}

/* The next power of two, at least 1 MiB: QEMU makes video memory so. */
static uint64_t video_size(uint64_t asked_bytes, uint64_t default_bytes)
{
	uint64_t size = power_of_two(asked_bytes ? asked_bytes : default_bytes);

	return size < KW_MIB ? KW_MIB : size;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct video_model {
	const char *name;
	bool vram_counts;    /* libvirt passes <model vram=…> on to QEMU */
	uint64_t vram_bytes; /* without it */
	uint64_t rom_bytes;
};

static const struct video_model video_models[] = {
	{"vga", true, 16 * KW_MIB, VGA_ROM_BYTES},
	{"vmvga", true, 16 * KW_MIB, VGA_ROM_BYTES},
	{"virtio", false, 8 * KW_MIB, VGA_ROM_BYTES},
	{"bochs", true, 16 * KW_MIB, BOCHS_ROM_BYTES},
	{"qxl", true, 64 * KW_MIB, VGA_ROM_BYTES},
	{"cirrus", false, 4 * KW_MIB, VGA_ROM_BYTES},
	{"ramfb", false, 0, 0}, /* draws from the guest's own RAM */
	{"gop", false, 0, 0},
	{"none", false, 0, 0},
	{NULL, true, 16 * KW_MIB, VGA_ROM_BYTES}, /* others, and where libvirt chooses */
};

static const struct video_model *video_model_find(const char *name)
{
	const struct video_model *model = video_models;

	while (model->name && strcmp(model->name, name))
		model++;
	return model;
}

/* A custom ROM file counts as QEMU's own do: hw/pci/pci.c rounds it up. */
static void add_rom(struct blocks *blocks, const char *what, const struct kw_device *device,
		    uint64_t default_bytes)
{
	uint64_t bytes = device->rom_bytes.known ? device->rom_bytes.value : default_bytes;

	if (!device->rom_disabled)
		put(blocks, &blocks->other, what, device->model, power_of_two(bytes));
}

/* Has room for two framebuffers. Source: QEMU hw/display/qxl.c, qxl_init_ramsize(). */
static void add_qxl(struct blocks *blocks, const struct kw_device *device)
{
	uint64_t two = power_of_two(kw_add(device->vgamem_bytes, device->vgamem_bytes));

	put(blocks, &blocks->video, "second video memory", device->model,
	    larger(video_size(device->ram_bytes, 64 * KW_MIB), two));
	put(blocks, &blocks->other, "data ROM of video", device->model, QXL_DATA_ROM_BYTES);
}

static void add_video(struct blocks *blocks, const struct kw_device *device, bool primary)
{
	const struct video_model *model = video_model_find(device->model);
	uint64_t asked = model->vram_counts ? device->vram_bytes : 0;

	/* virtio-gpu-pci then, which has neither VGA memory nor a ROM */
	if (!primary && !strcmp(device->model, "virtio"))
		return;
	if (model->vram_bytes)
		put(blocks, &blocks->video, "video memory", device->model,
		    larger(video_size(asked, model->vram_bytes),
			   power_of_two(device->vram64_bytes)));
	if (!strcmp(device->model, "qxl"))
		add_qxl(blocks, device);
	if (!strcmp(device->model, "vmvga"))
		put(blocks, &blocks->video, "command queue of video", device->model,
		    VMVGA_QUEUE_BYTES);
	if (primary || strcmp(device->model, "qxl")) /* qxl, not qxl-vga: no VGA, no ROM */
		add_rom(blocks, "ROM of video", device, model->rom_bytes);
}

static void add_device(struct blocks *blocks, const struct kw_device *device)
{
	switch (device->kind) {
	case KW_DEVICE_INTERFACE:
		add_rom(blocks, "ROM of interface", device, NIC_ROM_BYTES);
		break;
	case KW_DEVICE_SHMEM:
		put(blocks, &blocks->other, "shared memory", device->model,
		    round_up(device->size_bytes ? device->size_bytes : SHMEM_BYTES, PAGE_BYTES));
		break;
	case KW_DEVICE_TPM:
		if (!strcmp(device->model, "tpm-crb"))
			put(blocks, &blocks->other, "buffer", device->model, TPM_CRB_BYTES);
		break;
	case KW_DEVICE_VIDEO: /* all of them together: add_videos() */
	case KW_DEVICE_DISK:
	case KW_DEVICE_HOSTDEV:
		break;
	}
}

/* The one that says so, or else the first. */
static const struct kw_device *primary_video(const struct kw_domain *domain)
{
	const struct kw_device *first = NULL;

	for (size_t i = 0; i < domain->device_count; i++) {
		const struct kw_device *device = &domain->devices[i];

		if (device->kind != KW_DEVICE_VIDEO)
			continue;
		if (device->primary)
			return device;
		if (!first)
			first = device;
	}
	return first;
}

/* Where there is something to see and nothing to draw it, libvirt adds a card of its own choice. */
static void add_videos(struct blocks *blocks, const struct kw_domain *domain)
{
	static const struct kw_device chosen = {.kind = KW_DEVICE_VIDEO, .model = "cirrus"};
	const struct kw_device *primary = primary_video(domain);

	if (!primary && domain->graphics)
		add_video(blocks, &chosen, true);
	for (size_t i = 0; i < domain->device_count; i++)
		if (domain->devices[i].kind == KW_DEVICE_VIDEO)
			add_video(blocks, &domain->devices[i], &domain->devices[i] == primary);
}

static uint64_t known_or(struct kw_u64 size, uint64_t otherwise)
{
	return round_up(size.known ? size.value : otherwise, PAGE_BYTES);
}

static void add_firmware(struct blocks *blocks, const struct kw_domain *domain)
{
	/* neither has a variable store of its own */
	if (domain->loader_stateless || !strcmp(domain->loader_type, "rom")) {
		blocks->launch = known_or(domain->loader_bytes, OVMF_BYTES);
		put(blocks, &blocks->other, "firmware", "", blocks->launch);
		return;
	}
	blocks->launch = known_or(domain->loader_bytes, OVMF_CODE_BYTES);
	put(blocks, &blocks->other, "firmware code", "", blocks->launch);
	put(blocks, &blocks->other, "firmware variables", "",
	    known_or(domain->nvram_bytes, OVMF_VARS_BYTES));
}

static uint64_t memory_of(const struct kw_domain *domain)
{
	return domain->max_memory_bytes > domain->memory_bytes ? domain->max_memory_bytes
							       : domain->memory_bytes;
}

static void blocks_sum(struct blocks *blocks, const struct kw_domain *domain)
{
	/* libvirt gives QEMU whole MiB (qemuDomainAlignMemorySizes) */
	put(blocks, &blocks->ram, "memory", "", round_up(domain->memory_bytes, KW_MIB));
	blocks->plug = round_up(memory_of(domain), KW_MIB) - blocks->ram;
	add_firmware(blocks, domain);
	put(blocks, &blocks->other, "BIOS windows", "", BIOS_WINDOWS_BYTES);
	put(blocks, &blocks->other, "ACPI tables", "", ACPI_BYTES);
	add_videos(blocks, domain);
	for (size_t i = 0; i < domain->device_count; i++)
		add_device(blocks, &domain->devices[i]);
}

static uint64_t sum(const struct blocks *blocks)
{
	return kw_add(kw_add(blocks->ram, blocks->video), blocks->other);
}

/* LAUNCH_UPDATE_DATA pins what it encrypts (sev_pin_memory), registered or not. */
static uint64_t memlock_bytes(const struct blocks *blocks)
{
	uint64_t other = kw_add(kw_add(blocks->other, blocks->launch), LOCKED_SPARE_BYTES);

	if (other < LOCKED_OTHER_LEAST_BYTES)
		other = LOCKED_OTHER_LEAST_BYTES;
	other = kw_add(other, blocks->video);
	return round_up(kw_add(kw_add(blocks->ram, blocks->plug), other), KW_MIB);
}

static uint64_t ceiling_bytes(const struct blocks *blocks, unsigned int vcpus, bool pins)
{
	uint64_t per_page = kw_add(blocks->ram, blocks->plug) / PER_PAGE_DIVISOR;
	/* nested page tables */
	uint64_t ceiling = kw_add(kw_add(sum(blocks), blocks->plug), per_page);

	if (pins)
		ceiling = kw_add(ceiling, per_page); /* SEV's array of pinned pages */
	ceiling = kw_add(ceiling, QEMU_BASE_BYTES + QEMU_SPARE_BYTES);
	return kw_add(ceiling, (uint64_t)vcpus * QEMU_VCPU_BYTES);
}

/* SNP keeps RAM in guest_memfd: unmovable, but neither registered nor locked. */
static bool type_pins(enum kw_guest_type type)
{
	return type == KW_GUEST_SEV || type == KW_GUEST_SEV_ES;
}

int kw_claim_explain(const struct kw_domain *domain, kw_claim_teller *tell, void *data)
{
	struct blocks blocks = {.tell = tell, .data = data};
	enum kw_guest_type type;

	if (!kw_domain_guest_type(domain, &type))
		return -EINVAL;
	if (type_pins(type))
		blocks_sum(&blocks, domain);
	return 0;
}

bool kw_claim_due(const struct kw_domain *domain)
{
	if (domain->security == KW_SECURITY_NONE)
		return !strcmp(domain->virt_type, "kvm");
	return kw_security_takes_slot(domain);
}

int kw_claim_make(const struct kw_domain *domain, struct kw_claim *ret_claim)
{
	struct kw_claim claim = {.memory_bytes = memory_of(domain)};
	struct blocks blocks = {};

	if (!kw_domain_guest_type(domain, &claim.type))
		return -EINVAL;
	blocks_sum(&blocks, domain);
	if (type_pins(claim.type)) {
		claim.pinned_bytes = sum(&blocks);
		claim.memlock_bytes = memlock_bytes(&blocks);
	}
	claim.plug_bytes = blocks.plug;
	claim.ceiling_bytes = ceiling_bytes(&blocks, domain->vcpus, type_pins(claim.type));
	memcpy(claim.huge, domain->huge, sizeof(claim.huge));
	memcpy(claim.bound, domain->bound, sizeof(claim.bound));
	kw_text_copy(claim.uuid, sizeof(claim.uuid), domain->uuid);
	kw_text_copy(claim.name, sizeof(claim.name), domain->name);
	*ret_claim = claim;
	return 0;
}
