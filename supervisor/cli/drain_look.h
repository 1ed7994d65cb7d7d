/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_DRAIN_LOOK_H
#define KW_CLI_DRAIN_LOOK_H

#include "cli/move_look.h"
#include "policy/drain.h"

/* All guests that libvirt has here, off or not, and where each of them can go. */
struct kw_drain_look {
	struct kw_move_here here;
	struct kw_move_guest *guests;
	struct kw_move_facts *facts;		/* of every guest towards every destination */
	struct kw_move_plan *plans;
	struct kw_drain_guest *ways;		/* one for each guest */
	size_t count;				/* of guests */
	struct kw_move_there *theres;
	size_t destination_count;
	bool stuck;				/* a thread still waits for libvirt of this host */
};

/*
 * Looks at both sides of every move and decides. 0, or the exit status after a
 * message that begins with command. The caller ends *ret_look either way.
 */
enum kw_exit kw_drain_look(const char *command, const char *const *uris, size_t uri_count,
			   const struct kw_move_wish *wish, struct kw_drain_look *ret_look);
void kw_drain_look_done(struct kw_drain_look *look);

/* A thread still waits for a host: the process had better end by _exit(). */
bool kw_drain_look_stuck(const struct kw_drain_look *look);

#endif
