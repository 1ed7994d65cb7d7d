/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs are not on disk here, but in is_there. */
#include "cli/move_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/moves.h"

static const struct kw_move move = { .name = "web",
				     .uuid = "aaaaaaaa-0000-4000-8000-000000000001" };
static bool is_there;

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

int __wrap_kw_move_lock(const char *dir, const char *uuid);
int __wrap_kw_move_lock(const char *dir, const char *uuid)
{
	(void)dir;
	(void)uuid;
	return dup(STDIN_FILENO);
}

int __wrap_kw_move_create(const char *dir, const struct kw_move *job);
int __wrap_kw_move_create(const char *dir, const struct kw_move *job)
{
	(void)dir;
	(void)job;
	if (is_there)
		return -EEXIST;
	is_there = true;
	return 0;
}

int __wrap_kw_move_remove(const char *dir, const char *uuid);
int __wrap_kw_move_remove(const char *dir, const char *uuid)
{
	(void)dir;
	assert_string_equal(uuid, move.uuid);
	is_there = false;
	return 0;
}

int __wrap_kw_progress_save(const char *dir, const struct kw_move_progress *progress);
int __wrap_kw_progress_save(const char *dir, const struct kw_move_progress *progress)
{
	(void)dir;
	(void)progress;
	return -ENOSPC;
}

/* It is said that nothing was done; and one of an earlier move is not this one's to remove. */
static void a_job_that_cannot_be_shown_does_not_stay(void **state)
{
	const struct kw_move_run run = { .command = "test" };

	(void)state;
	is_there = false;
	assert_int_equal(kw_move_run_begin(&run, &move), KW_EXIT_FAILED);
	assert_false(is_there);
	is_there = true;
	assert_int_equal(kw_move_run_begin(&run, &move), KW_EXIT_FAILED);
	assert_true(is_there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_that_cannot_be_shown_does_not_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
