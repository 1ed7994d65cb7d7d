// SPDX-License-Identifier: GPL-2.0
/*
 * The private SEV fields of a VM: struct kvm_sev_info within struct kvm_svm
 * (arch/x86/kvm/svm/svm.h), which no header of the kernel shows and whose layout
 * changes with the kernel. All offsets come from the running kernel's BTF.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/kvmward.h>

#include "btf.h"
#include "guest.h"
#include "sev.h"

/* VMSA SEV_FEATURES, AMD APM volume 2, table B-4. */
#define VMSA_SNP_ACTIVE BIT_ULL(0)

static int field_find(struct kvmward_btf *btf, const char *member, int base, u32 *ret_offset)
{
	int offset = kvmward_btf_offset(btf, "kvm_sev_info", member);

	if (offset < 0)
		return offset;
	*ret_offset = base + offset;
	return 0;
}

/* sev_info lies in kvm_svm, which must begin with struct kvm. */
static int base_find(struct kvmward_btf *btf)
{
	int kvm = kvmward_btf_offset(btf, "kvm_svm", "kvm");
	int base = kvmward_btf_offset(btf, "kvm_svm", "sev_info");
	int size = kvmward_btf_size(btf, "kvm_svm");
	int info = kvmward_btf_size(btf, "kvm_sev_info");

	if (kvm < 0 || base < 0 || size < 0 || info < 0)
		return -ENOENT;
	return kvm || info > size - base ? -EINVAL : base;
}

int kvmward_sev_resolve(struct kvmward_btf *btf, struct kvmward_sev_layout *ret_layout)
{
	struct kvmward_sev_layout layout = { };
	const struct {
		const char *member;
		u32 *offset;
	} needed[] = {
		{ "active", &layout.active },
		{ "es_active", &layout.es_active },
		{ "asid", &layout.asid },
		{ "pages_locked", &layout.pages_locked },
		{ "enc_context_owner", &layout.enc_context_owner },
	};
	int base = base_find(btf);
	int i, ret;

	if (base < 0)
		return base;
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		ret = field_find(btf, needed[i].member, base, needed[i].offset);
		if (ret)
			return ret;
	}
	layout.has_vmsa_features = !field_find(btf, "vmsa_features", base, &layout.vmsa_features);
	*ret_layout = layout;
	return 0;
}

#define READ_AT(kvm, offset, type) READ_ONCE(*(const type *)((const char *)(kvm) + (offset)))

static u32 guest_type(const struct kvmward_sev_layout *layout, const struct kvm *kvm)
{
	if (!READ_AT(kvm, layout->es_active, bool))
		return KVMWARD_GUEST_TYPE_SEV;
	if (layout->has_vmsa_features &&
	    READ_AT(kvm, layout->vmsa_features, u64) & VMSA_SNP_ACTIVE)
		return KVMWARD_GUEST_TYPE_SNP;
	return KVMWARD_GUEST_TYPE_SEV_ES;
}

/*
 * KVM writes these under kvm->lock, which is held for seconds while it waits for
 * the firmware, so it is not taken. What that costs: a guest that takes or moves
 * its slot at this very moment is shown just before or just after. An ASID
 * counts only once the guest is active; KVM sets `active` first and returns it
 * when no ASID is to be had, so 0 means that there is none (yet).
 *
 * A new guest gets its ASID after its kind, and a mirror after its owner. So the
 * ASID is read before them: a new guest that is shown with an ASID is not half
 * made. In the midst of being mirrored or moved, SEV-ES may be shown as SEV, and
 * a mirror that moves as none. A mirror of SEV-SNP would be shown as SEV-ES for
 * good, which is how KVM treats it: it never gets the features that tell.
 */
void kvmward_sev_read(const struct kvmward_sev_layout *layout, const struct kvm *kvm,
		      struct kvmward_guest *guest)
{
	unsigned long pages = READ_AT(kvm, layout->pages_locked, unsigned long);
	u32 asid = READ_AT(kvm, layout->asid, unsigned int);

	smp_rmb();
	guest->mirror = READ_AT(kvm, layout->enc_context_owner, void *);
	guest->pinned_bytes = kvmward_u64((u64)pages << PAGE_SHIFT);
	if (!READ_AT(kvm, layout->active, bool)) {
		guest->type = kvmward_u32(KVMWARD_GUEST_TYPE_PLAIN);
		return;
	}
	guest->type = kvmward_u32(guest_type(layout, kvm));
	if (asid)
		guest->asid = kvmward_u32(asid);
}
