/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/paragraph.h"

#define OPTION_MAX 16	/* of one subcommand */
#define HELP_WIDTH 80
#define HELP_COLUMN 22

static void print_option(const char *name, const char *argument, bool optional, char letter,
			 const char *help)
{
	const char *before = optional ? "[=" : " ", *after = optional ? "]" : "";
	char dashed[] = { '-', letter, ',', ' ', '\0' };
	int used = printf("  %s--%s%s%s%s", letter ? dashed : "", name, argument ? before : "",
			  argument ? argument : "", argument ? after : "");

	if (used >= HELP_COLUMN) {
		putchar('\n');
		used = 0;
	}
	printf("%*s%s\n", HELP_COLUMN - used, "", help);
}

static void print_help(const struct kw_command *self, const struct kw_option *options,
		       size_t count)
{
	printf("Usage: kvmward %s [OPTIONS]%s%s\n\n%s.\n\nOptions:\n", self->name,
	       *self->arguments ? " " : "", self->arguments, self->summary);
	for (size_t i = 0; i < count; i++)
		print_option(options[i].name, options[i].argument, options[i].flag != NULL,
			     options[i].letter, options[i].help);
	print_option("help", NULL, false, 0, "show this text");
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

/* What getopt_long() has found; NULL for a mistake. */
static const struct kw_option *find(const struct kw_option *options, size_t count, int at)
{
	if (at >= 256)
		return &options[at - 256];
	for (size_t i = 0; i < count; i++)
		if (options[i].letter && options[i].letter == at)
			return &options[i];
	return NULL;
}

/* Letters of options that take an argument, or none. */
static void write_letters(const struct kw_option *options, size_t count, char *to)
{
	to = stpcpy(to, ":h");
	for (size_t i = 0; i < count; i++) {
		if (!options[i].letter)
			continue;
		*to++ = options[i].letter;
		to = stpcpy(to, options[i].value ? ":" : "");
	}
	*to = '\0';
}

bool kw_options_read(const struct kw_command *self, const struct kw_option *options, size_t count,
		     int argc, char **argv, int *ret_first, enum kw_exit *ret_exit)
{
	struct option known[OPTION_MAX + 2] = {};
	char letters[2 * OPTION_MAX + 3];
	const struct kw_option *found;
	int at;

	for (size_t i = 0; i < count; i++)
		known[i] = (struct option){ options[i].name, argument_of(&options[i]), NULL,
					    256 + i };
	known[count] = (struct option){ "help", no_argument, NULL, 'h' };

	write_letters(options, count, letters);
	optind = 0;
	opterr = 0;
	while ((at = getopt_long(argc, argv, letters, known, NULL)) != -1) {
		if (at == 'h') {
			print_help(self, options, count);
			*ret_exit = KW_EXIT_DONE;
			return false;
		}
		found = find(options, count, at);
		if (!found) {
			kw_message(mistake(at), self->name, argv[optind - 1]);
			*ret_exit = usage_error(self);
			return false;
		}
		take(found, optarg);
	}
	if (!count_fits(self, argc, argv, optind)) {
		*ret_exit = usage_error(self);
		return false;
	}
	*ret_first = optind;
	return true;
}
