/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_MOVE_JUDGEMENT_H
#define KW_POLICY_MOVE_JUDGEMENT_H

#include "policy/moves.h"

/* Kinds of move, as a set. */
#define KW_KIND_BIT(kind) (1u << (kind))
#define KW_LIVE KW_KIND_BIT(KW_MOVE_LIVE)
#define KW_COLD KW_KIND_BIT(KW_MOVE_COLD)
#define KW_ANY (KW_LIVE | KW_COLD)

/* Of what is found before the kind is chosen: the kinds that it bars, those it is a warning for. */
struct kw_finding {
	struct kw_verdict verdict;
	unsigned int bars, warns;
	bool passes;			/* by itself, so that it is worth waiting for */
};

/* What kw_move_judge() is made of: each part adds what it finds. */
struct kw_judgement {
	const struct kw_move_facts *facts;
	const struct kw_move_wish *wish;
	struct kw_finding findings[KW_OBSTACLES_MAX];
	size_t count;
};

__attribute__((format(printf, 4, 5)))
void kw_judge_bar(struct kw_judgement *judgement, unsigned int kinds, enum kw_code code,
		  const char *format, ...);
__attribute__((format(printf, 4, 5)))
void kw_judge_warn(struct kw_judgement *judgement, unsigned int kinds, enum kw_code code,
		   const char *format, ...);

/* A bar to a live move that passes by itself. */
__attribute__((format(printf, 3, 4)))
void kw_judge_passing(struct kw_judgement *judgement, enum kw_code code, const char *format, ...);

bool kw_judge_has(const struct kw_judgement *judgement, enum kw_code code);

/* The type of a device that is a part of the host that the guest runs on; "" for another. */
const char *kw_device_of_host(const struct kw_device *device);

/* The parts. */
void kw_judge_guest(struct kw_judgement *judgement);
void kw_judge_disks(struct kw_judgement *judgement);
void kw_judge_destination(struct kw_judgement *judgement);
void kw_judge_cpu(struct kw_judgement *judgement);

/* What was found as what it is for a move of plan->kind, and whether that is possible. */
void kw_judgement_take(const struct kw_judgement *judgement, struct kw_move_plan *plan);

#endif
