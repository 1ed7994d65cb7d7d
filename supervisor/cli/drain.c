/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"

static void print_json(bool draining)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "draining", json_object_new_boolean(draining));
	kw_json_print(to, false);
}

/* 0, or negative errno after a message. */
static int set_draining(const char *command, bool on)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	int error = kw_daemon_connect(&bus);

	if (!error)
		error = kw_bus_drain(bus, on);
	if (error)
		kw_message("%s: nothing has changed: %s", command,
			   error == -EACCES ? "kvmwardd lets root do that only"
					    : kw_daemon_reason(bus, error));
	return error;
}

static enum kw_exit run_set(const struct kw_command *self, int argc, char **argv, bool on)
{
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	if (set_draining(self->name, on))
		return KW_EXIT_FAILED;
	if (json)
		print_json(on);
	else
		puts(on ? "this host is being drained: no guest is let in"
			: "guests are let in again");
	return KW_EXIT_DONE;
}

static enum kw_exit run_drain(const struct kw_command *self, int argc, char **argv)
{
	return run_set(self, argc, argv, true);
}

static enum kw_exit run_undrain(const struct kw_command *self, int argc, char **argv)
{
	return run_set(self, argc, argv, false);
}

const struct kw_command kw_command_drain = {
	.name = "drain",
	.arguments = "",
	.summary = "Let no more guests into this host",
	.help = "No guest is started, created, restored or taken in here, of whatever type and "
		"through whatever uses libvirt, until 'kvmward undrain'; guests that wait are "
		"sent away. That holds over a restart of kvmwardd and of the host. Guests that "
		"run go on, and may be reset; to stop one and start it again is a start.",
	.examples = "  kvmward drain\n",
	.run = run_drain,
};

const struct kw_command kw_command_undrain = {
	.name = "undrain",
	.arguments = "",
	.summary = "Let guests into this host again",
	.help = "Ends what 'kvmward drain' began. Guests do not come back by it.",
	.examples = "  kvmward undrain\n",
	.run = run_undrain,
};
