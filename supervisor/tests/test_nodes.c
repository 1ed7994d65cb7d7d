/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NUMA nodes: what is read of them, and what guests that are bound to them leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/text.h"
#include "facts/nodes.h"
#include "tests/scene.h"
#include "tests/tree.h"

#define UUID_NEW "aaaaaaaa-0000-0000-0000-000000000001"
#define UUID_OLD "bbbbbbbb-0000-0000-0000-000000000002"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kw-nodes-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return tree_remove(dir);
}

static void make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void nodes_are_read(void **state)
{
	struct kw_nodes nodes;

	(void)state;
	kw_nodes_read(dir, &nodes);
	assert_int_equal(nodes.known, 0);
	make("node0");
	tree_put(dir, "node0/meminfo", "Node 0 MemTotal:       1024 kB\nNode 0 MemFree: 1 kB\n");
	make("node3");
	tree_put(dir, "node3/meminfo", "Node 3 MemTotal:   4194304 kB\n");
	make("node3/hugepages");
	make("node3/hugepages/hugepages-2048kB");
	tree_put(dir, "node3/hugepages/hugepages-2048kB/nr_hugepages", "5\n");
	make("node3/hugepages/hugepages-1048576kB");
	tree_put(dir, "node3/hugepages/hugepages-1048576kB/nr_hugepages", "1\n");
	make("node4");
	tree_put(dir, "node4/meminfo", "Node 4 MemTotal:   4194304 pages\n");
	kw_nodes_read(dir, &nodes);
	assert_int_equal(nodes.known, 1 | 1 << 3);
	assert_int_equal(nodes.total_bytes[0], KW_MIB);
	assert_int_equal(nodes.pools_bytes[0], 0);
	assert_int_equal(nodes.total_bytes[3], 4 * KW_GIB);
	assert_int_equal(nodes.pools_bytes[3], KW_GIB + 10 * KW_MIB);
	tree_put(dir, "node3/hugepages/hugepages-2048kB/nr_hugepages", "many\n");
	kw_nodes_read(dir, &nodes);
	assert_int_equal(nodes.known, 1);
}

static struct kw_claim claim_of(const char *uuid, uint64_t nodes, uint64_t bytes)
{
	struct kw_claim claim = { .type = KW_GUEST_PLAIN, .memory_bytes = bytes,
				  .bound = { { nodes, bytes } } };

	strcpy(claim.uuid, uuid);
	return claim;
}

/* Two nodes of 4 GiB, 1 GiB of node 1 in hugepages. */
static void scene_init(struct scene *scene, uint64_t nodes, uint64_t bytes)
{
	*scene = (struct scene){ 0 };
	kw_config_defaults(&scene->config);
	scene->config.reserved_host_memory_bytes = 0;
	scene->facts.guests.known = true;
	scene->facts.memory_total_bytes = KW_U64(64 * KW_GIB);
	scene->facts.hugetlb_bytes = KW_U64(KW_GIB);
	scene->facts.nodes = (struct kw_nodes){
		.known = 3, .total_bytes = { 4 * KW_GIB, 4 * KW_GIB }, .pools_bytes = { 0, KW_GIB },
	};
	scene->list.holds = scene->holds;
	scene->claim = claim_of(UUID_NEW, nodes, bytes);
}

static struct kw_hold *add_hold(struct scene *scene, uint64_t nodes, uint64_t bytes)
{
	struct kw_hold *hold = &scene->holds[scene->list.count++];

	*hold = (struct kw_hold){ .claim = claim_of(UUID_OLD, nodes, bytes) };
	return hold;
}

static void a_node_has_its_own_memory(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, 1, 4 * KW_GIB);
	expect(&scene, KW_ADMITTED, "");
	scene_init(&scene, 2, 3 * KW_GIB);
	expect(&scene, KW_ADMITTED, "");
	scene_init(&scene, 2, 3 * KW_GIB + 1);
	expect(&scene, KW_MEMORY_FULL,
	       "<numatune> binds 3072 MiB of the guest to NUMA node 1, and 3072 MiB are left there: "
	       "of 4096 MiB, 1024 MiB are hugepages, guests bound there have or are promised 0 B; ");
	scene_init(&scene, 3, 7 * KW_GIB + 1);
	expect(&scene, KW_MEMORY_FULL, "to NUMA node 0,1, and 7168 MiB are left there");
	/* at a ratio, as everywhere */
	scene.config.ram_allocation_thousandths = 2000;
	expect(&scene, KW_ADMITTED, "");
	scene.claim.type = KW_GUEST_PLAIN;
	scene.claim.bound[0] = (struct kw_bound_part){ 1, KW_GIB };
	scene.claim.bound[1] = (struct kw_bound_part){ 2, 7 * KW_GIB };
	expect(&scene, KW_MEMORY_FULL, "binds 3584 MiB of the guest to NUMA node 1");
}

static void who_is_bound_there_takes_of_it(void **state)
{
	struct scene scene;
	struct kw_hold *hold;

	(void)state;
	scene_init(&scene, 1, 3 * KW_GIB);
	hold = add_hold(&scene, 1, KW_GIB + 1);
	expect(&scene, KW_MEMORY_FULL, "have or are promised 1024 MiB");
	hold->pid = 100; /* whether it runs yet or waits */
	expect(&scene, KW_MEMORY_FULL, "");
	hold->pid = 0;
	hold->waiting = true;
	expect(&scene, KW_MEMORY_FULL, "");
	hold->claim.bound[0].nodes = 2;
	expect(&scene, KW_ADMITTED, "");
	hold->claim.bound[0].nodes = 3; /* may go elsewhere */
	expect(&scene, KW_ADMITTED, "");
	hold->claim.bound[0].nodes = 1;
	strcpy(scene.claim.uuid, UUID_OLD);
	expect(&scene, KW_ADMITTED, "");
	/* bound to both: whatever is bound to one of them takes of it */
	scene_init(&scene, 3, 3 * KW_GIB);
	add_hold(&scene, 1, 3 * KW_GIB);
	add_hold(&scene, 2, KW_GIB);
	expect(&scene, KW_ADMITTED, "");
	add_hold(&scene, 3, 1);
	expect(&scene, KW_MEMORY_FULL, "");
}

static void unknown_nodes_refuse_no_plain_guest(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, 4, KW_GIB);
	expect(&scene, KW_ADMITTED, "");
	scene.config.admit_plain_unasked = false;
	expect(&scene, KW_FACTS_UNKNOWN, "how much memory the guest's NUMA nodes have is not known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes_are_read, make_dir, remove_dir),
		cmocka_unit_test(a_node_has_its_own_memory),
		cmocka_unit_test(who_is_bound_there_takes_of_it),
		cmocka_unit_test(unknown_nodes_refuse_no_plain_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
