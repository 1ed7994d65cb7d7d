// SPDX-License-Identifier: GPL-2.0
/*
 * What the SEV firmware says of itself, by way of its driver, ccp. A command may
 * take it seconds, or for ever, and who asks holds a lock of generic netlink. So a
 * work asks, and who wants to know waits for that no longer than a moment.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/psp-sev.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "host.h"

#define PSP_INTERVAL (HZ / 10)
#define PSP_PATIENCE (HZ / 4)

static void psp_work(struct work_struct *work);
static DECLARE_WORK(ask_work, psp_work);

static DEFINE_SPINLOCK(psp_lock);
static DECLARE_WAIT_QUEUE_HEAD(answered);
static struct {
	struct sev_user_data_status status;
	unsigned long expires;		/* jiffies */
	unsigned int answers;		/* so far; wraps */
	bool known;
} psp;

/*
 * symbol_get() only finds the driver when it is there already; a plain call
 * would make depmod load it with us. The buffer must not lie on a stack that is
 * mapped by pages: the driver asks for its physical address.
 */
static bool psp_ask(struct sev_user_data_status *ret_status)
{
	int (*platform_status)(struct sev_user_data_status *data, int *error) =
		symbol_get(sev_platform_status);
	struct sev_user_data_status *status;
	int error, ret;

	if (!platform_status)
		return false;
	status = kzalloc(sizeof(*status), GFP_KERNEL);
	ret = status ? platform_status(status, &error) : -ENOMEM;
	symbol_put(sev_platform_status);
	if (!ret)
		*ret_status = *status;
	kfree(status);
	return !ret;
}

static bool is_fresh(unsigned int *ret_answers)
{
	bool fresh;

	spin_lock(&psp_lock);
	*ret_answers = psp.answers;
	fresh = psp.answers && time_before_eq(jiffies, psp.expires);
	spin_unlock(&psp_lock);
	return fresh;
}

/* It may have been asked for again while it ran. */
static void psp_work(struct work_struct *work)
{
	struct sev_user_data_status status = { };
	unsigned int answers;
	bool known;

	if (is_fresh(&answers))
		return;
	known = psp_ask(&status);
	spin_lock(&psp_lock);
	psp.status = status;
	psp.known = known;
	psp.expires = jiffies + PSP_INTERVAL;
	psp.answers++;
	spin_unlock(&psp_lock);
	wake_up_all(&answered);
}

void kvmward_host_read_psp(struct kvmward_host *host)
{
	unsigned int before;

	if (!is_fresh(&before)) {
		queue_work(system_long_wq, &ask_work);
		if (wait_event_killable_timeout(answered, READ_ONCE(psp.answers) != before,
						PSP_PATIENCE) <= 0)
			return;
	}
	spin_lock(&psp_lock);
	if (psp.known) {
		host->psp_state = kvmward_u32(psp.status.state);
		host->psp_api_major = kvmward_u32(psp.status.api_major);
		host->psp_api_minor = kvmward_u32(psp.status.api_minor);
		host->psp_build = kvmward_u32(psp.status.build);
		host->psp_guest_count = kvmward_u32(psp.status.guest_count);
	}
	spin_unlock(&psp_lock);
}

void kvmward_host_stop_psp(void)
{
	cancel_work_sync(&ask_work);
}
