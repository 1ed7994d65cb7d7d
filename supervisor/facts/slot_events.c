/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/slot_events.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/kvmward.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "facts/decode.h"
#include "facts/family.h"
#include "facts/queue.h"

/* The largest that the controller sends are families with very many commands. */
#define DATAGRAM_BYTES (32 * 1024)

struct kw_slot_events {
	struct nl_sock *socket;
	int family;		/* number of the module's; 0: not there, as far as we know */
	int join_error;		/* 0: in its group */
	bool asking;		/* a list of all families is on its way */
	bool ask_again;		/* news were lost since it was asked for */
	bool listed;		/* the family has been seen since then */
};

/* What the messages of one drain come to. */
struct drain {
	struct kw_slot_events *events;
	struct kw_slot_news news;
	void (*tell)(const struct kw_slot_event *event, void *data);
	void *data;
};

KW_CLEANUP_OF(struct nl_msg, nlmsg_free);
KW_CLEANUP_OF(struct kw_slot_events, kw_slot_events_close);

static int join(struct nl_sock *socket, uint32_t group)
{
	if (!group)
		return -EOPNOTSUPP;
	if (setsockopt(nl_socket_get_fd(socket), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)) < 0)
		return -errno;
	return 0;
}

/*
 * Asks for all families, since to ask for one by name would make the kernel
 * load the module: listening must not undo an administrator's rmmod.
 */
static void ask_for_families(struct kw_slot_events *events)
{
	_cleanup_(nlmsg_free_at) struct nl_msg *message = NULL;

	events->ask_again = events->asking;
	if (events->asking)
		return;
	message = nlmsg_alloc();
	if (!message || !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, GENL_ID_CTRL, 0,
				     NLM_F_DUMP, CTRL_CMD_GETFAMILY, 1))
		return;
	events->listed = false;
	events->asking = nl_send_auto(events->socket, message) >= 0;
}

/* A module that comes back has a new group with nobody in it; to join twice does no harm. */
static void family_came(struct drain *drain, const struct kw_family *family)
{
	struct kw_slot_events *events = drain->events;
	int error = join(events->socket, family->group);

	drain->news.module |= events->family != family->id || events->join_error != error;
	events->family = family->id;
	events->join_error = error;
	events->listed = true;
}

static void family_went(struct drain *drain)
{
	drain->news.module |= drain->events->family != 0;
	drain->events->family = 0;
	drain->events->join_error = -ENOENT;
	drain->events->listed = false;
}

static void take_control(struct drain *drain, const struct nlmsghdr *message, size_t length)
{
	struct kw_family family;

	if (kw_family_decode(message, length, KVMWARD_MCGRP_SLOTS, &family) ||
	    strcmp(family.name, KVMWARD_FAMILY_NAME))
		return;
	if (family.there)
		family_came(drain, &family);
	else
		family_went(drain);
}

/* What we cannot read is a reason to look as well. */
static void take_event(struct drain *drain, const struct nlmsghdr *message, size_t length)
{
	struct kw_slot_event event;

	drain->news.slots = true;
	if (!kw_decode_slot_event(message, length, &event) && drain->tell)
		drain->tell(&event, drain->data);
}

/* The list of families has ended; an error ends it as well. */
static void take_end(struct drain *drain)
{
	struct kw_slot_events *events = drain->events;

	if (!events->asking)
		return;
	events->asking = false;
	if (!events->listed)
		family_went(drain);
	if (events->ask_again)
		ask_for_families(events);
}

static void take_message(struct drain *drain, const struct nlmsghdr *message, size_t length)
{
	switch (message->nlmsg_type) {
	case NLMSG_DONE:
	case NLMSG_ERROR:
		take_end(drain);
		break;
	case GENL_ID_CTRL:
		take_control(drain, message, length);
		break;
	default:
		if (message->nlmsg_type == drain->events->family)
			take_event(drain, message, length);
	}
}

static void take_datagram(struct drain *drain, struct nlmsghdr *message, int length)
{
	for (; nlmsg_ok(message, length); message = nlmsg_next(message, &length))
		take_message(drain, message, (size_t)length);
}

/* That the module came or went may be among what was lost. */
static void take_loss(struct drain *drain)
{
	drain->news.slots = true;
	ask_for_families(drain->events);
}

struct kw_slot_news kw_slot_events_drain(struct kw_slot_events *events,
					 void (*tell)(const struct kw_slot_event *event,
						      void *data),
					 void *data)
{
	struct drain drain = { .events = events, .tell = tell, .data = data };
	_Alignas(struct nlmsghdr) char buffer[DATAGRAM_BYTES];

	for (;;) {
		ssize_t got = kw_queue_take(kw_slot_events_fd(events), buffer, sizeof(buffer));

		if (got == -ENOBUFS)
			take_loss(&drain);
		else if (got < 0 && got != -EINTR)
			return drain.news;
		else if (got > 0)
			take_datagram(&drain, (struct nlmsghdr *)buffer, (int)got);
	}
}

/* The controller tells everybody of families that come and go. */
static int socket_open(struct nl_sock **ret_socket)
{
	struct nl_sock *socket = nl_socket_alloc();
	int group, error;

	if (!socket)
		return -ENOMEM;
	*ret_socket = socket;
	if (genl_connect(socket) < 0)
		return -EPROTONOSUPPORT;
	group = genl_ctrl_resolve_grp(socket, "nlctrl", "notify");
	if (group < 0)
		return -EPROTONOSUPPORT;
	kw_queue_widen(nl_socket_get_fd(socket));
	error = join(socket, (uint32_t)group);
	return error ? error : nl_socket_set_nonblocking(socket) < 0 ? -EIO : 0;
}

/* What the kernel answers is there when the question has been sent. */
int kw_slot_events_open(struct kw_slot_events **ret_events)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events =
		calloc(1, sizeof(*events));
	int error;

	if (!events)
		return -ENOMEM;
	events->join_error = -ENOENT;
	error = socket_open(&events->socket);
	if (error)
		return error;
	ask_for_families(events);
	kw_slot_events_drain(events, NULL, NULL);
	*ret_events = KW_STEAL(events);
	return 0;
}

void kw_slot_events_close(struct kw_slot_events *events)
{
	if (!events)
		return;
	nl_socket_free(events->socket);
	free(events);
}

int kw_slot_events_fd(const struct kw_slot_events *events)
{
	return nl_socket_get_fd(events->socket);
}

bool kw_slot_events_joined(const struct kw_slot_events *events)
{
	return events && !events->join_error;
}

const char *kw_slot_events_reason(const struct kw_slot_events *events)
{
	if (!events)
		return "the kernel's news of modules cannot be heard";
	switch (events->join_error) {
	case 0:
		return "";
	case -ENOENT:
		return "the module kvmward is not loaded";
	case -EPERM:
		return "they are for root only (CAP_NET_ADMIN)";
	case -EOPNOTSUPP:
		return "this version of the module kvmward has none";
	default:
		return strerror(-events->join_error);
	}
}
