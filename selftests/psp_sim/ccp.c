// SPDX-License-Identifier: GPL-2.0
/*
 * What drivers/crypto/ccp/sev-dev.c exports and kvm_amd links to.
 *
 * kvm_amd was built against the real driver and checks a CRC of each prototype,
 * which covers every type in reach.  So the includes are those of sev-dev.c, in
 * its order; nothing may be added above the last of them.  All that differs
 * between kernel series is in this file.
 */
#include <linux/version.h>
#define SERIES_IS_AT_LEAST(major, minor) \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

#if SERIES_IS_AT_LEAST(6, 11)
#include <linux/bitfield.h>
#endif
#include <linux/module.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/interrupt.h>
#include <linux/spinlock.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/mutex.h>
#include <linux/delay.h>
#include <linux/hw_random.h>
#include <linux/ccp.h>
#include <linux/firmware.h>
#if SERIES_IS_AT_LEAST(6, 11)
#include <linux/panic_notifier.h>
#endif
#include <linux/gfp.h>
#include <linux/cpufeature.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#if SERIES_IS_AT_LEAST(6, 11)
#include <linux/psp.h>
#include <linux/amd-iommu.h>
#include <linux/crash_dump.h>
#endif
#include <asm/smp.h>
#include <asm/cacheflush.h>
#if SERIES_IS_AT_LEAST(6, 11)
#include <asm/e820/types.h>
#include <asm/sev.h>
#endif
#include <linux/device.h>
#include <linux/list.h>
#include <linux/wait.h>
#include <linux/dmapool.h>
#include <linux/dmaengine.h>
#include <linux/psp-sev.h>
#include <linux/miscdevice.h>
#include <linux/capability.h>

#if SERIES_IS_AT_LEAST(7, 2)
#include <uapi/linux/kvm.h>
#endif

#include "psp_sim.h"
#include "rmp.h"

/* As in the real driver: a user's copy of a key or header, 16 KiB at most. */
#define BLOB_MAX_BYTES 0x4000

#if SERIES_IS_AT_LEAST(6, 11)
int sev_platform_init(struct sev_platform_init_args *args)
{
#if SERIES_IS_AT_LEAST(7, 2)
	/* As kvm_amd's parameter ciphertext_hiding_asids has it; each VM comes by with 0. */
	if (args->probe)
		psp_sim_max_snp_asid = args->max_snp_asid;
#endif
	return psp_sim_command(SEV_CMD_INIT, NULL, &args->error);
}
#else
int sev_platform_init(int *error)
{
	return psp_sim_command(SEV_CMD_INIT, NULL, error);
}
#endif
EXPORT_SYMBOL_GPL(sev_platform_init);

int sev_platform_status(struct sev_user_data_status *data, int *error)
{
	return psp_sim_command(SEV_CMD_PLATFORM_STATUS, data, error);
}
EXPORT_SYMBOL_GPL(sev_platform_status);

int sev_guest_activate(struct sev_data_activate *data, int *error)
{
	return psp_sim_command(SEV_CMD_ACTIVATE, data, error);
}
EXPORT_SYMBOL_GPL(sev_guest_activate);

int sev_guest_deactivate(struct sev_data_deactivate *data, int *error)
{
	return psp_sim_command(SEV_CMD_DEACTIVATE, data, error);
}
EXPORT_SYMBOL_GPL(sev_guest_deactivate);

int sev_guest_decommission(struct sev_data_decommission *data, int *error)
{
	return psp_sim_command(SEV_CMD_DECOMMISSION, data, error);
}
EXPORT_SYMBOL_GPL(sev_guest_decommission);

int sev_guest_df_flush(int *error)
{
	return psp_sim_command(SEV_CMD_DF_FLUSH, NULL, error);
}
EXPORT_SYMBOL_GPL(sev_guest_df_flush);

int sev_issue_cmd_external_user(struct file *filep, unsigned int cmd,
				void *data, int *error)
{
	if (!filep || !psp_sim_chardev_is(filep))
		return -EBADF;
	return psp_sim_command(cmd, data, error);
}
EXPORT_SYMBOL_GPL(sev_issue_cmd_external_user);

void *psp_copy_user_blob(u64 uaddr, u32 len)
{
	if (!uaddr || !len || len > BLOB_MAX_BYTES)
		return ERR_PTR(-EINVAL);
	return memdup_user((void __user *)(uintptr_t)uaddr, len);
}
EXPORT_SYMBOL_GPL(psp_copy_user_blob);

#if SERIES_IS_AT_LEAST(6, 11)
int sev_do_cmd(int cmd, void *data, int *psp_ret)
{
	return psp_sim_command(cmd, data, psp_ret);
}
EXPORT_SYMBOL_GPL(sev_do_cmd);

void sev_platform_shutdown(void)
{
}
EXPORT_SYMBOL_GPL(sev_platform_shutdown);

void *snp_alloc_firmware_page(gfp_t gfp_mask)
{
	void *page = (void *)__get_free_page(gfp_mask);

	if (page && psp_sim_snp && psp_sim_rmp_to_firmware(__pa(page))) {
		free_page((unsigned long)page);
		return NULL;
	}
	return page;
}
EXPORT_SYMBOL_GPL(snp_alloc_firmware_page);

/* What the firmware does not give back is lost, as with the real driver. */
void snp_free_firmware_page(void *addr)
{
	struct sev_data_snp_page_reclaim page = { .paddr = __pa(addr) };

	if (psp_sim_snp && (psp_sim_command(SEV_CMD_SNP_PAGE_RECLAIM, &page, NULL) ||
			    psp_sim_rmp_to_host(page.paddr)))
		return;
	free_page((unsigned long)addr);
}
EXPORT_SYMBOL_GPL(snp_free_firmware_page);
#endif

#if SERIES_IS_AT_LEAST(7, 2)
int sev_firmware_supported_vm_types(void)
{
	return BIT(KVM_X86_SEV_VM) | BIT(KVM_X86_SEV_ES_VM) |
	       (psp_sim_snp ? BIT(KVM_X86_SNP_VM) : 0);
}
EXPORT_SYMBOL_GPL(sev_firmware_supported_vm_types);

u64 sev_get_snp_policy_bits(void)
{
	if (!psp_sim_snp)
		return 0;
	return SNP_POLICY_MASK_BASE | SNP_POLICY_MASK_CIPHERTEXT_HIDING_DRAM;
}
EXPORT_SYMBOL_GPL(sev_get_snp_policy_bits);

bool sev_is_snp_ciphertext_hiding_supported(void)
{
	return psp_sim_snp;
}
EXPORT_SYMBOL_GPL(sev_is_snp_ciphertext_hiding_supported);
#endif
