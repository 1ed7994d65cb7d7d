/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/move_facts.h"

#include <stdlib.h>
#include <string.h>

void kw_move_facts_done(struct kw_move_facts *facts)
{
	if (!facts)
		return;
	kw_domain_done(&facts->domain);
	kw_domain_done(&facts->next);
	free(facts->disks);
	memset(facts, 0, sizeof(*facts));
}
