/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/evacuate_look.h"
#include "cli/evacuate_table.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/refusal.h"
#include "cli/table.h"
#include "ledger/ledger.h"
#include "ledger/moves.h"

#define SETTLE_MS 2000	/* what cannot run shows it by then */
#define NAMES_MAX 256

static void tell(const struct kw_evacuation_guest *guest, bool json)
{
	struct kw_verdict verdict;

	if (json)
		return;
	if (!*guest->error)
		kw_message("%s %s here", guest->kept.name,
			   guest->evacuee.starts ? "runs" : "is defined");
	else if (kw_refusal_find(guest->error, &verdict))
		kw_message("%s stays: %s: %s", guest->kept.name, kw_code_name(verdict.code),
			   verdict.sentence);
	else
		kw_message("%s: %s", guest->kept.name, guest->error);
}

static void take_over(struct kw_evacuation *evacuation, bool json)
{
	struct kw_evacuate how = { .dir = evacuation->dir, .lock_dir = KW_MOVES_RUN_DIR,
				   .settle_ms = SETTLE_MS };

	mkdir(KW_LEDGER_DIR, 0700);	/* kvmwardd makes it, and may never have run */
	kw_text_copy(how.taker.host.name, sizeof(how.taker.host.name), evacuation->here.host.name);
	kw_text_copy(how.taker.host.uuid, sizeof(how.taker.host.uuid), evacuation->here.host.uuid);
	for (size_t i = 0; i < evacuation->count; i++) {
		struct kw_evacuation_guest *guest = &evacuation->guests[i];

		if (guest->act == KW_EVACUEE_STAYS)
			continue;
		how.taker.taken_ms = kw_clock_real_ms();
		kw_evacuate_guest(&how, &guest->kept,
				  guest->evacuee.arrives ? guest->evacuee.mark_here.job : "",
				  guest->evacuee.starts, guest->error, sizeof(guest->error));
		guest->done = true;
		tell(guest, json);
	}
}

/* Who was to come and has not is a failure; else it is as was said before. */
static enum kw_exit judge(const struct kw_evacuation *evacuation)
{
	enum kw_exit done = evacuation->failed ? KW_EXIT_FAILED : KW_EXIT_DONE;

	for (size_t i = 0; i < evacuation->count; i++) {
		if (*evacuation->guests[i].error)
			done = KW_EXIT_FAILED;
		else if (evacuation->guests[i].act == KW_EVACUEE_STAYS && !done)
			done = KW_EXIT_REFUSED;
	}
	return done;
}

static enum kw_exit refuse(const struct kw_evacuation *evacuation, bool json)
{
	if (json)
		kw_json_print(kw_json_evacuation(evacuation), false);
	kw_message_refused(&evacuation->verdict);
	return KW_EXIT_REFUSED;
}

static enum kw_exit evacuate(struct kw_evacuation *evacuation, bool dry_run, bool json)
{
	if (!kw_verdict_admits(&evacuation->verdict))
		return refuse(evacuation, json);
	if (!json && kw_evacuation_print(evacuation, stdout, kw_terminal_width(stdout))) {
		kw_message("evacuate: out of memory");
		return KW_EXIT_FAILED;
	}
	fflush(stdout);
	if (!dry_run)
		take_over(evacuation, json);
	if (json)
		kw_json_print(kw_json_evacuation(evacuation), false);
	return judge(evacuation);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_evacuation_done) struct kw_evacuation evacuation = {};
	bool dry_run = false, json = false, force = false;
	const struct kw_option options[] = {
		{ .name = "dry-run", .help = "say what would happen and touch nothing",
		  .flag = &dry_run },
		{ .name = "force",
		  .help = "you know that it is off: what cannot be told only warns", .flag = &force },
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 3, argc, argv, &first, &done))
		return done;
	done = kw_evacuation_look(argv[first], (const char *const *)&argv[first + 1],
				  (size_t)(argc - first - 1), force, &evacuation);
	return done ? done : evacuate(&evacuation, dry_run, json);
}

const struct kw_command kw_command_evacuate = {
	.name = "evacuate",
	.arguments = "HOST [GUEST...]",
	.summary = "Start here the guests of a host that is gone",
	.help = "Starts on this host the guests of HOST, from what that host has kept of them on "
		"shared storage ('kvmward keep'): those that ran, and those that are named, by "
		"name or UUID; others are only defined. Without names it is all guests. It is "
		"refused while HOST answers, also by refusing a connection, or the storage shows "
		"its lock, and for a guest whose disk a QEMU has locked anywhere, whose disks are "
		"not here, or that this host has no room for. First is said what would become of "
		"each, and why not. A guest that is taken does not start on HOST any more when "
		"that comes back. Exit status: 0 all are here, 1 one has failed, 3 one stays, or "
		"all do; 'kvmward verdicts' explains the codes.",
	.examples = "  kvmward evacuate --dry-run h2\n"
		    "  kvmward evacuate h2\n"
		    "  kvmward evacuate h2 vault web\n",
	.least = 1,
	.most = 1 + NAMES_MAX,
	.run = run,
};
