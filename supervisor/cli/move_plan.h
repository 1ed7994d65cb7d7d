/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MOVE_PLAN_H
#define KW_CLI_MOVE_PLAN_H

#include <json-c/json.h>
#include <stdio.h>

#include "policy/moves.h"

/*
 * What would happen, and what speaks against it, a labelled paragraph for each
 * within width columns; 0 never breaks. shutdown_s: how long the guest has to
 * shut down.
 */
void kw_move_plan_print(const struct kw_move_facts *facts, const struct kw_move_plan *plan,
			uint32_t shutdown_s, FILE *to, size_t width);

/* The same as an object, whose keys never change. The caller owns it. */
struct json_object *kw_json_move_plan(const struct kw_move_facts *facts,
				      const struct kw_move_plan *plan);

/* For tables and lists of guests: the guest's type; "NAME what: CODE: sentence". */
const char *kw_move_type(const struct kw_domain *domain);
void kw_move_reason_print(const char *name, const char *what, const struct kw_verdict *verdict,
			  FILE *to, size_t width);
struct json_object *kw_json_obstacles(const struct kw_move_plan *plan);

#endif
