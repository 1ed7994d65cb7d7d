/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_LINE_H
#define KW_DAEMON_LINE_H

#include "daemon/supervisor.h"
#include "model/waiting.h"

/* Who waits is told through these; id is what kw_line_ask() was given. */
struct kw_line_listener {
	/* It is in line no more: admitted, with its hold saved, or refused for good. */
	void (*answer)(void *data, uint64_t id, const struct kw_verdict *verdict);
	/* Its place, or why it waits, is another than it was told. */
	void (*place)(void *data, uint64_t id, const struct kw_place *place);
	void *data;
};

/*
 * Puts the guest of this domain in line. True when it is, and kw_line_serve()
 * will tell its place or answer; false with the answer: it takes nothing, has its
 * hold already, or can never start.
 */
bool kw_line_ask(struct kw_supervisor *supervisor, uint64_t id, const char *xml, size_t length,
		  struct kw_verdict *ret_verdict);

/* To be called after every look: admits those whose turn it is. */
void kw_line_serve(struct kw_supervisor *supervisor, const struct kw_line_listener *listener);

/*
 * The client of that id is gone. A hold that it was given and that no hook has
 * asked for ends with it.
 */
void kw_line_leave(struct kw_supervisor *supervisor, uint64_t id);

#endif
