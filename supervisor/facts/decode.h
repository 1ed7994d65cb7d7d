/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_DECODE_H
#define KW_FACTS_DECODE_H

#include <linux/netlink.h>
#include <stddef.h>

#include "model/guest.h"
#include "model/host.h"
#include "model/slots.h"

/*
 * Messages of the family "kvmward" (uapi/kvmward.yaml) -> plain structs. length
 * is how many bytes are readable from message on; the message may claim
 * anything. 0, or -EBADMSG with the output untouched: another command, cut
 * off, an attribute of the wrong size, a string without end, no pid or pool.
 * Attributes and enum values of a newer kernel are not known, and no error.
 */
int kw_decode_host(const struct nlmsghdr *message, size_t length, struct kw_host *ret_host);
int kw_decode_guest(const struct nlmsghdr *message, size_t length, struct kw_guest *ret_guest);

/* Fills one pool of the table; a pool that we do not know leaves it as it is. */
int kw_decode_slots(const struct nlmsghdr *message, size_t length, struct kw_slot_table *table);

/* A notification of the group "slots"; one without a change of 1 or -1 is refused as well. */
int kw_decode_slot_event(const struct nlmsghdr *message, size_t length,
			 struct kw_slot_event *ret_event);

/*
 * What the kernel says with an error (NLMSG_ERROR) or at the end of a dump
 * (NLMSG_DONE): *ret_error is 0 or a negative errno, text its own words (extack)
 * or "". 0, or -EBADMSG with the outputs untouched.
 */
int kw_decode_result(const struct nlmsghdr *message, size_t length, int *ret_error, char *text,
		     size_t size);

#endif
