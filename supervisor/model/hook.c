/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/hook.h"

#include <string.h>

static const struct {
	const char *op;
	enum kw_hook_kind kind;
} ops[] = {
	{ "prepare", KW_HOOK_PREPARE },
	{ "migrate", KW_HOOK_PREPARE },
	{ "restore", KW_HOOK_RESTORE },
	{ "start", KW_HOOK_START },
	{ "started", KW_HOOK_STARTED },
	{ "stopped", KW_HOOK_ENDED },
	{ "release", KW_HOOK_ENDED },
	{ "reconnect", KW_HOOK_RECONNECT },
};

enum kw_hook_kind kw_hook_kind_of(const char *op)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(ops[i].op, op))
			return ops[i].kind;
	return KW_HOOK_OTHER;
}

bool kw_hook_may_refuse(enum kw_hook_kind kind)
{
	return kind == KW_HOOK_PREPARE || kind == KW_HOOK_RESTORE || kind == KW_HOOK_START;
}
