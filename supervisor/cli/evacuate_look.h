/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_EVACUATE_LOOK_H
#define KW_CLI_EVACUATE_LOOK_H

#include <limits.h>

#include "cli/evacuate_run.h"
#include "cli/move_look.h"
#include "model/evacuation.h"
#include "policy/evacuation.h"

/* A guest of the host that is gone, and what becomes of it. */
struct kw_evacuation_guest {
	struct kw_kept kept;
	struct kw_evacuee evacuee;
	struct kw_move_plan plan;
	enum kw_evacuee_act act;
	bool done;			/* it has been tried, */
	char error[KW_EVACUATE_ERROR_MAX]; /* with this result; "" it is here */
};

struct kw_evacuation {
	char dir[PATH_MAX];		/* what is kept of that host */
	bool force;
	struct kw_move_here here;
	struct kw_gone_host host;
	struct kw_verdict verdict;	/* on the host; without it no guest is looked at */
	struct kw_evacuation_guest *guests;
	size_t count;
	bool failed;			/* there are more, of which nothing could be told but why */
};

/*
 * Looks at a host that is gone, at what is kept of its guests in the directory of the
 * configuration, and judges. Only those that are named, by name or UUID, or all: count 0. Who is
 * named starts; else those that ran. 0, or the exit status after a message. The caller ends
 * *ret_evacuation either way.
 */
enum kw_exit kw_evacuation_look(const char *host, const char *const *names, size_t count,
				bool force, struct kw_evacuation *ret_evacuation);
void kw_evacuation_done(struct kw_evacuation *evacuation);

#endif
