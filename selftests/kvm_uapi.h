/* SPDX-License-Identifier: GPL-2.0-or-later */
/* <linux/kvm.h>, with what the oldest one that this is built with lacks. */
#ifndef KVM_UAPI_H
#define KVM_UAPI_H

#include <stdint.h>
#include <linux/kvm.h>

/* Linux 6.8: memory that only the guest can reach. */
#ifndef KVM_CREATE_GUEST_MEMFD
struct kvm_create_guest_memfd {
	uint64_t size, flags, reserved[6];
};

struct kvm_userspace_memory_region2 {
	uint32_t slot, flags;
	uint64_t guest_phys_addr, memory_size, userspace_addr, guest_memfd_offset;
	uint32_t guest_memfd, pad1;
	uint64_t pad2[14];
};

struct kvm_memory_attributes {
	uint64_t address, size, attributes, flags;
};

#define KVM_SET_USER_MEMORY_REGION2 \
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_SET_MEMORY_ATTRIBUTES _IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#define KVM_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
#define KVM_MEM_GUEST_MEMFD (1UL << 2)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)
#endif

/* Linux 6.10. The commands of KVM_MEMORY_ENCRYPT_OP are enumerators: no #ifdef. */
#ifndef KVM_X86_SEV_VM
#define KVM_X86_SEV_VM 2
#define KVM_X86_SEV_ES_VM 3
#endif
#define SEV_INIT2 22

struct sev_init2 {		/* struct kvm_sev_init */
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t pad1;
	uint32_t pad2[8];
};

/* Linux 6.11. */
#ifndef KVM_X86_SNP_VM
#define KVM_X86_SNP_VM 4

struct kvm_sev_snp_launch_start {
	uint64_t policy;
	uint8_t gosvw[16];
	uint16_t flags;
	uint8_t pad0[6];
	uint64_t pad1[4];
};

#define KVM_SEV_SNP_PAGE_TYPE_ZERO 3

struct kvm_sev_snp_launch_update {
	uint64_t gfn_start, uaddr, len;
	uint8_t type, pad0;
	uint16_t flags;
	uint32_t pad1;
	uint64_t pad2[4];
};

struct kvm_sev_snp_launch_finish {
	uint64_t id_block_uaddr, id_auth_uaddr;
	uint8_t id_block_en, auth_key_en, vcek_disabled, host_data[32], pad0[3];
	uint16_t flags;
	uint64_t pad1[4];
};
#endif
#define SNP_LAUNCH_START 100
#define SNP_LAUNCH_UPDATE 101
#define SNP_LAUNCH_FINISH 102

/* SNP guest policy: SMT is allowed, and the bit that must be one. */
#define SNP_POLICY (1UL << 16 | 1UL << 17)

#endif
