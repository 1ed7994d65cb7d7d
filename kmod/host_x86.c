// SPDX-License-Identifier: GPL-2.0
/*
 * What an x86 processor, its firmware and KVM offer. CPUID is read anew and not
 * taken from the kernel's feature bits, which it clears for what firmware has
 * switched off: the two are different facts here.
 */
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <linux/kvmward.h>

#include "compat.h"
#include "host.h"
#include "module.h"

#define CPUID_VMX		BIT(5)		/* Fn0000_0001 ECX */
#define CPUID_SVM		BIT(2)		/* Fn8000_0001 ECX */
#define CPUID_ENCRYPTION	0x8000001f
#define VM_CR			0xc0010114	/* AMD APM volume 2, 15.30.1 */
#define VM_CR_SVMDIS		BIT_ULL(4)
#define SYSCFG			0xc0010010	/* 7.10 (SMEE), 15.36.2 (SNPEn) */
#define SYSCFG_ENCRYPTION	BIT_ULL(23)
#define SYSCFG_SNP		BIT_ULL(24)
#define HWCR			0xc0010015	/* 15.32.1 */
#define HWCR_SMM_LOCK		BIT_ULL(0)
#define RMP_BASE		0xc0010132	/* 15.36.4 */
#define RMP_END			0xc0010133
#define RMP_CFG			0xc0010136
#define RMP_CFG_SEGMENTED	BIT_ULL(0)

const char *const kvmward_kvm_modules[] = { "kvm_amd", "kvm_intel", NULL };

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

/*
 * Both registers hold an address, and 0 when firmware has set nothing aside. One in
 * segments has no end: its start is that of a table of them, and aligned.
 */
static struct kvmward_u32 rmp_reserved(bool may_be_segmented)
{
	u64 base, end, config = 0;

	if (kvmward_rdmsr_safe(RMP_BASE, &base) || kvmward_rdmsr_safe(RMP_END, &end) ||
	    (may_be_segmented && kvmward_rdmsr_safe(RMP_CFG, &config)))
		return (struct kvmward_u32){ };
	if (config & RMP_CFG_SEGMENTED)
		return kvmward_u32(!!base);
	return kvmward_u32(base && end > base);
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
	} else {
		/* Intel's; Zhaoxin has the same, the registers too. */
		host->virt_in_cpu = kvmward_u32(!!(cpuid_ecx(1) & CPUID_VMX));
		host->virt_firmware_disabled = vmx_disabled();
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
		host->smm_locked = msr_bit(HWCR, HWCR_SMM_LOCK);
		host->c_bit_position = kvmward_u32(ebx & 0x3f);
		host->phys_addr_reduction = kvmward_u32(ebx >> 6 & 0x3f);
	}
	if (eax & BIT(1)) {
		host->max_asid = kvmward_u32(ecx);
		host->min_sev_asid = kvmward_u32(edx);
	}
	if (eax & BIT(4)) {
		host->snp_rmp_reserved = rmp_reserved(eax & BIT(23));
		host->snp_active = msr_bit(SYSCFG, SYSCFG_SNP);
		host->vmpls = kvmward_u32(ebx >> 12 & 0xf);
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
	host->sev_enabled = kvmward_module_bool(module, "sev");
	host->sev_es_enabled = kvmward_module_bool(module, "sev_es");
	host->snp_enabled = kvmward_module_bool(module, "sev_snp");
	if (module && !host->snp_enabled.known)
		host->snp_enabled = kvmward_u32(0);
	host->snp_asids = kvmward_module_uint(module, "ciphertext_hiding_asids");
	module_put(module);
}

void kvmward_host_read_cpu(struct kvmward_host *host)
{
	host->vendor = vendor_of_cpu();
	virt_read(host);
	encryption_read(host);
	kvm_amd_read(host);
}
