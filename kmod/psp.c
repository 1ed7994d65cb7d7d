// SPDX-License-Identifier: GPL-2.0
/* What the SEV firmware says of itself, by way of its driver, ccp. */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/psp-sev.h>
#include <linux/slab.h>

#include "host.h"

#define PSP_INTERVAL (HZ / 10)

static DEFINE_MUTEX(psp_lock);
static struct {
	struct sev_user_data_status status;
	unsigned long expires;		/* jiffies */
	bool asked, known;
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

void kvmward_host_read_psp(struct kvmward_host *host)
{
	mutex_lock(&psp_lock);
	if (!psp.asked || time_after(jiffies, psp.expires)) {
		psp.known = psp_ask(&psp.status);
		psp.asked = true;
		psp.expires = jiffies + PSP_INTERVAL;
	}
	if (psp.known) {
		host->psp_state = kvmward_u32(psp.status.state);
		host->psp_api_major = kvmward_u32(psp.status.api_major);
		host->psp_api_minor = kvmward_u32(psp.status.api_minor);
		host->psp_build = kvmward_u32(psp.status.build);
		host->psp_guest_count = kvmward_u32(psp.status.guest_count);
	}
	mutex_unlock(&psp_lock);
}
