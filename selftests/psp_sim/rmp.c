// SPDX-License-Identifier: GPL-2.0
/*
 * The reverse map table: which guest a page of memory belongs to (AMD APM volume
 * 2, 15.36.3).  The processor keeps it and KVM changes it by instructions that do
 * not exist here, so the kernel's functions around them are answered by kprobes.
 *
 * The states are those that the firmware's interface tells apart (SEV-SNP ABI,
 * chapter 5), as far as KVM brings them about.  Each page has an entry of its own:
 * an assignment of 2 MiB is one of 512 pages.
 */
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/psp-sev.h>
#include <linux/xarray.h>

#include "probe_return.h"
#include "firmware.h"
#include "rmp.h"

/* By page frame number; none: the page is the host's own. */
static DEFINE_XARRAY(entries);

#define STATE_BITS 3

static unsigned long entry_value(enum page_state state, u32 asid)
{
	return (unsigned long)asid << STATE_BITS | state;
}

static unsigned long entry_get(u64 pfn)
{
	void *entry = xa_load(&entries, pfn);

	return entry ? xa_to_value(entry) : entry_value(HYPERVISOR, 0);
}

/* May not sleep: the probes come by here.  0 or negative errno. */
static int entry_set(u64 pfn, enum page_state state, u32 asid)
{
	if (state == HYPERVISOR)
		return xa_err(xa_erase(&entries, pfn));
	return xa_err(xa_store(&entries, pfn, xa_mk_value(entry_value(state, asid)), GFP_ATOMIC));
}

static enum page_state state_get(u64 pfn)
{
	return entry_get(pfn) & (BIT(STATE_BITS) - 1);
}

/* Only the firmware can take such a page out of its state. */
static bool is_immutable(u64 pfn)
{
	enum page_state state = state_get(pfn);

	return state == FIRMWARE || state == CONTEXT || state == PRE_GUEST;
}

int psp_sim_rmp_move(u64 address, u32 asid, enum page_state from, enum page_state to)
{
	u64 pfn = address >> PAGE_SHIFT;

	if (state_get(pfn) != from)
		return SEV_RET_INVALID_PAGE_STATE;
	if (entry_get(pfn) != entry_value(from, asid))
		return SEV_RET_INVALID_PAGE_OWNER;
	return entry_set(pfn, to, asid) ? SEV_RET_RESOURCE_LIMIT : 0;
}

int psp_sim_rmp_reclaim(u64 address)
{
	u64 pfn = address >> PAGE_SHIFT;
	enum page_state state = state_get(pfn);

	if (state != FIRMWARE && state != PRE_GUEST)
		return SEV_RET_INVALID_PAGE_STATE;
	return entry_set(pfn, RECLAIM, 0) ? SEV_RET_RESOURCE_LIMIT : 0;
}

int psp_sim_rmp_to_firmware(u64 address)
{
	return entry_set(address >> PAGE_SHIFT, FIRMWARE, 0);
}

int psp_sim_rmp_to_host(u64 address)
{
	if (is_immutable(address >> PAGE_SHIFT))
		return -EFAULT;
	return entry_set(address >> PAGE_SHIFT, HYPERVISOR, 0);
}

unsigned long psp_sim_rmp_count(u32 asid)
{
	unsigned long pfn, count = 0;
	void *entry;

	xa_for_each(&entries, pfn, entry)
		count += asid && xa_to_value(entry) >> STATE_BITS == asid;
	return count;
}

static unsigned int level_pages(enum pg_level level)
{
	return level == PG_LEVEL_2M ? PTRS_PER_PMD : 1;
}

/* int snp_lookup_rmpentry(u64 pfn, bool *assigned, int *level) */
static int lookup_pre(struct kprobe *probe, struct pt_regs *regs)
{
	*(bool *)regs->si = state_get(regs->di) != HYPERVISOR;
	*(int *)regs->dx = PG_LEVEL_4K;
	return probe_answer(regs, 0);
}

/* int rmp_make_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid, bool immutable) */
static int private_pre(struct kprobe *probe, struct pt_regs *regs)
{
	enum page_state state = (u8)regs->r8 ? PRE_GUEST : GUEST_OWNED;
	unsigned int i, pages = level_pages(regs->dx);
	u32 asid = regs->cx;
	int ret = 0;

	if (!asid)
		state = FIRMWARE;
	for (i = 0; !ret && i < pages; i++)
		ret = is_immutable(regs->di + i) ? -EFAULT : entry_set(regs->di + i, state, asid);
	return probe_answer(regs, ret);
}

/* int rmp_make_shared(u64 pfn, enum pg_level level) */
static int shared_pre(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int i, pages = level_pages(regs->si);
	int ret = 0;

	for (i = 0; !ret && i < pages; i++)
		ret = psp_sim_rmp_to_host((regs->di + i) << PAGE_SHIFT);
	return probe_answer(regs, ret);
}

/* int psmash(u64 pfn): there is nothing large to be split. */
static int psmash_pre(struct kprobe *probe, struct pt_regs *regs)
{
	return probe_answer(regs, 0);
}

#define ANSWER(symbol, pre) \
	{ .symbol_name = symbol, .pre_handler = pre, .post_handler = probe_post }

static struct kprobe probes[] = {
	ANSWER("snp_lookup_rmpentry", lookup_pre),
	ANSWER("rmp_make_private", private_pre),
	ANSWER("rmp_make_shared", shared_pre),
	ANSWER("psmash", psmash_pre),
};

static struct kprobe *probe_list[] = { &probes[0], &probes[1], &probes[2], &probes[3] };

int psp_sim_rmp_init(void)
{
	return register_kprobes(probe_list, ARRAY_SIZE(probe_list));
}

void psp_sim_rmp_exit(void)
{
	unregister_kprobes(probe_list, ARRAY_SIZE(probe_list));
	xa_destroy(&entries);
}
