/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_SEV_H
#define KVMWARD_SEV_H

#include <linux/errno.h>
#include <linux/types.h>

struct kvm;
struct kvmward_btf;
struct kvmward_guest;

/* Where the fields of struct kvm_sev_info lie, in bytes from struct kvm. */
struct kvmward_sev_layout {
	u32 active, es_active, asid, pages_locked, enc_context_owner;
	u32 vmsa_features;
	bool has_vmsa_features;		/* since SNP, Linux 6.11 */
};

#ifdef CONFIG_X86
/*
 * Finds them in the BTF of kvm_amd. 0; -ENOENT or -EINVAL when a field is not
 * there or not as known, with *ret_layout untouched.
 */
int kvmward_sev_resolve(struct kvmward_btf *btf, struct kvmward_sev_layout *ret_layout);

/*
 * Reads type, ASID, pinned bytes and whether it is a mirror. The VM must not be
 * able to go away; no lock is taken. Each field is as it was at some moment of
 * the call.
 */
void kvmward_sev_read(const struct kvmward_sev_layout *layout, const struct kvm *kvm,
		      struct kvmward_guest *guest);
#else
static inline int kvmward_sev_resolve(struct kvmward_btf *btf,
				      struct kvmward_sev_layout *ret_layout)
{
	return -ENOENT;
}

static inline void kvmward_sev_read(const struct kvmward_sev_layout *layout,
				    const struct kvm *kvm, struct kvmward_guest *guest)
{
}
#endif

#endif
