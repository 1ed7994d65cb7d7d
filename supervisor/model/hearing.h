/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_HEARING_H
#define KW_MODEL_HEARING_H

/* How it is learnt that the host has changed. */
enum kw_hearing {
	KW_HEARING_TIMER,	/* not at all: only by looking now and then */
	KW_HEARING_UEVENTS,	/* KVM tells of guests, before their slots change hands */
	KW_HEARING_SLOTS,	/* the module tells of slots as well, after they changed hands */
	KW_HEARING_COUNT,
};

struct kw_hearing_state {
	enum kw_hearing from;
	char reason[160];	/* why not from the module; "" when from it */
};

/* "timer", "uevents" or "slot-events": the names on the bus and in JSON. */
const char *kw_hearing_name(enum kw_hearing from);

/* The same for people: "the module's slot events". */
const char *kw_hearing_title(enum kw_hearing from);

/* The hearing of that name; 0, or -ENOENT with *ret_from untouched. */
int kw_hearing_find(const char *name, enum kw_hearing *ret_from);

#endif
