// SPDX-License-Identifier: GPL-2.0
/*
 * kvmward: states which guests, key slots and pinned pages a KVM host has. It
 * decides nothing and changes nothing.
 */
#include <linux/module.h>
#include <net/genetlink.h>
#include <linux/kvmward.h>

#include "host.h"
#include "module.h"
#include "netlink.h"
#include "notify.h"

static int __init kvmward_init(void)
{
	int ret;

	ret = kvmward_module_init();
	if (ret)
		return ret;
	kvmward_notify_init();
	ret = kvmward_netlink_init();
	if (ret)
		goto err_notify;
	return 0;

err_notify:
	kvmward_notify_exit();
	kvmward_module_exit();
	return ret;
}

static void __exit kvmward_exit(void)
{
	kvmward_notify_exit();	/* its events go to the family */
	kvmward_netlink_exit();
	kvmward_host_stop_psp();	/* which requests to the family have asked */
	kvmward_module_exit();
}

module_init(kvmward_init);
module_exit(kvmward_exit);

MODULE_DESCRIPTION("Facts about KVM guests, SEV key slots and pinned memory");
MODULE_AUTHOR("The kvmward authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(KVMWARD_FAMILY_NAME);
