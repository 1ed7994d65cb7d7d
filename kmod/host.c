// SPDX-License-Identifier: GPL-2.0
/*
 * What the host offers to guests. The processor's part is in host_x86.c and
 * host_power.c.
 */
#include <linux/module.h>
#include <linux/kvmward.h>

#include "host.h"
#include "layout.h"
#include "module.h"

static void facts_source_read(struct kvmward_host *host)
{
	struct kvmward_layout layout;
	struct module *vendor;

	kvmward_layout_get(&layout, &vendor);
	module_put(vendor);
	host->facts_source = layout.sev ? KVMWARD_FACTS_SOURCE_BTF : KVMWARD_FACTS_SOURCE_NONE;
	host->facts_reason = layout.reason;
}

void kvmward_host_read(struct kvmward_host *ret_host)
{
	struct kvmward_host host = { };
	struct module *vendor;

	kvmward_host_read_cpu(&host);
	host.kvm_loaded = kvmward_module_loaded("kvm");
	host.kvm_vendor_module = kvmward_module_get_any(kvmward_kvm_modules, &vendor);
	module_put(vendor);
	host.vhost_net_loaded = kvmward_module_loaded("vhost_net");
	facts_source_read(&host);
	*ret_host = host;
}
