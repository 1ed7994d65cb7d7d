/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_JSON_H
#define KW_CLI_JSON_H

#include <json-c/json.h>

#include "base/cleanup.h"
#include "model/claim.h"
#include "model/guest.h"
#include "model/host.h"
#include "model/slots.h"
#include "model/verdict.h"
#include "model/walls.h"

/*
 * Plain structs as JSON. Keys are the attribute names of uapi/kvmward.yaml with
 * underscores and never change; every key is always there, null when not known.
 * Enumerations are their names in the contract. The caller owns the objects.
 */
struct json_object *kw_json_host(const struct kw_host *host);
struct json_object *kw_json_slots(enum kw_pool pool, const struct kw_slots *slots);
struct json_object *kw_json_guest(const struct kw_guest *guest);
struct json_object *kw_json_claim(const struct kw_claim *claim, bool snp_apart);
struct json_object *kw_json_walls(const struct kw_walls_status *walls);
struct json_object *kw_json_verdict(const struct kw_verdict *verdict);

/* Values for objects made elsewhere: null for what is not known, "" and NULL. */
struct json_object *kw_json_u32(struct kw_u32 number);
struct json_object *kw_json_u64(struct kw_u64 number);
struct json_object *kw_json_text(const char *text);

/* Prints one object to standard output, on one line or laid out, and frees it. */
void kw_json_print(struct json_object *object, bool one_line);

#endif
