// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kvm_uapi.h"
#include "vms.h"

#define POLICY_NODBG 1
#define POLICY_ES 4

static struct kvm_enc_region pinned;	/* the last one */

bool vms_there(void)
{
	return !access("/dev/kvm", R_OK | W_OK);
}

static int sev_op(int vm, unsigned int id, void *data)
{
	struct kvm_sev_cmd cmd = { .id = id, .data = (uintptr_t)data };
	int ret;

	cmd.sev_fd = open("/dev/sev", O_RDWR | O_CLOEXEC);
	ret = ioctl(vm, KVM_MEMORY_ENCRYPT_OP, &cmd) < 0 ? -errno : 0;
	close(cmd.sev_fd);
	return ret;
}

static int sev_start(int vm, enum vms_type type)
{
	struct kvm_sev_launch_start start = {
		.policy = POLICY_NODBG | (type == VMS_SEV_ES ? POLICY_ES : 0),
	};
	int ret = sev_op(vm, type == VMS_SEV_ES ? KVM_SEV_ES_INIT : KVM_SEV_INIT, NULL);

	return ret ? ret : sev_op(vm, KVM_SEV_LAUNCH_START, &start);
}

static int snp_start(int vm)
{
	struct kvm_sev_snp_launch_start start = { .policy = SNP_POLICY };
	struct sev_init2 init = { 0 };
	int ret = sev_op(vm, SEV_INIT2, &init);

	return ret ? ret : sev_op(vm, SNP_LAUNCH_START, &start);
}

int vms_encrypt(int vm, enum vms_type type)
{
	return type == VMS_SNP ? snp_start(vm) : sev_start(vm, type);
}

int vms_snp_populate(int vm, unsigned long address, size_t bytes)
{
	struct kvm_sev_snp_launch_update update = {
		.gfn_start = address / getpagesize(), .len = bytes,
		.type = KVM_SEV_SNP_PAGE_TYPE_ZERO,
	};
	int ret = 0;

	while (!ret && update.len)
		ret = sev_op(vm, SNP_LAUNCH_UPDATE, &update);
	return ret;
}

int vms_begin(enum vms_type type)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm;

	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, type == VMS_SNP ? KVM_X86_SNP_VM : 0);
	if (vm < 0)
		vm = -errno;
	close(kvm);
	return vm;
}

int vms_create(enum vms_type type)
{
	int vm = vms_begin(type), ret = 0;

	if (vm >= 0 && type != VMS_PLAIN)
		ret = vms_encrypt(vm, type);
	if (ret)
		close(vm);
	return ret ? ret : vm;
}

bool vms_offered(enum vms_type type)
{
	int vm = vms_create(type);

	close(vm);
	return vm >= 0;
}

static int context_from(int vm, int other, unsigned int cap_nr)
{
	struct kvm_enable_cap cap = { .cap = cap_nr, .args = { other } };

	return ioctl(vm, KVM_ENABLE_CAP, &cap) < 0 ? -errno : 0;
}

int vms_mirror(int vm, int owner)
{
	return context_from(vm, owner, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM);
}

int vms_move(int vm, int source)
{
	return context_from(vm, source, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM);
}

static void *memory(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int vms_set_memory(int vm, unsigned int slot, uint64_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = (uint64_t)(slot & 0xffff) << 32,
		.memory_size = bytes,
		.userspace_addr = 1UL << 40,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

int vms_pin(int vm, size_t bytes)
{
	pinned = (struct kvm_enc_region){ .addr = (uintptr_t)memory(bytes), .size = bytes };
	return ioctl(vm, KVM_MEMORY_ENCRYPT_REG_REGION, &pinned) < 0 ? -errno : 0;
}

int vms_unpin(int vm)
{
	return ioctl(vm, KVM_MEMORY_ENCRYPT_UNREG_REGION, &pinned) < 0 ? -errno : 0;
}

long vms_handle(int vm)
{
	struct kvm_sev_guest_status status = { 0 };
	int ret = sev_op(vm, KVM_SEV_GUEST_STATUS, &status);

	return ret ? ret : status.handle;
}

int vms_add_vcpu(int vm, unsigned int id)
{
	int ret = ioctl(vm, KVM_CREATE_VCPU, id);

	return ret < 0 ? -errno : ret;
}
