// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "kvmward": uapi/kvmward.yaml in C. All facts of an
 * answer are gathered before its first message is begun; a dump keeps its own
 * copy until it is through or its socket is closed.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <net/genetlink.h>
#include <linux/kvmward.h>

#include "compat.h"
#include "fill.h"
#include "guest.h"
#include "host.h"
#include "netlink.h"
#include "notify.h"
#include "slots.h"

/* How old an answer to those without rights may be. */
#define SHARED_INTERVAL (HZ / 10)

static struct genl_family family;

/* For commands without attributes: without a policy any would be accepted. */
static const struct nla_policy no_attrs[] = {
	[1] = { .type = NLA_REJECT, .reject_message = "this command takes no attributes" },
};

static const struct nla_policy host_attrs[KVMWARD_A_HOST_WITHOUT_PSP + 1] = {
	[KVMWARD_A_HOST_WITHOUT_PSP] = { .type = NLA_FLAG },
};

static const struct nla_policy guest_attrs[KVMWARD_A_GUEST_PID + 1] = {
	[KVMWARD_A_GUEST_PID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Begins the answer to a do; the caller ends it with reply_send(). */
static int reply_begin(struct genl_info *info, struct sk_buff **ret_skb, void **ret_hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &family, 0, info->genlhdr->cmd);
	if (!hdr) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	*ret_skb = skb;
	*ret_hdr = hdr;
	return 0;
}

/* Sends it, or drops it when filling it gave an error. */
static int reply_send(struct genl_info *info, struct sk_buff *skb, void *hdr, int error)
{
	if (error) {
		nlmsg_free(skb);
		return error;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int host_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kvmward_host host;
	struct sk_buff *reply;
	void *hdr;
	int ret;

	kvmward_host_read(&host);
	if (!info->attrs[KVMWARD_A_HOST_WITHOUT_PSP])
		kvmward_host_read_psp(&host);
	host.slot_events_reason = kvmward_notify_reason();
	host.slot_events = !host.slot_events_reason;
	ret = reply_begin(info, &reply, &hdr);
	if (ret)
		return ret;
	return reply_send(info, reply, hdr, kvmward_fill_host(reply, &host));
}

/* What kvmward_snapshot_take() has returned, with words for it. */
static int snapshot_explain(int ret, struct netlink_ext_ack *extack)
{
	if (ret == -EAGAIN)
		NL_SET_ERR_MSG(extack, "guests come faster than they can be counted: try again");
	else if (ret == -ENFILE)
		NL_SET_ERR_MSG(extack, "too many open files on this host: see the kernel's log");
	return ret;
}

static const struct kvmward_guest *guest_find(const struct kvmward_snapshot *snapshot, u32 pid)
{
	u32 i;

	for (i = 0; i < snapshot->guest_count; i++) {
		const struct kvmward_guest *guest = &snapshot->guests[i];

		if (snapshot->holders[guest->holder].pid == pid)
			return guest;
	}
	return NULL;
}

static int guest_reply(struct genl_info *info, const struct kvmward_snapshot *snapshot)
{
	struct nlattr *pid = info->attrs[KVMWARD_A_GUEST_PID];
	const struct kvmward_guest *guest = guest_find(snapshot, nla_get_u32(pid));
	struct sk_buff *reply;
	void *hdr;
	int ret;

	if (!guest) {
		NL_SET_ERR_MSG_ATTR(info->extack, pid, "no process of that pid holds a guest");
		return -ESRCH;
	}
	ret = reply_begin(info, &reply, &hdr);
	if (ret)
		return ret;
	return reply_send(info, reply, hdr, kvmward_fill_guest(reply, snapshot, guest));
}

static int guest_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kvmward_snapshot snapshot;
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, KVMWARD_A_GUEST_PID)) {
		NL_SET_ERR_MSG(info->extack, "pid is missing: give one, or ask for a dump");
		return -EINVAL;
	}
	ret = snapshot_explain(kvmward_snapshot_take(&snapshot), info->extack);
	if (ret)
		return ret;
	ret = guest_reply(info, &snapshot);
	kvmward_snapshot_done(&snapshot);
	return ret;
}

/* What a dump keeps in its callback between messages. */
struct guest_dump {
	struct kvmward_snapshot snapshot;
	u32 next;
};

struct pools {
	struct kvmward_slots pool[KVMWARD_POOLS];
	u32 count;
};

struct slot_dump {
	struct pools pools;
	u32 next;
};

#define dump_ctx(cb, type) (*(type **)(cb)->ctx)

static void *dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
			   NLM_F_MULTI, cmd);
}

/* A message that does not even fit alone must not look like the end of the dump. */
static int dump_stop(const struct sk_buff *skb)
{
	return skb->len ? skb->len : -EMSGSIZE;
}

static int guest_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = kvmward_dump_attrs(cb);
	struct guest_dump *dump;
	int ret;

	if (attrs && attrs[KVMWARD_A_GUEST_PID]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[KVMWARD_A_GUEST_PID],
				    "a dump takes no pid");
		return -EINVAL;
	}
	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	ret = snapshot_explain(kvmward_snapshot_take(&dump->snapshot), cb->extack);
	if (ret) {
		kfree(dump);
		return ret;
	}
	dump_ctx(cb, struct guest_dump) = dump;
	return 0;
}

static int guest_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct guest_dump *dump = dump_ctx(cb, struct guest_dump);
	const struct kvmward_snapshot *snapshot = &dump->snapshot;

	for (; dump->next < snapshot->guest_count; dump->next++) {
		void *hdr = dump_put(skb, cb, KVMWARD_CMD_GUEST_GET);

		if (!hdr)
			return dump_stop(skb);
		if (kvmward_fill_guest(skb, snapshot, &snapshot->guests[dump->next])) {
			genlmsg_cancel(skb, hdr);
			return dump_stop(skb);
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

static int guest_done(struct netlink_callback *cb)
{
	struct guest_dump *dump = dump_ctx(cb, struct guest_dump);

	kvmward_snapshot_done(&dump->snapshot);
	kfree(dump);
	return 0;
}

/* On failure *ret_pools is untouched. */
static int pools_read(struct pools *ret_pools)
{
	struct kvmward_snapshot snapshot;
	struct kvmward_host host;
	int ret = kvmward_snapshot_take(&snapshot);

	if (ret)
		return ret;
	kvmward_host_read(&host);
	kvmward_slots_read(&host, &snapshot, ret_pools->pool);
	ret_pools->count = kvmward_slots_split(&host) ? KVMWARD_POOLS : KVMWARD_SLOT_POOL_SNP;
	kvmward_snapshot_done(&snapshot);
	return 0;
}

/* What those without rights share; its lock is taken before that of a pass. */
static DEFINE_MUTEX(shared_lock);
static struct {
	bool there;
	int error;			/* what the last pass came to; 0: to these pools */
	struct pools pools;
	unsigned long expires;		/* jiffies */
} shared;

/*
 * Each pass waits for those asked for before it. So of all who have no say only one
 * at a time asks for any: many of them cannot hold up who decides by what he is told.
 */
static int pools_read_shared(struct pools *ret_pools)
{
	unsigned long begun;
	int ret = mutex_lock_killable(&shared_lock);

	if (ret)
		return ret;
	begun = jiffies;
	if (!shared.there || time_after(begun, shared.expires)) {
		shared.error = pools_read(&shared.pools);
		/* Any other error may be the asker's own: a signal, a limit of memory. */
		shared.there = !shared.error || shared.error == -ENFILE ||
			       shared.error == -EAGAIN;
		shared.expires = begun + SHARED_INTERVAL;
	}
	ret = shared.error;
	*ret_pools = shared.pools;
	mutex_unlock(&shared_lock);
	return ret;
}

static int slot_start(struct netlink_callback *cb)
{
	struct slot_dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	int ret;

	if (!dump)
		return -ENOMEM;
	if (netlink_capable(cb->skb, CAP_NET_ADMIN))
		ret = pools_read(&dump->pools);
	else
		ret = pools_read_shared(&dump->pools);
	if (ret) {
		kfree(dump);
		return snapshot_explain(ret, cb->extack);
	}
	dump_ctx(cb, struct slot_dump) = dump;
	return 0;
}

static int slot_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct slot_dump *dump = dump_ctx(cb, struct slot_dump);

	for (; dump->next < dump->pools.count; dump->next++) {
		void *hdr = dump_put(skb, cb, KVMWARD_CMD_SLOT_GET);

		if (!hdr)
			return dump_stop(skb);
		if (kvmward_fill_slots(skb, dump->next, &dump->pools.pool[dump->next])) {
			genlmsg_cancel(skb, hdr);
			return dump_stop(skb);
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

static int slot_done(struct netlink_callback *cb)
{
	kfree(dump_ctx(cb, struct slot_dump));
	return 0;
}

enum { GROUP_SLOTS };

/*
 * Rights are looked at when a group is joined. One that no family has yet is
 * anybody's, and the kernel has no means to drop its members: the YAML tells.
 */
static const struct genl_multicast_group groups[] = {
	[GROUP_SLOTS] = { .name = KVMWARD_MCGRP_SLOTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

/* Small, as each is charged to the buffers of all who listen: eight numbers. */
#define EVENT_SIZE (8 * nla_total_size(sizeof(u64)))

/* There are probes before there is a family. */
static bool group_ready;

bool kvmward_netlink_group_there(void)
{
	return kvmward_groups_guarded;
}

bool kvmward_netlink_heard(void)
{
	return smp_load_acquire(&group_ready) &&
	       genl_has_listeners(&family, &init_net, GROUP_SLOTS);
}

int kvmward_netlink_event(const struct kvmward_event *event, const struct kvmward_slots *slots)
{
	struct sk_buff *skb = genlmsg_new(EVENT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &family, 0, KVMWARD_CMD_SLOT_NTF);
	if (!hdr || kvmward_fill_event(skb, event, slots)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	/* An error says that nobody listens any more, or was told already. */
	genlmsg_multicast(&family, skb, 0, GROUP_SLOTS, GFP_KERNEL);
	return 0;
}

void kvmward_netlink_lost(void)
{
	if (group_ready)
		genl_set_err(&family, &init_net, 0, GROUP_SLOTS, -ENOBUFS);
}

static const struct genl_ops ops[] = {
	{
		.cmd = KVMWARD_CMD_HOST_GET,
		.doit = host_doit,
		.policy = host_attrs,
		.maxattr = ARRAY_SIZE(host_attrs) - 1,
	},
	{
		.cmd = KVMWARD_CMD_SLOT_GET,
		.start = slot_start,
		.dumpit = slot_dumpit,
		.done = slot_done,
		.policy = no_attrs,
		.maxattr = ARRAY_SIZE(no_attrs) - 1,
	},
	{
		.cmd = KVMWARD_CMD_GUEST_GET,
		.flags = GENL_ADMIN_PERM,
		.doit = guest_doit,
		.start = guest_start,
		.dumpit = guest_dumpit,
		.done = guest_done,
		.policy = guest_attrs,
		.maxattr = ARRAY_SIZE(guest_attrs) - 1,
	},
};

/* parallel_ops: what waits here must not hold up other families' requests. */
static struct genl_family family __ro_after_init = {
	.name = KVMWARD_FAMILY_NAME,
	.version = KVMWARD_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = false,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = kvmward_groups_guarded ? ARRAY_SIZE(groups) : 0,
};

int __init kvmward_netlink_init(void)
{
	int ret;

	BUILD_BUG_ON(sizeof(void *) > sizeof_field(struct netlink_callback, ctx));
	ret = genl_register_family(&family);
	if (ret || !family.n_mcgrps)
		return ret;
	/* Whoever has been quick enough to listen before may have missed one. */
	smp_store_release(&group_ready, true);
	kvmward_netlink_lost();
	return 0;
}

void kvmward_netlink_exit(void)
{
	genl_unregister_family(&family);
}
