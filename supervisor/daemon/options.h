/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_OPTIONS_H
#define KW_DAEMON_OPTIONS_H

#include <stdbool.h>

/* What the command line of kvmwardd says. Borrowed from argv. */
struct kw_daemon_options {
	const char *config_path, *state_dir, *kept_dir;
	bool walls_down;	/* take the walls down and end */
};

/*
 * Reads the command line. Negative: go on. Otherwise the exit status to end
 * with: 0 after --help or --version, 2 after a message about wrong usage.
 */
int kw_daemon_options_read(int argc, char **argv, struct kw_daemon_options *ret_options);

#endif
