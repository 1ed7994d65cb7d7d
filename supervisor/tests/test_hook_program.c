/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hook as a process: exit status, standard error, and descriptors that are
 * closed. There is no bus, so each call that needs an answer goes through both
 * programs, the second one as it was built.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char unasked_program[4096];
#undef KW_HOOK_UNASKED
#define KW_HOOK_UNASKED unasked_program

#define main hook_main
int hook_main(int argc, char **argv);
#include "hook/main.c"
#undef main

#include <inttypes.h>
#include <sys/wait.h>

#include "hook/program.c"

static int output_fd;

static void become_hook(const char *const *args, int closed_fd)
{
	char *argv[8] = { (char *)"kvmward-hook" };
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	dup2(output_fd, STDERR_FILENO);
	dup2(output_fd, STDOUT_FILENO);
	if (closed_fd >= 0)
		close(closed_fd);
	exit(hook_main(argc, argv));
}

/* Runs it without a bus; the exit status, and what it wrote in text. */
static int run(const char *const *args, int closed_fd, char *text, size_t size)
{
	ssize_t length;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	output_fd = fds[1];
	pid = fork();
	if (pid == 0)
		become_hook(args, closed_fd);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	length = read(fds[0], text, size - 1);
	close(fds[0]);
	text[length < 0 ? 0 : length] = '\0';
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	assert_non_null(end);
	assert_int_equal(end[1], '\0');
}

static const struct {
	const char *args[6];
	int closed_fd, status;
	const char *begins; /* NULL: nothing is written */
} cases[] = {
	{ { NULL }, -1, 1, "kvmward: hook-usage: " },
	{ { "g", NULL }, -1, 1, "kvmward: hook-usage: " },
	{ { "g", "prepare", NULL }, -1, 1, "kvmward: hook-usage: " },
	{ { "g", "prepare", "begin", "-", NULL }, STDIN_FILENO, 1, "kvmward: hook-usage: " },
	{ { "g", "restore", "begin", "-", NULL }, STDIN_FILENO, 1, "kvmward: hook-usage: " },
	{ { "g", "prepare", "begin", "-", NULL }, STDERR_FILENO, 1, NULL },
	{ { "g", "started", "begin", "-", NULL }, STDIN_FILENO, 0, "kvmward: hook-usage: " },
	{ { "g", "release", NULL }, -1, 0, "kvmward: hook-usage: " },
	{ { "g", "release", "end", "-", NULL }, STDIN_FILENO, 0, "kvmward: xml-invalid: " },
	{ { "g", "reconnect", "begin", "-", NULL }, STDIN_FILENO, 0, NULL },
	{ { "g", "reconnect", NULL }, STDERR_FILENO, 0, NULL },
	{ { "--version", NULL }, -1, 0, "kvmward-hook " KW_VERSION "\n" },
};

static void find_unasked(void)
{
	ssize_t length = readlink("/proc/self/exe", unasked_program, sizeof(unasked_program) / 2);
	char *slash;

	assert_true(length > 0);
	unasked_program[length] = '\0';
	slash = strstr(unasked_program, "/tests/");
	assert_non_null(slash);
	strcpy(slash, "/kvmward-hook-unasked");
}

static void test_status_and_message(void **state)
{
	char text[1024];

	(void)state;
	find_unasked();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = run(cases[i].args, cases[i].closed_fd, text, sizeof(text));

		assert_int_equal(status, cases[i].status);
		if (cases[i].begins) {
			assert_memory_equal(text, cases[i].begins, strlen(cases[i].begins));
			assert_one_line(text);
		} else {
			assert_string_equal(text, "");
		}
	}
}

/* What libvirt gives goes over to the second program, and it can tell the guests apart. */
static void test_unasked(void **state)
{
	static const struct {
		const char *xml;
		int status;
	} guests[] = {
		{ "<domain type='kvm'><name>g</name><memory>1</memory></domain>", 0 },
		{ "<domain type='kvm'><name>g</name><memory>1</memory>"
		  "<launchSecurity type='sev'><policy>3</policy></launchSecurity></domain>", 1 },
	};
	const char *const args[] = { "g", "prepare", "begin", "-", NULL };
	char text[1024];

	(void)state;
	find_unasked();
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		int saved = dup(STDIN_FILENO), fds[2];

		assert_int_equal(pipe(fds), 0);
		assert_true(write(fds[1], guests[i].xml, strlen(guests[i].xml)) > 0);
		close(fds[1]);
		dup2(fds[0], STDIN_FILENO);
		assert_int_equal(run(args, -1, text, sizeof(text)), guests[i].status);
		assert_int_equal(!!strstr(text, "daemon-unreachable"), guests[i].status);
		dup2(saved, STDIN_FILENO);
		close(saved);
		close(fds[0]);
	}
}

static void test_unasked_is_missing(void **state)
{
	const char *const args[] = { "g", "release", "end", "-", NULL };
	char text[1024];

	(void)state;
	strcpy(unasked_program, "/nonexistent/kvmward-hook-unasked");
	assert_int_equal(run(args, STDIN_FILENO, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "nor /nonexistent/kvmward-hook-unasked be run"));
	assert_one_line(text);
}

/* An alarm between the two programs would end the hook by a signal, without a word. */
static void test_alarm_waits_for_its_handler(void **state)
{
	char *argv[] = { (char *)"grep", (char *)"SigBlk", (char *)"/proc/self/status", NULL };
	char text[256] = "";
	uint64_t blocked;
	int fds[2];

	(void)state;
	strcpy(unasked_program, "/bin/grep");
	assert_int_equal(pipe(fds), 0);
	if (fork() == 0) {
		struct kw_attempt attempt = { .argv = argv };

		dup2(fds[1], STDOUT_FILENO);
		become_unasked(&attempt);
		_exit(1);
	}
	close(fds[1]);
	wait(NULL);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	close(fds[0]);
	assert_int_equal(sscanf(text, "SigBlk: %" SCNx64, &blocked), 1);
	assert_true(blocked & UINT64_C(1) << (SIGALRM - 1));
}

/* The time that is left goes over as well: both programs together have 2 s. */
static void test_alarm_outlives_exec(void **state)
{
	const struct itimerval left = { .it_value.tv_usec = 300000 };
	uint64_t start_ns, now_ns;

	(void)state;
	setitimer(ITIMER_REAL, &left, NULL);
	start_ns = set_alarm();
	now_ns = kw_clock_monotonic_ns();
	assert_in_range(now_ns - start_ns, KW_HOOK_ALARM_NS - 300 * KW_NS_PER_MS, KW_HOOK_ALARM_NS);
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
	start_ns = set_alarm();
	assert_in_range(kw_clock_monotonic_ns() - start_ns, 0, 200 * KW_NS_PER_MS);
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
}

/* A hook that never comes back by itself: its exit status, and what it wrote. */
static int run_late(bool admits, char *text, size_t size)
{
	int fds[2], status;
	ssize_t length;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		refuse_on_alarm = 1;
		set_alarm();
		if (admits)
			kw_hook_alarm_admits();
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	length = read(fds[0], text, size - 1);
	close(fds[0]);
	text[length < 0 ? 0 : length] = '\0';
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Nothing that blocks in the hook may block libvirt: the alarm goes off whatever happens. */
static void test_alarm(void **state)
{
	char text[1024];

	(void)state;
	assert_int_equal(run_late(false, text, sizeof(text)), 1);
	assert_memory_equal(text, "kvmward: daemon-unreachable: ", 29);
	assert_one_line(text);
	assert_int_equal(run_late(true, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_message),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_unasked_is_missing),
		cmocka_unit_test(test_alarm_waits_for_its_handler),
		cmocka_unit_test(test_alarm_outlives_exec),
		cmocka_unit_test(test_alarm),
	};

	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
