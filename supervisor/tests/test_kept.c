/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ledger/uuid_files.h"
#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define H1 { "h1", "bbbbbbbb-0000-4000-8000-000000000001" }
#define H2 { "h2", "bbbbbbbb-0000-4000-8000-000000000002" }

static char top[32], dir[64];
static const struct kw_host_name h1 = H1, h2 = H2;
static const struct kw_taker by_h1 = { H1, 7 }, by_h2 = { H2, 8 };

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/kw-kept-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	return kw_kept_dir(top, "h1", dir, sizeof(dir));
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(top);
}

static struct kw_kept example(void)
{
	return (struct kw_kept){ .name = "db \"1\"", .uuid = UUID, .runs = true,
				 .xml = (char *)"<domain>\n</domain>" };
}

static ino_t inode_of(const char *end)
{
	struct stat status = {};
	char path[PATH_MAX];

	assert_int_equal(kw_uuid_file_path(dir, UUID, end, path), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	return status.st_ino;
}

static void begin(void)
{
	_cleanup_close_ int fd = kw_kept_begin(dir, &h1);

	assert_true(fd >= 0);
}

static void a_definition_comes_back_as_it_was(void **state)
{
	_cleanup_(kw_kept_done) struct kw_kept kept = {};
	struct kw_kept put = example();
	struct kw_host_name host;
	ino_t inode;

	(void)state;
	begin();
	assert_int_equal(kw_kept_host(dir, &host), 0);
	assert_string_equal(host.uuid, h1.uuid);
	assert_int_equal(kw_kept_load(dir, UUID, &kept), -ENOENT);
	assert_int_equal(kw_kept_save(dir, &put), 0);
	assert_int_equal(kw_kept_load(dir, UUID, &kept), 0);
	assert_string_equal(kept.name, put.name);
	assert_string_equal(kept.xml, put.xml);
	assert_true(kept.runs && !kept.autostart);
	inode = inode_of("json");
	assert_int_equal(kw_kept_save(dir, &put), 0);
	assert_int_equal(inode_of("json"), inode);
	put.runs = false;
	assert_int_equal(kw_kept_save(dir, &put), 0);
	assert_int_not_equal(inode_of("json"), inode);
}

static void what_is_damaged_is_told(void **state)
{
	static const char *const texts[] = {
		"", "{}", "[]",
		"{\"version\":2,\"name\":\"a\",\"uuid\":\"" UUID
		"\",\"runs\":true,\"autostart\":false,\"xml\":\"\"}",
		"{\"version\":1,\"name\":\"a\",\"uuid\":\"bbbbbbbb-0000-4000-8000-000000000001\","
		"\"runs\":true,\"autostart\":false,\"xml\":\"\"}",
	};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct kw_kept kept = {};
		struct kw_taker taker;

		assert_int_equal(tree_put(dir, UUID ".json", texts[i]), 0);
		assert_int_equal(tree_put(dir, UUID ".taken", texts[i]), 0);
		assert_int_equal(kw_kept_load(dir, UUID, &kept), -EBADMSG);
		assert_int_equal(kw_kept_taker(dir, UUID, &taker), -EBADMSG);
		assert_int_equal(kw_kept_take(dir, UUID, &by_h2), -EEXIST);
	}
}

static void names_that_are_no_host_are_refused(void **state)
{
	char ignored[PATH_MAX];

	(void)state;
	assert_int_equal(kw_kept_dir(top, "", ignored, sizeof(ignored)), -EINVAL);
	assert_int_equal(kw_kept_dir(top, "..", ignored, sizeof(ignored)), -EINVAL);
	assert_int_equal(kw_kept_dir(top, "a/b", ignored, sizeof(ignored)), -EINVAL);
	assert_int_equal(kw_kept_dir(top, "h1", ignored, strlen(dir)), -ENAMETOOLONG);
}

/* Where the share is not mounted nothing is made. */
static void without_the_share_nothing_begins(void **state)
{
	char there[PATH_MAX];

	(void)state;
	snprintf(there, sizeof(there), "%s/unmounted/h1", top);
	assert_int_equal(kw_kept_begin(there, &h1), -ENOENT);
}

static void one_host_keeps(void **state)
{
	_cleanup_close_ int fd = kw_kept_begin(dir, &h1);
	struct kw_host_name host;

	(void)state;
	assert_true(fd >= 0);
	assert_true(kw_kept_holds(fd));
	assert_false(kw_kept_holds(-1));
	assert_int_equal(kw_kept_begin(dir, &h2), -EAGAIN);
	assert_int_equal(kw_kept_host(dir, &host), 0);
	assert_string_equal(host.name, "h1");
}

/* Installed anew it would forget them. With nobody left it is as good as any other. */
static void guests_of_another_host_of_that_name_are_not_forgotten(void **state)
{
	static const struct kw_host_name anew = { "h1", "bbbbbbbb-0000-4000-8000-000000000003" };
	struct kw_kept put = example();
	struct kw_host_name host;
	int fd;

	(void)state;
	begin();
	assert_int_equal(kw_kept_save(dir, &put), 0);
	begin();
	assert_int_equal(kw_kept_begin(dir, &anew), -EEXIST);
	assert_int_equal(kw_kept_host(dir, &host), 0);
	assert_string_equal(host.uuid, h1.uuid);
	assert_int_equal(kw_kept_settle(dir, UUID), 0);
	fd = kw_kept_begin(dir, &anew);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(kw_kept_host(dir, &host), 0);
	assert_string_equal(host.uuid, anew.uuid);
}

static void firmware_variables_are_kept(void **state)
{
	static const char before[] = "a\0b", after[] = "a\0c";
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	ino_t inode;

	(void)state;
	begin();
	assert_int_equal(kw_kept_load_nvram(dir, UUID, &bytes, &size), -ENOENT);
	assert_int_equal(kw_kept_save_nvram(dir, UUID, before, 3), 0);
	inode = inode_of("nvram");
	assert_int_equal(kw_kept_save_nvram(dir, UUID, before, 3), 0);
	assert_int_equal(inode_of("nvram"), inode);
	assert_int_equal(kw_kept_save_nvram(dir, UUID, after, 3), 0);
	assert_int_equal(kw_kept_load_nvram(dir, UUID, &bytes, &size), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, after, 3);
}

static void who_has_taken_it_has_it(void **state)
{
	struct kw_taker taker;

	(void)state;
	begin();
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
	assert_int_equal(kw_kept_take(dir, UUID, &by_h2), 0);
	assert_int_equal(kw_kept_take(dir, UUID, &by_h1), -EEXIST);
	assert_int_equal(kw_kept_take(dir, UUID, &by_h2), 0);
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), 0);
	assert_string_equal(taker.host.name, "h2");
	assert_int_equal(taker.taken_ms, 8);
	assert_int_equal(kw_kept_give_back(dir, UUID), 0);
	assert_int_equal(kw_kept_take(dir, UUID, &by_h1), 0);
}

/* Ten hosts, all at once: one has it, and it is the one that is named. */
static void of_many_takers_one_gets_it(void **state)
{
	struct kw_taker taker;
	int winners = 0, winner = -1, status;
	pid_t pids[10];

	(void)state;
	begin();
	for (int i = 0; i < 10; i++) {
		struct kw_taker own = by_h2;

		own.host.uuid[KW_UUID_LEN - 1] = (char)('0' + i);
		pids[i] = fork();
		if (!pids[i])
			_exit(kw_kept_take(dir, UUID, &own) ? 1 : 0);
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		if (!status)
			winner = i;
		winners += !status;
	}
	assert_int_equal(winners, 1);
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), 0);
	assert_int_equal(taker.host.uuid[KW_UUID_LEN - 1], '0' + winner);
}

static void nothing_stays_of_one_that_is_removed(void **state)
{
	struct kw_kept put = example(), kept;
	_cleanup_free_ char *bytes = NULL;
	struct kw_taker taker;
	size_t size;

	(void)state;
	begin();
	assert_int_equal(kw_kept_remove(dir, UUID), 0);
	assert_int_equal(kw_kept_save(dir, &put), 0);
	assert_int_equal(kw_kept_save_nvram(dir, UUID, "a", 1), 0);
	assert_int_equal(kw_kept_take(dir, UUID, &by_h2), 0);
	assert_int_equal(kw_kept_remove(dir, UUID), 0);
	assert_int_equal(kw_kept_load(dir, UUID, &kept), -ENOENT);
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
	assert_int_equal(kw_kept_load_nvram(dir, UUID, &bytes, &size), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_definition_comes_back_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_damaged_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_are_no_host_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(without_the_share_nothing_begins, setup, teardown),
		cmocka_unit_test_setup_teardown(one_host_keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(
			guests_of_another_host_of_that_name_are_not_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(firmware_variables_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(who_has_taken_it_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(of_many_takers_one_gets_it, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_stays_of_one_that_is_removed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
