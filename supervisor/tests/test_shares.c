/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "policy/admit.h"
#include "policy/shares.h"
#include "policy/turns.h"

#define OWN "aaaaaaaa-0000-0000-0000-000000000001"

/*
 * 4 SEV and 2 SEV-ES/SNP slots, 16 GiB, 512 MiB of them the host's. Class gold
 * has 2 SEV slots and 4 GiB set aside and may have 3 and 6 GiB; class bronze may
 * have 1 SEV slot. Guests take 1 GiB each.
 */
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
	host->config.classes[0] = (struct kw_class){
		.name = "gold", .reserve = { 2 }, .limit = { KW_U32(3) },
		.memory_reserve_bytes = 4 * KW_GIB, .memory_limit_bytes = KW_U64(6 * KW_GIB),
	};
	host->config.classes[1] = (struct kw_class){ .name = "bronze", .limit = { KW_U32(1) } };
	host->config.class_count = 2;
	host->facts.host_known = true;
	host->facts.host = (struct kw_host){
		.sme_enabled = KW_U32(1), .sev_in_cpu = KW_U32(1), .sev_es_in_cpu = KW_U32(1),
		.sev_enabled = KW_U32(1), .sev_es_enabled = KW_U32(1),
		.max_asid = KW_U32(6), .min_sev_asid = KW_U32(3), .kvm_vendor_module = "kvm_amd",
	};
	host->facts.slots.known = true;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		host->facts.slots.pool[pool] = (struct kw_slots){
			.capacity = KW_U32(pool == KW_POOL_SEV ? 4 : 2),
			.charged = KW_U32(0), .in_use = KW_U32(0),
		};
	host->facts.guests = (struct kw_guest_list){ true, host->guests, 0 };
	host->facts.memory_total_bytes = KW_U64(16 * KW_GIB);
	host->facts.hugetlb_bytes = KW_U64(0);
	host->list.holds = host->holds;
}

static struct kw_guest *add_guest(struct host *host, const char *cgroup)
{
	struct kw_guest *guest = &host->guests[host->facts.guests.count++];

	*guest = (struct kw_guest){
		.pid = 100 + (pid_t)host->facts.guests.count, .type = KW_U32(KW_GUEST_SEV),
		.libvirt = true, .memory_bytes = KW_U64(KW_GIB), .pinned_bytes = KW_U64(KW_GIB),
	};
	strcpy(guest->cgroup, cgroup);
	host->facts.slots.pool[KW_POOL_SEV].charged.value++;
	host->facts.slots.pool[KW_POOL_SEV].in_use.value++;
	return guest;
}

static struct kw_hold *add_hold(struct host *host, const char *class, bool waiting)
{
	struct kw_hold *hold = &host->holds[host->list.count++];

	*hold = (struct kw_hold){ .claim = { .type = KW_GUEST_SEV, .ceiling_bytes = KW_GIB },
				  .waiting = waiting };
	strcpy(hold->claim.class_name, class);
	snprintf(hold->claim.uuid, sizeof(hold->claim.uuid), "bbbbbbbb-0000-0000-0000-%012d",
		 (int)host->list.count);
	return hold;
}

static struct kw_claim claim_of(const char *class, uint64_t bytes)
{
	struct kw_claim claim = { .uuid = OWN, .type = KW_GUEST_SEV, .ceiling_bytes = bytes };

	strcpy(claim.class_name, class);
	return claim;
}

static void expect_of(struct host *host, struct kw_claim claim, enum kw_code code,
		      const char *in_sentence)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	kw_admit(&host->facts, &host->list, &host->config, &claim, &verdict);
	if (verdict.code != code || !strstr(verdict.sentence, in_sentence))
		fail_msg("wanted %s with \"%s\", got %s: %s", kw_code_name(code), in_sentence,
			 kw_code_name(verdict.code), verdict.sentence);
}

static void expect(struct host *host, const char *class, enum kw_code code,
		   const char *in_sentence)
{
	expect_of(host, claim_of(class, KW_GIB), code, in_sentence);
}

#define GOLD_SLICE "/machine.slice/machine-gold.slice/machine-qemu\\x2d1\\x2da.scope"

static void what_is_set_aside_nobody_else_gets(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_hold(&host, "", false);
	expect(&host, "", KW_ADMITTED, "1024 MiB of memory for it; 2 more slots are free");
	expect(&host, "gold", KW_ADMITTED, "1024 MiB of memory for it in class gold; 2 more");
	add_hold(&host, "", false);
	expect(&host, "", KW_CLASS_RESERVED,
	       "too much of the rest is kept for others: of 2 SEV slots left, 2 set aside for "
	       "classes other than the default one, guests that came first wait for 0, and this "
	       "one takes 1; stop a guest, or lower sev_reserve of another class");
	expect(&host, "bronze", KW_CLASS_RESERVED, "for classes other than bronze");
	expect(&host, "gold", KW_ADMITTED, "");
	/* a reserve that is used is set aside no more */
	add_guest(&host, GOLD_SLICE);
	expect(&host, "", KW_CLASS_RESERVED, "of 1 SEV slot left, 1 set aside");
	expect(&host, "gold", KW_ADMITTED, "");
	add_guest(&host, GOLD_SLICE);
	expect(&host, "gold", KW_SLOT_FULL, "2 of 4 in use");
}

static void a_class_has_a_limit(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	expect(&host, "bronze", KW_ADMITTED, "");
	add_hold(&host, "bronze", false);
	expect(&host, "bronze", KW_CLASS_FULL,
	       "class bronze may have at most 1 SEV slot: its guests have 1, those of it that came "
	       "first wait for 0, and this one takes 1; stop a guest of that class, or raise "
	       "sev_limit of [class bronze]");
	expect(&host, "", KW_ADMITTED, "");
	host_init(&host);
	for (int i = 0; i < 3; i++)
		add_guest(&host, GOLD_SLICE);
	expect(&host, "gold", KW_CLASS_FULL, "may have at most 3 SEV slots: its guests have 3");
	expect(&host, "", KW_ADMITTED, "");
}

static void memory_is_set_aside_and_limited_too(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	expect_of(&host, claim_of("", 11 * KW_GIB), KW_ADMITTED, "");
	expect_of(&host, claim_of("", 12 * KW_GIB), KW_CLASS_RESERVED,
		  "of 15.5 GiB of memory left, 4096 MiB set aside");
	expect_of(&host, claim_of("gold", 6 * KW_GIB), KW_ADMITTED, "");
	expect_of(&host, claim_of("gold", 7 * KW_GIB), KW_CLASS_FULL,
		  "class gold may have at most 6144 MiB of memory: its guests have 0 B, those of it "
		  "that came first wait for 0 B, and this one takes 7168 MiB");
	expect_of(&host, claim_of("gold", 7 * KW_GIB), KW_CLASS_FULL, "raise memory_limit_mb of");
	/* what gold has already is not set aside any more */
	add_guest(&host, GOLD_SLICE)->memory_bytes = KW_U64(4 * KW_GIB);
	expect_of(&host, claim_of("", 11 * KW_GIB), KW_ADMITTED, "");
	expect_of(&host, claim_of("gold", 2 * KW_GIB), KW_ADMITTED, "");
	expect_of(&host, claim_of("gold", 3 * KW_GIB), KW_CLASS_FULL, "its guests have 4096 MiB");
}

static void pools_have_reserves_of_their_own(void **state)
{
	struct kw_claim claim = claim_of("", KW_GIB);
	struct host host;

	(void)state;
	host_init(&host);
	claim.type = KW_GUEST_SEV_ES;
	expect_of(&host, claim, KW_ADMITTED, "");
	host.config.classes[0].reserve[KW_POOL_SEV_ES] = 2;
	expect_of(&host, claim, KW_CLASS_RESERVED, "of 2 SEV-ES/SNP slots left");
	expect_of(&host, claim, KW_CLASS_RESERVED, "lower sev_es_reserve");
	host.config.classes[0].reserve[KW_POOL_SEV_ES] = 1;
	expect_of(&host, claim, KW_ADMITTED, "");
}

/* Who waits keeps nothing from those that what he lacks is set aside for. */
static void waiting_does_not_reach_into_reserves(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_hold(&host, "", false);
	add_hold(&host, "", false);
	add_hold(&host, "", true);
	expect(&host, "gold", KW_ADMITTED, "");
	add_guest(&host, GOLD_SLICE);
	expect(&host, "gold", KW_ADMITTED, "");
	/* but gold that waits comes before gold that comes */
	add_hold(&host, "gold", true);
	expect(&host, "gold", KW_CLASS_RESERVED, "guests that came first wait for 2");
	/* in front of everybody's slots there is one line */
	host_init(&host);
	host.config.classes[0].reserve[0] = 0;
	add_hold(&host, "", false);
	add_hold(&host, "", false);
	add_hold(&host, "", false);
	expect(&host, "gold", KW_ADMITTED, "");
	add_hold(&host, "", true);
	expect(&host, "gold", KW_CLASS_RESERVED, "guests that came first wait for 1");
	expect(&host, "", KW_CLASS_RESERVED, "guests that came first wait for 1");
}

static void sums_never_wrap(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_hold(&host, "gold", true)->claim.ceiling_bytes = UINT64_MAX;
	add_hold(&host, "gold", true)->claim.ceiling_bytes = UINT64_MAX;
	expect(&host, "gold", KW_CLASS_FULL, "raise memory_limit_mb");
	host.config.classes[0].memory_limit_bytes.known = false;
	expect(&host, "bronze", KW_CLASS_RESERVED, "memory_reserve_mb");
}

/* Nor do those that their own limit keeps back keep back anybody else. */
static void a_full_class_waits_by_itself(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	add_hold(&host, "bronze", false);
	add_hold(&host, "bronze", true);
	expect(&host, "", KW_ADMITTED, "");
	expect(&host, "bronze", KW_CLASS_FULL, "came first wait for 1");
}

static void turns_know_classes(void **state)
{
	struct kw_claim claim = claim_of("bronze", KW_GIB);
	struct kw_verdict verdict;
	struct host host;

	(void)state;
	host_init(&host);
	add_hold(&host, "bronze", false);
	assert_int_equal(kw_turn_of(&host.facts, &host.list, &host.config, &claim, &verdict),
			 KW_TURN_LATER);
	assert_int_equal(verdict.code, KW_CLASS_FULL);
	host.config.classes[1].limit[0] = KW_U32(0);
	assert_int_equal(kw_turn_of(&host.facts, &host.list, &host.config, &claim, &verdict),
			 KW_TURN_NEVER);
	assert_int_equal(verdict.code, KW_CLASS_FULL);
	claim = claim_of("", KW_GIB);
	host.config.classes[0].reserve[0] = 4;
	assert_int_equal(kw_turn_of(&host.facts, &host.list, &host.config, &claim, &verdict),
			 KW_TURN_NEVER);
	assert_int_equal(verdict.code, KW_CLASS_RESERVED);
}

static void a_guest_does_not_count_against_itself(void **state)
{
	struct host host;

	(void)state;
	host_init(&host);
	strcpy(add_hold(&host, "bronze", false)->claim.uuid, OWN);
	expect(&host, "bronze", KW_ADMITTED, "");
	host_init(&host);
	strcpy(add_guest(&host, "/machine.slice/machine-bronze.slice/x.scope")->uuid, OWN);
	expect(&host, "bronze", KW_ADMITTED, "");
	host.guests[0].libvirt = false;
	expect(&host, "bronze", KW_CLASS_FULL, "");
}

static void uses_are_listed(void **state)
{
	struct kw_class_table table;
	const struct kw_class_use *uses = table.uses;
	struct host host;

	(void)state;
	host_init(&host);
	add_guest(&host, GOLD_SLICE);
	add_hold(&host, "gold", false);
	add_hold(&host, "", false);
	add_hold(&host, "", true);
	kw_shares_list(&host.facts, &host.list, &host.config, &table);
	assert_int_equal(table.count, 9); /* gold, bronze and the default: SEV, SEV-ES/SNP, memory */
	assert_string_equal(uses[0].class_name, "gold");
	assert_int_equal(uses[0].thing, KW_CLASS_SLOTS);
	assert_int_equal(uses[0].pool, KW_POOL_SEV);
	assert_int_equal(uses[0].used, 2);
	assert_int_equal(uses[0].reserve, 2);
	assert_true(uses[0].limit.known);
	assert_int_equal(uses[0].limit.value, 3);
	assert_string_equal(uses[2].class_name, "");
	assert_int_equal(uses[2].used, 1);
	assert_false(uses[2].limit.known);
	assert_int_equal(uses[6].thing, KW_CLASS_MEMORY);
	assert_string_equal(kw_class_thing_name(&uses[0]), "sev");
	assert_string_equal(kw_class_thing_name(&uses[6]), "memory");
	assert_int_equal(uses[6].used, 2 * KW_GIB);
	host.config.class_count = 0;
	kw_shares_list(&host.facts, &host.list, &host.config, &table);
	assert_int_equal(table.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_aside_nobody_else_gets),
		cmocka_unit_test(a_class_has_a_limit),
		cmocka_unit_test(memory_is_set_aside_and_limited_too),
		cmocka_unit_test(pools_have_reserves_of_their_own),
		cmocka_unit_test(waiting_does_not_reach_into_reserves),
		cmocka_unit_test(sums_never_wrap),
		cmocka_unit_test(a_full_class_waits_by_itself),
		cmocka_unit_test(turns_know_classes),
		cmocka_unit_test(a_guest_does_not_count_against_itself),
		cmocka_unit_test(uses_are_listed),
	};

	return cmocka_run_group_tests_name("shares", tests, NULL, NULL);
}
