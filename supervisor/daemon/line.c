/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that wait. Whose turn it is is admitted as a hook call would be, with
 * a hold of its UUID, and then starts like any other guest; until then what it
 * waits for counts as given away for all who came later, hook calls included.
 */
#include "daemon/line.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/log.h"
#include "daemon/plan.h"
#include "policy/entry.h"
#include "policy/turns.h"

static void log_turn(int priority, const struct kw_claim *claim, const struct kw_verdict *verdict,
		     const char *what)
{
	kw_log_verdict(priority, claim->uuid, verdict->code, "wait %s: %s: %s: %s", claim->name,
		       what, kw_code_name(verdict->code), verdict->sentence);
}

static bool refuse(struct kw_supervisor *supervisor, const struct kw_claim *claim,
		   const struct kw_verdict *verdict)
{
	log_turn(LOG_WARNING, claim, verdict, "refused");
	kw_supervisor_refuse(supervisor, claim->name, claim->uuid, verdict);
	return false;
}

static bool runs(const struct kw_supervisor *supervisor, const char *uuid)
{
	const struct kw_guest_list *guests = &supervisor->facts.guests;

	for (size_t i = 0; i < guests->count; i++)
		if (guests->guests[i].libvirt && !guests->guests[i].orphan &&
		    !strcasecmp(guests->guests[i].uuid, uuid))
			return true;
	return false;
}

/* A second hold of one UUID would be the first one, and end with whichever client goes first. */
static bool uuid_free(const struct kw_supervisor *supervisor, const char *uuid,
		      struct kw_verdict *ret_verdict)
{
	bool held = kw_supervisor_hold(supervisor, uuid);

	if (!held && !runs(supervisor, uuid))
		return true;
	kw_verdict_set(ret_verdict, KW_UUID_TAKEN,
		       "a guest of UUID %s %s already; stop it first, or give this one another <uuid>",
		       uuid, held && !runs(supervisor, uuid) ? "is starting" : "runs");
	return false;
}

static bool may_wait(struct kw_supervisor *supervisor, const struct kw_claim *claim,
		     struct kw_verdict *ret_verdict)
{
	enum kw_turn turn;

	if (!uuid_free(supervisor, claim->uuid, ret_verdict))
		return false;
	if (kw_waiting_find_uuid(&supervisor->waiting, claim->uuid)) {
		kw_verdict_set(ret_verdict, KW_UUID_TAKEN,
			       "a guest of UUID %s waits already; give this one another <uuid>",
			       claim->uuid);
		return false;
	}
	turn = kw_turn_of(&supervisor->facts, kw_ledger_holds(supervisor->ledger),
			  &supervisor->config, claim, ret_verdict);
	return turn != KW_TURN_NEVER && ret_verdict->code != KW_FACTS_UNKNOWN;
}

static bool queue(struct kw_supervisor *supervisor, uint64_t id, const struct kw_claim *claim,
		  struct kw_verdict *ret_verdict)
{
	int r = kw_waiting_add(&supervisor->waiting, id, claim, kw_clock_boottime_ns());

	if (!r)
		return true;
	if (r == -ENOSPC)
		kw_verdict_set(ret_verdict, KW_QUEUE_FULL,
			       "%d guests wait already; try again when they are fewer",
			       KW_WAITING_MAX);
	else
		kw_verdict_set(ret_verdict, KW_QUEUE_FULL, "the guest cannot be put in line: %s",
			       strerror(-r));
	return false;
}

static bool is_same(const struct kw_claim *a, const struct kw_claim *b)
{
	return !strcmp(a->uuid, b->uuid) && !strcmp(a->class_name, b->class_name) &&
	       a->type == b->type && a->memory_bytes == b->memory_bytes &&
	       a->pinned_bytes == b->pinned_bytes && a->ceiling_bytes == b->ceiling_bytes;
}

/* Of a hold that the ledger has from a kvmwardd of before, which knew whose it was. */
static struct kw_ticket *ticket_again(struct kw_supervisor *supervisor, uint64_t id,
				      const struct kw_claim *claim)
{
	struct kw_ticket *ticket;

	if (kw_waiting_add(&supervisor->waiting, id, claim, kw_clock_boottime_ns()))
		return NULL;
	ticket = kw_waiting_find(&supervisor->waiting, id);
	ticket->admitted = true;
	return ticket;
}

/*
 * A client that keeps a hold from another host may be gone long before this one
 * hears of it: the link was cut. Or this kvmwardd is another than the one it asked.
 * Who asks for the same guest again has its hold.
 */
static bool take_over(struct kw_supervisor *supervisor, uint64_t id, const struct kw_claim *claim,
		      struct kw_verdict *ret_verdict)
{
	struct kw_ticket *ticket = kw_waiting_find_uuid(&supervisor->waiting, claim->uuid);
	const struct kw_hold *hold = kw_supervisor_hold(supervisor, claim->uuid);

	if (!hold || !hold->lent || hold->pid || !is_same(&hold->claim, claim))
		return false;
	if (!ticket)
		ticket = ticket_again(supervisor, id, claim);
	if (!ticket || !ticket->admitted)
		return false;
	ticket->id = id;
	kw_verdict_set(ret_verdict, KW_ADMITTED, "what it takes is held already");
	return true;
}

bool kw_line_ask(struct kw_supervisor *supervisor, uint64_t id, const char *xml, size_t length,
		 struct kw_verdict *ret_verdict)
{
	struct kw_claim claim = {};

	if (!kw_plan_claim(supervisor, xml, length, &claim, ret_verdict)) {
		if (!kw_verdict_admits(ret_verdict))
			refuse(supervisor, &claim, ret_verdict);
		return false;
	}
	kw_supervisor_look(supervisor);
	if (take_over(supervisor, id, &claim, ret_verdict))
		return false;
	if (!may_wait(supervisor, &claim, ret_verdict) ||
	    !queue(supervisor, id, &claim, ret_verdict))
		return refuse(supervisor, &claim, ret_verdict);
	supervisor->changed = true;
	return true;
}

/* Judges one who waits by the holds and by what is promised to those before. */
static enum kw_turn judge(struct kw_supervisor *supervisor, struct kw_ticket *ticket,
			  const struct kw_hold_list *holds)
{
	const struct kw_claim *claim = &ticket->waiter.claim;
	struct kw_verdict *verdict = &ticket->waiter.verdict;
	enum kw_turn turn;
	int r;

	if (kw_supervisor_drains(supervisor, claim->uuid)) {
		kw_entry_shut(verdict);
		return KW_TURN_NEVER;
	}
	if (!uuid_free(supervisor, claim->uuid, verdict))
		return KW_TURN_NEVER;
	turn = kw_turn_of(&supervisor->facts, holds, &supervisor->config, claim, verdict);
	if (turn != KW_TURN_NOW)
		return turn;
	r = kw_ledger_lend(supervisor->ledger, claim, kw_clock_boottime_ns());
	if (r >= 0)
		return KW_TURN_NOW;
	kw_verdict_set(verdict, KW_HOLD_UNSAVED, "the hold cannot be saved: %s", strerror(-r));
	return KW_TURN_NEVER;
}

/* True when the ticket is still in the list, admitted or not. */
static bool serve_one(struct kw_supervisor *supervisor, struct kw_ticket *ticket,
		      struct kw_hold_list *holds, const struct kw_line_listener *listener)
{
	enum kw_turn turn = judge(supervisor, ticket, holds);

	if (turn != KW_TURN_NEVER)
		holds->holds[holds->count++] = (struct kw_hold){
			.claim = ticket->waiter.claim, .waiting = turn == KW_TURN_LATER };
	if (turn == KW_TURN_LATER)
		return true;
	supervisor->changed = true;
	listener->answer(listener->data, ticket->id, &ticket->waiter.verdict);
	if (turn == KW_TURN_NEVER) {
		refuse(supervisor, &ticket->waiter.claim, &ticket->waiter.verdict);
		kw_waiting_remove(&supervisor->waiting, ticket);
		return false;
	}
	log_turn(LOG_INFO, &ticket->waiter.claim, &ticket->waiter.verdict, "its turn");
	ticket->admitted = true;
	return true;
}

/* Numbers in the sentence move all the time: they alone are no news. */
static bool is_news(const struct kw_place *told, const struct kw_place *place)
{
	return told->place != place->place || told->count != place->count ||
	       told->verdict.code != place->verdict.code;
}

static void tell_places(struct kw_waiting *waiting, const struct kw_line_listener *listener)
{
	struct kw_place place = {};

	for (size_t i = 0; i < waiting->count; i++)
		place.count += !waiting->tickets[i].admitted;
	for (size_t i = 0; i < waiting->count; i++) {
		struct kw_ticket *ticket = &waiting->tickets[i];

		if (ticket->admitted)
			continue;
		place.place++;
		place.verdict = ticket->waiter.verdict;
		if (!is_news(&ticket->told, &place))
			continue;
		if (!ticket->told.place)
			log_turn(LOG_INFO, &ticket->waiter.claim, &place.verdict, "queued");
		ticket->told = place;
		listener->place(listener->data, ticket->id, &place);
	}
}

void kw_line_serve(struct kw_supervisor *supervisor, const struct kw_line_listener *listener)
{
	struct kw_waiting *waiting = &supervisor->waiting;
	_cleanup_free_ struct kw_hold *owned = NULL;
	struct kw_hold_list holds;
	size_t i = 0;

	if (!waiting->count)
		return;
	if (!supervisor->fresh)
		kw_supervisor_watch(supervisor);
	supervisor->fresh = false;
	/* Room for all who wait; none of them is in it yet. */
	if (kw_waiting_promises(waiting, kw_ledger_holds(supervisor->ledger),
				waiting->tickets[0].waiter.claim.uuid, &holds))
		return;
	owned = holds.holds;
	while (i < waiting->count)
		if (waiting->tickets[i].admitted ||
		    serve_one(supervisor, &waiting->tickets[i], &holds, listener))
			i++;
	tell_places(waiting, listener);
}

static void end_unused_hold(struct kw_supervisor *supervisor, const struct kw_claim *claim)
{
	const struct kw_hold *hold;
	int r;

	kw_supervisor_watch(supervisor);	/* its guest may be there by now */
	hold = kw_supervisor_hold(supervisor, claim->uuid);
	if (!hold || hold->pid)
		return;
	r = kw_ledger_release(supervisor->ledger, claim->uuid);
	if (r < 0)
		kw_log_verdict(LOG_ERR, claim->uuid, KW_HOLD_UNSAVED,
			       "wait %s: the hold cannot be ended: %s; it ends by itself",
			       claim->name, strerror(-r));
	else
		kw_log_verdict(LOG_INFO, claim->uuid, KW_ADMITTED,
			       "wait %s: its client went and started nothing: the hold ended",
			       claim->name);
}

void kw_line_leave(struct kw_supervisor *supervisor, uint64_t id)
{
	struct kw_ticket *ticket = kw_waiting_find(&supervisor->waiting, id);
	struct kw_claim claim;
	bool admitted;

	if (!ticket)
		return;
	claim = ticket->waiter.claim;
	admitted = ticket->admitted;
	if (!admitted)
		log_turn(LOG_INFO, &claim, &ticket->waiter.verdict, "left the queue");
	kw_waiting_remove(&supervisor->waiting, ticket);
	if (admitted)
		end_unused_hold(supervisor, &claim);
	supervisor->changed = true;
}
