/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/move_look.h"
#include "cli/move_plan.h"
#include "cli/table.h"
#include "model/move.h"

struct migrate {
	const char *guest, *uri;
	struct kw_move_wish wish;
	bool dry_run, json;
	struct kw_move_here here;
	struct kw_move_guest found;
	struct kw_move_there there;
	struct kw_move_facts facts;
	struct kw_move_plan plan;
};

/* What a thread still waits for can be neither used nor freed. */
static enum kw_exit migrate_done(struct migrate *migrate, enum kw_exit done)
{
	if (migrate->there.stuck) {
		fflush(NULL);
		_exit(done);
	}
	kw_move_facts_done(&migrate->facts);
	kw_move_there_close(&migrate->there);
	kw_move_guest_done(&migrate->found);
	kw_move_here_close(&migrate->here);
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
				   &migrate->facts);
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
		kw_move_plan_print(&migrate->facts, &migrate->plan, KW_MOVE_SHUTDOWN_S, stdout,
				   kw_terminal_width(stdout));
	return migrate->plan.possible ? KW_EXIT_DONE : KW_EXIT_REFUSED;
}

static bool reads_well(const struct migrate *migrate)
{
	if (migrate->wish.live && migrate->wish.cold)
		kw_message("migrate: --live and --cold do not go together");
	else if (!migrate->dry_run)
		kw_message("migrate: this version moves no guest yet: add --dry-run");
	else
		return true;
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
		{ .name = "copy-storage", .help = "copy disks that only this host has",
		  .flag = &migrate.wish.copy_storage },
		{ .name = "unguarded", .help = "to a host whose kvmwardd cannot be asked, too",
		  .flag = &migrate.wish.unguarded },
		{ .name = "dry-run", .help = "say what would happen and touch nothing",
		  .flag = &migrate.dry_run },
		{ .name = "json", .help = "print JSON", .flag = &migrate.json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 6, argc, argv, &first, &done))
		return done;
	if (!reads_well(&migrate))
		return KW_EXIT_USAGE;
	migrate.guest = argv[first];
	migrate.uri = argv[first + 1];
	done = look(&migrate);
	if (!done) {
		kw_move_judge(&migrate.facts, &migrate.wish, &migrate.plan);
		done = show(&migrate);
	}
	return migrate_done(&migrate, done);
}

const struct kw_command kw_command_migrate = {
	.name = "migrate",
	.arguments = "GUEST URI",
	.summary = "Say how a guest would move to another host",
	.help = "GUEST is a name or a UUID of libvirt's on this host, URI the other host's "
		"libvirt. Said are the kind of the move, for how long the guest stops, and "
		"everything that speaks against it, with its rule: an encrypted guest moves "
		"cold only, its disks must be seen by both hosts, the other host must have "
		"room, and so on. Without --live or --cold the kind is the one that is "
		"right: live as long as nothing bars that for good. What is not known is "
		"said too, and bars the move where it could lose the guest. Exit status: 0 "
		"it can move, 3 refused, 1 failed; 'kvmward verdicts' explains the codes.",
	.examples = "  kvmward migrate --dry-run vault qemu+ssh://root@h2/system\n"
		    "  kvmward migrate --dry-run --live --json web qemu+ssh://root@h2/system\n",
	.least = 2,
	.most = 2,
	.run = run,
};
