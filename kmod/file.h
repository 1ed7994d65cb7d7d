/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_FILE_H
#define KVMWARD_FILE_H

#include <linux/fs.h>
#include <linux/hash.h>

/* What an open file is to a snapshot. */
enum kvmward_file_kind {
	KVMWARD_FILE_OTHER,
	KVMWARD_FILE_VM,		/* private_data is the struct kvm */
	KVMWARD_FILE_VM_STATS,		/* likewise; it holds the VM */
	KVMWARD_FILE_VCPU,		/* private_data is the struct kvm_vcpu */
	KVMWARD_FILE_DEVICE,		/* of a VM; private_data is the struct kvm_device */
	KVMWARD_FILE_GUEST_MEMFD,	/* private_data is KVM's own */
	KVMWARD_FILE_VHOST_NET,		/* a queue of vhost-net */
	KVMWARD_FILE_TAP,		/* a queue of a tap device */
};

#define KVMWARD_FILE_KINDS_BITS 6

/*
 * Kinds that have been worked out already, by the files' operations; all zero at
 * first. Good for one RCU read-side section: no module's operations can make
 * room for another's in that time.
 */
struct kvmward_file_kinds {
	const struct file_operations *last_other;	/* many of one kind follow each other */
	struct kvmward_file_known {
		const struct file_operations *f_op;
		enum kvmward_file_kind kind;
	} known[1 << KVMWARD_FILE_KINDS_BITS];
};

/* The kind of a file that is not known by where its operations are hashed to. */
enum kvmward_file_kind kvmward_file_look(struct kvmward_file_kinds *kinds,
					 const struct file *file);

/* The kind of a file that cannot go away. Neither sleeps nor takes a lock. */
static inline enum kvmward_file_kind kvmward_file_kind(struct kvmward_file_kinds *kinds,
						       const struct file *file)
{
	const struct file_operations *f_op = file->f_op;
	const struct kvmward_file_known *known;
	enum kvmward_file_kind kind;

	if (likely(f_op == kinds->last_other))
		return KVMWARD_FILE_OTHER;
	known = &kinds->known[hash_ptr(f_op, KVMWARD_FILE_KINDS_BITS)];
	kind = likely(known->f_op == f_op) ? known->kind : kvmward_file_look(kinds, file);
	if (kind == KVMWARD_FILE_OTHER)
		kinds->last_other = f_op;
	return kind;
}

#endif
