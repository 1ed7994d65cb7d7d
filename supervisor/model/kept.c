/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/kept.h"

#include <stdlib.h>

void kw_kept_done(struct kw_kept *kept)
{
	if (!kept)
		return;
	free(kept->xml);
	*kept = (struct kw_kept){ 0 };
}
