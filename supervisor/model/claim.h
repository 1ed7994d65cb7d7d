/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_CLAIM_H
#define KW_MODEL_CLAIM_H

#include "model/class.h"
#include "model/guest.h"
#include "model/hugepages.h"
#include "model/nodes.h"

/* What a guest will take once it runs. Made by policy from the domain XML. */
struct kw_claim {
	char uuid[KW_UUID_LEN + 1];
	char name[KW_NAME_MAX];
	char class_name[KW_CLASS_NAME_MAX]; /* as kvmward.conf had it at the admission; "": the default */
	enum kw_guest_type type;
	uint64_t memory_bytes;		/* maximum memory, hot-plug included */
	uint64_t pinned_bytes;		/* once it has started; 0 for a plain guest */
	uint64_t plug_bytes;		/* of it, what may be plugged later: pinned, if at all, only then */
	uint64_t memlock_bytes;		/* RLIMIT_MEMLOCK it needs; 0 for a plain guest */
	uint64_t ceiling_bytes;		/* the most host memory it may come to use, hugepages included */
	struct kw_huge_part huge[KW_HUGE_SIZES];	/* of the memory, what pools of hugepages give */
	struct kw_bound_part bound[KW_BOUND_MAX];	/* of the rest, what only some nodes may */
};

/* One block of memory that a guest pins. Borrowed strings. */
struct kw_claim_part {
	const char *what;
	const char *model;		/* of the device, as in the domain XML; "" for none */
	uint64_t bytes;
};

/*
 * A claim that was admitted. It is pending until the kernel shows the guest;
 * from then on the kernel's own figures count and the hold only keeps the
 * claim for comparison.
 */
struct kw_hold {
	struct kw_claim claim;
	uint64_t taken_ns;		/* CLOCK_BOOTTIME of the admission */
	pid_t pid;			/* 0 while pending */
	uint64_t start_time_ns;		/* of that process; 0 while pending */
	bool started;			/* libvirt has said that QEMU is up */
	bool differs;			/* it pins otherwise than claimed; the journal has it */
	bool lent;			/* to a client that stood in line; no hook has asked yet */
	bool waiting;			/* never in the ledger: promised to a guest that waits */
};

struct kw_hold_list {
	struct kw_hold *holds;
	size_t count;
};

/* 0 or -ENOMEM, the list unchanged. */
int kw_hold_list_add(struct kw_hold_list *list, const struct kw_hold *hold);

/* Takes out one of the list's own holds; those behind it move up. */
void kw_hold_list_drop(struct kw_hold_list *list, struct kw_hold *hold);

/* Frees what the list owns and empties it. */
void kw_hold_list_done(struct kw_hold_list *list);

#endif
