/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/looks.h"

#include "base/clock.h"
#include "base/text.h"

#define MS KW_NS_PER_MS
#define PAUSE_NS (20 * MS)
#define SLOW_NS (30 * KW_NS_PER_S)
#define BLIND_NS (2 * KW_NS_PER_S)

struct steps {
	size_t count;
	uint64_t after_ns[KW_LOOKS_MOST];
};

/*
 * The module tells when the kernel has counted the slot; the guest gets its
 * ASID right after that, which the second look sees.
 */
static const struct steps slot_steps = { 2, { 0, 20 * MS } };
static const struct steps other_steps = { 1, { 0 } };

/*
 * KVM tells of a guest right before its file appears, or after it is gone. Its
 * slot changes hands later: QEMU has other things to do first, and a large
 * guest's memory is unpinned before its slot is free.
 */
static const struct steps guest_steps = { 2, { 20 * MS, 200 * MS } };
static const struct steps guest_steps_alone = { 4, { 20 * MS, 200 * MS, 1200 * MS, 4200 * MS } };

static const struct steps *steps_of(enum kw_hint hint, enum kw_hearing from)
{
	switch (hint) {
	case KW_HINT_SLOT:
		return &slot_steps;
	case KW_HINT_GUEST:
		return from == KW_HEARING_SLOTS ? &guest_steps : &guest_steps_alone;
	default:
		return &other_steps;
	}
}

void kw_looks_init(struct kw_looks *looks)
{
	*looks = (struct kw_looks){ .idle_due_ns = KW_LOOKS_NEVER };
	for (size_t hint = 0; hint < KW_HINT_COUNT; hint++)
		for (size_t i = 0; i < KW_LOOKS_MOST; i++)
			looks->due_ns[hint][i] = KW_LOOKS_NEVER;
}

static void bring_forward(uint64_t *due_ns, uint64_t at_ns)
{
	if (at_ns < *due_ns)
		*due_ns = at_ns;
}

void kw_looks_hint(struct kw_looks *looks, enum kw_hint hint, enum kw_hearing from,
		   uint64_t now_ns)
{
	const struct steps *steps = steps_of(hint, from);

	bring_forward(&looks->due_ns[hint][0], now_ns + steps->after_ns[0]);
	for (size_t i = 1; i < steps->count; i++)
		looks->due_ns[hint][i] = now_ns + steps->after_ns[i];
}

static void drop_past(uint64_t *due_ns, uint64_t now_ns)
{
	if (*due_ns <= now_ns)
		*due_ns = KW_LOOKS_NEVER;
}

/* What became due while looking may have been missed by that look. */
void kw_looks_looked(struct kw_looks *looks, uint64_t began_ns, uint64_t ended_ns)
{
	uint64_t took_ns = ended_ns - began_ns;

	for (size_t hint = 0; hint < KW_HINT_COUNT; hint++)
		for (size_t i = 0; i < KW_LOOKS_MOST; i++)
			drop_past(&looks->due_ns[hint][i], began_ns);
	drop_past(&looks->idle_due_ns, began_ns);
	looks->not_before_ns = ended_ns + (took_ns > PAUSE_NS ? took_ns : PAUSE_NS);
}

void kw_looks_idle(struct kw_looks *looks, uint64_t period_ns, uint64_t now_ns)
{
	if (!period_ns || looks->idle_due_ns <= now_ns)
		looks->idle_due_ns = KW_LOOKS_NEVER;
	if (period_ns)
		bring_forward(&looks->idle_due_ns, now_ns + period_ns);
}

uint64_t kw_looks_due_ns(const struct kw_looks *looks)
{
	uint64_t due_ns = looks->idle_due_ns;

	for (size_t hint = 0; hint < KW_HINT_COUNT; hint++)
		for (size_t i = 0; i < KW_LOOKS_MOST; i++)
			bring_forward(&due_ns, looks->due_ns[hint][i]);
	return due_ns < looks->not_before_ns ? looks->not_before_ns : due_ns;
}

void kw_hearing_judge(const struct kw_facts *facts, bool joined, const char *not_joined,
		      bool uevents, struct kw_hearing_state *ret_state)
{
	const struct kw_host *host = &facts->host;
	const char *reason = "";

	ret_state->from = KW_HEARING_SLOTS;
	if (!uevents) {
		ret_state->from = KW_HEARING_TIMER;
		reason = "KVM's uevents cannot be heard";
	} else if (!joined) {
		ret_state->from = KW_HEARING_UEVENTS;
		reason = not_joined;
	} else if (!facts->host_known || !kw_u32_yes(host->slot_events)) {
		ret_state->from = KW_HEARING_UEVENTS;
		reason = facts->host_known && *host->slot_events_reason
				 ? host->slot_events_reason
				 : "the module does not say that it tells of slots";
	}
	kw_text_copy(ret_state->reason, sizeof(ret_state->reason), reason);
}

/* KVM takes a slot for a guest only before its first vCPU (sev_guest_init()). */
static bool may_take_slot(const struct kw_guest *guest)
{
	return !guest->type.known ||
	       (guest->type.value == KW_GUEST_PLAIN && !kw_u32_yes(guest->vcpus));
}

static bool counts_agree(const struct kw_slots *slots)
{
	return slots->charged.known && slots->in_use.known &&
	       slots->charged.value == slots->in_use.value;
}

/*
 * No slot can change hands before KVM tells of a guest again. Without the
 * module there is nothing to see, and the kernel tells when it comes.
 */
static bool is_settled(const struct kw_facts *facts)
{
	if (!facts->host_known)
		return true;
	if (!facts->slots.known || !facts->guests.known)
		return false;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		if (kw_pool_exists(pool, facts->slots.snp_apart) &&
		    !counts_agree(&facts->slots.pool[pool]) &&
		    !kw_u32_no(facts->slots.pool[pool].capacity))
			return false;
	for (size_t i = 0; i < facts->guests.count; i++)
		if (may_take_slot(&facts->guests.guests[i]))
			return false;
	return true;
}

uint64_t kw_looks_period_ns(const struct kw_facts *facts, enum kw_hearing from)
{
	if (from == KW_HEARING_TIMER)
		return BLIND_NS;
	if (from == KW_HEARING_SLOTS || is_settled(facts))
		return 0;
	return SLOW_NS;
}
