/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of the form --name=NUMBER, which is all that these programs take. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

struct option_number {
	const char *name;	/* without the dashes; NULL ends the table */
	uint64_t *value;	/* holds the default */
	const char *help;
};

/*
 * Reads them all. Returns the place in argv of the first word that is none; ends
 * the program on --help (0) and on what it does not know (2).
 */
int options_read(const struct option_number *options, const char *usage, int argc, char **argv);

/* Prints a line at each tenth of the way; none of a short one. */
void progress_print(uint64_t done, uint64_t of, const char *what);

#endif
