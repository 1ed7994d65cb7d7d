/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_EVACUATE_RUN_H
#define KW_CLI_EVACUATE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/kept.h"

#define KW_EVACUATE_ERROR_MAX 1024

/* How guests are taken over. */
struct kw_evacuate {
	const char *uri;		/* libvirt of this host; NULL: "qemu:///system" */
	const char *dir;		/* what is kept of the host that is gone */
	const char *lock_dir;		/* of locks on guests, each for one command of this host */
	struct kw_taker taker;		/* this host */
	unsigned int settle_ms;		/* after which a guest that was started has to run */
};

/*
 * Takes one guest over: that it is taken is on the storage before anything else is done, so that
 * of several hosts one has it; then it is defined and, if it is to, started here, and what was kept
 * of it goes. job: of the move whose mark is in a definition here that may be replaced; "" when
 * nothing may be here. May be repeated after a crash: it goes on then. 0; negative errno with why
 * in error, and then all is as before, and it is free for another host, unless error says
 * otherwise. -EWOULDBLOCK while another command of this host is at work on it.
 */
int kw_evacuate_guest(const struct kw_evacuate *how, const struct kw_kept *kept, const char *job,
		      bool starts, char *error, size_t size);

#endif
