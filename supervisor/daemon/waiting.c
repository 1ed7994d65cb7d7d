/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void kw_waiting_done(struct kw_waiting *waiting)
{
	free(waiting->tickets);
	*waiting = (struct kw_waiting){};
}

int kw_waiting_add(struct kw_waiting *waiting, uint64_t id, const struct kw_claim *claim,
		   uint64_t now_ns)
{
	struct kw_ticket *tickets;

	if (waiting->count >= KW_WAITING_MAX)
		return -ENOSPC;
	tickets = reallocarray(waiting->tickets, waiting->count + 1, sizeof(*tickets));
	if (!tickets)
		return -ENOMEM;
	waiting->tickets = tickets;
	waiting->tickets[waiting->count++] = (struct kw_ticket){
		.id = id,
		.waiter = { .claim = *claim, .since_ns = now_ns },
	};
	return 0;
}

void kw_waiting_remove(struct kw_waiting *waiting, struct kw_ticket *ticket)
{
	size_t after = waiting->count - (size_t)(ticket - waiting->tickets) - 1;

	memmove(ticket, ticket + 1, after * sizeof(*ticket));
	waiting->count--;
}

struct kw_ticket *kw_waiting_find(const struct kw_waiting *waiting, uint64_t id)
{
	for (size_t i = 0; i < waiting->count; i++)
		if (waiting->tickets[i].id == id)
			return &waiting->tickets[i];
	return NULL;
}

struct kw_ticket *kw_waiting_find_uuid(const struct kw_waiting *waiting, const char *uuid)
{
	for (size_t i = 0; i < waiting->count; i++)
		if (!strcmp(waiting->tickets[i].waiter.claim.uuid, uuid))
			return &waiting->tickets[i];
	return NULL;
}

int kw_waiting_promises(const struct kw_waiting *waiting, const struct kw_hold_list *holds,
			const char *uuid, struct kw_hold_list *ret_list)
{
	struct kw_hold_list list = {};

	list.holds = calloc(holds->count + waiting->count + 1, sizeof(*list.holds));
	if (!list.holds)
		return -ENOMEM;
	if (holds->count)
		memcpy(list.holds, holds->holds, holds->count * sizeof(*list.holds));
	list.count = holds->count;
	for (size_t i = 0; i < waiting->count; i++) {
		const struct kw_ticket *ticket = &waiting->tickets[i];

		if (!strcmp(ticket->waiter.claim.uuid, uuid))
			break;
		if (!ticket->admitted)
			list.holds[list.count++] =
				(struct kw_hold){ .claim = ticket->waiter.claim, .waiting = true };
	}
	*ret_list = list;
	return 0;
}

int kw_waiting_list(const struct kw_waiting *waiting, struct kw_waiter_list *ret_list)
{
	struct kw_waiter_list list = {};

	list.waiters = calloc(waiting->count + 1, sizeof(*list.waiters));
	if (!list.waiters)
		return -ENOMEM;
	for (size_t i = 0; i < waiting->count; i++)
		if (!waiting->tickets[i].admitted)
			list.waiters[list.count++] = waiting->tickets[i].waiter;
	*ret_list = list;
	return 0;
}
