/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/walls*.c on a made-up cgroup tree, with a systemd that answers what the
 * test wants. What is written is the kernel's to read: facts are given.
 */
#include "daemon/walls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "bus/slice.h"
#include "daemon/walls_built.h"
#include "tests/tree.h"

#define LIMIT (16 * KW_GIB - 512 * KW_MIB)

struct kw_slice_call {
	void (*done)(void *userdata, int error, const char *text);
	void *userdata;
};

static struct kw_slice_call the_call, *open_call;
static uint64_t ordered_bytes, lifted_bytes;
static unsigned int orders;
static int order_error;

int kw_slice_limit_memory(sd_bus *bus, uint64_t bytes,
			  void (*done)(void *userdata, int error, const char *text),
			  void *userdata, struct kw_slice_call **ret_call)
{
	(void)bus;
	assert_null(open_call);	/* its answer would be taken for that of this one */
	orders++;
	ordered_bytes = bytes;
	if (order_error)
		return order_error;
	the_call = (struct kw_slice_call){ done, userdata };
	*ret_call = open_call = &the_call;
	return 0;
}

void kw_slice_call_end(struct kw_slice_call *call)
{
	if (call)
		open_call = NULL;
}

int kw_slice_limit_memory_now(uint64_t bytes, char *error, size_t error_size)
{
	kw_text_copy(error, error_size, "not today");
	lifted_bytes = bytes;
	return order_error;
}

static char top[32], slice[64];
static struct kw_facts facts;
static struct kw_config config;
static struct kw_walls *walls;
static sd_event *event;
static unsigned int looks;

static void on_look(void *userdata)
{
	(void)userdata;
	looks++;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(tree_put(top, name, text), 0);
}

static void expect_text(const char *name, const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(kw_file_read(path, 4096, &text, NULL), 0);
	assert_string_equal(text, wanted);
}

static void make_slice(void)
{
	assert_int_equal(mkdir(slice, 0755), 0);
	put("machine.slice/misc.max", "sev max\n");
	put("machine.slice/memory.max", "max\n");
	put("machine.slice/memory.current", "1073741824\n");
	put("machine.slice/memory.stat", "inactive_file 4096\nactive_file 0\n");
}

static void start(void)
{
	struct kw_walls_place place = { .cgroup_root = top, .state_dir = top, .event = event };

	assert_int_equal(kw_walls_start(&place, on_look, NULL, &walls), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/kw-walls-XXXXXX");
	if (!mkdtemp(top) || sd_event_new(&event) < 0)
		return -1;
	snprintf(slice, sizeof(slice), "%s/machine.slice", top);
	put("cgroup.controllers", "memory misc\n");
	put("cgroup.subtree_control", "memory misc\n");
	make_slice();
	kw_config_defaults(&config);
	/* one key only: the tree is no kernel, and a file would have the last one written */
	facts = (struct kw_facts){
		.memory_total_bytes = KW_U64(16 * KW_GIB), .hugetlb_bytes = KW_U64(0),
		.slots = { .known = true,
			   .pool[KW_POOL_SEV] = { .capacity = KW_U32(10), .charged = KW_U32(0) },
			   .pool[KW_POOL_SEV_ES] = { .capacity = KW_U32(0) } },
		.cgroups = { true, true, true, true, KW_U64(KW_NO_LIMIT),
			     { { KW_U64(KW_NO_LIMIT), KW_U64(0) } } },
	};
	orders = looks = 0;
	order_error = 0;
	ordered_bytes = lifted_bytes = 0;
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kw_walls_stop(walls);
	sd_event_unref(event);
	return tree_remove(top);
}

static bool keep(void)
{
	return kw_walls_keep(walls, &facts, &config);
}

static const struct kw_wall_status *wall(enum kw_wall which)
{
	assert_true(kw_walls_status(walls)->known);
	return &kw_walls_status(walls)->wall[which];
}

/* What systemd and the kernel make of an order. */
static void answer(int error, const char *text)
{
	assert_non_null(open_call);
	if (!error)
		facts.cgroups.memory_max_bytes = KW_U64(ordered_bytes);
	open_call->done(open_call->userdata, error, text);
	assert_null(open_call);
}

/* Runs the loop until somebody wants a look. */
static bool look_is_wanted_within(unsigned int ms)
{
	looks = 0;
	for (unsigned int waited = 0; waited < ms && !looks; waited += 10)
		sd_event_run(event, 10 * 1000);
	return looks;
}

/* The longest that a look is put off is a second. */
static bool look_is_wanted(void)
{
	return look_is_wanted_within(1200);
}

static void memory_is_ordered_once(void **state)
{
	(void)state;
	assert_true(keep());
	assert_int_equal(orders, 1);
	assert_int_equal(ordered_bytes, LIMIT);
	assert_int_equal(wall(KW_WALL_MEMORY)->state, KW_WALL_MISSING);
	assert_false(keep());
	assert_int_equal(orders, 1);
	answer(0, "");
	assert_true(look_is_wanted());
	assert_true(keep());
	assert_int_equal(wall(KW_WALL_MEMORY)->state, KW_WALL_OK);
	assert_int_equal(wall(KW_WALL_MEMORY)->limit.value, LIMIT);
	assert_false(keep());
	assert_int_equal(orders, 1);
}

static void memory_follows_the_rule_and_outlives_us(void **state)
{
	(void)state;
	keep();
	answer(0, "");
	keep();
	kw_walls_stop(walls);
	assert_int_equal(orders, 1);
	start();
	config.reserved_host_memory_bytes = 256 * KW_MIB;
	keep();
	/* a limit that is lower, but ours from before */
	assert_int_equal(ordered_bytes, LIMIT + 256 * KW_MIB);
}

static void memory_is_ordered_anew_when_it_was_undone(void **state)
{
	(void)state;
	keep();
	answer(0, "");
	keep();
	facts.cgroups.memory_max_bytes = KW_U64(KW_NO_LIMIT);
	/* not within a second: systemd may still be at it; but looked at again then */
	keep();
	assert_int_equal(orders, 1);
	while (orders == 1 && look_is_wanted())
		keep();
	assert_int_equal(orders, 2);
	assert_int_equal(ordered_bytes, LIMIT);
}

static void a_new_order_takes_the_place_of_the_old(void **state)
{
	(void)state;
	keep();
	config.reserved_host_memory_bytes = 1 * KW_GIB;
	keep();
	assert_int_equal(orders, 2);
	assert_int_equal(ordered_bytes, 15 * KW_GIB);
	/* also one that cannot be given */
	order_error = -ENOTCONN;
	config.reserved_host_memory_bytes = 2 * KW_GIB;
	keep();
	assert_int_equal(orders, 3);
	assert_null(open_call);
	order_error = 0;
	config.reserved_host_memory_bytes = 1 * KW_GIB;
	keep();
	answer(0, "");
	assert_true(keep());
	assert_int_equal(wall(KW_WALL_MEMORY)->state, KW_WALL_OK);
}

static void what_systemd_refuses_is_told(void **state)
{
	(void)state;
	keep();
	answer(-EACCES, "Interactive authentication required");
	assert_true(keep());
	assert_int_equal(wall(KW_WALL_MEMORY)->state, KW_WALL_MISSING);
	assert_string_equal(wall(KW_WALL_MEMORY)->reason, "systemd does not limit machine.slice: "
							  "Interactive authentication required");
	assert_false(keep());
	assert_int_equal(orders, 1);
	/* another limit is another order */
	config.reserved_host_memory_bytes = 1 * KW_GIB;
	keep();
	assert_int_equal(orders, 2);
}

static void guests_are_spared(void **state)
{
	(void)state;
	put("machine.slice/memory.current", "17179869184\n");
	assert_true(keep());
	assert_int_equal(orders, 0);
	assert_int_equal(wall(KW_WALL_MEMORY)->state, KW_WALL_MISSING);
	assert_non_null(strstr(wall(KW_WALL_MEMORY)->reason, "would kill some of them"));
	put("machine.slice/memory.current", "1048576\n");
	keep();
	assert_int_equal(orders, 1);
}

static void no_systemd_is_told(void **state)
{
	(void)state;
	order_error = -ENOTCONN;
	assert_true(keep());
	assert_string_equal(wall(KW_WALL_MEMORY)->reason,
			    "systemd does not limit machine.slice: "
			    "Transport endpoint is not connected");
	assert_int_equal(wall(KW_WALL_SEV)->state, KW_WALL_OK);
}

static void slots_are_limited(void **state)
{
	(void)state;
	config.reserve[KW_POOL_SEV] = 2;
	keep();
	expect_text("machine.slice/misc.max", "sev 8");
	assert_int_equal(wall(KW_WALL_SEV)->state, KW_WALL_OK);
	assert_int_equal(wall(KW_WALL_SEV)->limit.value, 8);
	assert_int_equal(wall(KW_WALL_SEV_ES)->state, KW_WALL_OFF);
	/* one that stands is not written again */
	facts.cgroups.misc[KW_MISC_SEV].max = KW_U64(8);
	put("machine.slice/misc.max", "untouched");
	assert_false(keep());
	expect_text("machine.slice/misc.max", "untouched");
	/* a count that is just moving leaves everything as it is, and is looked at again */
	facts.cgroups.misc[KW_MISC_SEV].current.known = false;
	config.reserve[KW_POOL_SEV] = 3;
	assert_false(keep());
	expect_text("machine.slice/misc.max", "untouched");
	assert_true(look_is_wanted());
}

static void the_controller_is_enabled(void **state)
{
	(void)state;
	facts.cgroups.misc_enabled = false;
	put("cgroup.subtree_control", "memory\n");
	keep();
	expect_text("cgroup.subtree_control", "+misc");
	config.misc_max_wall = false;
	put("cgroup.subtree_control", "memory\n");
	keep();
	expect_text("cgroup.subtree_control", "memory\n");
}

static void what_the_kernel_refuses_is_told(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/machine.slice/misc.max", top);
	unlink(path);
	assert_true(keep());
	assert_int_equal(wall(KW_WALL_SEV)->state, KW_WALL_MISSING);
	assert_string_equal(wall(KW_WALL_SEV)->reason,
			    "misc.max of machine.slice cannot be set: No such file or directory");
	assert_false(keep());
	facts.cgroups.misc_enabled = false;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", top);
	unlink(path);
	keep();
	assert_string_equal(wall(KW_WALL_SEV)->reason,
			    "the misc controller cannot be enabled in the root cgroup: "
			    "No such file or directory");
}

static void whoever_tears_at_them_is_heard(void **state)
{
	(void)state;
	keep();
	answer(0, "");
	facts.cgroups.misc[KW_MISC_SEV].max = KW_U64(10);
	while (look_is_wanted_within(300))
		keep();	/* of what we wrote ourselves */
	put("machine.slice/misc.max", "sev max\n");
	assert_true(look_is_wanted());
	put("machine.slice/memory.max", "max\n");
	assert_true(look_is_wanted());
	put("cgroup.subtree_control", "memory\n");
	assert_true(look_is_wanted());
	put("machine.slice/cgroup.procs", "1\n");
	assert_false(look_is_wanted_within(300));
	/* a slice that goes and comes is heard, and heard in */
	assert_int_equal(tree_remove(slice), 0);
	assert_true(look_is_wanted());
	facts.cgroups.slice = false;
	keep();
	make_slice();
	assert_true(look_is_wanted());
	facts.cgroups.slice = true;
	keep();
	put("machine.slice/misc.max", "sev max\n");
	assert_true(look_is_wanted());
}

static void switched_off_they_go(void **state)
{
	(void)state;
	keep();
	answer(0, "");
	config.memory_max_wall = config.misc_max_wall = false;
	assert_true(keep());
	assert_true(ordered_bytes == KW_NO_LIMIT);
	expect_text("machine.slice/misc.max", "sev_es max");
	answer(0, "");
	keep();
	assert_int_equal(wall(KW_WALL_MEMORY)->state, KW_WALL_OFF);
	assert_int_equal(wall(KW_WALL_SEV)->state, KW_WALL_OFF);
	/* by now they are somebody else's */
	facts.cgroups.memory_max_bytes = KW_U64(LIMIT);
	put("machine.slice/misc.max", "sev 1");
	assert_false(keep());
	assert_int_equal(orders, 2);
	expect_text("machine.slice/misc.max", "sev 1");
}

static void what_is_not_ours_stays(void **state)
{
	(void)state;
	config.memory_max_wall = config.misc_max_wall = false;
	put("machine.slice/misc.max", "sev 1");
	facts.cgroups.memory_max_bytes = KW_U64(1 * KW_GIB);
	keep();
	assert_int_equal(orders, 0);
	expect_text("machine.slice/misc.max", "sev 1");
	assert_int_equal(kw_walls_take_down(top, top), 0);
	assert_int_equal(lifted_bytes, 0);
	expect_text("machine.slice/misc.max", "sev 1");
}

static void they_can_be_taken_down(void **state)
{
	struct kw_walls_built built;

	(void)state;
	keep();
	put("machine.slice/memory.max", "16642998272\n");
	order_error = -EACCES;
	assert_int_equal(kw_walls_take_down(top, top), -EACCES);
	kw_walls_built_read(top, &built);
	assert_true(built.memory_max_bytes.known);
	assert_false(built.misc_max);
	order_error = 0;
	assert_int_equal(kw_walls_take_down(top, top), 0);
	assert_true(lifted_bytes == KW_NO_LIMIT);
	kw_walls_built_read(top, &built);
	assert_false(built.memory_max_bytes.known || built.misc_max);
	/* by somebody else's limit it is seen that ours is gone */
	built.memory_max_bytes = KW_U64(LIMIT);
	kw_walls_built_write(top, &built);
	lifted_bytes = 0;
	put("machine.slice/memory.max", "1073741824\n");
	assert_int_equal(kw_walls_take_down(top, top), 0);
	assert_int_equal(lifted_bytes, 0);
}

static void notes_are_read_back(void **state)
{
	struct kw_walls_built built = { KW_U64(12345), true }, read;

	(void)state;
	assert_int_equal(kw_walls_built_write(top, &built), 0);
	kw_walls_built_read(top, &read);
	assert_int_equal(read.memory_max_bytes.value, 12345);
	assert_true(read.memory_max_bytes.known && read.misc_max);
	put("walls", "memory_max 12x\nmisc_max yes\nmoat\n\n");
	kw_walls_built_read(top, &read);
	assert_false(read.memory_max_bytes.known || read.misc_max);
	kw_walls_built_read("/nonexistent", &read);
	assert_false(read.memory_max_bytes.known || read.misc_max);
	assert_true(kw_walls_built_write("/nonexistent", &built) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_is_ordered_once, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_follows_the_rule_and_outlives_us, setup,
						teardown),
		cmocka_unit_test_setup_teardown(memory_is_ordered_anew_when_it_was_undone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_new_order_takes_the_place_of_the_old, setup, teardown),
		cmocka_unit_test_setup_teardown(what_systemd_refuses_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(guests_are_spared, setup, teardown),
		cmocka_unit_test_setup_teardown(no_systemd_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(slots_are_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(the_controller_is_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_kernel_refuses_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(whoever_tears_at_them_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(switched_off_they_go, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_ours_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(they_can_be_taken_down, setup, teardown),
		cmocka_unit_test_setup_teardown(notes_are_read_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
