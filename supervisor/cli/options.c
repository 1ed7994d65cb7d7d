/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/paragraph.h"

#define OPTION_MAX 8
#define HELP_WIDTH 80

static void print_option(const char *name, const char *argument, bool optional, const char *help)
{
	const char *before = optional ? "[=" : " ", *after = optional ? "]" : "";
	int used = printf("  --%s%s%s%s", name, argument ? before : "", argument ? argument : "",
			  argument ? after : "");

	printf("%*s%s\n", used < 22 ? 22 - used : 1, "", help);
}

static void print_help(const struct kw_command *self, const struct kw_option *options,
		       size_t count)
{
	printf("Usage: kvmward %s [OPTIONS]%s%s\n\n%s.\n\nOptions:\n", self->name,
	       *self->arguments ? " " : "", self->arguments, self->summary);
	for (size_t i = 0; i < count; i++)
		print_option(options[i].name, options[i].argument, options[i].flag != NULL,
			     options[i].help);
	print_option("help", NULL, false, "show this text");
	putchar('\n');
	kw_paragraph_print(stdout, 0, HELP_WIDTH, self->help);
	printf("\nExamples:\n%s", self->examples);
}

/* What getopt_long() found wrong, as a format for the subcommand and the option. */
static const char *mistake(int at)
{
	if (at == ':')
		return "%s: option %s wants a value";
	return optopt >= 256 ? "%s: %s: the option takes no value" : "%s: there is no option %s";
}

static enum kw_exit usage_error(const struct kw_command *self)
{
	fprintf(stderr, "Try 'kvmward %s --help'.\n", self->name);
	return KW_EXIT_USAGE;
}

static bool count_fits(const struct kw_command *self, int argc, char **argv, int first)
{
	int given = argc - first;

	if (given < self->least)
		kw_message("%s: %s is missing", self->name, self->arguments);
	else if (given > self->most)
		kw_message("%s: what is '%s' for?", self->name, argv[first + self->most]);
	else
		return true;
	return false;
}

static int argument_of(const struct kw_option *option)
{
	if (!option->value)
		return no_argument;
	return option->flag ? optional_argument : required_argument;
}

static void take(const struct kw_option *option, const char *argument)
{
	if (option->flag)
		*option->flag = true;
	if (option->value)
		*option->value = argument;
}

bool kw_options_read(const struct kw_command *self, const struct kw_option *options, size_t count,
		     int argc, char **argv, int *ret_first, enum kw_exit *ret_exit)
{
	struct option known[OPTION_MAX + 2] = {};
	int at;

	for (size_t i = 0; i < count; i++)
		known[i] = (struct option){ options[i].name, argument_of(&options[i]), NULL,
					    256 + i };
	known[count] = (struct option){ "help", no_argument, NULL, 'h' };

	optind = 0;
	opterr = 0;
	while ((at = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		if (at == 'h') {
			print_help(self, options, count);
			*ret_exit = KW_EXIT_DONE;
			return false;
		}
		if (at < 256) {
			kw_message(mistake(at), self->name, argv[optind - 1]);
			*ret_exit = usage_error(self);
			return false;
		}
		take(&options[at - 256], optarg);
	}
	if (!count_fits(self, argc, argv, optind)) {
		*ret_exit = usage_error(self);
		return false;
	}
	*ret_first = optind;
	return true;
}
