// SPDX-License-Identifier: GPL-2.0
/*
 * What a POWER processor and KVM offer. Nothing here encrypts memory the way SEV
 * does, so there are no slots; that much is known.
 */
#include <linux/module.h>
#include <asm/cputable.h>
#include <asm/cpu_has_feature.h>
#include <linux/kvmward.h>

#include "host.h"
#include "module.h"

const char *const kvmward_kvm_modules[] = { "kvm_hv", "kvm_pr", NULL };

/*
 * PowerNV runs in the processor's hypervisor mode. A partition does not: its
 * hypervisor may lend it one of its own (nested KVM), which only shows once
 * kvm_hv has been loaded there, because it refuses to be otherwise.
 */
static void virt_read(struct kvmward_host *host)
{
	if (cpu_has_feature(CPU_FTR_HVMODE)) {
		host->virt_in_cpu = kvmward_u32(1);
		host->virt_firmware_disabled = kvmward_u32(0);
		host->virt_usable = kvmward_u32(1);
	} else if (kvmward_module_loaded("kvm_hv")) {
		host->virt_usable = kvmward_u32(1);
	}
}

void kvmward_host_read_cpu(struct kvmward_host *host)
{
	host->vendor = KVMWARD_VENDOR_POWER;
	virt_read(host);
	host->sme_in_cpu = kvmward_u32(0);
	host->sev_in_cpu = kvmward_u32(0);
	host->sev_enabled = kvmward_u32(0);
	host->sev_es_in_cpu = kvmward_u32(0);
	host->sev_es_enabled = kvmward_u32(0);
	host->snp_in_cpu = kvmward_u32(0);
	host->snp_enabled = kvmward_u32(0);
}
