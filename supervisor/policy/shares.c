/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is set aside for each class, and the most that it may have. Slots of a
 * pool and bytes of memory are counted by the same rules.
 */
#include "policy/shares.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/text.h"
#include "policy/classes.h"
#include "policy/question.h"

/* What one class has of a thing, and what those of it who wait came first for. */
struct tally {
	uint64_t used, waiting, reserve;
	struct kw_u64 limit;
};

struct count {
	const struct kw_question *q;
	enum kw_class_thing thing;
	enum kw_pool pool;
	struct tally classes[KW_CLASS_MAX + 1]; /* the default class is behind the others */
};

static size_t index_of(const struct kw_config *config, const struct kw_class *class)
{
	return class ? (size_t)(class - config->classes) : config->class_count;
}

/* What a claim takes of the thing that is counted. */
static uint64_t amount_of_claim(const struct count *count, const struct kw_claim *claim)
{
	enum kw_pool pool;

	if (count->thing == KW_CLASS_MEMORY)
		return kw_claim_takes_bytes(count->q->config, claim);
	return kw_guest_type_pool(claim->type, count->q->facts->slots.snp_apart, &pool) &&
	       pool == count->pool;
}

static uint64_t amount_of_guest(const struct count *count, const struct kw_guest *guest)
{
	enum kw_pool pool;

	if (count->thing == KW_CLASS_MEMORY)
		return kw_kept_bytes(count->q, guest);
	return !guest->mirror && guest->type.known && !kw_is_own(count->q, guest) &&
	       kw_guest_type_pool(guest->type.value, count->q->facts->slots.snp_apart, &pool) &&
	       pool == count->pool;
}

static void count_guests(struct count *count)
{
	const struct kw_question *q = count->q;

	for (size_t i = 0; i < q->facts->guests.count; i++) {
		const struct kw_guest *guest = &q->facts->guests.guests[i];
		const struct kw_class *class = kw_class_of_guest(q->config, q->holds, guest);
		struct tally *tally = &count->classes[index_of(q->config, class)];

		tally->used = kw_add(tally->used, amount_of_guest(count, guest));
	}
}

static void count_holds(struct count *count)
{
	const struct kw_question *q = count->q;

	for (size_t i = 0; i < q->holds->count; i++) {
		const struct kw_hold *hold = &q->holds->holds[i];
		const struct kw_class *class = kw_class_find(q->config, hold->claim.class_name);
		struct tally *tally = &count->classes[index_of(q->config, class)];
		uint64_t *sum = hold->waiting ? &tally->waiting : &tally->used;

		if (!hold->pid && (!q->uuid[0] || strcasecmp(q->uuid, hold->claim.uuid)))
			*sum = kw_add(*sum, amount_of_claim(count, &hold->claim));
	}
}

static void count_classes(struct count *count)
{
	const struct kw_config *config = count->q->config;
	bool slots = count->thing == KW_CLASS_SLOTS;

	for (size_t i = 0; i < config->class_count; i++) {
		const struct kw_class *class = &config->classes[i];
		struct kw_u32 limit = class->limit[count->pool];

		count->classes[i].reserve = slots ? class->reserve[count->pool]
						  : class->memory_reserve_bytes;
		count->classes[i].limit = slots ? (struct kw_u64){ limit.known, limit.value }
						: class->memory_limit_bytes;
	}
	count_guests(count);
	count_holds(count);
}

/* Those who wait and may not have more anyway keep nothing from other classes. */
static uint64_t may_wait_for(const struct tally *tally)
{
	uint64_t left = kw_less(tally->limit.value, tally->used);

	return tally->limit.known && tally->waiting > left ? left : tally->waiting;
}

/* What other classes keep: what is set aside and not used, or waited for, whichever is more. */
static uint64_t kept_by_others(const struct count *count, size_t own, uint64_t *ret_aside)
{
	uint64_t kept = 0;

	*ret_aside = 0;
	for (size_t i = 0; i <= count->q->config->class_count; i++) {
		const struct tally *tally = &count->classes[i];
		uint64_t aside = kw_less(tally->reserve, tally->used);

		if (i == own)
			continue;
		*ret_aside = kw_add(*ret_aside, aside);
		kept = kw_add(kept, kw_larger(aside, may_wait_for(tally)));
	}
	return kept;
}

/*
 * The larger of what is left for everybody and of what is set aside for this
 * class; those of the class that came first are served out of either.
 */
static uint64_t left_for(const struct count *count, size_t own, uint64_t free, uint64_t kept)
{
	const struct tally *tally = &count->classes[own];
	uint64_t aside = kw_less(tally->reserve, tally->used);

	return kw_less(kw_larger(kw_less(free, kept), aside < free ? aside : free), tally->waiting);
}

static const char *amount(const struct count *count, char *to, size_t size, uint64_t number)
{
	if (count->thing == KW_CLASS_MEMORY)
		return kw_text_bytes(to, size, number);
	snprintf(to, size, "%" PRIu64, number);
	return to;
}

static const char *key_of(const struct count *count)
{
	static const char *const slots[KW_POOL_COUNT] = { "sev", "sev_es", "snp" };

	return count->thing == KW_CLASS_MEMORY ? "memory" : slots[count->pool];
}

/* "2 SEV slots", "4096 MiB of memory". */
static const char *things(const struct count *count, char *to, size_t size, uint64_t number)
{
	bool snp_apart = count->q->facts->slots.snp_apart;
	char text[32];

	amount(count, text, sizeof(text), number);
	if (count->thing == KW_CLASS_MEMORY)
		snprintf(to, size, "%s of memory", text);
	else
		snprintf(to, size, "%s %s slot%s", text, kw_pool_title(count->pool, snp_apart),
			 number == 1 ? "" : "s");
	return to;
}

static const char *unit_of(const struct count *count)
{
	return count->thing == KW_CLASS_MEMORY ? "_mb" : "";
}

static bool refuse_full(const struct count *count, const struct kw_claim *claim,
			const struct tally *tally, struct kw_verdict *ret_verdict)
{
	char limit[64], used[32], waiting[32], need[32];

	kw_verdict_set(ret_verdict, KW_CLASS_FULL,
		       "class %s may have at most %s: its guests have %s, those of it that came "
		       "first wait for %s, and this one takes %s; stop a guest of that class, or "
		       "raise %s_limit%s of [class %s] in kvmward.conf",
		       claim->class_name, things(count, limit, sizeof(limit), tally->limit.value),
		       amount(count, used, sizeof(used), tally->used),
		       amount(count, waiting, sizeof(waiting), tally->waiting),
		       amount(count, need, sizeof(need), amount_of_claim(count, claim)),
		       key_of(count), unit_of(count), claim->class_name);
	return false;
}

static bool refuse_reserved(const struct count *count, const struct kw_claim *claim, uint64_t free,
			    uint64_t aside, uint64_t waiting, struct kw_verdict *ret_verdict)
{
	char left[64], kept[32], waited[32], need[32];

	kw_verdict_set(ret_verdict, KW_CLASS_RESERVED,
		       "too much of the rest is kept for others: of %s left, %s set aside for "
		       "classes other than %s, guests that came first wait for %s, and this one "
		       "takes %s; stop a guest, or lower %s_reserve%s of another class in "
		       "kvmward.conf",
		       things(count, left, sizeof(left), free),
		       amount(count, kept, sizeof(kept), aside),
		       claim->class_name[0] ? claim->class_name : "the default one",
		       amount(count, waited, sizeof(waited), waiting),
		       amount(count, need, sizeof(need), amount_of_claim(count, claim)),
		       key_of(count), unit_of(count));
	return false;
}

static uint64_t all_waiting(const struct count *count)
{
	uint64_t waiting = 0;

	for (size_t i = 0; i <= count->q->config->class_count; i++)
		waiting = kw_add(waiting, count->classes[i].waiting);
	return waiting;
}

static bool has_room(struct count *count, const struct kw_claim *claim, uint64_t free,
		     struct kw_verdict *ret_verdict)
{
	const struct kw_config *config = count->q->config;
	size_t own = index_of(config, kw_class_find(config, claim->class_name));
	const struct tally *tally = &count->classes[own];
	uint64_t need = amount_of_claim(count, claim), aside, kept;

	count_classes(count);
	if (tally->limit.known &&
	    kw_less(tally->limit.value, kw_add(tally->used, tally->waiting)) < need)
		return refuse_full(count, claim, tally, ret_verdict);
	kept = kept_by_others(count, own, &aside);
	if (left_for(count, own, free, kept) < need)
		return refuse_reserved(count, claim, free, aside, all_waiting(count), ret_verdict);
	return true;
}

bool kw_share_has_room(const struct kw_question *q, const struct kw_claim *claim,
		       enum kw_pool pool, uint32_t free_slots, uint64_t free_bytes,
		       struct kw_verdict *ret_verdict)
{
	struct count slots = { .q = q, .thing = KW_CLASS_SLOTS, .pool = pool };
	struct count memory = { .q = q, .thing = KW_CLASS_MEMORY };

	return (claim->type == KW_GUEST_PLAIN || has_room(&slots, claim, free_slots, ret_verdict)) &&
	       has_room(&memory, claim, free_bytes, ret_verdict);
}

static void add_use(struct kw_class_table *table, const struct count *count, const char *name,
		    const struct tally *tally)
{
	struct kw_class_use *use = &table->uses[table->count++];

	*use = (struct kw_class_use){
		.thing = count->thing, .pool = count->pool, .used = tally->used,
		.reserve = tally->reserve, .limit = tally->limit,
	};
	kw_text_copy(use->class_name, sizeof(use->class_name), name);
}

static void add_uses(struct kw_class_table *table, struct count *count)
{
	const struct kw_config *config = count->q->config;

	count_classes(count);
	for (size_t i = 0; i < config->class_count; i++)
		add_use(table, count, config->classes[i].name, &count->classes[i]);
	add_use(table, count, "", &count->classes[config->class_count]);
}

void kw_shares_list(const struct kw_facts *facts, const struct kw_hold_list *holds,
		   const struct kw_config *config, struct kw_class_table *ret_table)
{
	struct kw_question q = { facts, holds, config, "" };
	struct count memory = { .q = &q, .thing = KW_CLASS_MEMORY };

	*ret_table = (struct kw_class_table){};
	if (!config->class_count)
		return;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		struct count slots = { .q = &q, .thing = KW_CLASS_SLOTS, .pool = pool };

		if (kw_pool_exists(pool, facts->slots.snp_apart))
			add_uses(ret_table, &slots);
	}
	add_uses(ret_table, &memory);
}
