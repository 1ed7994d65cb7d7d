/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/refusal.h"

#include <stdio.h>
#include <string.h>

#define STATUS "exit status "
#define MARK "kvmward: "

/* What the hook wrote. Before it stands its command line, which holds the guest's name. */
static const char *hook_output(const char *text)
{
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, STATUS)); at++)
		found = at + strlen(STATUS);
	if (!found)
		return NULL;
	found += strspn(found, "0123456789");
	return found + strspn(found, ": ");
}

/* One line "kvmward: CODE: sentence" of a code that refuses. */
static bool read_line(const char *line, size_t length, struct kw_verdict *ret_verdict)
{
	char name[32];
	size_t used = strlen(MARK), code_length;
	enum kw_code code;

	if (length < used || strncmp(line, MARK, used))
		return false;
	code_length = strcspn(line + used, ":\n");
	if (used + code_length + 2 > length || strncmp(line + used + code_length, ": ", 2) ||
	    code_length >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)code_length, line + used);
	if (kw_code_find(name, &code) || code == KW_ADMITTED)
		return false;
	used += code_length + 2;
	ret_verdict->code = code;
	snprintf(ret_verdict->sentence, sizeof(ret_verdict->sentence), "%.*s",
		 (int)(length - used), line + used);
	return true;
}

bool kw_refusal_find(const char *libvirt_text, struct kw_verdict *ret_verdict)
{
	const char *line = hook_output(libvirt_text);

	while (line && *line) {
		size_t length = strcspn(line, "\n");

		if (read_line(line, length, ret_verdict))
			return true;
		line += length + (line[length] == '\n');
	}
	return false;
}
