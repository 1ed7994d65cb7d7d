/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"

static void print_json(const char *reason)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "reloaded", json_object_new_boolean(!reason));
	json_object_object_add(to, "reason", kw_json_text(reason));
	kw_json_print(to, false);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	const char *reason = NULL;
	enum kw_exit done;
	int first, error;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	error = kw_daemon_connect(&bus);
	if (!error)
		error = kw_bus_reload(bus);
	if (error)
		reason = kw_daemon_reason(bus, error);
	if (json)
		print_json(reason);
	if (!error)
		return KW_EXIT_DONE;
	kw_message("the configuration was not read again, the old one stays in force: %s", reason);
	return KW_EXIT_FAILED;
}

const struct kw_command kw_command_reload = {
	.name = "reload",
	.arguments = "",
	.summary = "Make kvmwardd read /etc/kvmward/kvmward.conf again",
	.help = "A file with a mistake changes nothing: the mistake is shown as FILE:LINE, "
		"and what was in force stays in force.",
	.examples = "  kvmward reload\n",
	.run = run,
};
