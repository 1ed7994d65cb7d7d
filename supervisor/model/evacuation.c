/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/evacuation.h"

#include <stdlib.h>

void kw_evacuee_done(struct kw_evacuee *evacuee)
{
	if (!evacuee)
		return;
	kw_move_facts_done(&evacuee->move);
	free(evacuee->disks);
	*evacuee = (struct kw_evacuee){ 0 };
}
