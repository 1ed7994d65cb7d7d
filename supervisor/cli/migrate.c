/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/move_look.h"
#include "cli/move_plan.h"
#include "cli/move_run.h"
#include "cli/table.h"
#include "model/move.h"

struct migrate {
	const char *guest, *uri;
	struct kw_move_wish wish;
	bool dry_run, json;
	const char *timeout, *shutdown_timeout;	/* as given; NULL not */
	struct kw_move_options options;
	struct kw_move_here here;
	struct kw_move_guest found;
	struct kw_move_there there;
	struct kw_move_facts facts;
	struct kw_move_plan plan;
};

static void close_both(struct migrate *migrate)
{
	kw_move_there_close(&migrate->there);
	kw_move_here_close(&migrate->here);
}

/* What a thread still waits for can be neither used nor freed. */
static enum kw_exit migrate_done(struct migrate *migrate, enum kw_exit done)
{
	if (migrate->there.stuck) {
		fflush(NULL);
		_exit(done);
	}
	kw_move_facts_done(&migrate->facts);
	kw_move_guest_done(&migrate->found);
	close_both(migrate);
	return done;
}

static enum kw_exit look(struct migrate *migrate)
{
	enum kw_exit done = kw_move_here_open("migrate", &migrate->here);
	int error;

	if (!done)
		done = kw_move_here_guest(&migrate->here, migrate->guest, &migrate->found);
	if (done)
		return done;
	kw_move_there_open(migrate->uri, &migrate->there);
	error = kw_move_facts_make(&migrate->here, &migrate->found, &migrate->there,
				   migrate->wish.copy_storage, &migrate->facts);
	if (error) {
		kw_message("migrate: %s: %s", migrate->guest, strerror(-error));
		return KW_EXIT_FAILED;
	}
	kw_move_facts_plan(&migrate->there, kw_move_guest_xml(&migrate->found), &migrate->facts);
	return KW_EXIT_DONE;
}

static enum kw_exit show(const struct migrate *migrate)
{
	if (migrate->json)
		kw_json_print(kw_json_move_plan(&migrate->facts, &migrate->plan), false);
	else
		kw_move_plan_print(&migrate->facts, &migrate->plan,
				   migrate->options.shutdown_timeout_s, stdout,
				   kw_terminal_width(stdout));
	return migrate->plan.possible ? KW_EXIT_DONE : KW_EXIT_REFUSED;
}

static void tell_obstacles(const struct migrate *migrate)
{
	const char *name = migrate->facts.domain.name;

	for (size_t i = 0; i < migrate->plan.count; i++) {
		const struct kw_obstacle *obstacle = &migrate->plan.obstacles[i];
		const struct kw_verdict *verdict = &obstacle->verdict;

		if (obstacle->weight == KW_OBSTACLE_BARS)
			kw_message_refused(verdict);
		else
			kw_message("%s: %s%s: %s", name,
				   obstacle->weight == KW_OBSTACLE_WARNS ? "" : "moves cold: ",
				   kw_code_name(verdict->code), verdict->sentence);
	}
}

/* What is copied is what was judged, and nothing else. */
static char *name_copies(const struct migrate *migrate)
{
	const struct kw_move_facts *facts = &migrate->facts;
	char *names = NULL;
	size_t size;
	FILE *to = open_memstream(&names, &size);

	for (size_t i = 0; to && i < facts->disk_count; i++)
		if (kw_move_copies(&migrate->plan, &facts->disks[i]))
			fprintf(to, "%s%s", ftell(to) ? "," : "", facts->disks[i].target);
	if (to && !fclose(to))
		return names;
	free(names);
	return NULL;
}

/* The connections are not kept for as long as the move takes. */
static enum kw_exit move(struct migrate *migrate)
{
	const struct kw_move_run run = { .command = "migrate", .json = migrate->json };
	_cleanup_(kw_move_done) struct kw_move job = {
		.kind = migrate->plan.kind, .options = migrate->options,
	};
	enum kw_exit done;

	tell_obstacles(migrate);
	if (!migrate->plan.possible)
		return KW_EXIT_REFUSED;
	close_both(migrate);
	job.copy_disks = name_copies(migrate);
	if (!job.copy_disks) {
		kw_message("migrate: %s", strerror(ENOMEM));
		return KW_EXIT_FAILED;
	}
	job.options.unguarded = migrate->wish.unguarded;
	done = kw_move_run_prepare(&run, migrate->guest, migrate->uri, &job);
	return done ? done : kw_move_run_begin(&run, &job);
}

static bool read_seconds(const char *name, const char *text, uint32_t *seconds)
{
	if (!text || (!kw_text_u32(text, UINT32_MAX, seconds) && *seconds))
		return true;
	kw_message("migrate: --%s=%s: seconds are a whole number from 1 on", name, text);
	return false;
}

static bool reads_well(struct migrate *migrate)
{
	struct kw_move_options *options = &migrate->options;

	options->shutdown_timeout_s = KW_MOVE_SHUTDOWN_S;
	if (migrate->wish.live && migrate->wish.cold)
		kw_message("migrate: --live and --cold do not go together");
	else if (migrate->wish.cold && migrate->timeout)
		kw_message("migrate: --timeout is of live moves, and does not go with --cold");
	else if (migrate->wish.live && (options->force || migrate->shutdown_timeout))
		kw_message("migrate: --force and --shutdown-timeout are of cold moves, and do not "
			   "go with --live");
	else
		return read_seconds("timeout", migrate->timeout, &options->timeout_s) &&
		       read_seconds("shutdown-timeout", migrate->shutdown_timeout,
				    &options->shutdown_timeout_s);
	return false;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	struct migrate migrate = {};
	const struct kw_option options[] = {
		{ .name = "live", .help = "while it runs, or not at all",
		  .flag = &migrate.wish.live },
		{ .name = "cold", .help = "shut down here and started there",
		  .flag = &migrate.wish.cold },
		{ .name = "copy-storage", .help = "live: copy disks that only this host has",
		  .flag = &migrate.wish.copy_storage },
		{ .name = "unguarded", .help = "to a host whose kvmwardd cannot be asked, too",
		  .flag = &migrate.wish.unguarded },
		{ .name = "timeout", .argument = "SECONDS", .help = "give a live move up after "
		  "so long", .value = &migrate.timeout },
		{ .name = "shutdown-timeout", .argument = "SECONDS", .help = "cold: how long the "
		  "guest may take to shut down (120)", .value = &migrate.shutdown_timeout },
		{ .name = "force", .help = "cold: power it off then", .flag = &migrate.options.force },
		{ .name = "dry-run", .help = "say what would happen and touch nothing",
		  .flag = &migrate.dry_run },
		{ .name = "json", .help = "print JSON", .flag = &migrate.json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 9, argc, argv, &first, &done))
		return done;
	if (!reads_well(&migrate))
		return KW_EXIT_USAGE;
	migrate.guest = argv[first];
	migrate.uri = argv[first + 1];
	done = look(&migrate);
	if (!done) {
		kw_move_judge(&migrate.facts, &migrate.wish, &migrate.plan);
		done = migrate.dry_run ? show(&migrate) : move(&migrate);
	}
	return migrate_done(&migrate, done);
}

const struct kw_command kw_command_migrate = {
	.name = "migrate",
	.arguments = "GUEST URI",
	.summary = "Move a guest to another host",
	.help = "GUEST is a name or a UUID of libvirt's on this host, URI the other host's "
		"libvirt. First is said everything that speaks against the move, with its "
		"rule: an encrypted guest moves cold only, its disks must be seen by both "
		"hosts, the other host must have room, and so on; nothing is touched before. "
		"Without --live or --cold the kind is the one that is right: live as long as "
		"nothing bars that for good. Cold: the guest is shut down here and started "
		"there. What is not known is said too, and bars the move where it could lose "
		"the guest. The move goes on by itself and is shown; Ctrl-C takes it back, and "
		"'kvmward job' goes on with what a crash has stopped. Exit status: 0 moved, 1 "
		"failed, with where the guest is, 3 refused; 'kvmward verdicts' explains the "
		"codes.",
	.examples = "  kvmward migrate web qemu+ssh://root@h2/system\n"
		    "  kvmward migrate --dry-run vault qemu+ssh://root@h2/system\n"
		    "  kvmward migrate --dry-run --live --json web qemu+ssh://root@h2/system\n",
	.least = 2,
	.most = 2,
	.run = run,
};
