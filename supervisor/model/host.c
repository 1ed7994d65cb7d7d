/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/host.h"

const char *kw_vendor_name(uint32_t vendor)
{
	static const char *const names[] = { "other", "amd", "hygon", "intel", "power" };

	return vendor < sizeof(names) / sizeof(*names) ? names[vendor] : "unknown";
}

const char *kw_facts_source_name(uint32_t source)
{
	static const char *const names[] = { "none", "btf" };

	return source < sizeof(names) / sizeof(*names) ? names[source] : "unknown";
}
