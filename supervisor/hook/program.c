/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "facts/config_file.h"
#include "ledger/drain.h"
#include "ledger/ledger.h"

/* Before libvirt's other work, but behind kvmwardd, which has the answer: Nice= of its unit. */
#define PRIORITY (-5)

static const char usage[] =
	"Usage: kvmward-hook NAME OPERATION SUB-OPERATION EXTRA <DOMAIN.xml\n"
	"libvirt calls this as /etc/libvirt/hooks/qemu.d/10-kvmward: it asks kvmwardd\n"
	"whether a guest may start. Exit status 0 lets it, 1 refuses with one line on\n"
	"standard error. To ask yourself, use 'kvmward plan'. See kvmward-hook(8).\n";

static volatile sig_atomic_t refuse_on_alarm;

/* Only calls that a signal handler may make. */
static void on_alarm(int number)
{
	static const char late[] = "kvmward: daemon-unreachable: no answer within 2 s; "
				   "see 'systemctl status kvmwardd'\n";
	ssize_t written = 0;

	(void)number;
	if (refuse_on_alarm)
		written = write(STDERR_FILENO, late, sizeof(late) - 1);
	(void)written;
	_exit(refuse_on_alarm);
}

void kw_hook_alarm_admits(void)
{
	refuse_on_alarm = 0;
}

static uint64_t timer_ns(const struct itimerval *timer)
{
	return (uint64_t)timer->it_value.tv_sec * KW_NS_PER_S +
	       (uint64_t)timer->it_value.tv_usec * 1000;
}

/*
 * When the hook was started. A timer outlives exec, its handler does not: a
 * program that the hook has become goes on with what was left of the time.
 */
static uint64_t set_alarm(void)
{
	const struct itimerval whole = { .it_value.tv_sec = KW_HOOK_ALARM_NS / KW_NS_PER_S,
					 .it_value.tv_usec = KW_HOOK_ALARM_NS % KW_NS_PER_S / 1000 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval left = {};
	sigset_t mask;

	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	getitimer(ITIMER_REAL, &left);
	if (!timer_ns(&left) || timer_ns(&left) > KW_HOOK_ALARM_NS) {
		setitimer(ITIMER_REAL, &whole, NULL);
		left = whole;
	}
	return kw_clock_monotonic_ns() - (KW_HOOK_ALARM_NS - timer_ns(&left));
}

/*
 * libvirt waits with the guest locked, and the answer with this process: where
 * processors are short it is to be had first. Not all who start hooks may.
 */
static void hurry(void)
{
	setpriority(PRIO_PROCESS, 0, PRIORITY);
}

/* Otherwise the bus connection could become standard input or error. */
static void fill_closed_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0)
			_exit(refuse_on_alarm);
}

/* One line in one write: libvirt shows the caller whatever is on standard error. */
static void print_verdict(const struct kw_verdict *verdict)
{
	char line[sizeof(verdict->sentence) + 64];

	snprintf(line, sizeof(line), "kvmward: %s: %s", kw_code_name(verdict->code),
		 verdict->sentence);
	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	dprintf(STDERR_FILENO, "%s\n", line);
}

static bool print_about(int argc, char **argv)
{
	if (argc != 2)
		return false;
	if (!strcmp(argv[1], "--help"))
		fputs(usage, stdout);
	else if (!strcmp(argv[1], "--version"))
		puts("kvmward-hook " KW_VERSION);
	else
		return false;
	return true;
}

int kw_hook_program(int argc, char **argv, kw_hook_answerer *answerer)
{
	struct kw_hook_place place = {
		.input_fd = STDIN_FILENO,
		.config_path = KW_CONFIG_FILE,
		.state_dir = KW_LEDGER_DIR,
		.kept_dir = KW_KEPT_DIR,
	};
	enum kw_hook_kind kind = kw_hook_kind_of_args(argc, argv);
	struct kw_verdict verdict;

	/* Any other exit would kill a running guest, so nothing at all is done that could fail. */
	if (kind == KW_HOOK_RECONNECT)
		return EXIT_SUCCESS;
	refuse_on_alarm = kw_hook_may_refuse(kind);
	hurry();
	signal(SIGPIPE, SIG_IGN);
	fill_closed_fds();
	if (print_about(argc, argv))
		return EXIT_SUCCESS;
	place.start_ns = set_alarm();
	answerer(argc, argv, &place, &verdict);
	if (kw_verdict_admits(&verdict))
		return EXIT_SUCCESS;
	print_verdict(&verdict);
	return kw_hook_may_refuse(kind) ? EXIT_FAILURE : EXIT_SUCCESS;
}
