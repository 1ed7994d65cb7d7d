/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cgroups.h"

const char *kw_misc_name(enum kw_misc_key key)
{
	static const char *const names[KW_MISC_COUNT] = { "sev", "sev_es" };

	return names[key];
}
