/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/waiters.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bus/names.h"
#include "bus/safe_text.h"

struct waiter {
	struct waiter *next;
	struct kw_waiters *all;
	uint64_t ticket;
	sd_bus_message *request;	/* NULL once it is answered */
	sd_bus_track *track;
};

static void waiter_free(struct waiter *waiter)
{
	sd_bus_track_unref(waiter->track);
	sd_bus_message_unref(waiter->request);
	free(waiter);
}

KW_CLEANUP_OF(struct waiter, waiter_free);
KW_CLEANUP_OF(sd_bus_message, sd_bus_message_unref);

static struct waiter **find(struct kw_waiters *waiters, uint64_t ticket)
{
	struct waiter **at = &waiters->first;

	while (*at && (*at)->ticket != ticket)
		at = &(*at)->next;
	return at;
}

static void drop(struct kw_waiters *waiters, uint64_t ticket)
{
	struct waiter **at = find(waiters, ticket), *waiter = *at;

	if (!waiter)
		return;
	*at = waiter->next;
	waiter_free(waiter);
}

static int on_gone(sd_bus_track *track, void *userdata)
{
	struct waiter *waiter = userdata;
	struct kw_waiters *all = waiter->all;
	uint64_t ticket = waiter->ticket;

	(void)track;
	drop(all, ticket);
	all->left(all->data, ticket);
	return 0;
}

int kw_waiters_add(struct kw_waiters *waiters, sd_bus_message *request, uint64_t *ret_ticket)
{
	_cleanup_(waiter_free_at) struct waiter *waiter = calloc(1, sizeof(*waiter));
	int r;

	if (!waiter)
		return -ENOMEM;
	r = sd_bus_track_new(sd_bus_message_get_bus(request), &waiter->track, on_gone, waiter);
	if (r >= 0)
		r = sd_bus_track_add_sender(waiter->track, request);
	if (r < 0)
		return r;
	waiter->all = waiters;
	waiter->ticket = ++waiters->last_ticket;
	waiter->request = sd_bus_message_ref(request);
	waiter->next = waiters->first;
	waiters->first = waiter;
	*ret_ticket = waiter->ticket;
	(void)KW_STEAL(waiter);
	return 0;
}

void kw_waiters_answer(struct kw_waiters *waiters, uint64_t ticket,
		       const struct kw_verdict *verdict)
{
	struct waiter *waiter = *find(waiters, ticket);
	char sentence[sizeof(verdict->sentence)];

	if (!waiter || !waiter->request)
		return;
	sd_bus_reply_method_return(waiter->request, KW_BUS_VERDICT, kw_code_name(verdict->code),
				   kw_bus_safe_text(sentence, sizeof(sentence),
						    verdict->sentence));
	waiter->request = sd_bus_message_unref(waiter->request);
	if (!kw_verdict_admits(verdict))
		drop(waiters, ticket);
}

void kw_waiters_tell(struct kw_waiters *waiters, uint64_t ticket, const struct kw_place *place)
{
	_cleanup_(sd_bus_message_unref_at) sd_bus_message *signal = NULL;
	struct waiter *waiter = *find(waiters, ticket);
	char sentence[sizeof(place->verdict.sentence)];
	sd_bus *bus;
	int r;

	if (!waiter || !waiter->request)
		return;
	bus = sd_bus_message_get_bus(waiter->request);
	r = sd_bus_message_new_signal(bus, &signal, KW_BUS_PATH, KW_BUS_INTERFACE, "Waiting");
	if (r >= 0)
		r = sd_bus_message_append(signal, KW_BUS_WAITING, place->place, place->count,
					  kw_code_name(place->verdict.code),
					  kw_bus_safe_text(sentence, sizeof(sentence),
							   place->verdict.sentence));
	if (r >= 0)
		sd_bus_send_to(bus, signal, sd_bus_message_get_sender(waiter->request), NULL);
}

void kw_waiters_done(struct kw_waiters *waiters)
{
	while (waiters->first)
		drop(waiters, waiters->first->ticket);
}
