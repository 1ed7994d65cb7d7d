/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_CALLS_H
#define KW_BUS_CALLS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

/*
 * Calls that want a decision. They are answered in rounds: one begins when all
 * that has arrived is read, or 20 ms after its first call, and answers those
 * there in their order. A call on the bus that is root's waits until the bus has
 * said who made it. A caller that is gone gets no answer: nobody would start the
 * guest that is held for.
 */
struct kw_calls;

/* Around each round: all its calls arrived before begin(). */
struct kw_calls_rounds {
	void (*begin)(void *userdata);
	void (*end)(void *userdata);
	void *userdata;
};

/* What rounds points to is borrowed. 0 or negative errno. */
int kw_calls_open(sd_event *event, const struct kw_calls_rounds *rounds,
		  struct kw_calls **ret_calls);
void kw_calls_close(struct kw_calls *calls);

/*
 * For the handler of a method, which hands the result back to sd-bus. how() is
 * called in a round, as sd-bus would have called it, and may leave the answer
 * for later.
 */
int kw_calls_add(struct kw_calls *calls, sd_bus_message *request, bool root_only,
		 sd_bus_message_handler_t how, void *userdata);

#endif
