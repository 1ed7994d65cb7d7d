// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The group slots: every slot that is taken or given back, in order, with the
 * figures that SLOT_GET shows after it; and who hears of it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>

#include "events.h"
#include "kselftest.h"
#include "testing.h"
#include "vms.h"

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static bool same(const struct nl_msg *a, const struct nl_msg *b, int attr)
{
	return nl_has(a, attr) && nl_has(b, attr) && nl_u32(a, attr) == nl_u32(b, attr);
}

static uint32_t free_now(uint32_t pool)
{
	return nl_u32(slots_now(pool), KVMWARD_A_SLOT_CAPACITY) - base[pool];
}

static void order_test(uint32_t pool, enum vms_type type, const char *name)
{
	int vms[3], i;
	bool ok = true;

	if (free_now(pool) < 3) {
		ksft_test_result_skip("%s: fewer than three slots are free\n", name);
		return;
	}
	for (i = 0; i < 3; i++)
		vms[i] = vms_create(type);
	for (i = 0; i < 3; i++)
		ok = event_expect(pool, 1, base[pool] + i + 1, getpid()) && ok;
	ok = charged_now(pool) == base[pool] + 3 && ok;
	for (i = 0; i < 3; i++)
		close(vms[i]);
	for (i = 0; i < 3; i++)
		ok = event_expect(pool, -1, base[pool] + 2 - i, getpid()) && ok;
	ksft_test_result(ok && events_silent() && charged_now(pool) == base[pool],
			 "%s: three taken, three given back, in order\n", name);
}

/* An event with the change and whose it was, and no more than that. */
static bool bare_event(int change)
{
	static const int absent[] = {
		KVMWARD_A_SLOT_POOL, KVMWARD_A_SLOT_FIRST_ASID, KVMWARD_A_SLOT_LAST_ASID,
		KVMWARD_A_SLOT_CAPACITY, KVMWARD_A_SLOT_CHARGED, KVMWARD_A_SLOT_IN_USE,
		KVMWARD_A_SLOT_MIRRORS,
	};
	struct nl_answer answer = { 0 };
	const struct nl_msg *event;
	unsigned int i;
	bool ok;

	if (nl_event(&ear, true, &answer))
		return false;
	event = &answer.msgs[0];
	ok = (int)nl_u32(event, KVMWARD_A_SLOT_CHANGE) == change;
	if (change > 0 || maker_known)
		ok = ok && nl_u32(event, KVMWARD_A_SLOT_PID) == (uint32_t)getpid() &&
		     nl_has(event, KVMWARD_A_SLOT_START_TIME_NS);
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		ok = ok && !nl_has(event, absent[i]);
	nl_answer_done(&answer);
	return ok;
}

/* The kernel charges SEV-ES and SEV-SNP alike. */
static void split_test(void)
{
	static const enum vms_type types[] = { VMS_SEV_ES, VMS_SNP };
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		int vm = vms_create(types[i]);

		ok = vm >= 0 && bare_event(1) && ok;
		close(vm);
		ok = bare_event(-1) && ok;
	}
	ksft_test_result(ok && events_silent(),
			 "SEV-ES and SNP in split pools: each change, without pool and figures\n");
}

/* Every figure of the pool is SLOT_GET's; what only a look at all guests tells is not there. */
static void figures_test(void)
{
	struct nl_answer answer = { 0 };
	int ret, vm = vms_create(VMS_SEV);
	const struct nl_msg *slots = slots_now(KVMWARD_SLOT_POOL_SEV), *event;

	ret = nl_event(&ear, true, &answer);
	event = ret ? NULL : &answer.msgs[0];
	ksft_test_result(event && same(event, slots, KVMWARD_A_SLOT_POOL) &&
			 same(event, slots, KVMWARD_A_SLOT_FIRST_ASID) &&
			 same(event, slots, KVMWARD_A_SLOT_LAST_ASID) &&
			 same(event, slots, KVMWARD_A_SLOT_CAPACITY) &&
			 same(event, slots, KVMWARD_A_SLOT_CHARGED) &&
			 !nl_has(event, KVMWARD_A_SLOT_IN_USE) &&
			 !nl_has(event, KVMWARD_A_SLOT_MIRRORS), "the figures are those of SLOT_GET\n");
	nl_answer_done(&answer);
	close(vm);
	event_given_back(getpid());
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

#define DELAYS 31

/* When each of so many slots was given back, as the events come. */
static void *times_hear(void *times)
{
	uint64_t *next = times;
	struct event event;

	while (next < (uint64_t *)times + DELAYS && !event_next(&ear, &event, PATIENCE_MS))
		if (event.change == -1)
			*next++ = now_us();
	return NULL;
}

/* From the change in the kernel, as its own tracing has it, until the listener has read of it. */
static void delay_test(void)
{
	uint64_t heard[DELAYS] = { 0 }, done[DELAYS], delays[DELAYS];
	unsigned int i, calls;
	pthread_t thread;

	if (!trace_begin("misc_cg_uncharge")) {
		trace_end("");
		ksft_test_result_skip("delay: no tracing\n");
		return;
	}
	pthread_create(&thread, NULL, times_hear, heard);
	for (i = 0; i < DELAYS; i++)
		close(vms_create(VMS_SEV));
	pthread_join(thread, NULL);
	calls = trace_times("", done, DELAYS);
	for (i = 0; i < DELAYS; i++)
		delays[i] = heard[i] - done[i];
	qsort(delays, DELAYS, sizeof(*delays), compare);
	ksft_print_msg("from the change to the event read: median %u us, highest %u us\n",
		       (unsigned int)delays[DELAYS / 2], (unsigned int)delays[DELAYS - 1]);
	ksft_test_result(calls == DELAYS && delays[DELAYS - 1] < PATIENCE_MS * 1000 && events_silent(),
			 "each of %d changes is heard\n", DELAYS);
}

/* A charge that fails is none. */
static void full_test(void)
{
	uint32_t i, count = free_now(KVMWARD_SLOT_POOL_SEV);
	int *vms = calloc(count, sizeof(*vms)), extra;
	bool ok = true;

	for (i = 0; i < count; i++)
		vms[i] = vms_create(VMS_SEV);
	for (i = 0; i < count; i++)
		ok = event_expect(KVMWARD_SLOT_POOL_SEV, 1, base[0] + i + 1, getpid()) && ok;
	extra = vms_create(VMS_SEV);
	ok = extra == -EBUSY && events_silent() && ok;
	for (i = 0; i < count; i++)
		close(vms[i]);
	while (count--)
		ok = event_expect(KVMWARD_SLOT_POOL_SEV, -1, base[0] + count, getpid()) && ok;
	ksft_test_result(ok && events_silent(), "a slot that is refused is no event\n");
	free(vms);
}

/* Nothing is built that nobody would hear. */
static void unheard_test(void)
{
	unsigned int unheard, heard;

	nl_close(&ear);
	if (!trace_begin("kvmward:kvmward_netlink_event")) {
		trace_end("");
		ksft_test_result_skip("nobody listens: no tracing\n");
		events_listen(&ear);
		return;
	}
	close(vms_create(VMS_SEV));
	usleep(SILENCE_MS * 1000);
	unheard = trace_end("");
	events_listen(&ear);
	trace_begin("kvmward:kvmward_netlink_event");
	close(vms_create(VMS_SEV));
	event_taken(getpid());
	event_given_back(getpid());
	heard = trace_end("");
	ksft_test_result(!unheard && heard == 2, "nobody listens: no message; somebody does: two\n");
}

static void two_test(void)
{
	struct event event;
	struct nl other;
	bool ok;

	events_listen(&other);
	close(vms_create(VMS_SEV));
	ok = event_taken(getpid());
	ok = event_given_back(getpid()) && ok;
	ok = !event_next(&other, &event, PATIENCE_MS) && event.change == 1 && ok;
	ok = !event_next(&other, &event, PATIENCE_MS) && event.change == -1 && ok;
	ksft_test_result(ok, "two listeners hear the same\n");
	nl_close(&other);
}

/* A listener that cannot keep up learns so, once, and then hears on. */
static void overrun_test(void)
{
	const int tiny = 1, rounds = 10;
	struct event event;
	struct nl deaf;
	int i, ret, heard = 0;
	bool ok;

	events_listen(&deaf);
	setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny));
	for (i = 0; i < rounds; i++) {
		close(vms_create(VMS_SEV));
		event_taken(getpid());
		event_given_back(getpid());
	}
	ok = event_next(&deaf, &event, 0) == -ENOBUFS;
	while (!(ret = event_next(&deaf, &event, 0)))
		heard++;
	ok = ok && ret == -EAGAIN && heard && heard < 2 * rounds;
	close(vms_create(VMS_SEV));
	ok = ok && !event_next(&deaf, &event, PATIENCE_MS) && event.change == 1;
	ksft_test_result(ok, "a full buffer: told by ENOBUFS after %d of %d, then heard on\n", heard,
			 2 * rounds);
	event_taken(getpid());
	event_given_back(getpid());
	nl_close(&deaf);
}

/* Events are switched off with the kernel's probes, and the module says so. */
static void switched_off_test(void)
{
	int sent = events_switch_off();

	if (sent < 0)
		ksft_test_result_skip(PROBES " cannot be switched off\n");
	else
		ksft_test_result(!sent, PROBES ": no events, and said so\n");
}

static void guests_test(void)
{
	order_test(KVMWARD_SLOT_POOL_SEV, VMS_SEV, "SEV");
	if (pools_split()) {
		split_test();
	} else if (vms_offered(VMS_SEV_ES)) {
		events_drain();
		order_test(KVMWARD_SLOT_POOL_SEV_ES, VMS_SEV_ES, "SEV-ES");
	} else {
		ksft_test_result_skip("SEV-ES: not offered here\n");
	}
	figures_test();
	delay_test();
	full_test();
	unheard_test();
	two_test();
	overrun_test();
}

#define HOST_TESTS 1
#define GUEST_TESTS 8

int main(void)
{
	bool sent;

	test_open(&nl);
	ksft_set_plan(HOST_TESTS + GUEST_TESTS);
	sent = events_open();
	switched_off_test();
	events_finish(sent, HOST_TESTS + GUEST_TESTS, guests_test);
}
