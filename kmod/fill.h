/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_FILL_H
#define KVMWARD_FILL_H

#include <linux/types.h>

struct kvmward_event;
struct kvmward_guest;
struct kvmward_host;
struct kvmward_slots;
struct kvmward_snapshot;
struct sk_buff;

/*
 * Put what is known of the object into a message, as uapi/kvmward.yaml has it. 0, or
 * -EMSGSIZE with the message half filled: it did not fit.
 */
int kvmward_fill_host(struct sk_buff *skb, const struct kvmward_host *host);
int kvmward_fill_slots(struct sk_buff *skb, u32 pool, const struct kvmward_slots *slots);
int kvmward_fill_guest(struct sk_buff *skb, const struct kvmward_snapshot *snapshot,
		       const struct kvmward_guest *guest);

/* slots NULL: which pool it was is not known. */
int kvmward_fill_event(struct sk_buff *skb, const struct kvmward_event *event,
		       const struct kvmward_slots *slots);

#endif
