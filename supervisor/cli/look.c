/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/look.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/message.h"

#define DAEMON_TIMEOUT_NS (10 * KW_NS_PER_S)

int kw_daemon_connect(struct kw_bus **ret_bus)
{
	return kw_bus_open(kw_clock_monotonic_ns() + DAEMON_TIMEOUT_NS, ret_bus);
}

const char *kw_daemon_reason(const struct kw_bus *bus, int error)
{
	if (!bus)
		return "the system bus cannot be reached";
	if (error == -ENXIO)
		return "it is not running";
	if (error == -EACCES)
		return "it answers that to root and the group libvirt only";
	return *kw_bus_error(bus) ? kw_bus_error(bus) : strerror(-error);
}

void kw_daemon_view_read(struct kw_bus *bus, struct kw_daemon_view *ret_view)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *own = NULL;
	struct kw_daemon_view view = {};
	int error = 0;

	kw_config_defaults(&view.config);
	if (!bus) {
		error = kw_daemon_connect(&own);
		bus = own;
	}
	if (!error)
		error = kw_bus_config(bus, &view.config);
	view.reachable = !error;
	if (!error) {
		kw_bus_walls(bus, &view.walls);
		kw_bus_draining(bus, &view.draining);
	}
	if (!error)
		error = kw_bus_holds(bus, &view.holds);
	if (!error)
		error = kw_bus_waiting(bus, &view.waiting);
	if (!error)
		error = kw_bus_classes(bus, &view.classes);
	view.holds_known = !error;
	if (error)
		kw_text_copy(view.reason, sizeof(view.reason), kw_daemon_reason(bus, error));
	*ret_view = view;
}

static void fill_claimed(struct kw_guest_list *guests, const struct kw_hold *hold)
{
	for (size_t i = 0; i < guests->count; i++)
		if (guests->guests[i].pid == hold->pid && !guests->guests[i].mirror &&
		    kw_text_equal(guests->guests[i].uuid, hold->claim.uuid))
			guests->guests[i].claimed_pinned_bytes = KW_U64(hold->claim.pinned_bytes);
}

bool kw_daemon_tell_differing(struct kw_guest_list *guests)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	_cleanup_free_ struct kw_hold *owned = NULL;
	struct kw_hold_list holds = {};

	if (kw_bus_open(kw_clock_monotonic_ns() + KW_NS_PER_S, &bus) ||
	    kw_bus_differing(bus, &holds))
		return false;
	owned = holds.holds;
	for (size_t i = 0; i < holds.count; i++)
		fill_claimed(guests, &holds.holds[i]);
	return true;
}

void kw_daemon_view_done(struct kw_daemon_view *view)
{
	free(view->holds.holds);
	free(view->waiting.waiters);
	view->holds = (struct kw_hold_list){};
	view->waiting = (struct kw_waiter_list){};
}

static uint32_t count_waiting(const struct kw_waiter_list *list, bool snp_apart, enum kw_pool pool)
{
	uint32_t count = 0;
	enum kw_pool of;

	for (size_t i = 0; i < list->count; i++)
		count += kw_guest_type_pool(list->waiters[i].claim.type, snp_apart, &of) &&
			 of == pool;
	return count;
}

void kw_pool_view_make(const struct kw_facts *facts, const struct kw_daemon_view *daemon,
		       enum kw_pool pool, struct kw_pool_view *ret_view)
{
	const struct kw_slots *slots = &facts->slots.pool[pool];
	struct kw_pool_room room = {};

	*ret_view = (struct kw_pool_view){
		.title = kw_pool_title(pool, facts->slots.snp_apart),
		.slots = slots,
		.taken = kw_slots_taken(slots),
	};
	if (slots->charged.known && slots->in_use.known)
		ret_view->leaked = KW_U32(slots->charged.value > slots->in_use.value
						  ? slots->charged.value - slots->in_use.value
						  : 0);
	kw_pool_room(facts, &daemon->holds, &daemon->config, pool, &room);
	if (daemon->reachable)
		ret_view->reserved = KW_U32(room.reserve);
	if (!daemon->holds_known)
		return;
	ret_view->held = KW_U32(room.pending);
	ret_view->free = room.free;
	ret_view->waiting = KW_U32(count_waiting(&daemon->waiting, facts->slots.snp_apart, pool));
	/* Those who wait come first, also for a slot that is free while memory is not. */
	if (ret_view->free.value < ret_view->waiting.value)
		ret_view->free.value = 0;
	else
		ret_view->free.value -= ret_view->waiting.value;
}

void kw_message_module(int error, const struct kw_netlink *netlink)
{
	const char *told = netlink ? kw_netlink_error(netlink) : "";

	if (error == -ENOENT)
		kw_message("the kernel module is not loaded; load it with 'modprobe kvmward'");
	else if (error == -EPERM)
		kw_message("the kernel tells of guests to administrators only; "
			   "run as root or with CAP_NET_ADMIN");
	else
		kw_message("the kernel module cannot be asked: %s; see 'dmesg' and "
			   "'modprobe kvmward'",
			   *told ? told : strerror(-error));
}

void kw_message_facts(const struct kw_facts *facts)
{
	kw_message("%s", facts->reason);
}
