// SPDX-License-Identifier: GPL-2.0
/*
 * What the processor, its firmware and KVM offer. CPUID is read anew and not
 * taken from the kernel's feature bits, which it clears for what firmware has
 * switched off: the two are different facts here.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/psp-sev.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <linux/kvmward.h>

#include "compat.h"
#include "host.h"
#include "layout.h"
#include "module.h"

#define CPUID_VMX		BIT(5)		/* Fn0000_0001 ECX */
#define CPUID_SVM		BIT(2)		/* Fn8000_0001 ECX */
#define CPUID_ENCRYPTION	0x8000001f
#define VM_CR			0xc0010114	/* AMD APM volume 2, 15.30.1 */
#define VM_CR_SVMDIS		BIT_ULL(4)
#define SYSCFG			0xc0010010	/* AMD APM volume 2, 15.34.1 */
#define SYSCFG_ENCRYPTION	BIT_ULL(23)
#define PSP_INTERVAL		(HZ / 10)

static u32 vendor_of_cpu(void)
{
	switch (boot_cpu_data.x86_vendor) {
	case X86_VENDOR_AMD:
		return KVMWARD_VENDOR_AMD;
	case X86_VENDOR_HYGON:
		return KVMWARD_VENDOR_HYGON;
	case X86_VENDOR_INTEL:
		return KVMWARD_VENDOR_INTEL;
	}
	return KVMWARD_VENDOR_OTHER;
}

static bool vendor_has_svm(u32 vendor)
{
	return vendor == KVMWARD_VENDOR_AMD || vendor == KVMWARD_VENDOR_HYGON;
}

/* Not known where the processor has no such register. */
static struct kvmward_u32 msr_bit(u32 msr, u64 bit)
{
	u64 value;

	if (kvmward_rdmsr_safe(msr, &value))
		return (struct kvmward_u32){ };
	return kvmward_u32(!!(value & bit));
}

/* A register that firmware has not locked leaves the choice to the kernel. */
static struct kvmward_u32 vmx_disabled(void)
{
	u64 value;

	if (kvmward_rdmsr_safe(MSR_IA32_FEAT_CTL, &value))
		return (struct kvmward_u32){ };
	return kvmward_u32((value & FEAT_CTL_LOCKED) &&
			   !(value & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX));
}

static void virt_read(struct kvmward_host *host)
{
	if (vendor_has_svm(host->vendor)) {
		host->virt_in_cpu = kvmward_u32(!!(cpuid_ecx(0x80000001) & CPUID_SVM));
		host->virt_firmware_disabled = msr_bit(VM_CR, VM_CR_SVMDIS);
	} else if (host->vendor == KVMWARD_VENDOR_INTEL) {
		host->virt_in_cpu = kvmward_u32(!!(cpuid_ecx(1) & CPUID_VMX));
		host->virt_firmware_disabled = vmx_disabled();
	} else {
		return;
	}
	if (!host->virt_in_cpu.value) {
		host->virt_firmware_disabled = (struct kvmward_u32){ };
		host->virt_usable = kvmward_u32(0);
	} else if (host->virt_firmware_disabled.known) {
		host->virt_usable = kvmward_u32(!host->virt_firmware_disabled.value);
	}
}

static void encryption_none(struct kvmward_host *host)
{
	host->sme_in_cpu = kvmward_u32(0);
	host->sev_in_cpu = kvmward_u32(0);
	host->sev_es_in_cpu = kvmward_u32(0);
	host->snp_in_cpu = kvmward_u32(0);
}

/* AMD APM volume 3, Fn8000_001F. */
static void encryption_read(struct kvmward_host *host)
{
	u32 eax, ebx, ecx, edx;

	encryption_none(host);
	if (!vendor_has_svm(host->vendor) || cpuid_eax(0x80000000) < CPUID_ENCRYPTION)
		return;
	cpuid(CPUID_ENCRYPTION, &eax, &ebx, &ecx, &edx);
	host->sme_in_cpu = kvmward_u32(!!(eax & BIT(0)));
	host->sev_in_cpu = kvmward_u32(!!(eax & BIT(1)));
	host->sev_es_in_cpu = kvmward_u32(!!(eax & BIT(3)));
	host->snp_in_cpu = kvmward_u32(!!(eax & BIT(4)));
	if (eax & (BIT(0) | BIT(1))) {
		host->sme_enabled = msr_bit(SYSCFG, SYSCFG_ENCRYPTION);
		host->c_bit_position = kvmward_u32(ebx & 0x3f);
		host->phys_addr_reduction = kvmward_u32(ebx >> 6 & 0x3f);
	}
	if (eax & BIT(1)) {
		host->max_asid = kvmward_u32(ecx);
		host->min_sev_asid = kvmward_u32(edx);
	}
}

/* What is not loaded offers nothing; kernels before SNP lack its parameter. */
static void kvm_amd_read(struct kvmward_host *host)
{
	struct module *module;

	if (!kvmward_module_get("kvm_amd", &module)) {
		host->sev_enabled = kvmward_u32(0);
		host->sev_es_enabled = kvmward_u32(0);
		host->snp_enabled = kvmward_u32(0);
		return;
	}
	host->kvm_vendor_module = "kvm_amd";
	host->sev_enabled = kvmward_module_bool(module, "sev");
	host->sev_es_enabled = kvmward_module_bool(module, "sev_es");
	host->snp_enabled = kvmward_module_bool(module, "sev_snp");
	if (module && !host->snp_enabled.known)
		host->snp_enabled = kvmward_u32(0);
	host->snp_asids = kvmward_module_uint(module, "ciphertext_hiding_asids");
	module_put(module);
}

static void facts_source_read(struct kvmward_host *host)
{
	struct kvmward_layout layout;
	struct module *vendor;

	kvmward_layout_get(&layout, &vendor);
	module_put(vendor);
	host->facts_source = layout.sev ? KVMWARD_FACTS_SOURCE_BTF : KVMWARD_FACTS_SOURCE_NONE;
	host->facts_reason = layout.reason;
}

void kvmward_host_read(struct kvmward_host *ret_host)
{
	struct kvmward_host host = { .vendor = vendor_of_cpu() };

	virt_read(&host);
	encryption_read(&host);
	host.kvm_loaded = kvmward_module_loaded("kvm");
	host.vhost_net_loaded = kvmward_module_loaded("vhost_net");
	kvm_amd_read(&host);
	if (!host.kvm_vendor_module && kvmward_module_loaded("kvm_intel"))
		host.kvm_vendor_module = "kvm_intel";
	facts_source_read(&host);
	*ret_host = host;
}

#if IS_ENABLED(CONFIG_CRYPTO_DEV_SP_PSP)
static DEFINE_MUTEX(psp_lock);
static struct {
	struct sev_user_data_status status;
	unsigned long expires;		/* jiffies */
	bool asked, known;
} psp;

/*
 * symbol_get() only finds the driver when it is there already; a plain call
 * would make depmod load it with us. The buffer must not lie on a stack that is
 * mapped by pages: the driver asks for its physical address.
 */
static bool psp_ask(struct sev_user_data_status *ret_status)
{
	int (*platform_status)(struct sev_user_data_status *data, int *error) =
		symbol_get(sev_platform_status);
	struct sev_user_data_status *status;
	int error, ret;

	if (!platform_status)
		return false;
	status = kzalloc(sizeof(*status), GFP_KERNEL);
	ret = status ? platform_status(status, &error) : -ENOMEM;
	symbol_put(sev_platform_status);
	if (!ret)
		*ret_status = *status;
	kfree(status);
	return !ret;
}

void kvmward_host_read_psp(struct kvmward_host *host)
{
	mutex_lock(&psp_lock);
	if (!psp.asked || time_after(jiffies, psp.expires)) {
		psp.known = psp_ask(&psp.status);
		psp.asked = true;
		psp.expires = jiffies + PSP_INTERVAL;
	}
	if (psp.known) {
		host->psp_state = kvmward_u32(psp.status.state);
		host->psp_api_major = kvmward_u32(psp.status.api_major);
		host->psp_api_minor = kvmward_u32(psp.status.api_minor);
		host->psp_build = kvmward_u32(psp.status.build);
		host->psp_guest_count = kvmward_u32(psp.status.guest_count);
	}
	mutex_unlock(&psp_lock);
}
#else
void kvmward_host_read_psp(struct kvmward_host *host) { }
#endif
