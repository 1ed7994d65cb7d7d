/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "tests/scene.h"

#define UUID_NEW "aaaaaaaa-0000-0000-0000-000000000001"
#define UUID_OLD "bbbbbbbb-0000-0000-0000-000000000002"

/* An idle host with 10 SEV and 5 SEV-ES/SNP slots and 64 GiB; each test changes one thing. */
static void scene_init(struct scene *scene, enum kw_guest_type type)
{
	static const struct kw_u32 yes = { true, 1 };

	*scene = (struct scene){ 0 };
	kw_config_defaults(&scene->config);
	scene->facts.host_known = true;
	scene->facts.host = (struct kw_host){
		.sme_enabled = yes, .sev_in_cpu = yes, .sev_es_in_cpu = yes, .snp_in_cpu = yes,
		.sev_enabled = yes, .sev_es_enabled = yes, .snp_enabled = yes,
		.max_asid = KW_U32(15), .min_sev_asid = KW_U32(6), .kvm_vendor_module = "kvm_amd",
	};
	scene->facts.slots.known = true;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		scene->facts.slots.pool[pool] = (struct kw_slots){
			.capacity = KW_U32(pool == KW_POOL_SEV ? 10 : 5),
			.charged = KW_U32(0),
			.in_use = KW_U32(0),
		};
	scene->facts.guests = (struct kw_guest_list){ true, scene->guests, 0 };
	scene->facts.memory_total_bytes = KW_U64(64 * KW_GIB);
	scene->facts.hugetlb_bytes = KW_U64(0);
	scene->list.holds = scene->holds;
	scene->claim = (struct kw_claim){ .uuid = UUID_NEW, .type = type,
					  .memory_bytes = KW_GIB, .ceiling_bytes = KW_GIB };
}

static struct kw_slots *pool_of(struct scene *scene, enum kw_pool pool)
{
	return &scene->facts.slots.pool[pool];
}

static void take(struct scene *scene, enum kw_pool pool, uint32_t count)
{
	pool_of(scene, pool)->charged = pool_of(scene, pool)->in_use = KW_U32(count);
}

static struct kw_guest *add_guest(struct scene *scene, const char *uuid, enum kw_guest_type type)
{
	struct kw_guest *guest = &scene->guests[scene->facts.guests.count++];

	*guest = (struct kw_guest){ .pid = 100 + (pid_t)scene->facts.guests.count,
				    .type = KW_U32(type), .libvirt = true,
				    .memory_bytes = KW_U64(KW_GIB), .pinned_bytes = KW_U64(KW_GIB) };
	strcpy(guest->uuid, uuid);
	return guest;
}

static struct kw_hold *add_hold(struct scene *scene, const char *uuid, enum kw_guest_type type)
{
	struct kw_hold *hold = &scene->holds[scene->list.count++];

	*hold = (struct kw_hold){ .claim = { .type = type, .memory_bytes = KW_GIB,
					     .ceiling_bytes = KW_GIB } };
	strcpy(hold->claim.uuid, uuid);
	return hold;
}

static void admits_every_type_on_an_idle_host(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	expect(&scene, KW_ADMITTED, "SEV slot and 1024 MiB");
	expect(&scene, KW_ADMITTED, "9 more slots are free");
	scene_init(&scene, KW_GUEST_SEV_ES);
	expect(&scene, KW_ADMITTED, "4 more slots are free");
	scene_init(&scene, KW_GUEST_SNP);
	expect(&scene, KW_ADMITTED, "SEV-ES/SNP slot");
}


static void takes_no_unknown_type_for_plain(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, (enum kw_guest_type)7);
	expect(&scene, KW_UNKNOWN_SECURITY, "7");
}

static void refuses_the_first_guest_too_many(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 9);
	expect(&scene, KW_ADMITTED, "0 more slots are free");
	take(&scene, KW_POOL_SEV, 10);
	expect(&scene, KW_SLOT_FULL,
	       "no SEV slot is free: 10 of 10 in use, 0 reserved, 0 promised to guests that are "
	       "starting; stop a guest or lower the ASID split (BIOS \"minimum SEV ASID\")");
	/* the other pool is another matter */
	scene.claim.type = KW_GUEST_SEV_ES;
	expect(&scene, KW_ADMITTED, "");
	take(&scene, KW_POOL_SEV_ES, 5);
	expect(&scene, KW_SLOT_FULL, "5 of 5 in use");
	expect(&scene, KW_SLOT_FULL, "raise the ASID split");
	scene.claim.type = KW_GUEST_SNP;
	expect(&scene, KW_SLOT_FULL, "no SEV-ES/SNP slot is free");
}

static void advises_no_split_that_cannot_help(void **state)
{
	struct scene scene;
	struct kw_verdict verdict;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 10);
	scene.facts.host.min_sev_asid = KW_U32(1);
	kw_admit(&scene.facts, &scene.list, &scene.config, &scene.claim, &verdict);
	assert_int_equal(verdict.code, KW_SLOT_FULL);
	assert_null(strstr(verdict.sentence, "BIOS"));
}

static void counts_more_slots_taken_than_there_are(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 12);
	add_hold(&scene, UUID_OLD, KW_GUEST_SEV);
	expect(&scene, KW_SLOT_FULL, "12 of 10 in use");
}

static void names_leaked_slots(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	pool_of(&scene, KW_POOL_SEV)->charged = KW_U32(10);
	pool_of(&scene, KW_POOL_SEV)->in_use = KW_U32(8);
	expect(&scene, KW_SLOT_FULL, "10 of 10 in use (2 of them leaked");
	/* only one source */
	pool_of(&scene, KW_POOL_SEV)->in_use.known = false;
	expect(&scene, KW_SLOT_FULL, "10 of 10 in use, ");
}

static void counts_what_only_guests_show(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	pool_of(&scene, KW_POOL_SEV)->charged.known = false;
	pool_of(&scene, KW_POOL_SEV)->in_use = KW_U32(10);
	expect(&scene, KW_SLOT_FULL, "10 of 10");
	pool_of(&scene, KW_POOL_SEV)->in_use = KW_U32(9);
	expect(&scene, KW_ADMITTED, "");
}

static void counts_pending_holds_of_the_pool(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 8);
	add_hold(&scene, UUID_OLD, KW_GUEST_SEV);
	add_hold(&scene, "cccccccc-0000-0000-0000-000000000003", KW_GUEST_SEV_ES);
	add_hold(&scene, "dddddddd-0000-0000-0000-000000000004", KW_GUEST_PLAIN);
	expect(&scene, KW_ADMITTED, "0 more");
	add_hold(&scene, "eeeeeeee-0000-0000-0000-000000000005", KW_GUEST_SEV);
	expect(&scene, KW_SLOT_FULL, "8 of 10 in use, 0 reserved, 2 promised");
	/* confirmed: the kernel's own count has it */
	scene.holds[0].pid = 4711;
	expect(&scene, KW_ADMITTED, "");
}

static void does_not_count_the_claim_against_itself(void **state)
{
	struct scene scene;
	struct kw_guest *guest;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 9);
	add_hold(&scene, UUID_NEW, KW_GUEST_SEV);
	expect(&scene, KW_ADMITTED, "");
	take(&scene, KW_POOL_SEV, 10);
	expect(&scene, KW_SLOT_FULL, "0 promised");
	guest = add_guest(&scene, UUID_NEW, KW_GUEST_SEV);
	expect(&scene, KW_ADMITTED, "");
	/* a slot of the other pool is no use to it */
	guest->type = KW_U32(KW_GUEST_SEV_ES);
	expect(&scene, KW_SLOT_FULL, "");
}

/* Each of these has the claim's UUID, and its slot is not the claim's to use. */
static void counts_guests_that_only_look_like_the_claim(void **state)
{
	struct scene scene;
	struct kw_guest *guest;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 10);
	guest = add_guest(&scene, UUID_NEW, KW_GUEST_SEV);
	guest->libvirt = false;
	expect(&scene, KW_SLOT_FULL, "");
	guest->libvirt = guest->orphan = true;
	expect(&scene, KW_SLOT_FULL, "");
	guest->orphan = false;
	guest->mirror = true;
	expect(&scene, KW_SLOT_FULL, "");
	guest->mirror = false;
	guest->type.known = false;
	expect(&scene, KW_SLOT_FULL, "");
}

static void a_claim_without_uuid_is_nobodys(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	scene.claim.uuid[0] = '\0';
	take(&scene, KW_POOL_SEV, 9);
	add_guest(&scene, "", KW_GUEST_SEV);
	add_hold(&scene, "", KW_GUEST_SEV);
	expect(&scene, KW_SLOT_FULL, "9 of 10 in use, 0 reserved, 1 promised");
}

static void keeps_the_reserve(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	scene.config.reserve[KW_POOL_SEV] = 2;
	take(&scene, KW_POOL_SEV, 7);
	expect(&scene, KW_ADMITTED, "0 more");
	take(&scene, KW_POOL_SEV, 8);
	expect(&scene, KW_SLOT_RESERVED,
	       "8 of 10 in use, 0 promised to guests that are starting, 2 left, 2 reserved; stop a "
	       "guest or lower sev_reserve");
	take(&scene, KW_POOL_SEV, 10);
	expect(&scene, KW_SLOT_FULL, "2 reserved");
	scene.claim.type = KW_GUEST_SNP;
	expect(&scene, KW_ADMITTED, "");
	scene.config.reserve[KW_POOL_SEV_ES] = 4711;
	expect(&scene, KW_SLOT_RESERVED, "lower sev_es_reserve");
}

/* Ciphertext hiding: 2 of the 5 slots that SEV-ES and SNP else share are SNP's alone. */
static void scene_split(struct scene *scene, enum kw_guest_type type)
{
	scene_init(scene, type);
	scene->facts.slots.snp_apart = true;
	for (enum kw_pool pool = KW_POOL_SEV_ES; pool <= KW_POOL_SNP; pool++)
		*pool_of(scene, pool) = (struct kw_slots){
			.capacity = KW_U32(pool == KW_POOL_SNP ? 2 : 3),
			.in_use = KW_U32(0),
		};
}

static void keeps_apart_what_ciphertext_hiding_splits(void **state)
{
	struct scene scene;

	(void)state;
	scene_split(&scene, KW_GUEST_SNP);
	expect(&scene, KW_ADMITTED, "a SEV-SNP slot and 1024 MiB");
	expect(&scene, KW_ADMITTED, "1 more slot is free");
	pool_of(&scene, KW_POOL_SNP)->in_use = KW_U32(2);
	expect(&scene, KW_SLOT_FULL, "no SEV-SNP slot is free: 2 of 2 in use");
	expect(&scene, KW_SLOT_FULL, "raise kvm_amd's parameter ciphertext_hiding_asids");
	scene.claim.type = KW_GUEST_SEV_ES;
	expect(&scene, KW_ADMITTED, "a SEV-ES slot and 1024 MiB");
	add_hold(&scene, UUID_OLD, KW_GUEST_SNP);
	expect(&scene, KW_ADMITTED, "2 more slots are free");
	pool_of(&scene, KW_POOL_SEV_ES)->in_use = KW_U32(3);
	expect(&scene, KW_SLOT_FULL, "lower kvm_amd's parameter ciphertext_hiding_asids");
	pool_of(&scene, KW_POOL_SEV_ES)->capacity = KW_U32(0);
	expect(&scene, KW_SLOT_NONE, "ciphertext hiding gives all of them to SEV-SNP");
}

/* KVM has its kind and still looks for its ASID; its hold is confirmed by then. */
static void counts_guests_that_have_no_asid_yet(void **state)
{
	struct scene scene;

	(void)state;
	scene_split(&scene, KW_GUEST_SNP);
	pool_of(&scene, KW_POOL_SNP)->in_use = KW_U32(1);
	add_guest(&scene, UUID_OLD, KW_GUEST_SNP)->asid = KW_U32(1);
	expect(&scene, KW_ADMITTED, "0 more slots are free");
	add_guest(&scene, "", KW_GUEST_SNP);
	expect(&scene, KW_SLOT_FULL, "no SEV-SNP slot is free: 2 of 2 in use");
	scene.guests[1].mirror = true;
	expect(&scene, KW_ADMITTED, "0 more slots are free");
	/* of one that is refused its slot, a plain guest is left */
	scene.guests[1].mirror = false;
	scene.guests[1].type = KW_U32(KW_GUEST_PLAIN);
	expect(&scene, KW_ADMITTED, "0 more slots are free");
}

static void each_part_has_its_own_reserve(void **state)
{
	struct scene scene;

	(void)state;
	scene_split(&scene, KW_GUEST_SNP);
	scene.config.reserve[KW_POOL_SEV_ES] = 3;
	expect(&scene, KW_ADMITTED, "1 more");
	scene.config.reserve[KW_POOL_SNP] = 2;
	expect(&scene, KW_SLOT_RESERVED, "lower snp_reserve");
	scene_init(&scene, KW_GUEST_SNP);
	scene.config.reserve[KW_POOL_SNP] = 4711;
	expect(&scene, KW_ADMITTED, "4 more");
}

/* A pool that is not there is nothing unknown either. */
static void override_counts_the_pools_there_are(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	scene.config.num_memory_encrypted_guests = KW_U32(3);
	*pool_of(&scene, KW_POOL_SNP) = (struct kw_slots){ 0 };
	expect(&scene, KW_ADMITTED, "2 more");
	scene_split(&scene, KW_GUEST_SEV);
	scene.config.num_memory_encrypted_guests = KW_U32(3);
	pool_of(&scene, KW_POOL_SNP)->in_use = KW_U32(2);
	expect(&scene, KW_ADMITTED, "0 more");
	pool_of(&scene, KW_POOL_SNP)->in_use.known = false;
	expect(&scene, KW_FACTS_UNKNOWN, "slots of the other pools");
}

static void override_limits_both_pools_together(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	scene.config.num_memory_encrypted_guests = KW_U32(6);
	take(&scene, KW_POOL_SEV, 3);
	take(&scene, KW_POOL_SEV_ES, 2);
	expect(&scene, KW_ADMITTED, "0 more");
	add_hold(&scene, UUID_OLD, KW_GUEST_SNP);
	expect(&scene, KW_SLOT_FULL,
	       "num_memory_encrypted_guests allows 6 encrypted guests and 6 slots are in use");
	/* it lowers, and never raises */
	scene_init(&scene, KW_GUEST_SEV);
	scene.config.num_memory_encrypted_guests = KW_U32(1000);
	take(&scene, KW_POOL_SEV, 10);
	expect(&scene, KW_SLOT_FULL, "10 of 10 in use");
	scene_init(&scene, KW_GUEST_SEV);
	scene.config.num_memory_encrypted_guests = KW_U32(0);
	expect(&scene, KW_SLOT_FULL, "allows 0 encrypted guests");
}

static void override_needs_both_pools_known(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	scene.config.num_memory_encrypted_guests = KW_U32(6);
	pool_of(&scene, KW_POOL_SEV_ES)->charged.known = false;
	pool_of(&scene, KW_POOL_SEV_ES)->in_use.known = false;
	expect(&scene, KW_FACTS_UNKNOWN, "slots of the other pool");
	/* a pool without slots has none in use */
	pool_of(&scene, KW_POOL_SEV_ES)->capacity = KW_U32(0);
	expect(&scene, KW_ADMITTED, "");
}

static void tells_no_slots_from_no_encryption(void **state)
{
	struct scene scene;

	(void)state;
	/* the BIOS trap: every ASID is SEV's, and KVM says N to SEV-ES for want of a range */
	scene_init(&scene, KW_GUEST_SEV_ES);
	scene.facts.host.min_sev_asid = KW_U32(1);
	scene.facts.host.sev_es_enabled = KW_U32(0);
	pool_of(&scene, KW_POOL_SEV_ES)->capacity = KW_U32(0);
	expect(&scene, KW_SLOT_NONE, "above 1: it is 1, the highest ASID 15");
	/* the range is there, but kvm_amd was told not to */
	scene_init(&scene, KW_GUEST_SEV_ES);
	scene.facts.host.sev_es_enabled = KW_U32(0);
	pool_of(&scene, KW_POOL_SEV_ES)->capacity = KW_U32(0);
	expect(&scene, KW_TYPE_UNAVAILABLE, "kvm_amd's parameter sev_es is N");
	/* no SEV slot left by the split */
	scene_init(&scene, KW_GUEST_SEV);
	scene.facts.host.min_sev_asid = KW_U32(1007);
	scene.facts.host.max_asid = KW_U32(1006);
	expect(&scene, KW_SLOT_NONE, "it is 1007, the highest ASID 1006");
	/* only the kernel's capacity says so */
	scene_init(&scene, KW_GUEST_SEV);
	scene.facts.host.min_sev_asid.known = false;
	pool_of(&scene, KW_POOL_SEV)->capacity = KW_U32(0);
	expect(&scene, KW_SLOT_NONE, "no SEV slot");
}

static void says_what_stands_in_the_way(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SNP);
	scene.facts.host.snp_in_cpu = KW_U32(0);
	scene.facts.host.snp_enabled = KW_U32(0);
	expect(&scene, KW_TYPE_UNAVAILABLE, "SEV-SNP guests: the processor does not have it");
	scene_init(&scene, KW_GUEST_SNP);
	scene.facts.host.snp_enabled = KW_U32(0);
	expect(&scene, KW_TYPE_UNAVAILABLE, "sev_snp is N");
	scene_init(&scene, KW_GUEST_SEV);
	scene.facts.host.sme_enabled = KW_U32(0);
	expect(&scene, KW_ADMITTED, "");	/* what KVM offers, works */
	scene.facts.host.sev_enabled = KW_U32(0);
	expect(&scene, KW_TYPE_UNAVAILABLE, "SMEE");
	scene_init(&scene, KW_GUEST_SEV);
	scene.facts.host.virt_firmware_disabled = KW_U32(1);
	scene.facts.host.sev_enabled = KW_U32(0);
	expect(&scene, KW_TYPE_UNAVAILABLE, "SVM");
	scene_init(&scene, KW_GUEST_SEV);
	scene.facts.host.sev_enabled.known = false;
	scene.facts.host.kvm_vendor_module[0] = '\0';
	expect(&scene, KW_TYPE_UNAVAILABLE, "kvm_amd is not loaded");
	strcpy(scene.facts.host.kvm_vendor_module, "kvm_intel");
	expect(&scene, KW_TYPE_UNAVAILABLE, "but kvm_intel");
}

static void forget_host(struct scene *scene)
{
	scene->facts.host_known = false;
}

static void forget_offer(struct scene *scene)
{
	scene->facts.host.sev_enabled.known = false;
}

static void forget_slots(struct scene *scene)
{
	scene->facts.slots.known = false;
}

static void forget_capacity(struct scene *scene)
{
	pool_of(scene, KW_POOL_SEV)->capacity.known = false;
}

static void forget_taken(struct scene *scene)
{
	pool_of(scene, KW_POOL_SEV)->charged.known = false;
	pool_of(scene, KW_POOL_SEV)->in_use.known = false;
}

static void forget_guests(struct scene *scene)
{
	scene->facts.guests.known = false;
}

static void forget_memory(struct scene *scene)
{
	scene->facts.memory_total_bytes.known = false;
}

static void forget_the_hugepages(struct scene *scene)
{
	scene->facts.hugetlb_bytes.known = false;
}

static void forget_a_plain_guests_memory(struct scene *scene)
{
	struct kw_guest *guest = add_guest(scene, UUID_OLD, KW_GUEST_PLAIN);

	guest->memory_bytes.known = guest->pinned_bytes.known = false;
}

static void forget_a_guests_type(struct scene *scene)
{
	add_guest(scene, UUID_OLD, KW_GUEST_PLAIN)->type.known = false;
}

static void forget_a_guests_memory(struct scene *scene)
{
	struct kw_guest *guest = add_guest(scene, UUID_OLD, KW_GUEST_SEV_ES);

	guest->memory_bytes.known = guest->pinned_bytes.known = false;
}

static void refuses_what_it_does_not_know(void **state)
{
	static void (*const forget[])(struct scene *) = {
		forget_host,   forget_offer,  forget_slots,	    forget_capacity,	    forget_taken,
		forget_guests, forget_memory, forget_a_guests_type, forget_a_guests_memory,
		forget_the_hugepages, forget_a_plain_guests_memory,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forget) / sizeof(*forget); i++) {
		struct scene scene;

		scene_init(&scene, KW_GUEST_SEV);
		strcpy(scene.facts.reason, "the module is not loaded");
		expect(&scene, KW_ADMITTED, "");
		forget[i](&scene);
		expect(&scene, KW_FACTS_UNKNOWN, "not known: the module is not loaded; see");
	}
}

static void admits_plain_guests_whatever_is_known(void **state)
{
	static void (*const forget[])(struct scene *) = {
		forget_guests,	      forget_memory, forget_a_guests_type,
		forget_the_hugepages, forget_a_plain_guests_memory,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forget) / sizeof(*forget); i++) {
		struct scene scene;

		scene_init(&scene, KW_GUEST_PLAIN);
		strcpy(scene.facts.reason, "the module is not loaded");
		forget[i](&scene);
		expect(&scene, KW_ADMITTED, "plain guests are admitted where how much memory the ");
		/* unless the operator has said otherwise */
		scene.config.admit_plain_unasked = false;
		expect(&scene, KW_FACTS_UNKNOWN, "not known: the module is not loaded; see");
	}
}

static void refuses_plain_guests_that_do_not_even_fit_into_what_is_known(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_PLAIN);
	forget_a_plain_guests_memory(&scene);
	scene.claim.memory_bytes = 64 * KW_GIB - 512 * KW_MIB;
	expect(&scene, KW_ADMITTED, "");
	add_guest(&scene, UUID_OLD, KW_GUEST_PLAIN);
	expect(&scene, KW_MEMORY_FULL, "plain guests 1024 MiB");
}

static void knows_nothing_of_slots_for_plain_guests(void **state)
{
	static void (*const forget[])(struct scene *) = {
		forget_host, forget_offer, forget_slots, forget_capacity, forget_taken,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forget) / sizeof(*forget); i++) {
		struct scene scene;

		scene_init(&scene, KW_GUEST_PLAIN);
		scene.config.admit_plain_unasked = false;
		forget[i](&scene);
		expect(&scene, KW_ADMITTED, "there are 1024 MiB of memory for it, and it takes no slot");
	}
}

static void falls_back_to_the_hosts_reason(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	strcpy(scene.facts.host.facts_reason, "no BTF");
	forget_taken(&scene);
	expect(&scene, KW_FACTS_UNKNOWN, "how many SEV slots are in use is not known: no BTF");
}

static void weighs_memory(void **state)
{
	struct scene scene;
	struct kw_guest *guest;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	scene.facts.memory_total_bytes = KW_U64(4 * KW_GIB + 512 * KW_MIB);
	guest = add_guest(&scene, UUID_OLD, KW_GUEST_SEV);
	guest->pinned_bytes = KW_U64(2 * KW_GIB);
	add_hold(&scene, "cccccccc-0000-0000-0000-000000000003", KW_GUEST_SNP);
	expect(&scene, KW_ADMITTED, "");
	scene.claim.ceiling_bytes++;
	expect(&scene, KW_MEMORY_FULL,
	       "the guest may take 1024 MiB and 1024 MiB are left: of 4608 MiB in the host, "
	       "512 MiB are reserved for it, 0 B are hugepages, encrypted guests keep 2048 MiB, "
	       "plain guests 0 B, 1024 MiB are promised to guests that are starting; stop a guest");
	scene.config.reserved_host_memory_bytes = 0;
	expect(&scene, KW_ADMITTED, "");
	scene.claim.ceiling_bytes = UINT64_MAX;
	expect(&scene, KW_MEMORY_FULL, "");
}

static struct kw_memory_room room_of(struct scene *scene)
{
	struct kw_memory_room room;

	kw_memory_room(&scene->facts, &scene->list, &scene->config, &room);
	assert_true(room.guests_known);
	return room;
}

static uint64_t guests_bytes_of(struct scene *scene)
{
	return room_of(scene).encrypted_bytes;
}

static uint64_t plain_bytes_of(struct scene *scene)
{
	return room_of(scene).plain_bytes;
}

/* Whatever asks: running plain guests keep memory from encrypted ones, and these from them. */
static void weighs_plain_guests(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_PLAIN);
	scene.facts.memory_total_bytes = KW_U64(6 * KW_GIB + 512 * KW_MIB);
	scene.facts.hugetlb_bytes = KW_U64(KW_GIB);
	add_guest(&scene, UUID_OLD, KW_GUEST_PLAIN)->memory_bytes = KW_U64(2 * KW_GIB);
	add_guest(&scene, "", KW_GUEST_PLAIN)->libvirt = false;
	add_hold(&scene, "cccccccc-0000-0000-0000-000000000003", KW_GUEST_PLAIN);
	expect(&scene, KW_ADMITTED, "there are 1024 MiB of memory for it, and it takes no slot");
	scene.claim.type = KW_GUEST_SEV;
	expect(&scene, KW_ADMITTED, "1024 MiB of memory");
	scene.claim.ceiling_bytes++;
	expect(&scene, KW_MEMORY_FULL, "1024 MiB are hugepages, encrypted guests keep 0 B, plain "
				       "guests 3072 MiB, 1024 MiB are promised");
	scene.claim.type = KW_GUEST_PLAIN;
	expect(&scene, KW_ADMITTED, "");
	scene.claim.memory_bytes++;
	expect(&scene, KW_MEMORY_FULL, "");
	/* what may be plugged later counts once it is */
	scene.claim.memory_bytes = 8 * KW_GIB;
	scene.claim.plug_bytes = 7 * KW_GIB;
	expect(&scene, KW_ADMITTED, "");
}

static void divides_plain_guests_by_the_ratio(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_PLAIN);
	scene.facts.memory_total_bytes = KW_U64(3 * KW_GIB + 512 * KW_MIB);
	scene.config.ram_allocation_thousandths = 2000;
	add_guest(&scene, UUID_OLD, KW_GUEST_PLAIN)->memory_bytes = KW_U64(4 * KW_GIB);
	assert_int_equal(plain_bytes_of(&scene), 2 * KW_GIB);
	scene.claim.memory_bytes = 2 * KW_GIB;
	expect(&scene, KW_ADMITTED, "1024 MiB of memory");
	scene.claim.memory_bytes++; /* half a byte is one */
	expect(&scene, KW_MEMORY_FULL,
	       "plain guests 2048 MiB (divided by ram_allocation_ratio 2), 0 B are");
	/* encrypted guests are never overcommitted */
	scene.claim.type = KW_GUEST_SEV;
	expect(&scene, KW_ADMITTED, "");
	scene.claim.ceiling_bytes++;
	expect(&scene, KW_MEMORY_FULL, "");
	scene.config.ram_allocation_thousandths = 1;
	scene.guests[0].memory_bytes = KW_U64(UINT64_MAX / 2);
	assert_int_equal(plain_bytes_of(&scene), UINT64_MAX);
	scene.config.ram_allocation_thousandths = 1500;
	scene.guests[0].memory_bytes = KW_U64(UINT64_MAX);
	assert_int_equal(plain_bytes_of(&scene), UINT64_MAX / 3 * 2);
}

/* A young QEMU of a guest that has its hold still: an encrypted one looks plain then. */
static void counts_a_starting_guest_once(void **state)
{
	struct scene scene;
	struct kw_hold *hold;

	(void)state;
	scene_init(&scene, KW_GUEST_PLAIN);
	add_guest(&scene, UUID_OLD, KW_GUEST_PLAIN);
	hold = add_hold(&scene, UUID_OLD, KW_GUEST_SEV);
	hold->claim.ceiling_bytes = KW_GIB + KW_MIB;
	assert_int_equal(plain_bytes_of(&scene), 0);
	assert_int_equal(room_of(&scene).pending_bytes, KW_GIB + KW_MIB);
	hold->claim.ceiling_bytes = KW_GIB - KW_MIB;
	assert_int_equal(plain_bytes_of(&scene), KW_MIB);
	scene.guests[0].libvirt = false;
	assert_int_equal(plain_bytes_of(&scene), KW_GIB);
	scene.guests[0].libvirt = true;
	/* confirmed, its memory not there yet */
	*hold = (struct kw_hold){ .pid = scene.guests[0].pid,
				  .claim = { .type = KW_GUEST_PLAIN, .memory_bytes = 2 * KW_GIB } };
	strcpy(hold->claim.uuid, UUID_OLD);
	assert_int_equal(plain_bytes_of(&scene), 2 * KW_GIB);
	assert_int_equal(room_of(&scene).pending_bytes, 0);
	/* an earlier run of the same gives its memory to the claim */
	strcpy(scene.claim.uuid, UUID_OLD);
	scene.facts.memory_total_bytes = KW_U64(KW_GIB + 512 * KW_MIB);
	expect(&scene, KW_ADMITTED, "");
}

static void takes_the_larger_figure_of_a_guest(void **state)
{
	struct scene scene;
	struct kw_guest *guest;
	struct kw_hold *hold;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	guest = add_guest(&scene, UUID_OLD, KW_GUEST_SEV);
	guest->memory_bytes = KW_U64(3 * KW_GIB);
	assert_int_equal(guests_bytes_of(&scene), 3 * KW_GIB);
	guest->memory_bytes.known = false;
	assert_int_equal(guests_bytes_of(&scene), KW_GIB);
	guest->memory_bytes = KW_U64(2 * KW_GIB);
	guest->pinned_bytes.known = false;
	assert_int_equal(guests_bytes_of(&scene), 2 * KW_GIB);
	/* it has its slot and is still filling its memory */
	hold = add_hold(&scene, UUID_OLD, KW_GUEST_SEV);
	hold->claim.ceiling_bytes = 5 * KW_GIB;
	hold->pid = guest->pid;
	assert_int_equal(guests_bytes_of(&scene), 5 * KW_GIB);
	hold->pid = guest->pid + 1;
	assert_int_equal(guests_bytes_of(&scene), 2 * KW_GIB);
}

static void leaves_out_memory_that_is_not_kept(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	add_guest(&scene, UUID_OLD, KW_GUEST_SEV)->mirror = true;
	assert_int_equal(guests_bytes_of(&scene), 0);
	assert_int_equal(room_of(&scene).free_bytes.value, 64 * KW_GIB - 512 * KW_MIB);
	/* an orphan's is kept */
	add_guest(&scene, UUID_OLD, KW_GUEST_SEV)->orphan = true;
	assert_int_equal(guests_bytes_of(&scene), KW_GIB);
}

static void memory_never_wraps(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	add_guest(&scene, UUID_OLD, KW_GUEST_SEV)->pinned_bytes = KW_U64(UINT64_MAX);
	add_guest(&scene, UUID_OLD, KW_GUEST_SEV);
	add_hold(&scene, UUID_OLD, KW_GUEST_SEV)->claim.ceiling_bytes = UINT64_MAX;
	scene.config.reserved_host_memory_bytes = UINT64_MAX;
	assert_int_equal(guests_bytes_of(&scene), UINT64_MAX);
	assert_int_equal(room_of(&scene).free_bytes.value, 0);
	expect(&scene, KW_MEMORY_FULL, "");
}

static void room_shows_its_parts(void **state)
{
	struct scene scene;
	struct kw_pool_room room;

	(void)state;
	scene_init(&scene, KW_GUEST_SEV);
	take(&scene, KW_POOL_SEV, 4);
	scene.config.reserve[KW_POOL_SEV] = 2;
	add_hold(&scene, UUID_NEW, KW_GUEST_SEV);
	kw_pool_room(&scene.facts, &scene.list, &scene.config, KW_POOL_SEV, &room);
	assert_int_equal(room.capacity.value, 10);
	assert_int_equal(room.taken.value, 4);
	assert_int_equal(room.pending, 1);
	assert_int_equal(room.reserve, 2);
	assert_true(room.free.known);
	assert_int_equal(room.free.value, 3);
	forget_slots(&scene);
	kw_pool_room(&scene.facts, &scene.list, &scene.config, KW_POOL_SEV, &room);
	assert_false(room.capacity.known);
	assert_false(room.taken.known);
	assert_false(room.free.known);
	assert_int_equal(room.pending, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admits_every_type_on_an_idle_host),
		cmocka_unit_test(admits_plain_guests_whatever_is_known),
		cmocka_unit_test(takes_no_unknown_type_for_plain),
		cmocka_unit_test(refuses_the_first_guest_too_many),
		cmocka_unit_test(advises_no_split_that_cannot_help),
		cmocka_unit_test(counts_more_slots_taken_than_there_are),
		cmocka_unit_test(names_leaked_slots),
		cmocka_unit_test(counts_what_only_guests_show),
		cmocka_unit_test(counts_pending_holds_of_the_pool),
		cmocka_unit_test(does_not_count_the_claim_against_itself),
		cmocka_unit_test(counts_guests_that_only_look_like_the_claim),
		cmocka_unit_test(a_claim_without_uuid_is_nobodys),
		cmocka_unit_test(keeps_the_reserve),
		cmocka_unit_test(keeps_apart_what_ciphertext_hiding_splits),
		cmocka_unit_test(counts_guests_that_have_no_asid_yet),
		cmocka_unit_test(each_part_has_its_own_reserve),
		cmocka_unit_test(override_counts_the_pools_there_are),
		cmocka_unit_test(override_limits_both_pools_together),
		cmocka_unit_test(override_needs_both_pools_known),
		cmocka_unit_test(tells_no_slots_from_no_encryption),
		cmocka_unit_test(says_what_stands_in_the_way),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(falls_back_to_the_hosts_reason),
		cmocka_unit_test(refuses_plain_guests_that_do_not_even_fit_into_what_is_known),
		cmocka_unit_test(knows_nothing_of_slots_for_plain_guests),
		cmocka_unit_test(weighs_memory),
		cmocka_unit_test(weighs_plain_guests),
		cmocka_unit_test(divides_plain_guests_by_the_ratio),
		cmocka_unit_test(counts_a_starting_guest_once),
		cmocka_unit_test(takes_the_larger_figure_of_a_guest),
		cmocka_unit_test(leaves_out_memory_that_is_not_kept),
		cmocka_unit_test(memory_never_wraps),
		cmocka_unit_test(room_shows_its_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
