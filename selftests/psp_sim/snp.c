// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware's commands for SEV-SNP (SEV-SNP ABI 1.55), and what tells the
 * kernel that its host side is on.  A guest is named by its context, a page that
 * the firmware was lent; its memory is checked against the reverse map table.
 */
#include <linux/cc_platform.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/psp-sev.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <asm/page.h>

#include "firmware.h"
#include "psp_sim.h"
#include "rmp.h"

#define POLICY_MUST_BE_ONE BIT_ULL(17)
#define SNP_INITIALISED 1

/* By page frame number of the context. */
static DEFINE_XARRAY(contexts);

struct guest *psp_sim_snp_guest(u64 context)
{
	return xa_load(&contexts, context >> PAGE_SHIFT);
}

void psp_sim_snp_platform_status(struct sev_user_data_snp_status *ret_status)
{
	*ret_status = (struct sev_user_data_snp_status) {
		.api_major = PSP_SIM_API_MAJOR,
		.api_minor = PSP_SIM_API_MINOR,
		.build_id = PSP_SIM_BUILD,
		.state = SNP_INITIALISED,
		.is_rmp_initialized = 1,
		.guest_count = psp_sim_guest_count(true),
	};
}

static int platform_status(struct guest *guest, void *data)
{
	const struct sev_data_snp_addr *to = data;

	psp_sim_snp_platform_status(__va(to->address));
	return 0;
}

static int df_flush(struct guest *guest, void *data)
{
	psp_sim_asids_flush();
	return 0;
}

static int context_create(struct guest *guest, void *data)
{
	const struct sev_data_snp_addr *page = data;
	int error = psp_sim_rmp_move(page->address, 0, FIRMWARE, CONTEXT);

	if (error)
		return error;
	guest = psp_sim_guest_create(true, INIT);
	if (guest && !xa_err(xa_store(&contexts, page->address >> PAGE_SHIFT, guest, GFP_KERNEL)))
		return 0;
	if (guest)
		psp_sim_guest_destroy(guest);
	psp_sim_rmp_move(page->address, 0, CONTEXT, FIRMWARE);
	return SEV_RET_RESOURCE_LIMIT;
}

static int launch_start(struct guest *guest, void *data)
{
	const struct sev_data_snp_launch_start *start = data;

	if (!(start->policy & POLICY_MUST_BE_ONE))
		return SEV_RET_POLICY_FAILURE;
	guest->policy = start->policy;
	return 0;
}

/* With ciphertext hiding, SEV-ES has the upper part of the range to itself. */
static int activate(struct guest *guest, void *data)
{
	const struct sev_data_snp_activate *activate = data;

	return psp_sim_asid_take(guest, activate->asid, 1,
				 psp_sim_max_snp_asid ?: psp_sim_min_sev_asid - 1);
}

static int launch_update(struct guest *guest, void *data)
{
	const struct sev_data_snp_launch_update *update = data;

	if (!guest->asid)
		return SEV_RET_INACTIVE;
	return psp_sim_rmp_move(update->address, guest->asid, PRE_GUEST, GUEST_OWNED);
}

static int page_reclaim(struct guest *guest, void *data)
{
	const struct sev_data_snp_page_reclaim *reclaim = data;

	return psp_sim_rmp_reclaim(reclaim->paddr);
}

static int decommission(struct guest *guest, void *data)
{
	const struct sev_data_snp_addr *page = data;
	int error = psp_sim_rmp_move(page->address, 0, CONTEXT, FIRMWARE);

	if (error)
		return error;
	if (guest->asid)
		psp_sim_asid_give(guest);
	xa_erase(&contexts, page->address >> PAGE_SHIFT);
	psp_sim_guest_destroy(guest);
	psp_sim_leak_may_follow();
	return 0;
}

static int no_effect(struct guest *guest, void *data)
{
	return 0;
}

static struct command commands[] = {
	PLATFORM(SNP_PLATFORM_STATUS, platform_status),
	PLATFORM(SNP_DF_FLUSH, df_flush),
	PLATFORM(SNP_GCTX_CREATE, context_create),
	PLATFORM(SNP_PAGE_RECLAIM, page_reclaim),
	GUEST(BY_CONTEXT, SNP_LAUNCH_START, BIT(INIT), LAUNCH, launch_start),
	GUEST(BY_CONTEXT, SNP_ACTIVATE, BIT(LAUNCH) | BIT(RUNNING), STAYS, activate),
	GUEST(BY_CONTEXT, SNP_LAUNCH_UPDATE, BIT(LAUNCH), STAYS, launch_update),
	GUEST(BY_CONTEXT, SNP_LAUNCH_FINISH, BIT(LAUNCH), RUNNING, no_effect),
	GUEST(BY_CONTEXT, SNP_DECOMMISSION, ANY, UNINIT, decommission),
};

const struct command_table psp_sim_snp_commands = { commands, ARRAY_SIZE(commands) };

/*
 * The kernel's own switch is not exported.  A kprobe, even one that is never
 * armed, knows where it is.
 */
static int host_switch(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	int ret = register_kprobe(&probe);

	if (ret)
		return ret;
	unregister_kprobe(&probe);
	((void (*)(enum cc_attr))probe.addr)(CC_ATTR_HOST_SEV_SNP);
	return 0;
}

/* Before kvm_amd is loaded, which asks once. */
int psp_sim_snp_init(void)
{
	int ret;

	if (!psp_sim_snp)
		return 0;
	ret = psp_sim_rmp_init();
	if (ret)
		return ret;
	ret = host_switch("cc_platform_set");
	if (!ret && !cc_platform_has(CC_ATTR_HOST_SEV_SNP))
		ret = -EOPNOTSUPP;
	if (ret)
		psp_sim_rmp_exit();
	return ret;
}

void psp_sim_snp_exit(void)
{
	if (!psp_sim_snp)
		return;
	host_switch("cc_platform_clear");
	psp_sim_rmp_exit();
	xa_destroy(&contexts);
}
