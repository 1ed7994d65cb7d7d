/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools of hugepages: what is read of them, and what they have left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "facts/hugepages.h"
#include "policy/turns.h"
#include "tests/scene.h"
#include "tests/tree.h"

#define UUID_NEW "aaaaaaaa-0000-0000-0000-000000000001"
#define UUID_OLD "bbbbbbbb-0000-0000-0000-000000000002"
#define SMALL (2 * KW_MIB)

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kw-hugepages-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return tree_remove(dir);
}

static void put(const char *place, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, place);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, place, name);
	assert_int_equal(kw_file_write(path, text, strlen(text), 0600), 0);
}

static void put_pool(const char *place, const char *const numbers[3])
{
	static const char *const names[] = { "nr_hugepages", "free_hugepages", "resv_hugepages" };

	for (size_t i = 0; i < 3; i++)
		put(place, names[i], numbers[i]);
}

static void pools_are_read(void **state)
{
	struct kw_huge_pools pools;
	char proc[80];

	(void)state;
	snprintf(proc, sizeof(proc), "%s/proc", dir);
	put_pool("hugepages-2048kB", (const char *const[]){ "100\n", "40\n", "7\n" });
	put("hugepages-", "nr_hugepages", "1\n");
	put("hugepages-4MB", "nr_hugepages", "1\n");
	put("proc", "meminfo", "MemTotal: 1 kB\nHugepagesize:    2048 kB\n");
	kw_hugepages_read(dir, proc, &pools);
	assert_true(pools.known);
	assert_int_equal(pools.count, 1);
	assert_int_equal(pools.default_page_bytes, SMALL);
	assert_int_equal(pools.pools[0].page_bytes, SMALL);
	assert_int_equal(pools.pools[0].total_pages, 100);
	assert_int_equal(pools.pools[0].free_pages, 40);
	assert_int_equal(pools.pools[0].reserved_pages, 7);
	/* a pool that cannot be read whole makes all of them unknown */
	put("hugepages-1048576kB", "nr_hugepages", "1\n");
	kw_hugepages_read(dir, dir, &pools);
	assert_false(pools.known);
	kw_hugepages_read("/nonexistent", dir, &pools);
	assert_true(pools.known);
	assert_int_equal(pools.count, 0);
	assert_int_equal(pools.default_page_bytes, 0);
}

static void guests_are_read(void **state)
{
	struct kw_guest guests[] = { { .pid = 7 }, { .pid = 8 }, { .pid = 7, .orphan = true } };
	struct kw_guest_list list = { true, guests, 3 };

	(void)state;
	put("7", "status", "Name:\tqemu\nHugetlbPages:\t    6144 kB\nThreads:\t1\n");
	put("8", "status", "Name:\tHugetlbPages: 5 kB\nThreads:\t1\n");
	kw_hugepages_of_guests(dir, &list);
	assert_true(guests[0].hugetlb_bytes.known);
	assert_int_equal(guests[0].hugetlb_bytes.value, 3 * SMALL);
	assert_false(guests[1].hugetlb_bytes.known);
	assert_false(guests[2].hugetlb_bytes.known);
}

static struct kw_claim claim_of(const char *uuid, uint64_t page_bytes, uint64_t bytes)
{
	struct kw_claim claim = { .type = KW_GUEST_PLAIN, .memory_bytes = bytes,
				  .ceiling_bytes = bytes, .huge = { { page_bytes, bytes } } };

	strcpy(claim.uuid, uuid);
	return claim;
}

static struct kw_huge_pool *pool_of(struct scene *scene)
{
	return &scene->facts.huge.pools[0];
}

/* 4 GiB, 2 GiB of them in a pool of 2 MiB pages; a plain guest of 256 MiB from it wants to start. */
static void scene_init(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	kw_config_defaults(&scene->config);
	scene->facts.guests = (struct kw_guest_list){ true, scene->guests, 0 };
	scene->facts.memory_total_bytes = KW_U64(4 * KW_GIB);
	scene->facts.hugetlb_bytes = KW_U64(2 * KW_GIB);
	scene->facts.huge = (struct kw_huge_pools){
		.known = true, .count = 1, .default_page_bytes = SMALL,
		.pools = { { .page_bytes = SMALL, .total_pages = 1024, .free_pages = 128 } },
	};
	scene->list.holds = scene->holds;
	scene->claim = claim_of(UUID_NEW, SMALL, 256 * KW_MIB);
}

static struct kw_hold *add_hold(struct scene *scene, uint64_t bytes, pid_t pid)
{
	struct kw_hold *hold = &scene->holds[scene->list.count++];

	*hold = (struct kw_hold){ .claim = claim_of(UUID_OLD, 0, bytes), .pid = pid };
	return hold;
}

static struct kw_guest *add_guest(struct scene *scene, uint64_t memory, uint64_t huge)
{
	struct kw_guest *guest = &scene->guests[scene->facts.guests.count++];

	*guest = (struct kw_guest){ .pid = 100, .type = KW_U32(KW_GUEST_PLAIN), .libvirt = true,
				    .uuid = UUID_OLD, .memory_bytes = KW_U64(memory),
				    .hugetlb_bytes = KW_U64(huge) };
	return guest;
}

static void a_guest_draws_from_its_pool(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	/* no other memory, which there is none of, is needed */
	scene.config.reserved_host_memory_bytes = 2 * KW_GIB;
	scene.config.ram_allocation_thousandths = 4000;
	expect(&scene, KW_ADMITTED, "there are 0 B of memory and 256 MiB of hugepages for it");
	pool_of(&scene)->free_pages--;
	expect(&scene, KW_MEMORY_FULL,
	       "the guest takes 128 hugepages of 2048 KiB and 127 are left: of 1024 in the pool 127 "
	       "are unused, 0 are promised to guests that start or wait; stop a guest that has some, "
	       "or raise /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages by 1");
	pool_of(&scene)->free_pages++;
	expect(&scene, KW_ADMITTED, "");
	scene.claim.memory_bytes += KW_MIB; /* that is not in hugepages */
	expect(&scene, KW_MEMORY_FULL, "the guest may take 256 KiB and 0 B are left");
	scene.claim = claim_of(UUID_NEW, KW_GIB, KW_GIB);
	expect(&scene, KW_MEMORY_FULL, "takes 1 hugepages of 1048576 KiB and 0 are left: of 0 in");
	/* a page that is not filled is a page */
	scene.claim = claim_of(UUID_NEW, 0, 255 * KW_MIB);
	expect(&scene, KW_ADMITTED, "");
	pool_of(&scene)->free_pages--;
	expect(&scene, KW_MEMORY_FULL, "takes 128 hugepages");
}

/* They would be made of memory that guests without hugepages were promised. */
static void pages_made_on_demand_are_no_room(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	put_pool("hugepages-2048kB", (const char *const[]){ "0\n", "0\n", "0\n" });
	put("hugepages-2048kB", "nr_overcommit_hugepages", "8192\n");
	put("hugepages-2048kB", "surplus_hugepages", "0\n");
	kw_hugepages_read(dir, dir, &scene.facts.huge);
	expect(&scene, KW_MEMORY_FULL, "takes 128 hugepages of 2048 KiB and 0 are left");
}

static void promised_pages_are_gone(void **state)
{
	struct scene scene;
	struct kw_hold *hold;
	struct kw_guest *guest;

	(void)state;
	scene_init(&scene);
	hold = add_hold(&scene, SMALL, 0);
	expect(&scene, KW_MEMORY_FULL, "128 are unused, 1 are promised");
	pool_of(&scene)->free_pages++;
	expect(&scene, KW_ADMITTED, "");
	/* its VM is there, its memory is not: by what is missing, mapped or not */
	hold->pid = 100;
	guest = add_guest(&scene, SMALL, 0);
	expect(&scene, KW_ADMITTED, "");
	pool_of(&scene)->reserved_pages = 1;
	expect(&scene, KW_ADMITTED, "");
	pool_of(&scene)->reserved_pages = 2;
	expect(&scene, KW_MEMORY_FULL, "129 are unused, 2 are promised");
	pool_of(&scene)->reserved_pages = 0;
	pool_of(&scene)->free_pages = 128;
	expect(&scene, KW_MEMORY_FULL, "1 are promised");
	guest->hugetlb_bytes = KW_U64(SMALL);
	expect(&scene, KW_ADMITTED, "");
	/* who waits came first, whatever classes say; and nobody is in his own way */
	hold->pid = 0;
	hold->waiting = true;
	expect(&scene, KW_MEMORY_FULL, "1 are promised");
	scene.config.class_count = 1;
	expect(&scene, KW_MEMORY_FULL, "1 are promised");
	strcpy(scene.claim.uuid, UUID_OLD);
	expect(&scene, KW_ADMITTED, "");
}

static uint64_t plain_bytes(struct scene *scene)
{
	struct kw_memory_room room;

	kw_memory_room(&scene->facts, &scene->list, &scene->config, &room);
	return room.plain_bytes;
}

static void hugepages_are_no_ordinary_memory(void **state)
{
	struct scene scene;
	struct kw_guest *guest;

	(void)state;
	scene_init(&scene);
	guest = add_guest(&scene, KW_GIB + KW_MIB, KW_GIB);
	assert_int_equal(plain_bytes(&scene), KW_MIB);
	/* while QEMU still fills its memory, the claim tells what it is going to be */
	guest->hugetlb_bytes = KW_U64(0);
	assert_int_equal(plain_bytes(&scene), KW_GIB + KW_MIB);
	add_hold(&scene, KW_GIB, 100);
	assert_int_equal(plain_bytes(&scene), KW_MIB);
	scene.holds[0].pid = 0;
	assert_int_equal(plain_bytes(&scene), KW_MIB);
	/* an encrypted one pins them, and takes the rest of its ceiling from elsewhere */
	scene.claim.type = KW_GUEST_SEV;
	scene.claim.ceiling_bytes = 256 * KW_MIB + 17;
	assert_int_equal(kw_claim_takes_bytes(&scene.config, &scene.claim), 17);
}

static void what_is_not_known_refuses_no_plain_guest(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	scene.facts.huge.known = false;
	expect(&scene, KW_ADMITTED, "");
	scene.config.admit_plain_unasked = false;
	expect(&scene, KW_FACTS_UNKNOWN, "what hugepage pools the host has is not known");
	scene.facts.huge.known = true;
	scene.facts.huge.default_page_bytes = 0;
	expect(&scene, KW_ADMITTED, "");
	scene.claim.huge[0].page_bytes = 0;
	expect(&scene, KW_FACTS_UNKNOWN, "");
}

static void pages_are_waited_for(void **state)
{
	struct scene scene;
	struct kw_verdict verdict;

	(void)state;
	scene_init(&scene);
	pool_of(&scene)->free_pages = 0;
	assert_int_equal(kw_turn_of(&scene.facts, &scene.list, &scene.config, &scene.claim,
				    &verdict), KW_TURN_LATER);
	scene.claim = claim_of(UUID_NEW, SMALL, 2 * KW_GIB + SMALL);
	assert_int_equal(kw_turn_of(&scene.facts, &scene.list, &scene.config, &scene.claim,
				    &verdict), KW_TURN_NEVER);
	assert_non_null(strstr(verdict.sentence, "even with no other guest there: the guest takes "));
}

static void rooms_are_listed(void **state)
{
	struct kw_huge_room rooms[KW_HUGE_SIZES];
	struct scene scene;

	(void)state;
	scene_init(&scene);
	add_hold(&scene, 3 * SMALL, 0);
	assert_int_equal(kw_huge_rooms(&scene.facts, &scene.list, &scene.config, rooms), 1);
	assert_int_equal(rooms[0].page_bytes, SMALL);
	assert_int_equal(rooms[0].free_pages, 125);
	scene.facts.huge.known = false;
	assert_int_equal(kw_huge_rooms(&scene.facts, &scene.list, &scene.config, rooms), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pools_are_read, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(guests_are_read, make_dir, remove_dir),
		cmocka_unit_test(a_guest_draws_from_its_pool),
		cmocka_unit_test_setup_teardown(pages_made_on_demand_are_no_room, make_dir,
						remove_dir),
		cmocka_unit_test(promised_pages_are_gone),
		cmocka_unit_test(hugepages_are_no_ordinary_memory),
		cmocka_unit_test(what_is_not_known_refuses_no_plain_guest),
		cmocka_unit_test(pages_are_waited_for),
		cmocka_unit_test(rooms_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
