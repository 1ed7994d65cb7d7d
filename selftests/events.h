/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the group slots share. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/kvmward.h>

#include "kselftest.h"
#include "nl.h"
#include "vms.h"

#define PATIENCE_MS 5000
#define SILENCE_MS 100

#define POOL_UNKNOWN UINT32_MAX

struct event {
	uint32_t pool, charged, pid;		/* pid 0: not known */
	int32_t change;
	uint64_t start_time_ns;
};

extern struct nl nl, ear;	/* for asking, and for listening */
extern uint32_t base[2];	/* slots taken before, by pool; split ones have no count */
extern bool maker_known;	/* whose guest it was, where struct kvm can be read */

/*
 * Listens too. False: there are no events here, and the module says why not. Any
 * other answer ends the program.
 */
bool events_open(void);

/* A further listener, or the end of the program. */
void events_listen(struct nl *listener);

/* What SLOT_GET says of a pool, borrowed until the next call; and its count. */
const struct nl_msg *slots_now(uint32_t pool);
uint32_t charged_now(uint32_t pool);

/* The switch of all probes of the kernel. */
#define PROBES "/sys/kernel/debug/kprobes/enabled"

/*
 * Switches them off, and on again: what HOST_GET says meanwhile of slot-events, or
 * -1 where they are off already or cannot be switched off. Ends the program when
 * they stay off.
 */
int events_switch_off(void);

/* Have SEV-ES and SEV-SNP a pool each? */
bool pools_split(void);

/* The next event in time: 0, -EAGAIN for none, or what the socket says. */
int event_next(struct nl *from, struct event *event, int patience_ms);

/* Is that the next event, and then no other? pid 0: none is named. */
bool event_expect(uint32_t pool, int change, uint32_t charged, pid_t pid);
bool events_silent(void);
void events_drain(void);

/*
 * Runs what needs guests and events, if there are both, skips what of so many
 * planned results is then left, and ends the program. Not in events.c: each file
 * has counts of its own of kselftest.h.
 */
static inline void events_finish(bool sent, unsigned int planned, void (*guests_test)(void))
{
	if (sent && vms_offered(VMS_SEV)) {
		events_drain();
		guests_test();
	}
	while (ksft_test_num() < planned)
		ksft_test_result_skip("%s\n", sent ? "no SEV here" : "no slot events here");
	ksft_finished();
}

/* The one slot of pool SEV that is taken here, and given back, with SLOT_GET the same. */
bool event_taken(pid_t pid);
bool event_given_back(pid_t pid);

/*
 * What the kernel's own tracing sees of a function, once at a time; false: it
 * sees nothing. In the end, how many calls there were by tasks of a name that
 * begins so.
 */
bool trace_begin(const char *function);
unsigned int trace_end(const char *comm);

/* The same, with when they came: CLOCK_MONOTONIC. */
unsigned int trace_times(const char *comm, uint64_t *ret_us, unsigned int room);

/* A child that has made a guest and handed its file on; we hold it in vm. */
struct maker {
	pid_t pid;
	int socket, vm;
};

/* cgroup: the file to join by, or NULL. */
struct maker maker_start(const char *cgroup);
void maker_close(struct maker *maker);	/* it closes its guest, and has done so */
void maker_end(struct maker *maker);	/* it ends, holding its guest or not */

#endif
