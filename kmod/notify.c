// SPDX-License-Identifier: GPL-2.0
/*
 * Slots that are taken and given back. KVM charges each to the misc controller
 * (sev_asid_new() and sev_asid_free() in arch/x86/kvm/svm/sev.c), so return
 * probes on the two functions of that see every change, and never run on a
 * guest's path.
 *
 * A probe only notes the event in a ring. Messages are built in a work, one
 * after the other in the order of the ring; nothing is noted when nobody
 * listens. What is lost on the way, the listeners are told of.
 */
#include <linux/kprobes.h>
#include <linux/misc_cgroup.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/kvmward.h>

#include "host.h"
#include "maker.h"
#include "netlink.h"
#include "notify.h"
#include "slots.h"

#if IS_ENABLED(CONFIG_KRETPROBES) && IS_ENABLED(CONFIG_CGROUP_MISC) && \
	IS_ENABLED(CONFIG_KVM_AMD_SEV)

/* All slots of the largest processor at once, and the next ones meanwhile. */
#define RING_SIZE 1024

/* Calls of one function at a time; none of them sleeps. */
#define MAX_ACTIVE 128

static DEFINE_RAW_SPINLOCK(ring_lock);
static struct {
	struct kvmward_event events[RING_SIZE];
	unsigned int head, tail;	/* of those not sent: [tail, head) */
	bool lost;			/* there was no room for one */
} ring;

static void events_send(struct work_struct *work);
static DECLARE_WORK(send_work, events_send);

static struct kretprobe charge_probe, uncharge_probe;
static struct kretprobe *probes[] = { &charge_probe, &uncharge_probe };

/* What a probed function was called with. */
struct call {
	enum misc_res_type type;
	struct misc_cg *cg;
	s32 amount;
};

static const char *refused = "the module is not ready";

static DEFINE_MUTEX(trial_lock);
static const struct task_struct *trial_task;
static unsigned int trial_hits;

static u32 pool_of(enum misc_res_type type)
{
	return type == MISC_CG_RES_SEV ? KVMWARD_SLOT_POOL_SEV : KVMWARD_SLOT_POOL_SEV_ES;
}

/*
 * The count is read under the lock: whatever comes later in the ring has a count
 * that was read later. It may hold a charge that is just being refused elsewhere:
 * the root's usage goes up before the refusal, and down again without an event.
 */
static void event_note(struct kvmward_event *event, const struct misc_cg *cg)
{
	unsigned long flags;

	if (!kvmward_netlink_heard())
		return;
	raw_spin_lock_irqsave(&ring_lock, flags);
	event->charged = kvmward_slots_charged(cg, event->pool);
	if (ring.head - ring.tail < RING_SIZE)
		ring.events[ring.head++ % RING_SIZE] = *event;
	else
		ring.lost = true;
	raw_spin_unlock_irqrestore(&ring_lock, flags);
	schedule_work(&send_work);
}

static bool ring_pop(struct kvmward_event *ret_event)
{
	bool there;

	raw_spin_lock_irq(&ring_lock);
	there = ring.head != ring.tail;
	if (there)
		*ret_event = ring.events[ring.tail++ % RING_SIZE];
	raw_spin_unlock_irq(&ring_lock);
	return there;
}

static bool ring_lost(void)
{
	bool lost;

	raw_spin_lock_irq(&ring_lock);
	lost = ring.lost;
	ring.lost = false;
	raw_spin_unlock_irq(&ring_lock);
	return lost;
}

/* Were there calls that the probes have not seen, since it was last asked of *seen? */
static bool calls_missed(unsigned long *seen)
{
	unsigned long missed = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		missed += READ_ONCE(probes[i]->nmissed) + READ_ONCE(probes[i]->kp.nmissed);
	if (missed == READ_ONCE(*seen))
		return false;
	WRITE_ONCE(*seen, missed);
	return true;
}

/* Who takes a slot unseen may have the address of a maker that is gone. */
static void makers_check(void)
{
	static unsigned long seen;

	if (calls_missed(&seen))
		kvmward_maker_forget();
}

static int call_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;

	call->type = regs_get_kernel_argument(regs, 0);
	call->cg = (struct misc_cg *)regs_get_kernel_argument(regs, 1);
	call->amount = regs_get_kernel_argument(regs, 2);
	if (!call->cg && READ_ONCE(trial_task) == current)
		trial_hits++;
	if (call->type != MISC_CG_RES_SEV && call->type != MISC_CG_RES_SEV_ES)
		return 1;
	return !call->cg || !call->amount;
}

/* The caller keeps the cgroup at least until the function has returned. */
static int charge_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;
	struct kvmward_event event = { .pool = pool_of(call->type), .change = call->amount };

	if ((int)regs_return_value(regs))
		return 0;
	makers_check();
	event.maker = kvmward_maker_learn();
	event_note(&event, call->cg);
	return 0;
}

static int uncharge_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;
	struct kvmward_event event = { .pool = pool_of(call->type), .change = -call->amount };

	makers_check();
	event.maker = kvmward_maker_ending();
	event_note(&event, call->cg);
	return 0;
}

static struct kretprobe charge_probe = {
	.kp.symbol_name = "misc_cg_try_charge",
	.entry_handler = call_entry,
	.handler = charge_return,
	.data_size = sizeof(struct call),
	.maxactive = MAX_ACTIVE,
};

static struct kretprobe uncharge_probe = {
	.kp.symbol_name = "misc_cg_uncharge",
	.entry_handler = call_entry,
	.handler = uncharge_return,
	.data_size = sizeof(struct call),
	.maxactive = MAX_ACTIVE,
};

static void events_send(struct work_struct *work)
{
	static unsigned long seen;
	struct kvmward_slots pools[KVMWARD_POOLS] = { };
	struct kvmward_event event;
	struct kvmward_host host;
	bool split, unknown, lost = false;

	kvmward_host_read(&host);
	kvmward_slots_ranges(&host, pools);
	split = kvmward_slots_split(&host);
	while (ring_pop(&event)) {
		/*
		 * Told before anything that comes after the gap; and again at the end,
		 * as what comes now may be older than what was asked for meanwhile.
		 */
		if (ring_lost()) {
			kvmward_netlink_lost();
			lost = true;
		}
		pools[event.pool].charged = event.charged;
		/* Of SEV-ES or of SNP: the kernel charges both alike. */
		unknown = split && event.pool == KVMWARD_SLOT_POOL_SEV_ES;
		if (kvmward_netlink_event(&event, unknown ? NULL : &pools[event.pool]))
			lost = true;
	}
	if (calls_missed(&seen) || lost)
		kvmward_netlink_lost();
}

/*
 * Probes can be switched off for the whole kernel behind their owners' backs
 * (kprobes/enabled in debugfs, kernel.ftrace_enabled). So the two functions are
 * called with nothing to charge: they do nothing, and each probe must see it.
 */
static bool probes_work(void)
{
	bool work;

	mutex_lock(&trial_lock);
	trial_hits = 0;
	WRITE_ONCE(trial_task, current);
	misc_cg_try_charge(MISC_CG_RES_SEV, NULL, 0);
	misc_cg_uncharge(MISC_CG_RES_SEV, NULL, 0);
	WRITE_ONCE(trial_task, NULL);
	work = trial_hits == ARRAY_SIZE(probes);
	mutex_unlock(&trial_lock);
	return work;
}

void kvmward_notify_init(void)
{
	if (!kvmward_netlink_group_there()) {
		refused = "this kernel cannot keep a multicast group from other users";
		return;
	}
	if (register_kretprobes(probes, ARRAY_SIZE(probes))) {
		refused = "the kernel refuses probes on the misc controller";
		return;
	}
	kvmward_maker_init();
	refused = NULL;
}

void kvmward_notify_exit(void)
{
	if (refused)
		return;
	refused = "the module is being removed";
	unregister_kretprobes(probes, ARRAY_SIZE(probes));
	cancel_work_sync(&send_work);
	kvmward_maker_exit();
	kvmward_netlink_lost();
}

const char *kvmward_notify_reason(void)
{
	const char *reason = READ_ONCE(refused);

	if (reason || probes_work())
		return reason;
	kvmward_maker_forget();
	return "probes are switched off in this kernel";
}

#else

void kvmward_notify_init(void) { }
void kvmward_notify_exit(void) { }

const char *kvmward_notify_reason(void)
{
	if (!IS_ENABLED(CONFIG_KVM_AMD_SEV))
		return "this kernel has no SEV";
	if (!IS_ENABLED(CONFIG_CGROUP_MISC))
		return "this kernel has no misc cgroup";
	return "this kernel has no probes";
}

#endif
