/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/class.h"

const char *kw_class_thing_name(const struct kw_class_use *use)
{
	return use->thing == KW_CLASS_MEMORY ? "memory" : kw_pool_name(use->pool);
}
