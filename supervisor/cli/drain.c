/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/drain_look.h"
#include "cli/drain_run.h"
#include "cli/drain_table.h"
#include "cli/guests.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/message.h"
#include "cli/table.h"
#include "facts/snapshot.h"
#include "ledger/moves.h"

#define PROGRAM "/proc/self/exe"
#define DESTINATIONS_MAX 16

struct drain {
	struct kw_move_wish wish;
	bool dry_run, json, force;
	const char *jobs, *timeout, *shutdown;	/* as given; NULL: not */
	uint32_t job_count, shutdown_s;
	const char *const *uris;
	size_t uri_count;
	struct kw_drain_look look;
	struct kw_facts facts;			/* of the kernel: who runs here besides */
	struct kw_drain_rows rows;
	struct kw_drain_row *row;		/* rows.rows, to fill in */
	struct kw_drain_move *moves;
	size_t move_count;
};

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

static void print_state(bool draining)
{
	puts(draining ? "this host is being drained: no guest is let in"
		      : "guests are let in again");
}

static void print_json(const struct drain *drain, struct json_object *guests)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "draining",
			       drain->dry_run ? NULL : json_object_new_boolean(true));
	json_object_object_add(to, "guests", guests);
	kw_json_print(to, false);
}

static enum kw_exit out_of_memory(void)
{
	kw_message("drain: out of memory");
	return KW_EXIT_FAILED;
}

/* Nowhere to go: only who is here. */
static enum kw_exit show_guests(const struct drain *drain)
{
	const struct kw_guest_list *guests = &drain->facts.guests;

	if (!guests->known)
		kw_message("drain: who runs here is not known: %s", drain->facts.reason);
	if (drain->json) {
		print_json(drain, guests->known ? kw_json_guests(guests) : NULL);
		return KW_EXIT_DONE;
	}
	if (!drain->dry_run)
		print_state(true);
	if (!guests->count)
		return KW_EXIT_DONE;
	return kw_guests_print(guests, false, false, stdout, kw_terminal_width(stdout))
		       ? out_of_memory() : KW_EXIT_DONE;
}

static void add_row(struct drain *drain, struct kw_drain_row row)
{
	drain->row[drain->rows.count++] = row;
}

/* Those of libvirt, and then whoever else the kernel shows. */
static enum kw_exit make_rows(struct drain *drain)
{
	const struct kw_guest_list *all = &drain->facts.guests;

	if (!all->known)
		kw_message("drain: whether guests run here that libvirt does not know is not "
			   "known: %s", drain->facts.reason);
	drain->row = calloc(drain->look.count + all->count + 1, sizeof(*drain->row));
	if (!drain->row)
		return out_of_memory();
	for (size_t i = 0; i < drain->look.count; i++)
		add_row(drain, (struct kw_drain_row){ drain->look.guests[i].look.name,
						      drain->look.guests[i].look.uuid,
						      &drain->look.ways[i], NULL });
	for (size_t i = 0; i < all->count; i++)
		if (!all->guests[i].libvirt && !all->guests[i].mirror)
			add_row(drain, (struct kw_drain_row){ kw_guest_title(&all->guests[i]), "",
							      NULL, NULL });
	drain->rows.rows = drain->row;
	drain->rows.uris = drain->uris;
	drain->rows.destination_count = drain->uri_count;
	drain->rows.shutdown_s = drain->shutdown_s;
	return KW_EXIT_DONE;
}

static enum kw_exit make_moves(struct drain *drain)
{
	drain->moves = calloc(drain->look.count + 1, sizeof(*drain->moves));
	if (!drain->moves)
		return out_of_memory();
	for (size_t i = 0; i < drain->look.count; i++) {
		const struct kw_drain_guest *way = &drain->look.ways[i];
		struct kw_drain_move *move = &drain->moves[drain->move_count];

		if (!way->goes)
			continue;
		*move = (struct kw_drain_move){ .name = drain->row[i].name,
						.uuid = drain->row[i].uuid,
						.uri = drain->uris[way->destination],
						.kind = way->plans[way->destination].kind };
		drain->row[i].move = move;
		drain->move_count++;
	}
	return KW_EXIT_DONE;
}

static void tell(const struct kw_drain_move *move, void *data)
{
	const struct drain *drain = data;
	char host[KW_MARK_PEER_MAX] = "";

	kw_move_host(move->uri, host, sizeof(host));
	if (drain->json)
		return;
	if (move->end == KW_DRAIN_RUNS)
		kw_message("%s moves %s to %s", move->name, kw_move_kind_name(move->kind), host);
	else
		kw_message("%s has %s%s%s", move->name, kw_drain_end_name(move->end),
			   move->end == KW_DRAIN_MOVED ? "" : ": ",
			   move->end == KW_DRAIN_MOVED ? "" : move->words);
}

/* For 'kvmward migrate', each what is of its kind; room has the texts. */
static void pass_options(const struct drain *drain, const char **live, const char **cold,
			 char room[2][48])
{
	if (drain->wish.unguarded)
		*live++ = *cold++ = "--unguarded";
	if (drain->wish.copy_storage)
		*live++ = "--copy-storage";
	if (drain->force)
		*cold++ = "--force";
	snprintf(room[0], sizeof(room[0]), "--timeout=%.30s", drain->timeout ? drain->timeout : "");
	snprintf(room[1], sizeof(room[1]), "--shutdown-timeout=%.20s",
		 drain->shutdown ? drain->shutdown : "");
	if (drain->timeout)
		*live++ = room[0];
	if (drain->shutdown)
		*cold++ = room[1];
	*live = *cold = NULL;
}

static enum kw_exit move_guests(struct drain *drain)
{
	const char *live[4], *cold[4];
	char room[2][48];
	const struct kw_drain_how how = { PROGRAM, KW_MOVES_RUN_DIR, { live, cold },
					  drain->job_count, tell, drain };
	int error;

	pass_options(drain, live, cold, room);
	error = kw_drain_run(&how, drain->moves, drain->move_count);
	if (error)
		kw_message("drain: no more guests are moved: %s", strerror(-error));
	return error ? KW_EXIT_FAILED : KW_EXIT_DONE;
}

/* Without the kernel's word nobody says that none is left. */
static enum kw_exit judge_plan(const struct drain *drain)
{
	if (!drain->facts.guests.known)
		return KW_EXIT_REFUSED;
	for (size_t i = 0; i < drain->rows.count; i++)
		if (!drain->row[i].guest || !drain->row[i].guest->goes)
			return KW_EXIT_REFUSED;
	return KW_EXIT_DONE;
}

/* Who was to move and has not is a failure; else it is as was said before. */
static enum kw_exit judge_end(const struct drain *drain)
{
	for (size_t i = 0; i < drain->move_count; i++)
		if (drain->moves[i].end != KW_DRAIN_MOVED)
			return KW_EXIT_FAILED;
	return judge_plan(drain);
}

static enum kw_exit print(const struct drain *drain,
			  int (*table)(const struct kw_drain_rows *, FILE *, size_t))
{
	if (!drain->json && table(&drain->rows, stdout, kw_terminal_width(stdout)))
		return out_of_memory();
	fflush(stdout);
	return KW_EXIT_DONE;
}

static enum kw_exit empty(struct drain *drain)
{
	enum kw_exit done = kw_drain_look("drain", drain->uris, drain->uri_count, &drain->wish,
					  &drain->look);

	if (!done)
		done = make_rows(drain);
	if (!done && !drain->dry_run && !drain->json)
		print_state(true);
	if (!done)
		done = print(drain, kw_drain_print_plan);
	if (!done && !drain->dry_run)
		done = make_moves(drain);
	if (done)
		return done;
	if (!drain->dry_run) {
		done = move_guests(drain);
		if (!drain->json)
			putchar('\n');
		print(drain, kw_drain_print_end);
	}
	if (drain->json)
		print_json(drain, kw_json_drain(&drain->rows));
	if (!done)
		done = drain->dry_run ? judge_plan(drain) : judge_end(drain);
	return done;
}

static void drain_done(struct drain *drain, enum kw_exit done)
{
	if (kw_drain_look_stuck(&drain->look)) {
		fflush(NULL);
		_exit(done);
	}
	kw_drain_look_done(&drain->look);
	kw_facts_done(&drain->facts);
	free(drain->row);
	free(drain->moves);
}

/* What 'kvmward migrate' takes. */
static bool read_seconds(const char *text, uint32_t *seconds)
{
	return !text || (!kw_text_u32(text, UINT32_MAX, seconds) && *seconds);
}

static bool reads_well(struct drain *drain)
{
	uint32_t ignored;

	drain->job_count = 1;
	drain->shutdown_s = KW_MOVE_SHUTDOWN_S;
	if (drain->jobs && (kw_text_u32(drain->jobs, KW_DRAIN_JOBS_MAX, &drain->job_count) ||
			    !drain->job_count))
		kw_message("drain: --jobs %s: a whole number from 1 to %d", drain->jobs,
			   KW_DRAIN_JOBS_MAX);
	else if (!read_seconds(drain->timeout, &ignored) ||
		 !read_seconds(drain->shutdown, &drain->shutdown_s))
		kw_message("drain: seconds are a whole number from 1 on");
	else
		return true;
	return false;
}

/* The state first: what is seen after it gets no more. */
static enum kw_exit drain_host(struct drain *drain)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;

	if (!drain->dry_run && set_draining("drain", true))
		return KW_EXIT_FAILED;
	kw_snapshot_read(&netlink, NULL, &drain->facts);
	return drain->uri_count ? empty(drain) : show_guests(drain);
}

static enum kw_exit run_drain(const struct kw_command *self, int argc, char **argv)
{
	struct drain drain = {};
	const struct kw_option options[] = {
		{ .name = "jobs", .letter = 'j', .argument = "N",
		  .help = "move so many guests at a time (1)", .value = &drain.jobs },
		{ .name = "dry-run", .help = "say what would happen and touch nothing",
		  .flag = &drain.dry_run },
		{ .name = "copy-storage", .help = "copy disks that only this host has",
		  .flag = &drain.wish.copy_storage },
		{ .name = "force", .help = "power off a guest that does not shut down",
		  .flag = &drain.force },
		{ .name = "timeout", .argument = "SECONDS",
		  .help = "give a live move up after so long", .value = &drain.timeout },
		{ .name = "shutdown-timeout", .argument = "SECONDS",
		  .help = "how long a guest may take to shut down (120)", .value = &drain.shutdown },
		{ .name = "unguarded", .help = "to hosts whose kvmwardd cannot be asked, too",
		  .flag = &drain.wish.unguarded },
		{ .name = "json", .help = "print JSON", .flag = &drain.json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 8, argc, argv, &first, &done))
		return done;
	if (!reads_well(&drain))
		return KW_EXIT_USAGE;
	drain.uris = (const char *const *)&argv[first];
	drain.uri_count = (size_t)(argc - first);
	done = drain_host(&drain);
	drain_done(&drain, done);
	return done;
}

static enum kw_exit run_undrain(const struct kw_command *self, int argc, char **argv)
{
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	if (set_draining("undrain", false))
		return KW_EXIT_FAILED;
	if (json) {
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "draining", json_object_new_boolean(false));
		kw_json_print(to, false);
	} else {
		print_state(false);
	}
	return KW_EXIT_DONE;
}

const struct kw_command kw_command_drain = {
	.name = "drain",
	.arguments = "[URI...]",
	.summary = "Let no more guests in, and move those here away",
	.help = "No guest is started, created, restored or taken in here, of whatever type and "
		"through whatever uses libvirt, until 'kvmward undrain'; guests that wait are "
		"sent away. That holds over a restart of kvmwardd and of the host. Guests that "
		"run go on, and may be reset; to stop one and start it again is a start. With "
		"URIs of other hosts' libvirt, a table says how each guest would move there, "
		"live or cold, or why it stays; each goes to the first that has room, counting "
		"those that go there already. Then they move, each as by 'kvmward migrate', and "
		"a table says how it went. Ctrl-C begins no more moves and takes back those "
		"under way. Guests that are off move with the others. Exit status: 0 all have "
		"moved (--dry-run: would), 3 some cannot, or the module does not tell of guests "
		"outside libvirt, 1 one has not that was to.",
	.examples = "  kvmward drain\n"
		    "  kvmward drain --dry-run qemu+ssh://root@h2/system\n"
		    "  kvmward drain -j 2 qemu+ssh://root@h2/system qemu+ssh://root@h3/system\n",
	.most = DESTINATIONS_MAX,
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
