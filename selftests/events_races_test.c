// SPDX-License-Identifier: GPL-2.0-or-later
/* Very many events, and the module unloaded under them: nobody loses one untold. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "events.h"
#include "kselftest.h"
#include "testing.h"
#include "vms.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

#define EVENTS 100			/* or what $EVENTS says */
#define CHARGES 10000
#define CHARGES_AT_ONCE 500		/* and two events of each fit between us and the kernel */
#define CHARGE "/sys/kernel/debug/psp_sim/charge"
#define RELOADS 3
#define CHURNERS 2
#define CHURN_GUESTS 5			/* made by each process */
#define CHURN_EVENTS (2 * CHURNERS * CHURN_GUESTS)

static volatile sig_atomic_t churn_ends;

static void churn_end(int signal)
{
	churn_ends = 1;
}

/* Processes that each make guests one by one, and leave the last one to their end. */
static void churn(unsigned int processes)
{
	int j;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, churn_end);
	while (processes-- && !churn_ends) {
		pid_t pid = fork();

		if (!pid) {
			for (j = 1; j < CHURN_GUESTS; j++)
				close(vms_create(VMS_SEV));
			_exit(vms_create(VMS_SEV) < 0);
		}
		if (test_wait(pid))
			_exit(1);
	}
	_exit(0);
}

struct tally {
	unsigned int events, unknown, wrong;
	uint32_t charged;
	int8_t held[1 << 22];			/* by pid */
};

static void tally_add(struct tally *tally, const struct event *event)
{
	int8_t *held = &tally->held[event->pid];

	tally->events++;
	tally->charged = event->charged;
	if (!event->pid)
		tally->unknown++;
	else if ((*held += event->change) < 0 || *held > 1)
		tally->wrong++;
}

/* Each process gives back what it has taken: not one is lost or put down wrongly. */
static void many_test(unsigned int rounds)
{
	static struct tally tally;
	const unsigned int events = rounds * CHURN_EVENTS;
	const int room = 64 << 20;
	uint64_t begin = now_ns();
	pid_t pids[CHURNERS];
	struct event event;
	unsigned int i;
	int ret = 0;
	bool ok = true;

	setsockopt(ear.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	for (i = 0; i < CHURNERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			churn(rounds);
	}
	while (tally.events < events && !(ret = event_next(&ear, &event, PATIENCE_MS)))
		tally_add(&tally, &event);
	for (i = 0; i < CHURNERS; i++)
		ok = !test_wait(pids[i]) && ok;
	ksft_print_msg("%u events in %u ms, %u of an unknown process\n", tally.events,
		       (unsigned int)((now_ns() - begin) / 1000000), tally.unknown);
	ksft_test_result(ok && !ret && events_silent() && !tally.wrong &&
			 tally.unknown == (maker_known ? 0 : events / 2),
			 "%u events: all heard, each of the right process\n", events);
	ksft_test_result(tally.charged == base[0] && charged_now(0) == base[0],
			 "the last of them has the true count\n");
}

/* So many charges at once: how many of these events were heard in order, or -ENOBUFS. */
static int charges_hear(const char *count, int events)
{
	struct event event;
	int ret = 0, heard = 0;

	if (!test_file_write(CHARGE, count))
		return -EIO;
	while (heard < events && !(ret = event_next(&ear, &event, PATIENCE_MS))) {
		bool odd = heard++ % 2;

		if (event.change != (odd ? -1 : 1) || event.charged != base[0] + !odd)
			return -EPROTO;
	}
	return ret && ret != -EAGAIN ? ret : heard;
}

/* Faster than guests can be made: all of it in order, or the listener is told. */
static void charges_test(void)
{
	int i, heard, sum = 0;
	char count[16];

	if (access(CHARGE, W_OK)) {
		ksft_test_result_skip("very many events: no simulator\n");
		ksft_test_result_skip("very many events: no simulator\n");
		return;
	}
	snprintf(count, sizeof(count), "%d", CHARGES_AT_ONCE);
	for (i = 0; i < CHARGES / CHARGES_AT_ONCE; i++) {
		heard = charges_hear(count, 2 * CHARGES_AT_ONCE);
		sum += heard > 0 ? heard : 0;
	}
	ksft_test_result(sum == 2 * CHARGES && events_silent(),
			 "%d of %d events heard, in order\n", sum, 2 * CHARGES);
	snprintf(count, sizeof(count), "%d", CHARGES);
	heard = charges_hear(count, 2 * CHARGES);
	ksft_print_msg("at once: %d\n", heard);
	ksft_test_result((heard == 2 * CHARGES && events_silent()) || heard == -ENOBUFS,
			 "%d events at once: all heard, or told by ENOBUFS\n", 2 * CHARGES);
	events_drain();
}

/*
 * The module goes and comes while a guest is there: its listeners are told, and
 * the next ones learn whose guest it was.
 */
static void reload_test(void)
{
	struct maker maker = maker_start(NULL);
	struct event event;
	bool ok = event_taken(maker.pid);

	if (system("modprobe -n kvmward && rmmod kvmward")) {
		ksft_test_result_skip("reloaded: the module cannot be\n");
		ksft_test_result_skip("reloaded: the module cannot be\n");
	} else {
		ksft_test_result(ok && event_next(&ear, &event, PATIENCE_MS) == -ENOBUFS,
				 "unloaded: listeners are told\n");
		nl_close(&ear);
		nl_close(&nl);
		ok = !nl_open(&nl);
		events_listen(&ear);
		maker_end(&maker);
		close(maker.vm);
		ksft_test_result(event_given_back(maker.pid) && ok, "loaded by name: whose guest it was is known\n");
		return;
	}
	close(maker.vm);
	maker_end(&maker);
	event_given_back(maker.pid);
}

/* Unloaded and loaded again and again while slots change hands and events are on their way. */
static void reload_churn_test(void)
{
	pid_t pids[CHURNERS];
	unsigned int i, heard = 0;
	struct event event;
	bool ok = !system("modprobe -n kvmward");

	if (!ok) {
		ksft_test_result_skip("reloaded under events: the module cannot be\n");
		return;
	}
	for (i = 0; i < CHURNERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			churn(UINT_MAX);
	}
	for (i = 0; ok && i < RELOADS; i++) {
		ok = !system("rmmod kvmward");
		nl_close(&ear);
		events_listen(&ear);
		while (ok && heard < 3 * (i + 1) && !event_next(&ear, &event, PATIENCE_MS))
			heard++;
	}
	for (i = 0; i < CHURNERS; i++) {
		kill(pids[i], SIGTERM);
		test_wait(pids[i]);
	}
	nl_close(&nl);
	ok = !nl_open(&nl) && ok;
	events_drain();
	ksft_print_msg("%u events heard, %u charged\n", heard, charged_now(0));
	ksft_test_result(ok && heard == 3 * RELOADS && charged_now(0) == base[0],
			 "reloaded %d times under events\n", RELOADS);
}

static void guests_test(void)
{
	const char *events = getenv("EVENTS");

	many_test((events ? strtoul(events, NULL, 10) : EVENTS) / CHURN_EVENTS);
	charges_test();
	reload_test();
	reload_churn_test();
}

#define GUEST_TESTS 7

int main(void)
{
	test_open(&nl);
	ksft_set_plan(GUEST_TESTS);
	events_finish(events_open(), GUEST_TESTS, guests_test);
}
