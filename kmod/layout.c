// SPDX-License-Identifier: GPL-2.0
/*
 * What can be read of a VM is worked out once for each loaded KVM and kept. A
 * failure is kept for a second only: it may have been for want of memory, or
 * of a mounted sysfs.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/string.h>

#include "btf.h"
#include "host.h"
#include "layout.h"
#include "module.h"
#include "vm.h"

static DEFINE_MUTEX(cache_lock);
static struct {
	struct kvmward_layout layout;
	unsigned int generation;	/* of the modules; 0: nothing is kept */
	unsigned long expires;		/* jiffies; for failures only */
} cache;

/* own: the BTF is that of KVM's module, and not only the kernel's. */
static void resolve_types(struct kvmward_layout *layout, struct kvmward_btf *btf, bool own)
{
	int ret = kvmward_vm_check(btf);

	layout->vm = !ret;
	if (ret == -ENOENT)
		layout->reason = "the kernel's BTF does not describe KVM";
	else if (ret)
		layout->reason = "struct kvm differs from the headers of this build";
	else if (!layout->amd)
		layout->reason = "kvm_amd is not the loaded KVM";
	else if (kvmward_sev_resolve(btf, &layout->sev_layout))
		layout->reason = own ? "the BTF of kvm_amd lacks the SEV fields" :
				       "there is no BTF of kvm_amd";
	else
		layout->sev = true;
}

/*
 * KVM that is built in has its types in vmlinux, and a module of the kernel's own
 * tree without BTF has there what it shares with the kernel. What vmlinux says of
 * a KVM built elsewhere, as by DKMS, where BTF is easily lost, would be a guess.
 */
static bool vmlinux_speaks_for(const struct module *kvm)
{
	return !kvm || !test_bit(TAINT_OOT_MODULE, &kvm->taints);
}

static void vendor_read(struct kvmward_layout *layout, struct kvmward_btf *btf,
			const char *vendor, const struct module *kvm)
{
	int ret = kvmward_btf_load_module(btf, vendor);

	if (ret && ret != -ENOENT)
		layout->reason = "the BTF of KVM cannot be read";
	else if (ret && !vmlinux_speaks_for(kvm))
		layout->reason = "KVM is not of the kernel's own tree and has no BTF";
	else
		resolve_types(layout, btf, !ret);
}

/* What no header shows: only the BTF of KVM's own module has it. */
static void refs_read(struct kvmward_layout *layout, struct kvmward_btf *btf,
		      const struct module *kvm)
{
	int ret = kvmward_btf_load_module(btf, "kvm");

	layout->refs_read = !ret || ret == -ENOENT;
	if (!ret || (ret == -ENOENT && vmlinux_speaks_for(kvm)))
		kvmward_vm_refs_find(btf, &layout->refs);
}

static void resolve(struct kvmward_layout *layout, const char *vendor, const struct module *kvm)
{
	struct kvmward_btf *btf = kvmward_btf_load();

	if (IS_ERR(btf)) {
		layout->refs_read = PTR_ERR(btf) == -ENOENT;
		layout->reason = layout->refs_read ? "the kernel has no BTF" :
						     "the kernel's BTF cannot be read";
		return;
	}
	vendor_read(layout, btf, vendor, kvm);
	refs_read(layout, btf, kvm);
	kvmward_btf_free(btf);
}

static bool cache_valid(const struct kvmward_layout *asked, unsigned int generation)
{
	if (cache.generation != generation || cache.layout.amd != asked->amd)
		return false;
	if (cache.layout.refs_read && (cache.layout.sev || (!asked->amd && cache.layout.vm)))
		return true;
	return time_before(jiffies, cache.expires);
}

void kvmward_layout_get(struct kvmward_layout *ret_layout, struct module **ret_vendor)
{
	struct kvmward_layout layout = { };
	const char *vendor = kvmward_module_get_any(kvmward_kvm_modules, ret_vendor);
	unsigned int generation;

	layout.amd = vendor && !strcmp(vendor, "kvm_amd");
	if (!vendor) {
		layout.reason = "no KVM is loaded for this processor";
		*ret_layout = layout;
		return;
	}

	mutex_lock(&cache_lock);
	generation = kvmward_module_generation();
	if (!cache_valid(&layout, generation)) {
		resolve(&layout, vendor, *ret_vendor);
		cache.layout = layout;
		cache.generation = generation;
		cache.expires = jiffies + HZ;
	}
	*ret_layout = cache.layout;
	mutex_unlock(&cache_lock);
}
