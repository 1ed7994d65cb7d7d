/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ledger/uuid_files.h"
#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER "aaaaaaaa-0000-4000-8000-000000000002"

static char top[32], dir[40];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/kw-moves-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/moves", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(top);
}

static const struct kw_move example = {
	.id = "m-1", .name = "db \"1\"", .uuid = UUID, .source = "h1",
	.uri = "qemu+ssh://root@h2/system", .host = "root@h2", .kind = KW_MOVE_COLD,
	.options = { .force = true, .timeout_s = UINT32_MAX, .shutdown_timeout_s = 120 },
	.persistent = true, .nvram_new = true,
	.memory = { .runs = true, .copied = true, .lost = true },
	.step = "copy", .error = "no answer",
	.verdict = { .code = KW_SLOT_FULL, .sentence = "no slot" },
	.begun_ms = 1, .off_ms = 2, .on_ms = 3, .copy_disks = "vda,vdb",
	.xml = "<domain>\n<name>db</name></domain>",
};

static void a_job_comes_back_as_it_was(void **state)
{
	_cleanup_(kw_move_done) struct kw_move move = {};
	struct kw_move plain;
	struct stat status;
	char path[160];

	(void)state;
	assert_int_equal(kw_move_load(dir, UUID, &move), -ENOENT);
	assert_int_equal(kw_move_save(dir, &example), 0);
	assert_int_equal(kw_move_load(dir, UUID, &move), 0);
	assert_string_equal(move.xml, example.xml);
	assert_string_equal(move.copy_disks, example.copy_disks);
	plain = move;
	plain.copy_disks = example.copy_disks;
	plain.xml = example.xml;
	assert_memory_equal(&plain, &example, sizeof(plain));
	snprintf(path, sizeof(path), "%s/" UUID ".json", dir);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(kw_move_remove(dir, UUID), 0);
	assert_int_equal(kw_move_remove(dir, UUID), 0);
	assert_int_equal(kw_move_load(dir, UUID, &plain), -ENOENT);
}

static void a_guest_has_one_job(void **state)
{
	(void)state;
	assert_int_equal(kw_move_exists(dir, UUID), 0);
	assert_int_equal(kw_move_create(dir, &example), 0);
	assert_int_equal(kw_move_exists(dir, UUID), 1);
	assert_int_equal(kw_move_create(dir, &example), -EEXIST);
	assert_int_equal(kw_move_remove(dir, UUID), 0);
	assert_int_equal(tree_put(dir, UUID ".json", "rubbish"), 0);
	assert_int_equal(kw_move_exists(dir, UUID), 1);
	assert_int_equal(kw_move_create(dir, &example), -EEXIST);
}

/* Every way that a file can be cut short, and one byte of it be another. */
static void a_damaged_job_is_told(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct kw_move move = {};
	char path[160];
	size_t length;

	(void)state;
	assert_int_equal(kw_move_save(dir, &example), 0);
	snprintf(path, sizeof(path), "%s/" UUID ".json", dir);
	assert_int_equal(kw_file_read(path, 1 << 20, &text, &length), 0);
	for (size_t cut = 0; cut < length; cut++) {
		assert_int_equal(kw_file_write(path, text, cut, 0600), 0);
		assert_int_equal(kw_move_load(dir, UUID, &move), -EBADMSG);
	}
	*strstr(text, "cold") = 'b';
	assert_int_equal(kw_file_write(path, text, length, 0600), 0);
	assert_int_equal(kw_move_load(dir, UUID, &move), -EBADMSG);
}

static void a_job_under_another_name_is_damage(void **state)
{
	char from[160], to[160];
	struct kw_move move = {};

	(void)state;
	assert_int_equal(kw_move_save(dir, &example), 0);
	snprintf(from, sizeof(from), "%s/" UUID ".json", dir);
	snprintf(to, sizeof(to), "%s/" OTHER ".json", dir);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(kw_move_load(dir, OTHER, &move), -EBADMSG);
	assert_int_equal(kw_move_load(dir, "../moves/" OTHER, &move), -EINVAL);
}

static void jobs_are_listed(void **state)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list uuids = {};
	struct kw_move second = example;

	(void)state;
	assert_int_equal(kw_uuid_files_list(dir, "json", &uuids), 0);
	assert_int_equal(uuids.count, 0);
	strcpy(second.uuid, OTHER);
	assert_int_equal(kw_move_save(dir, &second), 0);
	assert_int_equal(kw_move_save(dir, &example), 0);
	assert_int_equal(tree_put(dir, UUID ".json.tmp", ""), 0);
	assert_int_equal(tree_put(dir, UUID ".lock", ""), 0);
	assert_int_equal(kw_uuid_files_list(dir, "json", &uuids), 0);
	assert_int_equal(uuids.count, 2);
	assert_string_equal(uuids.uuids[0], UUID);
	assert_string_equal(uuids.uuids[1], OTHER);
}

static void one_at_a_time_has_the_lock(void **state)
{
	int first, other;

	(void)state;
	first = kw_move_lock(dir, UUID);
	assert_true(first >= 0);
	assert_int_equal(kw_move_lock(dir, UUID), -EWOULDBLOCK);
	other = kw_move_lock(dir, OTHER);
	assert_true(other >= 0);
	close(first);
	close(other);
	first = kw_move_lock(dir, UUID);
	assert_true(first >= 0);
	close(first);
}

static void progress_comes_back_as_it_was(void **state)
{
	struct kw_move_progress progress, again;

	(void)state;
	kw_move_begin_progress(&example, &progress);
	assert_int_equal(progress.state, KW_MOVE_RUNNING);
	assert_string_equal(progress.step, "copy");
	progress.moved_bytes = KW_U64(0);
	progress.total_bytes = KW_U64(UINT64_MAX);
	progress.state = KW_MOVE_STOPPED;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(kw_progress_load(dir, UUID, &again), -ENOENT);
	assert_int_equal(kw_progress_save(dir, &progress), 0);
	assert_int_equal(kw_progress_load(dir, UUID, &again), 0);
	assert_memory_equal(&again, &progress, sizeof(again));
	assert_int_equal(tree_put(dir, UUID ".json", "{}"), 0);
	assert_int_equal(kw_progress_load(dir, UUID, &again), -EBADMSG);
}

static void expect_host(const char *uri, const char *expected)
{
	char host[16] = "";

	assert_int_equal(kw_move_host(uri, host, sizeof(host)), 0);
	assert_string_equal(host, expected);
}

static void the_host_is_that_of_the_uri(void **state)
{
	char host[16] = "as before";

	(void)state;
	expect_host("qemu+ssh://root@h2/system", "root@h2");
	expect_host("qemu+ssh://h2/system?keyfile=k", "h2");
	expect_host("qemu+ssh://[fe80::1]:2222", "[fe80::1]:2222");
	assert_int_equal(kw_move_host("qemu:///system", host, sizeof(host)), -EINVAL);
	assert_int_equal(kw_move_host("h2", host, sizeof(host)), -EINVAL);
	assert_int_equal(kw_move_host("qemu+ssh://root@/system", host, sizeof(host)), -EINVAL);
	assert_int_equal(kw_move_host("qemu+ssh://0123456789abcdef/system", host, sizeof(host)),
			 -ENAMETOOLONG);
	assert_string_equal(host, "as before");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_comes_back_as_it_was),
		TEST(a_guest_has_one_job),
		TEST(a_damaged_job_is_told),
		TEST(a_job_under_another_name_is_damage),
		TEST(jobs_are_listed),
		TEST(one_at_a_time_has_the_lock),
		TEST(progress_comes_back_as_it_was),
		TEST(the_host_is_that_of_the_uri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
