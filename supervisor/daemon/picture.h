/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_PICTURE_H
#define KW_DAEMON_PICTURE_H

#include <stddef.h>

#include "model/claim.h"
#include "model/facts.h"

/* "SEV 3 of 10, SEV-ES/SNP 0 of 5 slots taken", "?" for what is not known. */
void kw_picture_slots(const struct kw_slot_table *slots, char *to, size_t to_size);

/*
 * All that a client may want to hear a change of, as text: two looks that give
 * the same text show the same host. Pinned bytes and the like are left out, as
 * they move all the time. Owned by the caller; NULL without memory.
 */
char *kw_picture_draw(const struct kw_facts *facts, const struct kw_hold_list *holds);

#endif
