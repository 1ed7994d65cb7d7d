/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mover and its progress are stood in for, and nothing is waited for. */
#include "cli/move_follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>

#include "bus/unit.h"
#include "ledger/moves.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"

static enum kw_move_state end;
static bool ends;		/* the move is over */

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	(void)fds;
	(void)count;
	(void)timeout_ms;
	return 1;
}

int __wrap_kw_progress_load(const char *dir, const char *uuid,
			    struct kw_move_progress *ret_progress);
int __wrap_kw_progress_load(const char *dir, const char *uuid,
			    struct kw_move_progress *ret_progress)
{
	(void)dir;
	(void)uuid;
	*ret_progress = (struct kw_move_progress){ .name = "web", .uuid = UUID, .host = "h2",
						   .state = ends ? end : KW_MOVE_RUNNING };
	return 0;
}

int __wrap_kw_unit_is_alive(const char *unit, bool *ret_alive, char *error, size_t error_size);
int __wrap_kw_unit_is_alive(const char *unit, bool *ret_alive, char *error, size_t error_size)
{
	(void)unit;
	(void)error;
	(void)error_size;
	*ret_alive = false;
	return 0;
}

/* The mover is told to take it back. */
int __wrap_kw_unit_signal(const char *unit, int number, char *error, size_t error_size);
int __wrap_kw_unit_signal(const char *unit, int number, char *error, size_t error_size)
{
	(void)unit;
	(void)error;
	(void)error_size;
	assert_int_equal(number, SIGTERM);
	ends = true;
	return 0;
}

static enum kw_exit follow(bool undo, bool interrupted, enum kw_move_state how)
{
	const struct kw_move_run run = { .command = "test", .undo = undo };

	end = how;
	ends = !interrupted;
	kw_move_follow_signals();
	if (interrupted)
		raise(SIGINT);
	return kw_move_follow(&run, UUID, "mover.service");
}

static void it_is_done_when_the_guest_is_where_it_was_wanted(void **state)
{
	(void)state;
	assert_int_equal(follow(false, false, KW_MOVE_MOVED), KW_EXIT_DONE);
	assert_int_equal(follow(false, false, KW_MOVE_STAYED), KW_EXIT_FAILED);
	assert_int_equal(follow(false, false, KW_MOVE_STOPPED), KW_EXIT_FAILED);
	assert_int_equal(follow(true, false, KW_MOVE_STAYED), KW_EXIT_DONE);
	assert_int_equal(follow(true, false, KW_MOVE_MOVED), KW_EXIT_FAILED);
}

/* A script that moves a guest wants to know where it is, and not whether Ctrl-C was heard. */
static void an_interrupt_changes_nothing_about_that(void **state)
{
	(void)state;
	assert_int_equal(follow(false, true, KW_MOVE_STAYED), KW_EXIT_FAILED);
	assert_int_equal(follow(false, true, KW_MOVE_MOVED), KW_EXIT_DONE);
	assert_int_equal(follow(true, true, KW_MOVE_STAYED), KW_EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_done_when_the_guest_is_where_it_was_wanted),
		cmocka_unit_test(an_interrupt_changes_nothing_about_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
