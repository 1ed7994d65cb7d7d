/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_WAIT_H
#define KW_CLI_WAIT_H

#include "bus/client.h"

/* A guest in kvmwardd's line, and how that is shown. */
struct kw_wait {
	struct kw_u32 limit_s;		/* unknown: for ever */
	bool json;			/* places go to standard output, an object on a line each */
	struct kw_bus *bus;		/* an admitted guest's hold goes with it */
	struct kw_place place;		/* as last told; all 0: never */
};

void kw_wait_done(struct kw_wait *wait);

/*
 * Waits until it is the turn of this guest, or it is refused for good: 0 with
 * the verdict. A kvmwardd that ends meanwhile is waited for. -ECANCELED: SIGINT
 * or SIGTERM; -ETIMEDOUT: the limit is over, and place has why; else the negative
 * errno of a kvmwardd that cannot be asked.
 */
int kw_wait_turn(struct kw_wait *wait, const char *xml, struct kw_verdict *ret_verdict);

/* "1st", "2nd", "3rd", "11th" … Returns to. */
char *kw_wait_ordinal(char *to, size_t to_size, uint32_t number);

#endif
