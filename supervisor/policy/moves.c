/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/moves.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/move_judgement.h"

/*
 * Where one goes that does not fit any more: what bars takes the place of a
 * warning. Without one, there are bars enough of either kind.
 */
static struct kw_finding *place_of_warning(struct kw_judgement *judgement)
{
	for (size_t i = judgement->count; i-- > 0;)
		if (!judgement->findings[i].bars)
			return &judgement->findings[i];
	return NULL;
}

static void add(struct kw_judgement *judgement, struct kw_finding finding, enum kw_code code,
		const char *format, va_list args)
{
	char sentence[sizeof(finding.verdict.sentence)];
	struct kw_finding *place = NULL;

	if (judgement->count < KW_OBSTACLES_MAX)
		place = &judgement->findings[judgement->count++];
	else if (finding.bars)
		place = place_of_warning(judgement);
	if (!place)
		return;
	vsnprintf(sentence, sizeof(sentence), format, args);
	kw_verdict_set(&finding.verdict, code, "%s", sentence);
	*place = finding;
}

void kw_judge_bar(struct kw_judgement *judgement, unsigned int kinds, enum kw_code code,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(judgement, (struct kw_finding){ .bars = kinds }, code, format, args);
	va_end(args);
}

void kw_judge_warn(struct kw_judgement *judgement, unsigned int kinds, enum kw_code code,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(judgement, (struct kw_finding){ .warns = kinds }, code, format, args);
	va_end(args);
}

void kw_judge_passing(struct kw_judgement *judgement, enum kw_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(judgement, (struct kw_finding){ .bars = KW_LIVE, .passes = true }, code, format, args);
	va_end(args);
}

bool kw_judge_has(const struct kw_judgement *judgement, enum kw_code code)
{
	for (size_t i = 0; i < judgement->count; i++)
		if (judgement->findings[i].verdict.code == code)
			return true;
	return false;
}

/* Something bars live, for good, that does not bar cold; what bars both says nothing for either. */
static bool is_cold_only(const struct kw_judgement *judgement)
{
	if (judgement->facts->run == KW_RUN_OFF)
		return true;
	for (size_t i = 0; i < judgement->count; i++)
		if (judgement->findings[i].bars == KW_LIVE && !judgement->findings[i].passes)
			return true;
	return false;
}

static enum kw_move_kind choose(const struct kw_judgement *judgement)
{
	if (judgement->wish->live)
		return KW_MOVE_LIVE;
	if (judgement->wish->cold || is_cold_only(judgement))
		return KW_MOVE_COLD;
	return KW_MOVE_LIVE;
}

/* False for what does not matter to a move of that kind. */
static bool weigh(const struct kw_judgement *judgement, const struct kw_finding *finding,
		  enum kw_move_kind kind, enum kw_obstacle_weight *ret_weight)
{
	unsigned int bit = KW_KIND_BIT(kind);

	if (finding->bars & bit)
		*ret_weight = KW_OBSTACLE_BARS;
	else if (finding->bars && kind == KW_MOVE_COLD && !judgement->wish->cold &&
		 judgement->facts->run != KW_RUN_OFF)
		*ret_weight = KW_OBSTACLE_NOT_LIVE;
	else if (finding->warns & bit)
		*ret_weight = KW_OBSTACLE_WARNS;
	else
		return false;
	return true;
}

void kw_judgement_take(const struct kw_judgement *judgement, struct kw_move_plan *plan)
{
	plan->possible = true;
	for (size_t i = 0; i < judgement->count; i++) {
		struct kw_obstacle *obstacle = &plan->obstacles[plan->count];

		if (!weigh(judgement, &judgement->findings[i], plan->kind, &obstacle->weight))
			continue;
		obstacle->verdict = judgement->findings[i].verdict;
		plan->possible = plan->possible && obstacle->weight != KW_OBSTACLE_BARS;
		plan->count++;
	}
}

/* Each file once, however many disks are overlays of it. */
static bool is_first(const struct kw_move_facts *facts, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!strcmp(facts->disks[i].source, facts->disks[at].source))
			return false;
	return true;
}

static struct kw_u64 copy_bytes(const struct kw_move_facts *facts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < facts->disk_count; i++) {
		const struct kw_move_disk *disk = &facts->disks[i];

		if (disk->reach != KW_DISK_HERE || disk->later || !is_first(facts, i))
			continue;
		if (!disk->bytes.known)
			return (struct kw_u64){ 0 };
		sum += disk->bytes.value;
	}
	return KW_U64(sum);
}

void kw_move_judge(const struct kw_move_facts *facts, const struct kw_move_wish *wish,
		   struct kw_move_plan *ret_plan)
{
	struct kw_judgement judgement = { .facts = facts, .wish = wish };

	kw_judge_guest(&judgement);
	kw_judge_disks(&judgement);
	kw_judge_destination(&judgement);
	*ret_plan = (struct kw_move_plan){ .kind = choose(&judgement), .copy_bytes = KW_U64(0) };
	ret_plan->stops = ret_plan->kind == KW_MOVE_COLD && facts->run != KW_RUN_OFF;
	if (ret_plan->kind == KW_MOVE_LIVE) {
		ret_plan->downtime_ms = facts->downtime_ms;
		ret_plan->copies = wish->copy_storage;
		if (ret_plan->copies)
			ret_plan->copy_bytes = copy_bytes(facts);
	}
	kw_judgement_take(&judgement, ret_plan);
}

bool kw_move_copies(const struct kw_move_plan *plan, const struct kw_move_disk *disk)
{
	return plan->copies && disk->reach == KW_DISK_HERE && !disk->backing && !disk->later;
}

const char *kw_obstacle_weight_name(enum kw_obstacle_weight weight)
{
	static const char *const names[] = {
		[KW_OBSTACLE_BARS] = "bars",
		[KW_OBSTACLE_NOT_LIVE] = "not-live",
		[KW_OBSTACLE_WARNS] = "warns",
	};

	return names[weight];
}

const struct kw_obstacle *kw_move_bar(const struct kw_move_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->obstacles[i].weight == KW_OBSTACLE_BARS)
			return &plan->obstacles[i];
	return NULL;
}
