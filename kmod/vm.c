// SPDX-License-Identifier: GPL-2.0
/*
 * What struct kvm says. It is KVM's own and no ABI, so the layout that this file
 * was built with is compared with the running kernel's before any use.
 */
#include <linux/kvm_host.h>
#include <linux/rbtree.h>

#include "btf.h"
#include "compat.h"
#include "guest.h"
#include "vm.h"

/* A guest with more of them than this has private memory that is not known. */
#define GUEST_MEMFDS 32

/* Only x86 tells from outside whether a vCPU runs a nested guest. */
#ifdef HF_GUEST_MASK
#define NESTED_FIELDS FIELD(kvm_vcpu, arch), FIELD(kvm_vcpu_arch, hflags)
#else
#define NESTED_FIELDS
#endif
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
	FIELD(kvm_memslots, gfn_tree),
	FIELD(kvm_memslots, node_idx),
	FIELD(kvm_memory_slot, gfn_node),
	FIELD(kvm_memory_slot, npages),
	FIELD(kvm_memory_slot, id),
	FIELD(kvm_memory_slot, flags),
#ifdef KVMWARD_HAVE_GUEST_MEMFD
	FIELD(kvm_memory_slot, gmem),
#endif
	FIELD(kvm_vcpu, kvm),
	NESTED_FIELDS
};

int kvmward_vm_check(struct kvmward_btf *btf)
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

static struct kvmward_u32 offset_find(struct kvmward_btf *btf, const char *type)
{
	int offset = kvmward_btf_offset(btf, type, "kvm");

	return offset < 0 ? (struct kvmward_u32){ } : kvmward_u32(offset);
}

void kvmward_vm_refs_find(struct kvmward_btf *btf, struct kvmward_vm_refs *ret_refs)
{
	ret_refs->device = offset_find(btf, "kvm_device");
	ret_refs->memfd = offset_find(btf, "gmem_file");
	/* Its older name. */
	if (!ret_refs->memfd.known)
		ret_refs->memfd = offset_find(btf, "kvm_gmem");
}

struct kvm *kvmward_vm_of_ref(const void *private_data, u32 offset)
{
	return READ_ONCE(*(struct kvm *const *)(private_data + offset));
}

struct kvm *kvmward_vm_of_vcpu(const struct kvm_vcpu *vcpu)
{
	return vcpu->kvm;
}

/*
 * A VM keeps its maker's mm_struct from being freed (mmgrab) though not from
 * being emptied: the address cannot mean another process, and is only compared.
 */
bool kvmward_vm_made_by(const struct kvm *kvm, const struct mm_struct *mm)
{
	return mm && kvm->mm == mm;
}

u64 kvmward_vm_mm_id(const struct kvm *kvm)
{
	return (unsigned long)kvm->mm;
}

/* What the memory slots of a VM come to. */
struct memory {
	u64 pages;
	u64 private_pages;		/* taken from guest_memfd so far */
	bool private_known;
	unsigned int file_count;
	const struct address_space *files[GUEST_MEMFDS];
};

#ifdef KVMWARD_HAVE_GUEST_MEMFD
/*
 * A private slot does not keep its file: whoever closes that clears the pointer
 * before the file goes. Within an RCU read-side section the memory of a file
 * stays one of a file, if another one's, and that of an inode stays. So what was
 * read by way of the pointer is right if the pointer is still there afterwards.
 */
static const struct address_space *slot_file(const struct kvm_memory_slot *slot,
					     unsigned long *ret_pages)
{
	const struct file *file = READ_ONCE(slot->gmem.file);
	const struct address_space *mapping;

	if (!file)
		return NULL;
	mapping = READ_ONCE(file->f_mapping);
	if (!mapping)
		return NULL;
	*ret_pages = READ_ONCE(mapping->nrpages);
	smp_rmb();
	return READ_ONCE(slot->gmem.file) == file ? mapping : NULL;
}

/* Several slots may show parts of one file, which is to be counted once. */
static void private_add(struct memory *memory, const struct kvm_memory_slot *slot)
{
	const struct address_space *file;
	unsigned long pages;
	unsigned int i;

	if (!(slot->flags & KVM_MEM_GUEST_MEMFD))
		return;
	file = slot_file(slot, &pages);
	for (i = 0; i < memory->file_count; i++)
		if (memory->files[i] == file)
			return;
	if (!file)
		return;
	if (memory->file_count == GUEST_MEMFDS) {
		memory->private_known = false;
		return;
	}
	memory->files[memory->file_count++] = file;
	memory->private_pages += pages;
}
#else
static void private_add(struct memory *memory, const struct kvm_memory_slot *slot) { }
#endif

/*
 * Memory slots are replaced as a whole and freed after an SRCU grace period, so
 * a reader needs no more than that: srcu_read_lock() neither waits nor makes
 * anybody wait but the one who replaces a slot, for the time of this loop.
 * By the tree, which has as many nodes as there are slots; the hash table that
 * kvm_for_each_memslot() goes by has 128 buckets for any guest.
 * Address space 0 only: x86 shows the same memory again in SMM.
 */
static u32 memory_read(struct kvm *kvm, struct kvmward_guest *guest)
{
	struct memory memory = { .private_known = true };
	const struct kvm_memory_slot *slot;
	struct kvm_memslots *slots;
	struct rb_node *node;
	u32 count = 0;
	int srcu;

	srcu = srcu_read_lock(&kvm->srcu);
	slots = srcu_dereference(kvm->memslots[0], &kvm->srcu);
	for (node = rb_first(&slots->gfn_tree); node; node = rb_next(node)) {
		slot = container_of(node, struct kvm_memory_slot, gfn_node[slots->node_idx]);
		count++;
		if (slot->id >= KVM_USER_MEM_SLOTS)
			continue;
		memory.pages += slot->npages;
		private_add(&memory, slot);
	}
	srcu_read_unlock(&kvm->srcu, srcu);
	guest->memory_bytes = kvmward_u64(memory.pages << PAGE_SHIFT);
	if (memory.private_known)
		guest->private_bytes = kvmward_u64(memory.private_pages << PAGE_SHIFT);
	return count;
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

u32 kvmward_vm_read(struct kvm *kvm, struct kvmward_guest *guest)
{
	/*
	 * A vCPU is counted after it is in the array, and one that has been
	 * counted lives as long as the VM: acquire pairs with KVM's smp_wmb().
	 */
	u32 vcpus = atomic_read_acquire(&kvm->online_vcpus);
	u32 slots = memory_read(kvm, guest);

	guest->vcpus = kvmward_u32(vcpus);
	guest->nested_vcpus = nested_vcpus(kvm, vcpus);
	return slots + vcpus;
}
