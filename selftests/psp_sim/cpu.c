// SPDX-License-Identifier: GPL-2.0
/*
 * What the processor says about memory encryption, to the kernel: feature flags,
 * and CPUID and the firmware's registers by way of kprobes.  Programs still see
 * the virtual machine's own CPUID; /dev/cpu/N/{cpuid,msr} give what we say.
 *
 * One of Intel's gets VMX instead, which QEMU's own has not, and which is not to be
 * used: only so does it mean something what firmware has done with it.
 */
#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#endif

#include "probe_return.h"
#include "psp_sim.h"

#define CPUID_EXTENDED_MAX 0x80000000
#define CPUID_ENCRYPTION 0x8000001f
#define HIGHEST_LEAF 0x80000021

/* EAX of CPUID_ENCRYPTION */
#define HAS_SME BIT(0)
#define HAS_SEV BIT(1)
#define HAS_PAGE_FLUSH_MSR BIT(2)
#define HAS_SEV_ES BIT(3)
#define HAS_SNP BIT(4)
#define HAS_VMPLS BIT(5)
#define HAS_SEGMENTED_RMP BIT(23)
/* EBX: C-bit position, from bit 6 on physical address bits lost, from 12 on VMPLs */
#define ADDRESS_BITS_LOST 1
#define VMPLS 4

#define CPUID_VMX BIT(5)	/* leaf 1, ECX */

#define SYSCFG_SNP_EN BIT_ULL(24)	/* AMD APM volume 2, 15.36.2; 6.1 has no name for it */
#define RMP_BASE 0xc0010132		/* 15.36.4; nor for these */
#define RMP_END 0xc0010133
#define RMP_CFG 0xc0010136

/* Set before kvm_amd is loaded: its alternatives are patched at load time. */
static const unsigned int features[] = {
	X86_FEATURE_SEV, X86_FEATURE_SEV_ES, X86_FEATURE_DECODEASSISTS,
	X86_FEATURE_FLUSHBYASID, X86_FEATURE_NRIPS, X86_FEATURE_LBRV,
};

static bool cpu_is_intel(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
}
NOKPROBE_SYMBOL(cpu_is_intel);

static void vendor_is_amd(u32 *ebx, u32 *ecx, u32 *edx)
{
	*ebx = 0x68747541;	/* Auth */
	*edx = 0x69746e65;	/* enti */
	*ecx = 0x444d4163;	/* cAMD */
}
NOKPROBE_SYMBOL(vendor_is_amd);

/* native_cpuid(u32 *eax, u32 *ebx, u32 *ecx, u32 *edx) */
static int cpuid_pre(struct kprobe *probe, struct pt_regs *regs)
{
	u32 *eax = (u32 *)regs->di, *ebx = (u32 *)regs->si;
	u32 *ecx = (u32 *)regs->dx, *edx = (u32 *)regs->cx;

	if (cpu_is_intel()) {
		if (*eax != 1)
			return 0;
		native_cpuid(eax, ebx, ecx, edx);
		*ecx |= CPUID_VMX;
		return probe_answer(regs, 0);
	}
	switch (*eax) {
	case CPUID_EXTENDED_MAX:
		/* Lower, and KVM_GET_SUPPORTED_CPUID would hide SEV. */
		*eax = HIGHEST_LEAF;
		vendor_is_amd(ebx, ecx, edx);
		break;
	case CPUID_ENCRYPTION:
		*eax = HAS_SME | HAS_SEV | HAS_PAGE_FLUSH_MSR | HAS_SEV_ES;
		*ebx = psp_sim_cbit | ADDRESS_BITS_LOST << 6;
		if (psp_sim_snp) {
			*eax |= HAS_SNP | HAS_VMPLS | HAS_SEGMENTED_RMP;
			*ebx |= VMPLS << 12;
		}
		*ecx = psp_sim_max_asid;
		*edx = psp_sim_min_sev_asid;
		break;
	default:
		return 0;
	}
	return probe_answer(regs, 0);
}
NOKPROBE_SYMBOL(cpuid_pre);

/* Debian's kernels are built with PARAVIRT_XXL: cpuid() ends there. */
static struct kprobe cpuid_probe = {
	.symbol_name = "native_cpuid",
	.pre_handler = cpuid_pre,
	.post_handler = probe_post,
};

/* As firmware and kernel leave them on a host with SEV, or VMX; and what SNP adds. */
static struct {
	const char *name;
	u32 msr;
	u64 value, snp_value;
} registers[] = {
	{ "VM_CR", MSR_VM_CR, 0, 0 },
	{ "SYSCFG", MSR_AMD64_SYSCFG, MSR_AMD64_SYSCFG_MEM_ENCRYPT, SYSCFG_SNP_EN },
	{ "HWCR", MSR_K7_HWCR, MSR_K7_HWCR_SMMLOCK, 0 },
	{ "RMP_BASE", RMP_BASE, 0, 0x40000000 },
	{ "RMP_END", RMP_END, 0, 0x41ffffff },
	{ "RMP_CFG", RMP_CFG, 0, 0 },
	{ "FEATURE_CONTROL", MSR_IA32_FEAT_CTL,
	  FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX, 0 },
};

int psp_sim_msr_set(const char *name, unsigned int bit, unsigned int value)
{
	unsigned int i;

	if (bit >= 64 || value > 1)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		if (strcmp(registers[i].name, name))
			continue;
		if (value)
			registers[i].value |= BIT_ULL(bit);
		else
			registers[i].value &= ~BIT_ULL(bit);
		return 0;
	}
	return -ENOENT;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
/* u64 native_read_msr_safe(unsigned int msr, int *error) */
static int msr_answer(struct pt_regs *regs, u64 value)
{
	*(int *)regs->si = 0;
	return probe_answer(regs, value);
}
#else
/* int native_read_msr_safe(u32 msr, u64 *value) */
static int msr_answer(struct pt_regs *regs, u64 value)
{
	*(u64 *)regs->si = value;
	return probe_answer(regs, 0);
}
#endif
NOKPROBE_SYMBOL(msr_answer);

static int msr_pre(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		if ((u32)regs->di != registers[i].msr)
			continue;
		return msr_answer(regs, READ_ONCE(registers[i].value));
	}
	return 0;
}
NOKPROBE_SYMBOL(msr_pre);

/* rdmsr_safe() only: the kernel's own early look at SYSCFG is long over. */
static struct kprobe msr_probe = {
	.symbol_name = "native_read_msr_safe",
	.pre_handler = msr_pre,
	.post_handler = probe_post,
};

static struct kprobe *probes[] = { &cpuid_probe, &msr_probe };

static void feature_set(unsigned int feature)
{
	int cpu;

	set_cpu_cap(&boot_cpu_data, feature);
	for_each_online_cpu(cpu)
		set_cpu_cap(&cpu_data(cpu), feature);
}

int psp_sim_cpu_init(void)
{
	unsigned int i;

	for (i = 0; psp_sim_snp && i < ARRAY_SIZE(registers); i++)
		registers[i].value |= registers[i].snp_value;
	if (cpu_is_intel()) {
		feature_set(X86_FEATURE_VMX);
		return register_kprobes(probes, ARRAY_SIZE(probes));
	}
	for (i = 0; i < ARRAY_SIZE(features); i++)
		feature_set(features[i]);
#ifdef PSP_SIM_HAS_SNP
	if (psp_sim_snp)
		feature_set(X86_FEATURE_SEV_SNP);
#endif
	return register_kprobes(probes, ARRAY_SIZE(probes));
}

/* The flags stay: clearing one that alternatives were patched by is no undo. */
void psp_sim_cpu_exit(void)
{
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}
