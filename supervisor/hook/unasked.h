/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_HOOK_UNASKED_H
#define KW_HOOK_UNASKED_H

#include <stdbool.h>

#include "hook/attempt.h"
#include "model/guest.h"
#include "model/verdict.h"

/* What the hook goes by when kvmwardd cannot be asked. */
struct kw_unasked {
	char uuid[KW_UUID_LEN + 1];	/* "" when the XML cannot be read or gives none */
	bool encrypted;			/* may take a slot; so counts an XML that cannot be read */
	bool admit;			/* what the configuration says of such a guest */
	struct kw_verdict barred;	/* not KW_ADMITTED: why it must not start, whatever that says */
};

/* A configuration that cannot be read gives the defaults: kvmwardd has said what is wrong with it. */
void kw_unasked_read(const struct kw_hook_place *place, const struct kw_attempt *attempt,
		     struct kw_unasked *ret_unasked);

#endif
