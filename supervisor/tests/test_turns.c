/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "policy/turns.h"

#define OWN "aaaaaaaa-0000-0000-0000-000000000001"
#define OTHER "bbbbbbbb-0000-0000-0000-000000000002"

/* A host with 3 SEV and 2 SEV-ES/SNP slots and 16 GiB; the guests there keep 1 GiB each. */
struct host {
	struct kw_facts facts;
	struct kw_guest guests[8];
	struct kw_hold holds[8];
	struct kw_hold_list list;
	struct kw_config config;
};

static void host_init(struct host *host)
{
	*host = (struct host){ 0 };
	kw_config_defaults(&host->config);
	host->facts.host_known = true;
	host->facts.host = (struct kw_host){
		.sme_enabled = KW_U32(1), .sev_in_cpu = KW_U32(1), .sev_es_in_cpu = KW_U32(1),
		.snp_in_cpu = KW_U32(0), .sev_enabled = KW_U32(1), .sev_es_enabled = KW_U32(1),
		.snp_enabled = KW_U32(0), .max_asid = KW_U32(5), .min_sev_asid = KW_U32(3),
		.kvm_vendor_module = "kvm_amd",
	};
	host->facts.slots.known = true;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		host->facts.slots.pool[pool] = (struct kw_slots){
			.capacity = KW_U32(pool == KW_POOL_SEV ? 3 : 2),
			.charged = KW_U32(0), .in_use = KW_U32(0),
		};
	host->facts.guests = (struct kw_guest_list){ true, host->guests, 0 };
	host->facts.memory_total_bytes = KW_U64(16 * KW_GIB);
	host->facts.hugetlb_bytes = KW_U64(0);
	host->list.holds = host->holds;
}

static void add_guests(struct host *host, enum kw_guest_type type, size_t count)
{
	struct kw_slots *slots = &host->facts.slots.pool[type == KW_GUEST_SEV ? KW_POOL_SEV
									      : KW_POOL_SEV_ES];

	for (size_t i = 0; i < count; i++) {
		host->guests[host->facts.guests.count++] = (struct kw_guest){
			.pid = 100, .type = KW_U32(type), .libvirt = true,
			.memory_bytes = KW_U64(KW_GIB), .pinned_bytes = KW_U64(KW_GIB),
		};
		slots->charged.value++;
		slots->in_use.value++;
	}
}

static void add_hold(struct host *host, const char *uuid, enum kw_guest_type type, uint64_t bytes,
		     bool waiting)
{
	struct kw_hold *hold = &host->holds[host->list.count++];

	*hold = (struct kw_hold){ .claim = { .type = type, .ceiling_bytes = bytes },
				  .waiting = waiting };
	strcpy(hold->claim.uuid, uuid);
}

static void expect(struct host *host, enum kw_guest_type type, uint64_t bytes, enum kw_turn turn,
		   enum kw_code code, const char *in_sentence)
{
	struct kw_claim claim = { .uuid = OWN, .type = type, .ceiling_bytes = bytes };
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	enum kw_turn found = kw_turn_of(&host->facts, &host->list, &host->config, &claim, &verdict);

	if (found != turn || verdict.code != code || !strstr(verdict.sentence, in_sentence))
		fail_msg("wanted turn %d, %s with \"%s\", got turn %d, %s: %s", turn,
			 kw_code_name(code), in_sentence, found, kw_code_name(verdict.code),
			 verdict.sentence);
}

static void room_is_a_turn(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_NOW, KW_ADMITTED, "2 more slots are free");
	add_guests(&host, KW_GUEST_SEV, 2);
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_NOW, KW_ADMITTED, "0 more slots are free");
}

static void what_others_have_is_waited_for(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_guests(&host, KW_GUEST_SEV, 3);
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_LATER, KW_SLOT_FULL, "3 of 3 in use");
	expect(&host, KW_GUEST_SEV_ES, 14 * KW_GIB, KW_TURN_LATER, KW_MEMORY_FULL, "14.0 GiB");
	host.config.reserve[KW_POOL_SEV_ES] = 1;
	add_guests(&host, KW_GUEST_SEV_ES, 1);
	expect(&host, KW_GUEST_SEV_ES, KW_GIB, KW_TURN_LATER, KW_SLOT_RESERVED, "1 reserved");
}

static void who_came_first_is_served_first(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_guests(&host, KW_GUEST_SEV, 2);
	add_hold(&host, OTHER, KW_GUEST_SEV, KW_GIB, true);
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_LATER, KW_SLOT_FULL,
	       "2 of 3 in use, 0 reserved, 0 promised to guests that are starting, 1 to guests "
	       "that wait for one; stop a guest");
	add_hold(&host, OTHER, KW_GUEST_SEV, KW_GIB, false);
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_LATER, KW_SLOT_FULL,
	       "1 promised to guests that are starting, 1 to guests that wait for one");
	/* what one waits for itself is not in its way */
	strcpy(host.holds[0].claim.uuid, OWN);
	host.list.count = 1;
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_NOW, KW_ADMITTED, "");
}

static void pools_do_not_wait_for_each_other(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_guests(&host, KW_GUEST_SEV, 3);
	add_hold(&host, OTHER, KW_GUEST_SEV, KW_GIB, true);
	expect(&host, KW_GUEST_SEV_ES, KW_GIB, KW_TURN_NOW, KW_ADMITTED, "");
}

/* Unless memory is what is short: that is one pool for all. */
static void memory_is_waited_for_in_one_line(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_guests(&host, KW_GUEST_SEV, 2);
	expect(&host, KW_GUEST_SEV_ES, KW_GIB, KW_TURN_NOW, KW_ADMITTED, "");
	add_hold(&host, OTHER, KW_GUEST_SEV, 15 * KW_GIB, true);
	expect(&host, KW_GUEST_SEV_ES, KW_GIB, KW_TURN_LATER, KW_MEMORY_FULL,
	       "15.0 GiB are promised to guests that are starting or wait; ");
	/* nor does a small one of the same pool slip past a big one */
	expect(&host, KW_GUEST_SEV, 64 * KW_MIB, KW_TURN_LATER, KW_SLOT_FULL, "");
}

static void nothing_is_waited_for_in_vain(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_guests(&host, KW_GUEST_SEV, 3);
	expect(&host, KW_GUEST_SEV, 16 * KW_GIB, KW_TURN_NEVER, KW_MEMORY_FULL,
	       "even with no other guest there: the guest may take 16.0 GiB and 15.5 GiB are left");
	expect(&host, KW_GUEST_SNP, KW_GIB, KW_TURN_NEVER, KW_TYPE_UNAVAILABLE,
	       "the processor does not have it");
	host.config.reserve[KW_POOL_SEV] = 3;
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_NEVER, KW_SLOT_RESERVED,
	       "even with no other guest there: only SEV slots in reserve are left: 0 of 3");
	host.config.num_memory_encrypted_guests = KW_U32(0);
	expect(&host, KW_GUEST_SEV_ES, KW_GIB, KW_TURN_NEVER, KW_SLOT_FULL,
	       "even with no other guest there: num_memory_encrypted_guests allows 0");
	host.facts.slots.pool[KW_POOL_SEV].capacity = KW_U32(0);
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_NEVER, KW_SLOT_NONE, "no SEV slot");
}

/* The module may come back: that is no reason to lose one's place. */
static void facts_may_come_back(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	host.facts.guests.known = false;
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_LATER, KW_FACTS_UNKNOWN, "not known");
	host.facts.host_known = false;
	expect(&host, KW_GUEST_SEV, KW_GIB, KW_TURN_LATER, KW_FACTS_UNKNOWN, "not known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_is_a_turn),
		cmocka_unit_test(what_others_have_is_waited_for),
		cmocka_unit_test(who_came_first_is_served_first),
		cmocka_unit_test(pools_do_not_wait_for_each_other),
		cmocka_unit_test(memory_is_waited_for_in_one_line),
		cmocka_unit_test(nothing_is_waited_for_in_vain),
		cmocka_unit_test(facts_may_come_back),
	};

	return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
