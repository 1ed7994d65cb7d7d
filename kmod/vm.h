/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_VM_H
#define KVMWARD_VM_H

#include <linux/types.h>

#include "known.h"

struct kvm;
struct kvm_vcpu;
struct kvmward_btf;
struct kvmward_guest;
struct mm_struct;

/*
 * Files that are not the VM's own and hold it all the same: where what their
 * private_data points to has the address of the struct kvm, in bytes from there.
 */
struct kvmward_vm_refs {
	struct kvmward_u32 device;	/* of the VM, like kvm-vfio */
	struct kvmward_u32 memfd;	/* guest_memfd */
};

/* Finds them in the BTF of KVM itself; what is not there stays unknown. */
void kvmward_vm_refs_find(struct kvmward_btf *btf, struct kvmward_vm_refs *ret_refs);

/*
 * The VM of a file whose private_data that is. The pointer is good for as long as
 * the file is, which the caller has to see to.
 */
struct kvm *kvmward_vm_of_ref(const void *private_data, u32 offset);

/*
 * 0 when struct kvm and all of its fields that are used here lie in the running
 * kernel where the headers of this build put them; -EINVAL when they do not,
 * -ENOENT when the types are not in that BTF.
 */
int kvmward_vm_check(struct kvmward_btf *btf);

/*
 * The VM that a vCPU belongs to and holds. Needs a passed kvmward_vm_check(). The
 * pointer is good for as long as the vCPU's file is, which the caller has to see to.
 */
struct kvm *kvmward_vm_of_vcpu(const struct kvm_vcpu *vcpu);

/*
 * These need a VM that cannot go away (see above) and a passed
 * kvmward_vm_check(), the last an RCU read-side section too. They neither sleep
 * nor take a lock of KVM.
 */
bool kvmward_vm_made_by(const struct kvm *kvm, const struct mm_struct *mm);
u64 kvmward_vm_mm_id(const struct kvm *kvm);	/* of the memory it was made in */
/* Returns how many memory slots and vCPUs it has looked at, which takes the time. */
u32 kvmward_vm_read(struct kvm *kvm, struct kvmward_guest *guest);

#endif
