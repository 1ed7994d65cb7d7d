/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/slots.h"
#include "facts/snapshot.h"
#include "metrics/prometheus.h"

#define NEW_FILE_MODE 0644	/* node_exporter runs as another user */

static char *json_text(const struct kw_facts *facts, const struct kw_daemon_view *daemon)
{
	struct json_object *to = json_object_new_object();
	char *text = NULL;

	json_object_object_add(to, "host", facts->host_known ? kw_json_host(&facts->host) : NULL);
	json_object_object_add(to, "pools",
			       facts->slots.known ? kw_json_pools(facts, daemon) : NULL);
	json_object_object_add(to, "classes",
			       daemon->holds_known ? kw_json_classes(&daemon->classes) : NULL);
	json_object_object_add(to, "guests",
			       facts->guests.known ? kw_json_guests(&facts->guests) : NULL);
	json_object_object_add(to, "memory_total_bytes", kw_json_u64(facts->memory_total_bytes));
	json_object_object_add(to, "walls", daemon->walls.known ? kw_json_walls(&daemon->walls) : NULL);
	json_object_object_add(to, "daemon_reachable", json_object_new_boolean(daemon->reachable));
	json_object_object_add(to, "draining",
			       daemon->reachable ? json_object_new_boolean(daemon->draining) : NULL);
	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(to, JSON_C_TO_STRING_PRETTY |
								JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		text = NULL;
	json_object_put(to);
	return text;
}

static char *prometheus_text(const struct kw_facts *facts, const struct kw_daemon_view *daemon)
{
	struct kw_metrics metrics = { .facts = facts, .daemon_reachable = daemon->reachable,
				      .draining = daemon->draining, .walls = daemon->walls };
	_cleanup_free_ char *text = NULL;
	struct kw_pool_view view;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	int error;

	if (!to)
		return NULL;
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		if (!kw_pool_exists(pool, facts->slots.snp_apart))
			continue;
		kw_pool_view_make(facts, daemon, pool, &view);
		metrics.pools[pool] =
			(struct kw_metrics_pool){ view.held, view.reserved, view.free,
						  view.waiting };
	}
	if (daemon->holds_known)
		metrics.classes = &daemon->classes;
	error = kw_prometheus_write(&metrics, to);
	if (fclose(to) || error)
		return NULL;
	return KW_STEAL(text);
}

static enum kw_exit put_out(const char *path, const char *text)
{
	int error;

	if (!path) {
		fputs(text, stdout);
		return KW_EXIT_DONE;
	}
	error = kw_file_write(path, text, strlen(text), NEW_FILE_MODE);
	if (!error)
		return KW_EXIT_DONE;
	kw_message("%s: the metrics cannot be written: %s", path, strerror(-error));
	return KW_EXIT_FAILED;
}

/* What is missing from the text is told; only without the module was nothing learnt. */
static enum kw_exit tell_gaps(const struct kw_facts *facts, const struct kw_daemon_view *daemon)
{
	if (!facts->host_known) {
		kw_message_facts(facts);
		return KW_EXIT_FAILED;
	}
	if (!facts->guests.known)
		kw_message("%s", facts->reason);
	if (!daemon->holds_known)
		kw_message("held and free slots are left out: kvmwardd cannot be asked: %s",
			   daemon->reason);
	return KW_EXIT_DONE;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	_cleanup_(kw_daemon_view_done) struct kw_daemon_view daemon = {};
	_cleanup_(kw_facts_done) struct kw_facts facts = {};
	_cleanup_free_ char *text = NULL;
	const char *path = NULL;
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "output", .argument = "FILE", .value = &path,
		  .help = "replace FILE in one step instead of printing" },
		{ .name = "json", .help = "print JSON instead of Prometheus text", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 2, argc, argv, &first, &done))
		return done;
	kw_snapshot_read(&netlink, NULL, &facts);
	if (facts.host_known) /* the same once more, with those of the firmware */
		kw_netlink_host(netlink, true, &facts.host);
	kw_daemon_view_read(NULL, &daemon);
	if (daemon.holds_known)
		kw_daemon_tell_differing(&facts.guests);
	text = json ? json_text(&facts, &daemon) : prometheus_text(&facts, &daemon);
	if (!text) {
		kw_message("out of memory");
		return KW_EXIT_FAILED;
	}
	done = put_out(path, text);
	return done ? done : tell_gaps(&facts, &daemon);
}

const struct kw_command kw_command_metrics = {
	.name = "metrics",
	.arguments = "",
	.summary = "Print host, slots and guests for Prometheus",
	.help = "For the textfile collector of Prometheus' node_exporter. What is not "
		"known is left out, never 0. When the kernel module does not answer, the "
		"text says so (kvmward_module_up 0) and the exit status is 1.",
	.examples = "  kvmward metrics | promtool check metrics\n"
		    "  kvmward metrics --output /var/lib/prometheus/node-exporter/kvmward.prom\n",
	.run = run,
};
