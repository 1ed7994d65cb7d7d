/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_DOMAIN_H
#define KW_MODEL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/guest.h"
#include "model/hugepages.h"
#include "model/nodes.h"
#include "model/mark.h"

enum kw_security { KW_SECURITY_NONE, KW_SECURITY_SEV, KW_SECURITY_SNP, KW_SECURITY_OTHER };

enum kw_device_kind {
	KW_DEVICE_DISK,
	KW_DEVICE_INTERFACE,
	KW_DEVICE_VIDEO,
	KW_DEVICE_HOSTDEV,
	KW_DEVICE_SHMEM,
	KW_DEVICE_TPM,
};

/* One device of the domain, as far as kvmward's rules look at it. */
struct kw_device {
	enum kw_device_kind kind;
	int line;			/* of the file, for messages; 0 when not known */
	char model[32];			/* video, interface, shmem, tpm model; hostdev type ("pci", "mdev") */
	char type[32];			/* interface type ("network"), hostdev mode, tpm backend ("emulator") */
	char bus[16];			/* disk bus ("virtio", "ide"), "" when the file leaves it out */
	char target[32];		/* disk target ("vda") */
	bool nvme;			/* disk: QEMU drives an NVMe device for it, or for what it is on */
	bool boot;			/* <boot order=…> in it */
	bool rom_disabled;		/* <rom enabled='no'/> or <rom bar='off'/> */
	struct kw_u64 rom_bytes;	/* of <rom file=…>, where that was looked at */
	uint64_t vram_bytes;		/* video: what the file says, 0 when it says nothing */
	uint64_t ram_bytes, vram64_bytes, vgamem_bytes;	/* video qxl: likewise */
	unsigned int heads;		/* video */
	bool primary;			/* video: <model primary='yes'> */
	uint64_t size_bytes;		/* shmem: what the file says, 0 when it says nothing */
};

/* A <rom file=…>, and the index of its device. */
struct kw_rom_file {
	size_t device;
	char path[512];
};

/*
 * What a libvirt domain XML says, as far as kvmward looks at it. Lines are
 * those of the file, 0 when the element is not there.
 */
struct kw_domain {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];	/* "" when the file gives none */
	char virt_type[16];		/* "kvm", "qemu" */
	char machine[64];		/* "q35", "pc-q35-7.2", "" when not given */
	char arch[16];
	char class_name[64];		/* kvmward's element in <metadata>, "" when there is none */
	char partition[512];		/* <resource><partition>, "" likewise */
	struct kw_mark mark;		/* a move's, in <metadata> */

	uint64_t memory_bytes;		/* <memory>: plugged at the start, modules included */
	uint64_t max_memory_bytes;	/* the larger of <memory> and <maxMemory> */
	unsigned int vcpus;		/* the maximum */
	struct kw_u64 hard_limit_bytes;	/* <memtune><hard_limit> */
	bool memory_locked;		/* <memoryBacking><locked/> */
	struct kw_huge_part huge[KW_HUGE_SIZES];	/* <hugepages>: of the memory at the start */
	struct kw_bound_part bound[KW_BOUND_MAX];	/* <numatune>, strict: of the rest of it */

	enum kw_security security;
	char security_type[32];		/* as in the file: "sev", "sev-snp", "tdx" … */
	struct kw_u32 cbitpos, reduced_phys_bits;
	struct kw_u64 policy;

	bool loader;			/* there is a <loader> */
	char loader_type[16];		/* "pflash", "rom" */
	char loader_path[512];
	bool loader_stateless;
	bool loader_secure;
	char nvram_path[512], nvram_template[512];
	/* sizes of those files, where they were looked at (the template's when there is no nvram yet) */
	struct kw_u64 loader_bytes, nvram_bytes;
	bool firmware_efi;		/* <os firmware='efi'> */
	bool smm_on, vmcoreinfo;

	int line_os, line_type, line_loader, line_security, line_policy, line_smm, line_vmcoreinfo,
	    line_hard_limit, line_memory, line_class;

	bool graphics;			/* a <graphics> of any type */
	struct kw_device *devices;
	size_t device_count;
	struct kw_rom_file *roms;
	size_t rom_count;
};

/* Frees what the domain owns and empties it; takes NULL. */
void kw_domain_done(struct kw_domain *domain);

/*
 * The guest type that the XML asks for: SEV-ES is SEV with policy bit 2. False
 * when the type of <launchSecurity> is unknown to us.
 */
bool kw_domain_guest_type(const struct kw_domain *domain, enum kw_guest_type *ret_type);

#endif
