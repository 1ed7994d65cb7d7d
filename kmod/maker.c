// SPDX-License-Identifier: GPL-2.0
/*
 * Who has made a guest, still known when it is destroyed. That happens where its
 * last file or reference is given up: in another thread, in a process that was
 * handed the file, in one that reads KVM's statistics, in a kernel thread, and
 * often when the maker has no mm left or is gone. Only kvm->mm tells, an address
 * that KVM keeps from being used again as long as the guest is there.
 *
 * So the process behind such an address is kept from when it took a slot, which
 * KVM lets none but the maker do. An entry outlives its guests; it is written
 * anew by whoever gets the address and takes a slot, before it is looked up for
 * a guest of his.
 */
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "guest.h"
#include "layout.h"
#include "maker.h"
#include "vm.h"

/* More than there are slots; those whose process is gone make room for others. */
#define ROOM 1024
#define ROOM_LEFT (ROOM / 4)

/* Guests being destroyed at a time; of any more the maker is not known. */
#define MAX_ENDING 512

struct known {
	u64 mm_id;			/* see struct kvmward_guest */
	u64 start_time_ns;
	u32 pid;
};

/* A call of sev_vm_destroy(). */
struct ending {
	struct hlist_node node;
	const struct task_struct *task;
	struct kvmward_maker maker;
};

static DEFINE_RAW_SPINLOCK(lock);	/* for all of these */
static struct known makers[ROOM];
static unsigned int maker_count;
static HLIST_HEAD(endings);		/* the latest first */

static void makers_sweep(struct work_struct *work);
static DECLARE_WORK(sweep_work, makers_sweep);

static DEFINE_MUTEX(watch_lock);
static bool watching;			/* the probes below are there */

static struct known *known_find(u64 mm_id)
{
	unsigned int i;

	for (i = 0; i < maker_count; i++)
		if (makers[i].mm_id == mm_id)
			return &makers[i];
	return NULL;
}

static void known_set(const struct known *known, bool anew)
{
	struct known *entry;
	unsigned long flags;
	bool sweep;

	raw_spin_lock_irqsave(&lock, flags);
	entry = known_find(known->mm_id);
	if (!entry && maker_count < ROOM)
		makers[maker_count++] = *known;
	else if (entry && anew)
		*entry = *known;
	sweep = maker_count > ROOM - ROOM_LEFT;
	raw_spin_unlock_irqrestore(&lock, flags);
	if (sweep)
		schedule_work(&sweep_work);
}

static bool process_there(const struct known *known)
{
	const struct task_struct *process;
	bool there;

	rcu_read_lock();
	process = pid_task(find_pid_ns(known->pid, &init_pid_ns), PIDTYPE_TGID);
	there = process && process->start_boottime == known->start_time_ns;
	rcu_read_unlock();
	return there;
}

/* A guest of a process that is gone may still be there: that is given up. */
static void makers_sweep(struct work_struct *work)
{
	unsigned int i = ROOM;

	while (i--) {
		raw_spin_lock_irq(&lock);
		if (i < maker_count && !process_there(&makers[i]))
			makers[i] = makers[--maker_count];
		raw_spin_unlock_irq(&lock);
	}
}

struct kvmward_maker kvmward_maker_learn(void)
{
	const struct known known = {
		.mm_id = (unsigned long)current->mm,
		.start_time_ns = current->group_leader->start_boottime,
		.pid = task_tgid_nr(current),
	};

	if (!current->mm || current->flags & PF_KTHREAD)
		return (struct kvmward_maker){ };
	known_set(&known, true);
	return (struct kvmward_maker){ kvmward_u32(known.pid), kvmward_u64(known.start_time_ns) };
}

void kvmward_maker_forget(void)
{
	struct ending *ending;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	maker_count = 0;
	hlist_for_each_entry(ending, &endings, node)
		ending->maker = (struct kvmward_maker){ };
	raw_spin_unlock_irqrestore(&lock, flags);
}

static int destroy_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct ending *ending = (struct ending *)instance->data;
	const struct kvm *kvm = (const struct kvm *)regs_get_kernel_argument(regs, 0);
	const struct known *known;
	unsigned long flags;

	*ending = (struct ending){ .task = current };
	raw_spin_lock_irqsave(&lock, flags);
	known = known_find(kvmward_vm_mm_id(kvm));
	if (known) {
		ending->maker.pid = kvmward_u32(known->pid);
		ending->maker.start_time_ns = kvmward_u64(known->start_time_ns);
	}
	hlist_add_head(&ending->node, &endings);
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int destroy_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct ending *ending = (struct ending *)instance->data;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	hlist_del(&ending->node);
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

/* The end of a mirror may be the end of the guest whose slot it shares. */
struct kvmward_maker kvmward_maker_ending(void)
{
	struct kvmward_maker maker = { };
	const struct ending *ending;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	hlist_for_each_entry(ending, &endings, node) {
		if (ending->task == current) {
			maker = ending->maker;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return maker;
}

/* A guest that moves into this process brings its slot along, uncharged. */
static int move_entry(struct kprobe *probe, struct pt_regs *regs)
{
	kvmward_maker_learn();
	return 0;
}

/* Registering leaves marks: each time begins with a fresh one. */
static struct kretprobe destroy_probe;
static const struct kretprobe new_destroy_probe = {
	.kp.symbol_name = "sev_vm_destroy",
	.entry_handler = destroy_entry,
	.handler = destroy_return,
	.data_size = sizeof(struct ending),
	.maxactive = MAX_ENDING,
};

static struct kprobe move_probe;
static const struct kprobe new_move_probe = {
	.symbol_name = "sev_vm_move_enc_context_from",
	.pre_handler = move_entry,
};

/* Without both, an entry could be somebody else's: then none is looked up. */
static bool probes_add(void)
{
	move_probe = new_move_probe;
	if (register_kprobe(&move_probe))
		return false;
	destroy_probe = new_destroy_probe;
	if (register_kretprobe(&destroy_probe)) {
		unregister_kprobe(&move_probe);
		return false;
	}
	return true;
}

/* Whatever is being destroyed at this moment returns unseen. */
static void probes_remove(void)
{
	unregister_kretprobe(&destroy_probe);
	unregister_kprobe(&move_probe);
	raw_spin_lock_irq(&lock);
	INIT_HLIST_HEAD(&endings);
	raw_spin_unlock_irq(&lock);
}

static void watch_begin(void)
{
	struct kvmward_layout layout;
	struct module *vendor;

	kvmward_layout_get(&layout, &vendor);
	mutex_lock(&watch_lock);
	if (!watching && layout.amd && layout.vm)
		watching = probes_add();
	mutex_unlock(&watch_lock);
	module_put(vendor);
}

/* No guest outlives KVM. */
static void watch_end(void)
{
	mutex_lock(&watch_lock);
	if (watching)
		probes_remove();
	watching = false;
	kvmward_maker_forget();
	mutex_unlock(&watch_lock);
}

/* Guests that were there before us; those seen to take a slot are known better. */
static void makers_seed(void)
{
	struct kvmward_snapshot snapshot;
	u32 i;

	if (kvmward_snapshot_take(&snapshot))
		return;
	for (i = 0; i < snapshot.guest_count; i++) {
		const struct kvmward_guest *guest = &snapshot.guests[i];
		const struct kvmward_holder *holder = &snapshot.holders[guest->holder];
		const struct known known = { guest->mm_id, holder->start_time_ns, holder->pid };

		if (guest->mm_id && kvmward_yes(guest->asid))
			known_set(&known, false);
	}
	kvmward_snapshot_done(&snapshot);
}

static int module_changed(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "kvm_amd"))
		return NOTIFY_DONE;
	if (state == MODULE_STATE_LIVE)
		watch_begin();
	else if (state == MODULE_STATE_GOING)
		watch_end();
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = { .notifier_call = module_changed };

void kvmward_maker_init(void)
{
	register_module_notifier(&module_nb);
	watch_begin();
	if (READ_ONCE(watching))
		makers_seed();
}

void kvmward_maker_exit(void)
{
	unregister_module_notifier(&module_nb);
	watch_end();
	cancel_work_sync(&sweep_work);
}
