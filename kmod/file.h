/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_FILE_H
#define KVMWARD_FILE_H

#include <linux/types.h>

struct file;
struct file_operations;

/* What an open file is to a snapshot. */
enum kvmward_file_kind {
	KVMWARD_FILE_OTHER,
	KVMWARD_FILE_VM,		/* private_data is the struct kvm */
	KVMWARD_FILE_VCPU,		/* private_data is the struct kvm_vcpu */
	KVMWARD_FILE_VHOST_NET,		/* a queue of vhost-net */
	KVMWARD_FILE_TAP,		/* a queue of a tap device */
};

/*
 * Kinds that have been worked out already, by the files' operations; all zero at
 * first. Good for one RCU read-side section: no module's operations can make
 * room for another's in that time.
 */
struct kvmward_file_kinds {
	struct {
		const struct file_operations *f_op;
		enum kvmward_file_kind kind;
	} known[32];
};

/* The kind of a file that cannot go away. Neither sleeps nor takes a lock. */
enum kvmward_file_kind kvmward_file_kind(struct kvmward_file_kinds *kinds,
					 const struct file *file);

#endif
