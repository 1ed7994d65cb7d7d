/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_COMMAND_H
#define KW_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum kw_exit { KW_EXIT_DONE, KW_EXIT_FAILED, KW_EXIT_USAGE, KW_EXIT_REFUSED };

/* One subcommand. run gets its own argv, argv[0] being the subcommand's name. */
struct kw_command {
	const char *name;
	const char *arguments;		/* "FILE", "[CODE]", "" */
	const char *summary;
	const char *help;		/* one paragraph: what it does, what the output means */
	const char *examples;		/* a command per line */
	int least, most;		/* how many arguments it takes */
	enum kw_exit (*run)(const struct kw_command *self, int argc, char **argv);
};

/*
 * One option of a subcommand: sets *flag, or *value when it takes an argument, or both
 * when it may be given without one: --name[=ARGUMENT].
 */
struct kw_option {
	const char *name;
	const char *argument;		/* NULL for a flag */
	const char *help;
	char letter;			/* the same in short, "-j N"; 0: none */
	bool *flag;
	const char **value;
};

/*
 * Reads options, which may stand anywhere, and counts the arguments. True with
 * the index of the first argument in *ret_first; false when there is nothing
 * left to do (--help, or a usage error that has been told) and *ret_exit is the
 * answer.
 */
bool kw_options_read(const struct kw_command *self, const struct kw_option *options, size_t count,
		     int argc, char **argv, int *ret_first, enum kw_exit *ret_exit);

extern const struct kw_command kw_command_host, kw_command_slots, kw_command_guests,
	kw_command_plan, kw_command_launch, kw_command_watch, kw_command_metrics,
	kw_command_verdicts, kw_command_reload, kw_command_drain, kw_command_undrain,
	kw_command_migrate, kw_command_job, kw_command_keep,
	kw_command_evacuate;

#endif
