/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/message.h"

static const struct kw_command *const commands[] = {
	&kw_command_host, &kw_command_slots, &kw_command_guests, &kw_command_plan,
	&kw_command_launch, &kw_command_watch, &kw_command_metrics, &kw_command_verdicts,
	&kw_command_reload, &kw_command_drain, &kw_command_undrain, &kw_command_migrate,
	&kw_command_job, &kw_command_keep, &kw_command_evacuate,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))
#define SUMMARY_COLUMN 21

static void print_usage(FILE *to)
{
	fputs("Usage: kvmward COMMAND [OPTIONS] [ARGUMENTS]\n\n"
	      "Who holds the encryption-key slots and the pinned memory of this KVM host.\n\n"
	      "Commands:\n",
	      to);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		int used = fprintf(to, "  %s %s", commands[i]->name, commands[i]->arguments);

		if (used >= SUMMARY_COLUMN) {
			fputc('\n', to);
			used = 0;
		}
		fprintf(to, "%*s%s\n", SUMMARY_COLUMN - used, "", commands[i]->summary);
	}
	fputs("\n'kvmward COMMAND --help' shows options and examples. Exit status: 0 done,\n"
	      "1 failed, 2 usage, 3 refused.\n",
	      to);
}

static const struct kw_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static enum kw_exit run_named(const char *name, int argc, char **argv)
{
	const struct kw_command *command = find_command(name);

	if (command)
		return command->run(command, argc, argv);
	kw_message("there is no command '%s'", name);
	fputs("Try 'kvmward --help'.\n", stderr);
	return KW_EXIT_USAGE;
}

static enum kw_exit run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	char help[] = "--help", *ask_help[] = { argc > 2 ? argv[2] : NULL, help, NULL };

	if (!name) {
		print_usage(stderr);
		return KW_EXIT_USAGE;
	}
	if (!strcmp(name, "help") && argc > 2)
		return run_named(argv[2], 2, ask_help);
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_usage(stdout);
		return KW_EXIT_DONE;
	}
	if (!strcmp(name, "--version")) {
		puts("kvmward " KW_VERSION);
		return KW_EXIT_DONE;
	}
	return run_named(name, argc - 1, argv + 1);
}

/* A reader that went away, as head(1) does, knows that itself. */
static bool reader_has_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return poll(&output, 1, 0) == 1 && output.revents & POLLERR;
}

/* What was printed must have arrived. */
static enum kw_exit close_output(enum kw_exit done)
{
	bool failed, gone;

	errno = 0;
	failed = fflush(stdout) != 0 || ferror(stdout);
	gone = reader_has_gone();
	failed = fclose(stdout) != 0 || failed;
	if (!failed)
		return done;
	if (!gone)
		kw_message("standard output cannot be written: %s",
			   errno ? strerror(errno) : "some of it was lost");
	return done ? done : KW_EXIT_FAILED;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	return close_output(run(argc, argv));
}
