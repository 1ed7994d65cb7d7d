/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/patience.h"

#define SHORT_MS 30
#define LONG_MS 600000	/* longer than any test */

static int calls;

static void count(void *data)
{
	poll(NULL, 0, *(int *)data);
	calls++;
}

static void a_call_that_returns_is_waited_for(void **state)
{
	const struct kw_patience patience = { LONG_MS, 0, "never shown" };
	int ms = SHORT_MS;

	(void)state;
	calls = 0;
	assert_int_equal(kw_patience_run(&patience, count, &ms), 0);
	assert_int_equal(calls, 1);
}

static void notice(void *data)
{
	const struct kw_patience patience = { SHORT_MS, *(int *)data, "still waiting" };
	static int ms = LONG_MS;

	_exit(-kw_patience_run(&patience, count, &ms));
}

static void interrupt(void *data)
{
	const struct kw_patience patience = { LONG_MS, 0, "never shown" };
	static int ms = LONG_MS;

	(void)data;
	_exit(-kw_patience_run(&patience, count, &ms));
}

/* In a process of its own, as the call is still under way at the end; what it wrote to stderr. */
static int in_child(void (*run)(void *data), void *data, bool kill_it, char *text, size_t size)
{
	FILE *messages = tmpfile();
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		dup2(fileno(messages), STDERR_FILENO);
		run(data);
	}
	while (kill_it && !waitpid(pid, &status, WNOHANG)) {
		poll(NULL, 0, 10);
		kill(pid, SIGINT);
	}
	if (!kill_it)
		waitpid(pid, &status, 0);
	rewind(messages);
	text[fread(text, 1, size - 1, messages)] = '\0';
	fclose(messages);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void one_that_does_not_is_given_up(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(in_child(notice, &(int){ 3 * SHORT_MS }, false, text, sizeof(text)),
			 ETIMEDOUT);
	assert_string_equal(text, "kvmward: still waiting\n");
	assert_int_equal(in_child(notice, &(int){ SHORT_MS / 2 }, false, text, sizeof(text)),
			 ETIMEDOUT);
	assert_string_equal(text, "");
}

/* Before it waits, an interrupt kills; then it ends the wait. */
static void an_interrupt_ends_the_wait(void **state)
{
	char text[256];
	int status = -SIGINT;

	(void)state;
	for (int i = 0; i < 20 && status == -SIGINT; i++)
		status = in_child(interrupt, NULL, true, text, sizeof(text));
	assert_int_equal(status, EINTR);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_returns_is_waited_for),
		cmocka_unit_test(one_that_does_not_is_given_up),
		cmocka_unit_test(an_interrupt_ends_the_wait),
	};

	return cmocka_run_group_tests_name("patience", tests, NULL, NULL);
}
