// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "psp_sim.h"

unsigned int psp_sim_max_asid = 15;
module_param_named(max_asid, psp_sim_max_asid, uint, 0444);
MODULE_PARM_DESC(max_asid, "highest ASID (CPUID 0x8000001f ECX)");

unsigned int psp_sim_min_sev_asid = 6;
module_param_named(min_sev_asid, psp_sim_min_sev_asid, uint, 0444);
MODULE_PARM_DESC(min_sev_asid, "lowest ASID of a plain SEV guest (CPUID 0x8000001f EDX)");

unsigned int psp_sim_cbit = 51;
module_param_named(cbit, psp_sim_cbit, uint, 0444);
MODULE_PARM_DESC(cbit, "position of the C-bit as the kernel sees it");

bool psp_sim_snp;
module_param_named(snp, psp_sim_snp, bool, 0444);
MODULE_PARM_DESC(snp, "simulate SEV-SNP too, where the kernel has it");

unsigned int psp_sim_max_snp_asid;

static int __init psp_sim_init(void)
{
	int ret;

	ret = psp_sim_firmware_init();
	if (ret)
		return ret;
	ret = psp_sim_leak_init();
	if (ret)
		goto firmware_exit;
	ret = psp_sim_chardev_init();
	if (ret)
		goto leak_exit;
	ret = psp_sim_snp_init();
	if (ret)
		goto chardev_exit;
	ret = psp_sim_cpu_init();
	if (ret)
		goto snp_exit;
	psp_sim_debugfs_init();
	return 0;

snp_exit:
	psp_sim_snp_exit();
chardev_exit:
	psp_sim_chardev_exit();
leak_exit:
	psp_sim_leak_exit();
firmware_exit:
	psp_sim_firmware_exit();
	return ret;
}

static void __exit psp_sim_exit(void)
{
	psp_sim_debugfs_exit();
	psp_sim_cpu_exit();
	psp_sim_snp_exit();
	psp_sim_chardev_exit();
	psp_sim_leak_exit();
	psp_sim_firmware_exit();
}

module_init(psp_sim_init);
module_exit(psp_sim_exit);
MODULE_DESCRIPTION("Simulated AMD security processor (tests only)");
MODULE_LICENSE("GPL");
