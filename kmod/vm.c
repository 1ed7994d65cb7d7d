// SPDX-License-Identifier: GPL-2.0
/*
 * What struct kvm says. It is KVM's own and no ABI, so the layout that this file
 * was built with is compared with the running kernel's before any use.
 */
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/string.h>

#include "btf.h"
#include "guest.h"
#include "vm.h"

#define FIELD(type, member) { #type, #member, offsetof(struct type, member) }

static const struct {
	const char *type, *member;
	int offset;
} fields[] = {
	FIELD(kvm, mm),
	FIELD(kvm, memslots),
	FIELD(kvm, vcpu_array),
	FIELD(kvm, online_vcpus),
	FIELD(kvm, srcu),
	FIELD(kvm_memslots, id_hash),
	FIELD(kvm_memslots, node_idx),
	FIELD(kvm_memory_slot, id_node),
	FIELD(kvm_memory_slot, npages),
	FIELD(kvm_memory_slot, id),
	FIELD(kvm_vcpu, kvm),
	FIELD(kvm_vcpu, arch),
	FIELD(kvm_vcpu_arch, hflags),
};

int kvmward_vm_check(const struct kvmward_btf *btf)
{
	int ret = kvmward_btf_size(btf, "kvm");
	int i;

	if (ret < 0)
		return ret;
	if (ret != sizeof(struct kvm))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		ret = kvmward_btf_offset(btf, fields[i].type, fields[i].member);
		if (ret < 0)
			return ret;
		if (ret != fields[i].offset)
			return -EINVAL;
	}
	return 0;
}

/*
 * Only the kernel names anonymous inodes, so these names cannot be forged, and
 * no export of KVM is needed, which would make it a dependency.
 */
struct kvm *kvmward_vm_of(const struct file *file, bool inside, bool *ret_is_vm)
{
	static const char vcpu_prefix[] = "kvm-vcpu:";
	const struct dentry *dentry = file->f_path.dentry;

	if (dentry->d_sb->s_magic != ANON_INODE_FS_MAGIC)
		return NULL;
	*ret_is_vm = !strcmp(dentry->d_name.name, "kvm-vm");
	if (*ret_is_vm)
		return file->private_data;
	if (inside && !strncmp(dentry->d_name.name, vcpu_prefix, strlen(vcpu_prefix)))
		return ((struct kvm_vcpu *)file->private_data)->kvm;
	return NULL;
}

/*
 * A VM keeps its maker's mm_struct from being freed (mmgrab) though not from
 * being emptied: the address cannot mean another process, and is only compared.
 */
bool kvmward_vm_made_by(const struct kvm *kvm, const struct mm_struct *mm)
{
	return mm && kvm->mm == mm;
}

/*
 * Memory slots are replaced as a whole and freed after an SRCU grace period, so
 * a reader needs no more than that: srcu_read_lock() neither waits nor makes
 * anybody wait but the one who replaces a slot, for the time of this loop.
 * Address space 0 only: x86 shows the same memory again in SMM.
 */
static u64 memory_bytes(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	struct kvm_memslots *slots;
	u64 pages = 0;
	int srcu, i;

	srcu = srcu_read_lock(&kvm->srcu);
	slots = srcu_dereference(kvm->memslots[0], &kvm->srcu);
	hash_for_each(slots->id_hash, i, slot, id_node[slots->node_idx])
		if (slot->id < KVM_USER_MEM_SLOTS)
			pages += slot->npages;
	srcu_read_unlock(&kvm->srcu, srcu);
	return pages << PAGE_SHIFT;
}

#ifdef HF_GUEST_MASK
static struct kvmward_u32 nested_vcpus(struct kvm *kvm, u32 vcpus)
{
	u32 i, count = 0;

	for (i = 0; i < vcpus; i++) {
		const struct kvm_vcpu *vcpu = xa_load(&kvm->vcpu_array, i);

		if (vcpu && READ_ONCE(vcpu->arch.hflags) & HF_GUEST_MASK)
			count++;
	}
	return kvmward_u32(count);
}
#else
static struct kvmward_u32 nested_vcpus(struct kvm *kvm, u32 vcpus)
{
	return (struct kvmward_u32){ };
}
#endif

void kvmward_vm_read(struct kvm *kvm, struct kvmward_guest *guest)
{
	/*
	 * A vCPU is counted after it is in the array, and one that has been
	 * counted lives as long as the VM: acquire pairs with KVM's smp_wmb().
	 */
	u32 vcpus = atomic_read_acquire(&kvm->online_vcpus);

	guest->memory_bytes = kvmward_u64(memory_bytes(kvm));
	guest->vcpus = kvmward_u32(vcpus);
	guest->nested_vcpus = nested_vcpus(kvm, vcpus);
}
