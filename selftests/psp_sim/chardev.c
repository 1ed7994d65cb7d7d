// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/sev: the queries that QEMU and libvirt make.  Everything that changes the
 * platform is refused.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/psp-sev.h>
#include <linux/uaccess.h>

#include "psp_sim.h"

/* Sizes of what real firmware hands out (SEV API 1.55, chapters 4 and 5). */
#define PDH_CERT_BYTES 2084
#define CERT_CHAIN_BYTES 6252
#define CHIP_ID_BYTES 64

static int refuse(struct sev_issue_cmd *cmd, u32 fw_error)
{
	cmd->error = fw_error;
	return -EIO;
}

static int platform_status(struct sev_issue_cmd *cmd)
{
	struct sev_user_data_status status;
	int fw_error = 0;
	int ret = psp_sim_command(SEV_CMD_PLATFORM_STATUS, &status, &fw_error);

	if (ret)
		return refuse(cmd, fw_error);
	if (copy_to_user((void __user *)(uintptr_t)cmd->data, &status, sizeof(status)))
		return -EFAULT;
	return 0;
}

static int pdh_cert_export(struct sev_issue_cmd *cmd)
{
	struct sev_user_data_pdh_cert_export __user *arg = (void __user *)(uintptr_t)cmd->data;
	struct sev_user_data_pdh_cert_export e;

	if (copy_from_user(&e, arg, sizeof(e)))
		return -EFAULT;
	if (e.pdh_cert_len < PDH_CERT_BYTES || e.cert_chain_len < CERT_CHAIN_BYTES) {
		e.pdh_cert_len = PDH_CERT_BYTES;
		e.cert_chain_len = CERT_CHAIN_BYTES;
		if (copy_to_user(arg, &e, sizeof(e)))
			return -EFAULT;
		return refuse(cmd, SEV_RET_INVALID_LEN);
	}
	if (clear_user((void __user *)(uintptr_t)e.pdh_cert_address, PDH_CERT_BYTES) ||
	    clear_user((void __user *)(uintptr_t)e.cert_chain_address, CERT_CHAIN_BYTES))
		return -EFAULT;
	return 0;
}

static int get_id2(struct sev_issue_cmd *cmd)
{
	struct sev_user_data_get_id2 __user *arg = (void __user *)(uintptr_t)cmd->data;
	struct sev_user_data_get_id2 id;
	bool fits;

	if (copy_from_user(&id, arg, sizeof(id)))
		return -EFAULT;
	fits = id.length >= CHIP_ID_BYTES;
	if (fits && clear_user((void __user *)(uintptr_t)id.address, CHIP_ID_BYTES))
		return -EFAULT;
	id.length = CHIP_ID_BYTES;
	if (copy_to_user(arg, &id, sizeof(id)))
		return -EFAULT;
	return fits ? 0 : refuse(cmd, SEV_RET_INVALID_LEN);
}

#ifdef PSP_SIM_HAS_SNP
static int snp_platform_status(struct sev_issue_cmd *cmd)
{
	struct sev_user_data_snp_status status;

	if (!psp_sim_snp)
		return -EINVAL;
	psp_sim_snp_platform_status(&status);
	if (copy_to_user((void __user *)(uintptr_t)cmd->data, &status, sizeof(status)))
		return -EFAULT;
	return 0;
}
#endif

static int issue(struct sev_issue_cmd *cmd)
{
	switch (cmd->cmd) {
	case SEV_PLATFORM_STATUS:
		return platform_status(cmd);
	case SEV_PDH_CERT_EXPORT:
		return pdh_cert_export(cmd);
	case SEV_GET_ID2:
		return get_id2(cmd);
#ifdef PSP_SIM_HAS_SNP
	case SNP_PLATFORM_STATUS:
		return snp_platform_status(cmd);
#endif
	default:
		return -EINVAL;
	}
}

static long sev_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct sev_issue_cmd cmd;
	int ret;

	if (request != SEV_ISSUE_CMD)
		return -EINVAL;
	if (copy_from_user(&cmd, user, sizeof(cmd)))
		return -EFAULT;
	cmd.error = 0;
	ret = issue(&cmd);
	if (copy_to_user(user, &cmd, sizeof(cmd)))
		return -EFAULT;
	return ret;
}

static const struct file_operations sev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sev_ioctl,
};

static struct miscdevice sev_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sev",
	.fops = &sev_fops,
	.mode = 0600,
};

bool psp_sim_chardev_is(const struct file *file)
{
	return file->f_op == &sev_fops;
}

int psp_sim_chardev_init(void)
{
	return misc_register(&sev_device);
}

void psp_sim_chardev_exit(void)
{
	misc_deregister(&sev_device);
}
