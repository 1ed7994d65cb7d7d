/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/facts.h"

#include <string.h>

void kw_facts_done(struct kw_facts *facts)
{
	if (!facts)
		return;
	kw_guest_list_done(&facts->guests);
	memset(facts, 0, sizeof(*facts));
}
