/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 'kvmward migrate' is a script here, which puts down what it did. */
#include "cli/drain_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/moves.h"
#include "tests/tree.h"

#define MOVES 4

static char dir[48], program[64], log_path[64];
static struct kw_drain_move moves[MOVES];
static unsigned int under_way, most;

static int setup(void **state)
{
	static const char *const names[MOVES] = { "a", "b", "c", "d" };
	static const char *const uuids[MOVES] = {
		"aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002",
		"cccccccc-0000-4000-8000-000000000003", "dddddddd-0000-4000-8000-000000000004",
	};

	(void)state;
	strcpy(dir, "/tmp/kw-drain-run-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/kvmward", dir);
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	under_way = most = 0;
	for (size_t i = 0; i < MOVES; i++)
		moves[i] = (struct kw_drain_move){ .name = names[i], .uuid = uuids[i],
						   .uri = "qemu+ssh://h2/system",
						   .kind = i % 2 ? KW_MOVE_COLD : KW_MOVE_LIVE };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(dir);
}

/* The script has its arguments in $*, the guest in $name, and the log on descriptor 3. */
static void put_program(const char *script)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\nexec 3>>%s\nfor name; do :; done\n"
		 "while [ $# -gt 2 ]; do options=\"$options $1\"; shift; done\nname=$1\n%s\n",
		 log_path, script);
	assert_int_equal(tree_put(dir, "kvmward", text), 0);
	assert_int_equal(chmod(program, 0755), 0);
}

static void on_told(const struct kw_drain_move *move, void *data)
{
	(void)data;
	under_way += move->end == KW_DRAIN_RUNS ? 1 : -1u;
	if (under_way > most)
		most = under_way;
}

static int run_with(unsigned int jobs, const char *const *live, const char *const *cold)
{
	const struct kw_drain_how how = { program, dir, { live, cold }, jobs, on_told, NULL };

	return kw_drain_run(&how, moves, MOVES);
}

static int run(unsigned int jobs)
{
	static const char *const none[] = { NULL };

	return run_with(jobs, none, none);
}

static void expect_log(const char *wanted)
{
	char *text;

	assert_int_equal(kw_file_read(log_path, 4096, &text, NULL), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void each_is_moved_as_planned(void **state)
{
	static const char *const live[] = { "--copy-storage", "--timeout=9", NULL };
	static const char *const cold[] = { "--force", NULL };

	(void)state;
	put_program("echo $name$options >&3");
	assert_int_equal(run_with(1, live, cold), 0);
	for (size_t i = 0; i < MOVES; i++)
		assert_int_equal(moves[i].end, KW_DRAIN_MOVED);
	assert_int_equal(most, 1);
	expect_log("a migrate --live --copy-storage --timeout=9\n"
		   "b migrate --cold --force\n"
		   "c migrate --live --copy-storage --timeout=9\n"
		   "d migrate --cold --force\n");
}

/* All of them wait for each other, so they must have been there together. */
static void so_many_at_a_time(void **state)
{
	(void)state;
	put_program("echo >&3\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
		    "[ $(wc -l <${0%/*}/log) -ge 3 ] && exit 0; sleep 0.1; done; exit 1");
	assert_int_equal(run(3), 0);
	for (size_t i = 0; i < MOVES; i++)
		assert_int_equal(moves[i].end, KW_DRAIN_MOVED);
	assert_int_equal(most, 3);
}

static void what_goes_wrong_is_told(void **state)
{
	(void)state;
	put_program("case $name in a) exit 0;; b) echo 'kvmward: refused: it is so' >&2; exit 3;;\n"
		    "c) echo 'kvmward: it broke' >&2; exit 1;; d) kill -9 $$;; esac");
	assert_int_equal(run(2), 0);
	assert_int_equal(moves[0].end, KW_DRAIN_MOVED);
	assert_int_equal(moves[1].end, KW_DRAIN_STAYED);
	assert_string_equal(moves[1].words, "kvmward: refused: it is so");
	assert_int_equal(moves[2].end, KW_DRAIN_FAILED);
	assert_string_equal(moves[2].words, "kvmward: it broke");
	assert_int_equal(moves[3].end, KW_DRAIN_FAILED);
}

static void save_progress(const struct kw_drain_move *move, const char *id,
			  enum kw_move_state state, const char *error)
{
	struct kw_move_progress progress = { .state = state, .total_ms = KW_U64(9000),
					     .downtime_ms = KW_U64(40) };

	strcpy(progress.id, id);
	strcpy(progress.name, move->name);
	strcpy(progress.uuid, move->uuid);
	strcpy(progress.host, "h2");
	strcpy(progress.error, error);
	assert_int_equal(kw_progress_save(dir, &progress), 0);
}

/* What the job says of itself counts; what an earlier one said does not. */
static void the_job_knows_best(void **state)
{
	static const char *const uuids[] = { "a", "b" };
	char new[2][96], old[2][96], line[512];

	(void)state;
	save_progress(&moves[0], "new", KW_MOVE_MOVED, "");
	save_progress(&moves[1], "new", KW_MOVE_STAYED, "it did not shut down");
	for (size_t i = 0; i < 2; i++) {
		snprintf(old[i], sizeof(old[i]), "%s/%s.json", dir, moves[i].uuid);
		snprintf(new[i], sizeof(new[i]), "%s/new-%s", dir, uuids[i]);
		assert_int_equal(rename(old[i], new[i]), 0);
	}
	for (size_t i = 0; i < MOVES; i++)
		save_progress(&moves[i], "old", KW_MOVE_STOPPED, "long ago");
	snprintf(line, sizeof(line), "d=${0%%/*}\ncase $name in a) mv $d/new-a %s;;\n"
		 "b) mv $d/new-b %s; exit 1;; d) exit 1;; esac", old[0], old[1]);
	put_program(line);
	assert_int_equal(run(2), 0);
	assert_int_equal(moves[0].end, KW_DRAIN_MOVED);
	assert_int_equal(moves[0].downtime_ms.value, 40);
	assert_int_equal(moves[1].end, KW_DRAIN_STAYED);
	assert_string_equal(moves[1].words, "it did not shut down");
	assert_int_equal(moves[2].end, KW_DRAIN_MOVED);
	assert_false(moves[2].downtime_ms.known);
	assert_int_equal(moves[3].end, KW_DRAIN_FAILED);
	assert_string_equal(moves[3].words, "");
}

/* Those under way are told and waited for, and no other is begun. */
static void an_interrupt_begins_nothing_more(void **state)
{
	pid_t killer, self = getpid();

	(void)state;
	put_program("trap 'echo $name taken back >&3; exit 1' INT\necho $name >&3\n"
		    "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; done");
	killer = fork();
	if (killer == 0) {
		char *text = NULL;

		for (int i = 0; i < 100 && (!text || strcmp(text, "a\n") != 0); i++) {
			usleep(20000);
			free(text);
			text = NULL;
			kw_file_read(log_path, 4096, &text, NULL);
		}
		kill(self, SIGTERM);
		_exit(0);
	}
	assert_int_equal(run(1), 0);
	waitpid(killer, NULL, 0);
	expect_log("a\na taken back\n");
	assert_int_equal(moves[0].end, KW_DRAIN_FAILED);
	for (size_t i = 1; i < MOVES; i++)
		assert_int_equal(moves[i].end, KW_DRAIN_WAITS);
}

static void what_cannot_be_begun_ends_it(void **state)
{
	(void)state;
	assert_true(run(1) < 0);
	assert_int_equal(moves[0].end, KW_DRAIN_FAILED);
	assert_string_equal(moves[0].words, "No such file or directory");
	assert_int_equal(moves[1].end, KW_DRAIN_WAITS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_moved_as_planned),
		TEST(so_many_at_a_time),
		TEST(what_goes_wrong_is_told),
		TEST(the_job_knows_best),
		TEST(what_cannot_be_begun_ends_it),
		TEST(an_interrupt_begins_nothing_more),	/* the last: it cannot be taken back */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
