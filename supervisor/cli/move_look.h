/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MOVE_LOOK_H
#define KW_CLI_MOVE_LOOK_H

#include "act/inspect.h"
#include "base/cleanup.h"
#include "bus/client.h"
#include "cli/command.h"
#include "facts/domain_place.h"
#include "model/facts.h"
#include "model/move_facts.h"

/*
 * What a move is judged on, from both hosts. Every wait for one of them is
 * bounded: a host that does not answer is not known, or not reached.
 */

/* This host, from which the guests go. */
struct kw_move_here {
	const char *command;		/* for messages; borrowed */
	struct kw_libvirt *libvirt;
	struct kw_move_host host;
	struct kw_facts facts;		/* of the kernel, for nested guests */
};

/* A guest of this host. */
struct kw_move_guest {
	struct kw_guest_look look;
	struct kw_domain domain;	/* as it runs; of a guest that is off as it is defined */
	struct kw_domain next;		/* as it is defined; empty when it has no definition */
	struct kw_domain_place place;	/* as it runs, but cpu_mode is as defined */
	struct kw_u32 unfinished;	/* it has a job of a move already */
	struct kw_u32 nested_vcpus;
	struct kw_u32 cpu_fits;		/* this host, as far as it names one that can be compared */
	char cpu_words[KW_WORDS_MAX];
};

/* A host that guests may go to. */
struct kw_move_there {
	const char *uri;		/* borrowed */
	char name[256];			/* for sentences */
	struct kw_libvirt *libvirt;	/* NULL: not reached */
	char unreached[KW_WORDS_MAX];	/* why */
	struct kw_move_host host;
	struct kw_bus *bus;		/* of that host; NULL: none */
	char unguarded[KW_WORDS_MAX];	/* why there is none */
	bool stuck;			/* a thread waits for it yet: end by _exit() */
};

/*
 * Both below answer 0, or the exit status after a message, which is also the end
 * where libvirt of this host does not answer. guest is a name or a UUID; what was
 * filled in is the caller's to end either way.
 */
enum kw_exit kw_move_here_open(const char *command, struct kw_move_here *ret_here);
enum kw_exit kw_move_here_guest(struct kw_move_here *here, const char *guest,
				struct kw_move_guest *ret_guest);
void kw_move_here_close(struct kw_move_here *here);

/*
 * Runs what asks libvirt or the files of this host in a thread of its own, for 30 s; the process
 * ends with a message when that does not come back. 0, or negative errno when it was not begun.
 */
int kw_move_here_call(const char *command, void (*run)(void *data), void *data);
void kw_move_guest_done(struct kw_move_guest *guest);

/* Never fails: that a host is not reached is a fact about it. */
void kw_move_there_open(const char *uri, struct kw_move_there *ret_there);
void kw_move_there_close(struct kw_move_there *there);

/*
 * All facts but for the plan of the kvmwardd there, which plan asks for; copies:
 * also whether local disks can be copied there. 0, and kw_move_facts_done() ends
 * them, or -ENOMEM.
 */
int kw_move_facts_make(const struct kw_move_here *here, const struct kw_move_guest *guest,
		       struct kw_move_there *there, bool copies, struct kw_move_facts *ret_facts);
void kw_move_facts_plan(struct kw_move_there *there, const char *xml, struct kw_move_facts *facts);

/* Whether its <cpu> names what can be compared: a host-model does only once the guest runs. */
bool kw_move_guest_names_cpu(const struct kw_move_guest *guest);

/* The XML that the destination would be asked to start: the definition, or as it runs. Borrowed. */
const char *kw_move_guest_xml(const struct kw_move_guest *guest);

#endif
