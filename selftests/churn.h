/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that make VMs, pass them about and give them up, as fast as they can.
 *
 * Each VM says what it is by the size of its memory, which nothing ever uses: its
 * kind and a number of its own. So a dump can be checked VM by VM, whatever became
 * of its file. And each kind is counted at both ends of a VM's life, so that who
 * looks can tell how many there can have been meanwhile.
 */
#ifndef CHURN_H
#define CHURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vms.h"

enum churn_kind {
	CHURN_NONE,		/* no memory yet */
	CHURN_STABLE,		/* the looker's own, which stay */
	CHURN_PLAIN, CHURN_SEV, CHURN_SEV_ES, CHURN_SNP,	/* made and closed */
	CHURN_OWNER, CHURN_MIRROR,
	CHURN_MOVED,		/* from or to by intra-host migration */
	CHURN_FORKED,		/* open in children as well, which exit or exec */
	CHURN_PASSED,		/* handed to another process and back */
	CHURN_THREAD,		/* in a file table that only one thread has */
	CHURN_LEFT,		/* open when its process exits or is killed */
	CHURN_KINDS
};

/* Pools with no more free slots than this are full at times. */
#define CHURN_FILL 16

/* The most that an SNP guest takes from its guest_memfd. */
#define CHURN_PRIVATE_BYTES (8 * 4096UL)

/* Shared by all processes. Each number only grows. */
struct churn_count {
	atomic_uint started, made;	/* before, and after it is there */
	atomic_uint closing, closed;	/* likewise for its end */
	atomic_int pid, other_pid;	/* who has them; other_pid: whom they are passed to */
};

struct churn {
	atomic_bool stop;
	struct churn_count counts[CHURN_KINDS];
	atomic_uint refused[VMS_TYPES];		/* no slot was left: EBUSY */
};

/* Bytes of memory, and back. CHURN_KINDS: that is no such number. */
uint64_t churn_tag(enum churn_kind kind, unsigned int number);
enum churn_kind churn_kind_of(uint64_t bytes);
unsigned int churn_number_of(uint64_t bytes);

/*
 * Starts all of them, without the encrypted kinds that KVM does not offer; they go on
 * until churn->stop and then end, with status 0 if all went well. Writes at most
 * CHURN_KINDS pids; returns how many.
 */
unsigned int churn_start(struct churn *churn, unsigned int seed, pid_t *ret_pids);

#endif
