// SPDX-License-Identifier: GPL-2.0
/*
 * Slots that are not given back.
 *
 * For SEV and SEV-ES kvm_amd ignores a failed DECOMMISSION and frees the slot all
 * the same; only for SEV-SNP does it keep ASID and charge for good.  Such a slot
 * looks the same from outside, whatever took it: charged, and no VM to go with
 * it.  Here the last step of giving a slot back, misc_cg_uncharge(), is left out.
 * (The ASID itself goes back to kvm_amd's bitmap, but as every slot is charged
 * before an ASID is looked for, the pool is smaller by one.)
 */
#include <linux/cgroup.h>
#include <linux/list.h>
#include <linux/misc_cgroup.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "probe_return.h"
#include "psp_sim.h"

struct leak {
	struct list_head list;
	enum misc_res_type type;
	struct misc_cg *cg;		/* holds a reference */
};

/* Protects all below; taken in a probe, where nothing may sleep. */
static DEFINE_RAW_SPINLOCK(leak_lock);
static LIST_HEAD(leaks);		/* charges that stayed */
static LIST_HEAD(wanted);		/* blank ones, for guests still to come */
static struct task_struct *giver;	/* whose next uncharge is left out */

void psp_sim_leak_may_follow(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&leak_lock, flags);
	if (!list_empty(&wanted))
		giver = current;
	raw_spin_unlock_irqrestore(&leak_lock, flags);
}

/* misc_cg_uncharge(enum misc_res_type type, struct misc_cg *cg, amount) */
static int uncharge_pre(struct kprobe *probe, struct pt_regs *regs)
{
	struct misc_cg *cg = (struct misc_cg *)regs->si;
	struct leak *leak = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&leak_lock, flags);
	if (giver == current) {
		giver = NULL;
		leak = list_first_entry_or_null(&wanted, struct leak, list);
	}
	if (leak) {
		leak->type = regs->di;
		leak->cg = cg;
		css_get(&cg->css);
		list_move_tail(&leak->list, &leaks);
	}
	raw_spin_unlock_irqrestore(&leak_lock, flags);
	return leak ? probe_answer(regs, 0) : 0;
}
NOKPROBE_SYMBOL(uncharge_pre);

static struct kprobe uncharge_probe = {
	.symbol_name = "misc_cg_uncharge",
	.pre_handler = uncharge_pre,
	.post_handler = probe_post,
};

static void leaks_give_back(void)
{
	struct leak *leak, *next;
	unsigned long flags;
	LIST_HEAD(gone);

	raw_spin_lock_irqsave(&leak_lock, flags);
	list_splice_init(&leaks, &gone);
	list_splice_init(&wanted, &gone);
	giver = NULL;
	raw_spin_unlock_irqrestore(&leak_lock, flags);

	list_for_each_entry_safe(leak, next, &gone, list) {
		if (leak->cg) {
			misc_cg_uncharge(leak->type, leak->cg, 1);
			put_misc_cg(leak->cg);
		}
		kfree(leak);
	}
}

void psp_sim_leak_next(unsigned int count)
{
	unsigned long flags;
	struct leak *leak;

	if (!count)
		leaks_give_back();
	/* No more than there can be guests. */
	for (count = min(count, psp_sim_max_asid); count; count--) {
		leak = kzalloc(sizeof(*leak), GFP_KERNEL);
		if (!leak)
			return;
		raw_spin_lock_irqsave(&leak_lock, flags);
		list_add_tail(&leak->list, &wanted);
		raw_spin_unlock_irqrestore(&leak_lock, flags);
	}
}

void psp_sim_show_leaks(struct seq_file *m)
{
	unsigned int sev = 0, sev_es = 0;
	unsigned long flags;
	struct leak *leak;

	raw_spin_lock_irqsave(&leak_lock, flags);
	list_for_each_entry(leak, &leaks, list) {
		if (leak->type == MISC_CG_RES_SEV)
			sev++;
		else
			sev_es++;
	}
	raw_spin_unlock_irqrestore(&leak_lock, flags);
	seq_printf(m, "sev %u\nsev_es %u\n", sev, sev_es);
}

int psp_sim_leak_init(void)
{
	return register_kprobe(&uncharge_probe);
}

void psp_sim_leak_exit(void)
{
	unregister_kprobe(&uncharge_probe);
	leaks_give_back();
}
