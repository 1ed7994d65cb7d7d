// SPDX-License-Identifier: GPL-2.0
/*
 * What an open file is. Its name or its device number tells, but these lie in
 * its dentry and its inode, which would have to be fetched for each of a host's
 * files. All files that share their operations are of one kind, so that one of
 * them is looked at and the others are compared.
 */
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/miscdevice.h>
#include <linux/string.h>

#include "compat.h"
#include "file.h"

/* Where it has no file system of its own yet, its files are anonymous inodes as well. */
#ifndef GUEST_MEMFD_MAGIC
#define GUEST_MEMFD_MAGIC ANON_INODE_FS_MAGIC
#endif

#define PROBES 4	/* places that a kind may have in the table */

/*
 * Only the kernel names anonymous inodes, so these names cannot be forged, and
 * no export of KVM is needed, which would make it a dependency.
 */
static enum kvmward_file_kind anon_kind(const char *name)
{
	static const struct {
		const char *name;
		enum kvmward_file_kind kind;
	} kinds[] = {
		{ "kvm-vm", KVMWARD_FILE_VM },
		{ "kvm-vfio", KVMWARD_FILE_DEVICE },
		{ "kvm-xics", KVMWARD_FILE_DEVICE },	/* POWER's interrupt controllers */
		{ "kvm-xive", KVMWARD_FILE_DEVICE },
		{ "[kvm-gmem]", KVMWARD_FILE_GUEST_MEMFD },
#ifdef KVMWARD_STATS_HOLD_VM
		{ "kvm-vm-stats", KVMWARD_FILE_VM_STATS },
#endif
	}, prefixes[] = {
		{ "kvm-vcpu:", KVMWARD_FILE_VCPU },
#ifdef KVMWARD_STATS_HOLD_VM
		{ "kvm-vcpu-stats:", KVMWARD_FILE_VCPU },
#endif
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(name, kinds[i].name))
			return kinds[i].kind;
	for (i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strstarts(name, prefixes[i].name))
			return prefixes[i].kind;
	return KVMWARD_FILE_OTHER;
}

/* Documentation/admin-guide/devices.txt; both numbers are fixed. */
static enum kvmward_file_kind device_kind(const struct inode *inode)
{
	if (!S_ISCHR(inode->i_mode))
		return KVMWARD_FILE_OTHER;
	if (inode->i_rdev == MKDEV(MISC_MAJOR, VHOST_NET_MINOR))
		return KVMWARD_FILE_VHOST_NET;
	if (inode->i_rdev == MKDEV(MISC_MAJOR, TUN_MINOR))
		return KVMWARD_FILE_TAP;
	return KVMWARD_FILE_OTHER;
}

/*
 * A file of O_PATH is a place and nothing more: it has the name of what lies
 * there, no private_data, and operations that only files of O_PATH have.
 */
static enum kvmward_file_kind kind_of(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;
	unsigned long magic = dentry->d_sb->s_magic;

	if (file->f_mode & FMODE_PATH)
		return KVMWARD_FILE_OTHER;
	if (magic == ANON_INODE_FS_MAGIC || magic == GUEST_MEMFD_MAGIC)
		return anon_kind(dentry->d_name.name);
	return device_kind(file_inode(file));
}

/* Two kinds that are hashed alike must not drive each other out for each file. */
enum kvmward_file_kind kvmward_file_look(struct kvmward_file_kinds *kinds,
					 const struct file *file)
{
	u32 hash = hash_ptr(file->f_op, KVMWARD_FILE_KINDS_BITS);
	struct kvmward_file_known *known;
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		known = &kinds->known[(hash + i) % ARRAY_SIZE(kinds->known)];
		if (known->f_op == file->f_op)
			return known->kind;
		if (!known->f_op)
			break;
	}
	if (i == PROBES)
		known = &kinds->known[hash];
	known->f_op = file->f_op;
	known->kind = kind_of(file);
	return known->kind;
}
