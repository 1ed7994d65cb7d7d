// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "events.h"
#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define TRACING "/sys/kernel/tracing"
#define INSTANCE TRACING "/instances/kvmward_test"	/* a buffer and a clock of our own */

struct nl nl, ear;
uint32_t base[2];
bool maker_known;

const struct nl_msg *slots_now(uint32_t pool)
{
	static struct nl_answer answer;

	nl_answer_done(&answer);
	test_slots(&nl, &answer);
	return &answer.msgs[pool];
}

bool pools_split(void)
{
	struct nl_answer answer;
	bool split;

	test_slots(&nl, &answer);
	split = answer.count > KVMWARD_SLOT_POOL_SNP;
	nl_answer_done(&answer);
	return split;
}

static void probes_on(void)
{
	test_file_write(PROBES, "1");
}

int events_switch_off(void)
{
	struct nl_answer answer;
	bool sent;

	if (test_file_number(PROBES) != 1)
		return -1;
	test_at_end(probes_on);
	if (!test_file_write(PROBES, "0"))
		return -1;
	test_host(&nl, &answer);
	sent = nl_u32(&answer.msgs[0], KVMWARD_A_HOST_SLOT_EVENTS);
	nl_answer_done(&answer);
	if (!test_file_write(PROBES, "1"))
		ksft_exit_fail_msg(PROBES " cannot be switched on again\n");
	return sent;
}

uint32_t charged_now(uint32_t pool)
{
	return nl_u32(slots_now(pool), KVMWARD_A_SLOT_CHARGED);
}

void events_listen(struct nl *listener)
{
	int ret = nl_open(listener);

	ret = ret ? ret : nl_join(listener);
	if (ret)
		ksft_exit_fail_msg("joining the group slots: %s\n", strerror(-ret));
}

static void event_read(const struct nl_msg *msg, struct event *event)
{
	bool known = nl_has(msg, KVMWARD_A_SLOT_POOL);

	event->pool = known ? nl_u32(msg, KVMWARD_A_SLOT_POOL) : POOL_UNKNOWN;
	event->charged = known ? nl_u32(msg, KVMWARD_A_SLOT_CHARGED) : 0;
	event->change = (int32_t)nl_u32(msg, KVMWARD_A_SLOT_CHANGE);
	event->pid = nl_has(msg, KVMWARD_A_SLOT_PID) ? nl_u32(msg, KVMWARD_A_SLOT_PID) : 0;
	event->start_time_ns = event->pid ? nl_u64(msg, KVMWARD_A_SLOT_START_TIME_NS) : 0;
}

int event_next(struct nl *from, struct event *event, int patience_ms)
{
	struct pollfd ready = { .fd = from->fd, .events = POLLIN };
	struct nl_answer answer = { 0 };
	int ret;

	poll(&ready, 1, patience_ms);
	ret = nl_event(from, false, &answer);
	if (!ret)
		event_read(&answer.msgs[0], event);
	nl_answer_done(&answer);
	return ret;
}

bool event_expect(uint32_t pool, int change, uint32_t charged, pid_t pid)
{
	struct event event;
	int ret = event_next(&ear, &event, PATIENCE_MS);

	if (!ret && event.pool == pool && event.change == change && event.charged == charged &&
	    event.pid == (change > 0 || maker_known ? (uint32_t)pid : 0))
		return true;
	if (ret)
		ksft_print_msg("no event %+d: %s\n", change, strerror(-ret));
	else
		ksft_print_msg("pool %u %+d, %u charged, pid %u; expected pool %u %+d, %u, %d\n",
			       event.pool, event.change, event.charged, event.pid, pool, change,
			       charged, pid);
	return false;
}

bool events_silent(void)
{
	struct event event;
	int ret = event_next(&ear, &event, SILENCE_MS);

	if (ret != -EAGAIN)
		ksft_print_msg("not silent: %d, pool %u %+d\n", ret, event.pool, event.change);
	return ret == -EAGAIN;
}

void events_drain(void)
{
	struct event event;

	while (event_next(&ear, &event, SILENCE_MS) != -EAGAIN)
		;
}

bool event_taken(pid_t pid)
{
	return event_expect(KVMWARD_SLOT_POOL_SEV, 1, base[0] + 1, pid);
}

bool event_given_back(pid_t pid)
{
	return event_expect(KVMWARD_SLOT_POOL_SEV, -1, base[0], pid) && events_silent() &&
	       charged_now(KVMWARD_SLOT_POOL_SEV) == base[0];
}

static void maker_run(int socket, const char *cgroup)
{
	char byte;
	int vm;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cgroup && !test_file_write(cgroup, "0"))
		_exit(1);
	vm = vms_create(VMS_SEV);
	test_file_send(socket, vm);
	while (read(socket, &byte, 1) == 1) {
		close(vm);
		if (write(socket, "", 1) != 1)
			break;
	}
	_exit(0);
}

struct maker maker_start(const char *cgroup)
{
	struct maker maker;
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		ksft_exit_fail_msg("socketpair: %s\n", strerror(errno));
	maker.pid = fork();
	if (!maker.pid) {
		close(sockets[0]);
		maker_run(sockets[1], cgroup);
	}
	close(sockets[1]);
	maker.socket = sockets[0];
	maker.vm = test_file_receive(maker.socket);
	return maker;
}

void maker_close(struct maker *maker)
{
	char byte;

	if (write(maker->socket, "", 1) != 1 || read(maker->socket, &byte, 1) != 1)
		ksft_exit_fail_msg("process %d is gone\n", maker->pid);
}

void maker_end(struct maker *maker)
{
	close(maker->socket);
	test_wait(maker->pid);
}

/* Also what a test has left that was killed. */
static void trace_remove(void)
{
	test_file_write(INSTANCE "/events/kvmward_test/call/enable", "0");
	test_file_write(TRACING "/kprobe_events", "-:kvmward_test/call");
	rmdir(INSTANCE);
}

bool trace_begin(const char *function)
{
	static bool begun;
	char probe[128];

	if (!begun)
		test_at_end(trace_remove);
	begun = true;
	trace_remove();
	snprintf(probe, sizeof(probe), "p:kvmward_test/call %s", function);
	return !mkdir(INSTANCE, 0700) &&
	       test_file_write(INSTANCE "/trace_clock", "mono") &&
	       test_file_write(TRACING "/kprobe_events", probe) &&
	       test_file_write(INSTANCE "/events/kvmward_test/call/enable", "1");
}

static bool line_matches(const char *line, const char *comm)
{
	return strstr(line, " call: (") && !strncmp(line + strspn(line, " "), comm, strlen(comm));
}

/* "   comm-pid   [cpu] flags seconds.microseconds: call: (...)" */
static uint64_t line_time_us(const char *line)
{
	unsigned long long seconds, us;
	const char *time = strstr(line, ": call: (");

	while (time > line && time[-1] != ' ')
		time--;
	return sscanf(time, "%llu.%llu", &seconds, &us) == 2 ? seconds * 1000000 + us : 0;
}

unsigned int trace_times(const char *comm, uint64_t *ret_us, unsigned int room)
{
	FILE *file = fopen(INSTANCE "/trace", "re");
	unsigned int calls = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (line_matches(line, comm)) {
			if (calls < room)
				ret_us[calls] = line_time_us(line);
			calls++;
		}
	if (file)
		fclose(file);
	trace_remove();
	return calls;
}

unsigned int trace_end(const char *comm)
{
	return trace_times(comm, NULL, 0);
}

bool events_open(void)
{
	struct nl_answer answer;
	const struct nl_msg *host;
	bool sent, reason;

	test_host(&nl, &answer);
	host = &answer.msgs[0];
	sent = nl_u32(host, KVMWARD_A_HOST_SLOT_EVENTS);
	reason = nl_has(host, KVMWARD_A_HOST_SLOT_EVENTS_REASON);
	ksft_print_msg("slot-events %d %s\n", sent,
		       reason ? nl_string(host, KVMWARD_A_HOST_SLOT_EVENTS_REASON) : "");
	if (sent == reason)
		ksft_exit_fail_msg("slot-events is neither 1 nor has a reason\n");
	maker_known = nl_u32(host, KVMWARD_A_HOST_FACTS_SOURCE) == KVMWARD_FACTS_SOURCE_BTF;
	nl_answer_done(&answer);
	if (!sent)
		return false;
	events_listen(&ear);
	base[0] = charged_now(0);
	base[1] = pools_split() ? 0 : charged_now(1);
	return true;
}
