/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_WAITERS_H
#define KW_BUS_WAITERS_H

#include <systemd/sd-bus.h>

#include "model/waiting.h"

/*
 * Calls of Wait, which are answered when it is the guest's turn. A ticket is
 * one call; its client's connection is watched from the call to its end, also
 * after the answer, since an admitted client must still use its hold.
 */
struct kw_waiters {
	struct waiter *first;
	uint64_t last_ticket;
	void (*left)(void *data, uint64_t ticket);	/* the client is gone */
	void *data;
};

/* Keeps the call. 0 with the ticket, or negative errno: answer it now. */
int kw_waiters_add(struct kw_waiters *waiters, sd_bus_message *request, uint64_t *ret_ticket);

/* Answers the call. Only an admitted client is still watched after it. */
void kw_waiters_answer(struct kw_waiters *waiters, uint64_t ticket,
		       const struct kw_verdict *verdict);

/* Sends the signal Waiting to the client, and to nobody else. */
void kw_waiters_tell(struct kw_waiters *waiters, uint64_t ticket, const struct kw_place *place);

void kw_waiters_done(struct kw_waiters *waiters);

#endif
