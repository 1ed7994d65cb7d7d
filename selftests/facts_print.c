// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints all answers as they come, one attribute a line: "command.index.id hex".
 * Two outputs that are the same say that two answers were. Exit status 4: there
 * is no such family.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/kvmward.h>

#include "nl.h"

static void print(const char *name, const struct nl_answer *answer)
{
	unsigned int i, attr, byte;

	for (i = 0; i < answer->count; i++)
		for (attr = 0; attr < NL_ATTRS; attr++) {
			const struct nlattr *found = answer->msgs[i].attr[attr];

			if (!found)
				continue;
			printf("%s.%u.%u ", name, i, attr);
			for (byte = NLA_HDRLEN; byte < found->nla_len; byte++)
				printf("%02x", ((const unsigned char *)found)[byte]);
			putchar('\n');
		}
}

int main(void)
{
	struct nl_answer host, slots, guests;
	struct nl nl;
	int ret = nl_open(&nl);

	if (ret)
		return ret == -ENOENT ? 4 : 1;
	ret = nl_do(&nl, KVMWARD_CMD_HOST_GET, NULL, 0, &host);
	ret = ret ? ret : nl_dump(&nl, KVMWARD_CMD_SLOT_GET, NULL, 0, &slots);
	ret = ret ? ret : nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &guests);
	if (ret) {
		fprintf(stderr, "facts_print: %s %s\n", strerror(-ret), nl.error);
		return 1;
	}
	print("host", &host);
	print("slot", &slots);
	print("guest", &guests);
	return 0;
}
