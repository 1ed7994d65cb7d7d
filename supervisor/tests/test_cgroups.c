/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and setting cgroup files, on a made-up tree. */
#include "facts/cgroups.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "act/cgroup.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "tests/tree.h"

static char root[32];

static void put(const char *name, const char *text)
{
	assert_int_equal(tree_put(root, name, text), 0);
}

static void expect_text(const char *name, const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(kw_file_read(path, 4096, &text, NULL), 0);
	assert_string_equal(text, wanted);
}

static void make_slice(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/machine.slice", root);
	assert_int_equal(mkdir(path, 0755), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/kw-cgroups-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(root);
}

/* As kernel 6.12 has them with libvirt guests running. */
static void make_tree(void)
{
	put("cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
	put("cgroup.subtree_control", "cpu memory pids misc\n");
	make_slice();
	put("machine.slice/memory.max", "16609443840\n");
	put("machine.slice/memory.current", "1000000\n");
	put("machine.slice/memory.stat",
	    "anon 600000\nfile 300000\ninactive_anon 1\ninactive_file 200000\n"
	    "active_file 100000\nunevictable 0\n");
	put("machine.slice/misc.max", "sev 3\nsev_es max\n");
	put("machine.slice/misc.current", "sev 2\nsev_es 0\n");
}

static void everything_is_read(void **state)
{
	struct kw_cgroups cgroups;

	(void)state;
	make_tree();
	kw_cgroups_read(root, &cgroups);
	assert_true(cgroups.unified && cgroups.misc_offered && cgroups.misc_enabled);
	assert_true(cgroups.slice);
	assert_int_equal(cgroups.memory_max_bytes.value, 16609443840);
	assert_true(kw_cgroups_kept_bytes(root).known);
	assert_int_equal(kw_cgroups_kept_bytes(root).value, 700000);
	assert_int_equal(cgroups.misc[KW_MISC_SEV].max.value, 3);
	assert_int_equal(cgroups.misc[KW_MISC_SEV].current.value, 2);
	assert_true(cgroups.misc[KW_MISC_SEV_ES].max.value == KW_NO_LIMIT);
	assert_true(cgroups.misc[KW_MISC_SEV_ES].current.known);
	assert_int_equal(cgroups.misc[KW_MISC_SEV_ES].current.value, 0);
}

static void what_is_not_there_is_unknown(void **state)
{
	struct kw_cgroups cgroups;

	(void)state;
	kw_cgroups_read(root, &cgroups);
	assert_false(cgroups.unified || cgroups.misc_offered || cgroups.misc_enabled);
	assert_false(cgroups.slice || cgroups.memory_max_bytes.known);
	assert_false(kw_cgroups_kept_bytes(root).known || cgroups.misc[KW_MISC_SEV].max.known);
	/* a host whose misc controller is not enabled, and that counts no memory */
	put("cgroup.controllers", "cpu misc\n");
	put("cgroup.subtree_control", "\n");
	make_slice();
	kw_cgroups_read(root, &cgroups);
	assert_true(cgroups.unified && cgroups.misc_offered && cgroups.slice);
	assert_false(cgroups.misc_enabled || cgroups.memory_max_bytes.known);
	/* one key only, and a word that only begins like the controller's */
	put("cgroup.subtree_control", "miscellany cpu");
	put("machine.slice/misc.max", "sev_es 4\n");
	put("machine.slice/memory.max", "lots\n");
	kw_cgroups_read(root, &cgroups);
	assert_false(cgroups.misc_enabled || cgroups.misc[KW_MISC_SEV].max.known);
	assert_int_equal(cgroups.misc[KW_MISC_SEV_ES].max.value, 4);
	assert_false(cgroups.memory_max_bytes.known);
}

static void counts_that_move_are_forgotten(void **state)
{
	struct kw_u64 before[KW_MISC_COUNT];
	struct kw_cgroups now;

	(void)state;
	make_tree();
	kw_cgroups_counts(root, before);
	put("machine.slice/misc.current", "sev 1\nsev_es 0\n");
	kw_cgroups_read(root, &now);
	kw_cgroups_settle(before, &now);
	assert_false(now.misc[KW_MISC_SEV].current.known);
	assert_true(now.misc[KW_MISC_SEV].max.known);
	assert_true(now.misc[KW_MISC_SEV_ES].current.known);
	/* a slice that has just come had nothing in it before */
	memset(before, 0, sizeof(before));
	kw_cgroups_read(root, &now);
	kw_cgroups_settle(before, &now);
	assert_true(now.misc[KW_MISC_SEV].current.known);
}

static void limits_are_set(void **state)
{
	(void)state;
	make_tree();
	assert_int_equal(kw_cgroup_enable_misc(root), 0);
	expect_text("cgroup.subtree_control", "+misc");
	assert_int_equal(kw_cgroup_set_misc_max(root, KW_MISC_SEV_ES, 4), 0);
	expect_text("machine.slice/misc.max", "sev_es 4");
	assert_int_equal(kw_cgroup_set_misc_max(root, KW_MISC_SEV, KW_NO_LIMIT), 0);
	expect_text("machine.slice/misc.max", "sev max");
	assert_int_equal(kw_cgroup_set_misc_max(root, KW_MISC_SEV, 0), 0);
	expect_text("machine.slice/misc.max", "sev 0");
}

static void files_are_never_made(void **state)
{
	(void)state;
	assert_int_equal(kw_cgroup_enable_misc(root), -ENOENT);
	assert_int_equal(kw_cgroup_set_misc_max(root, KW_MISC_SEV, 4), -ENOENT);
	make_slice();
	assert_int_equal(kw_cgroup_set_misc_max(root, KW_MISC_SEV, 4), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_that_move_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_are_set, setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_never_made, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
