// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static void usage_print(const struct option_number *options, const char *usage, FILE *to)
{
	fprintf(to, "usage: %s\n\n", usage);
	for (; options->name; options++)
		fprintf(to, "  --%s=N\t%s (%llu)\n", options->name, options->help,
			(unsigned long long)*options->value);
}

static bool option_read(const struct option_number *options, const char *word)
{
	for (; options->name; options++) {
		size_t len = strlen(options->name);
		const char *value = word + 2 + len;
		char *end;

		if (strncmp(word, "--", 2) || strncmp(word + 2, options->name, len) ||
		    *value++ != '=')
			continue;
		errno = 0;
		*options->value = strtoull(value, &end, 10);
		return *value >= '0' && *value <= '9' && !*end && !errno;
	}
	return false;
}

int options_read(const struct option_number *options, const char *usage, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--help")) {
			usage_print(options, usage, stdout);
			exit(0);
		}
		if (!option_read(options, argv[i])) {
			fprintf(stderr, "%s: bad option: %s\n", argv[0], argv[i]);
			usage_print(options, usage, stderr);
			exit(2);
		}
	}
	return i;
}

void progress_print(uint64_t done, uint64_t of, const char *what)
{
	if (of >= 100 && done % (of / 10) == 0)
		printf("# %llu of %llu %s\n", (unsigned long long)done, (unsigned long long)of,
		       what);
}
