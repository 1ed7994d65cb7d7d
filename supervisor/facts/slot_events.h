/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_SLOT_EVENTS_H
#define KW_FACTS_SLOT_EVENTS_H

#include <stdbool.h>

#include "model/slots.h"

/*
 * The module's news of slots that change hands: its multicast group, which one
 * must have CAP_NET_ADMIN to join. The module may be taken out and put in again
 * meanwhile: the kernel tells of that too, and the group is joined anew.
 */
struct kw_slot_events;

/*
 * Begins to listen. The module need not be there, and is not loaded by this. 0
 * or negative errno.
 */
int kw_slot_events_open(struct kw_slot_events **ret_events);
void kw_slot_events_close(struct kw_slot_events *events);

/* Readable when there is something to take. */
int kw_slot_events_fd(const struct kw_slot_events *events);

/* What was taken. */
struct kw_slot_news {
	bool slots;	/* slots have changed hands, or news of that were lost: look again */
	bool module;	/* the module came or went, or may have: look again */
};

/*
 * Takes what waits and never blocks. tell(event, data), unless NULL, hears of
 * every slot; what was lost it does not hear of.
 */
struct kw_slot_news kw_slot_events_drain(struct kw_slot_events *events,
					 void (*tell)(const struct kw_slot_event *event,
						      void *data),
					 void *data);

/* True while in the module's group; otherwise the reason says why not. NULL: not open. */
bool kw_slot_events_joined(const struct kw_slot_events *events);
const char *kw_slot_events_reason(const struct kw_slot_events *events);

#endif
