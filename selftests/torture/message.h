/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to the family, and what becomes of them when they are damaged. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "rng.h"

/* Above what one netlink attribute can say of its own length. */
#define MESSAGE_MAX 69632

struct message {
	_Alignas(8) unsigned char data[MESSAGE_MAX];
	size_t len;		/* of the datagram, whatever its header claims */
};

/*
 * Fills in a request as a client would send it, to the family of that id or to
 * nlctrl about it; `pid` holds a guest.
 */
void message_make(struct message *message, struct rng *rng, uint16_t family, uint32_t pid);

/* Damages it in one to five places, so that it is another one afterwards. */
void message_mutate(struct message *message, struct rng *rng);

#endif
