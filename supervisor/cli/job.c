/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/move_run.h"
#include "cli/move_show.h"
#include "cli/table.h"
#include "ledger/moves.h"
#include "ledger/uuid_files.h"

/* What is known of one guest's moves. */
struct job {
	char uuid[KW_UUID_LEN + 1];
	bool open;			/* there is a job that is not finished */
	bool damaged;			/* and its file cannot be read */
	bool works;			/* somebody is at it */
	struct kw_move_progress progress;
};

/*
 * The job's own file is the truth, what a mover has left to see is how far it is:
 * one that was killed is still said to run there.
 */
static void read_job(const char *uuid, struct job *ret_job)
{
	_cleanup_(kw_move_done) struct kw_move move = {};
	struct job job = {};
	int error, lock;

	kw_text_copy(job.uuid, sizeof(job.uuid), uuid);
	error = kw_move_load(KW_MOVES_DIR, uuid, &move);
	job.open = error != -ENOENT;
	job.damaged = error && job.open;
	lock = kw_move_lock(KW_MOVES_RUN_DIR, uuid);
	job.works = lock == -EWOULDBLOCK;
	if (lock >= 0)
		close(lock);
	if (kw_progress_load(KW_MOVES_RUN_DIR, uuid, &job.progress) && !error)
		kw_move_begin_progress(&move, &job.progress);
	if (job.open && !job.works && job.progress.state == KW_MOVE_RUNNING)
		job.progress.state = KW_MOVE_STOPPED;
	if (job.progress.state == KW_MOVE_STOPPED && !job.progress.error[0])
		kw_text_copy(job.progress.error, sizeof(job.progress.error),
			     job.damaged ? "its job is damaged; see kvmward-mover(8)"
					 : "its mover has ended");
	*ret_job = job;
}

static int add_new(struct kw_uuid_list *list, const struct kw_uuid_list *more)
{
	int error = 0;

	for (size_t i = 0; !error && i < more->count; i++)
		if (!kw_uuid_list_count(list, more->uuids[i]))
			error = kw_uuid_list_add(list, more->uuids[i]);
	return error;
}

/* Open jobs, and those that were finished since the host started. 0 or negative errno. */
static int list_jobs(struct kw_uuid_list *ret_uuids)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list seen = {};
	int error = kw_uuid_files_list(KW_MOVES_DIR, "json", ret_uuids);

	if (!error)
		error = kw_uuid_files_list(KW_MOVES_RUN_DIR, "json", &seen);
	return error ? error : add_new(ret_uuids, &seen);
}

static enum kw_exit fail_list(int error)
{
	kw_message("job: jobs cannot be listed: %s%s", strerror(-error),
		   error == -EACCES ? "; only root moves guests" : "");
	return KW_EXIT_FAILED;
}

static struct json_object *job_json(const struct job *job)
{
	struct json_object *to = kw_json_move(&job->progress);

	json_object_object_add(to, "uuid", kw_json_text(job->uuid));
	json_object_object_add(to, "open", json_object_new_boolean(job->open));
	json_object_object_add(to, "working", json_object_new_boolean(job->works));
	return to;
}

static void print_json(const struct kw_uuid_list *uuids)
{
	struct json_object *to = json_object_new_object(), *jobs = json_object_new_array();
	struct job job;

	for (size_t i = 0; i < uuids->count; i++) {
		read_job(uuids->uuids[i], &job);
		json_object_array_add(jobs, job_json(&job));
	}
	json_object_object_add(to, "jobs", jobs);
	kw_json_print(to, false);
}

static void add_row(struct kw_table *table, const struct job *job)
{
	const struct kw_move_progress *progress = &job->progress;

	kw_table_text(table, progress->name[0] ? progress->name : job->uuid);
	kw_table_text(table, progress->host[0] ? progress->host : KW_UNKNOWN_CELL);
	kw_table_text(table, kw_move_kind_name(progress->kind));
	kw_table_text(table, kw_move_state_name(progress->state));
	kw_table_text(table, progress->step[0] ? progress->step : KW_UNKNOWN_CELL);
	kw_table_bytes(table, progress->moved_bytes, false);
	kw_table_bytes(table, progress->remaining_bytes, false);
	kw_table_text(table, progress->error[0] ? progress->error : KW_UNKNOWN_CELL);
}

static enum kw_exit print_table(const struct kw_uuid_list *uuids)
{
	static const struct kw_column columns[] = {
		{ .title = "GUEST", .least = 8 }, { .title = "TO", .least = 6 },
		{ .title = "KIND" }, { .title = "STATE" }, { .title = "STEP" },
		{ .title = "MOVED", .right = true }, { .title = "TO GO", .right = true },
		{ .title = "WHY", .least = 10 },
	};
	_cleanup_(kw_table_destroy_at) struct kw_table *table = kw_table_create(columns, 8);
	struct job job;

	for (size_t i = 0; table && i < uuids->count; i++) {
		read_job(uuids->uuids[i], &job);
		add_row(table, &job);
	}
	if (table && !kw_table_print(table, stdout, kw_terminal_width(stdout)))
		return KW_EXIT_DONE;
	return fail_list(-ENOMEM);
}

static enum kw_exit show_all(bool json)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list uuids = {};
	int error = list_jobs(&uuids);

	if (error)
		return fail_list(error);
	if (!json)
		return print_table(&uuids);
	print_json(&uuids);
	return KW_EXIT_DONE;
}

/* By name or UUID, of jobs and not of libvirt: the guest may be defined here no more. */
static enum kw_exit find(const char *guest, struct job *ret_job)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list uuids = {};
	int error = list_jobs(&uuids);
	char uuid[KW_UUID_LEN + 1] = "";

	if (error)
		return fail_list(error);
	kw_text_uuid(guest, uuid);
	for (size_t i = 0; i < uuids.count; i++) {
		read_job(uuids.uuids[i], ret_job);
		if (!strcmp(ret_job->uuid, uuid) || !strcmp(ret_job->progress.name, guest))
			return KW_EXIT_DONE;
	}
	kw_message("job: %s has no job; 'kvmward job' lists them", guest);
	return KW_EXIT_FAILED;
}

static enum kw_exit show_one(const char *guest, bool json)
{
	char text[KW_MOVE_ERROR_MAX + 1024];
	struct job job;
	enum kw_exit done = find(guest, &job);

	if (done)
		return done;
	if (json)
		kw_json_print(job_json(&job), false);
	else
		puts(kw_move_result(text, sizeof(text), &job.progress));
	return KW_EXIT_DONE;
}

static enum kw_exit not_open(const struct job *job)
{
	char text[KW_MOVE_ERROR_MAX + 1024];

	kw_message("job: that move is over: %s",
		   kw_move_result(text, sizeof(text), &job->progress));
	return KW_EXIT_FAILED;
}

static enum kw_exit change(const char *verb, const char *guest, bool json)
{
	const struct kw_move_run run = { .command = "job", .json = json,
					 .undo = strcmp(verb, "resume") != 0 };
	struct job job;
	enum kw_exit done = find(guest, &job);

	if (done)
		return done;
	if (!job.open)
		return not_open(&job);
	if (!run.undo)
		return kw_move_run_again(&run, job.uuid, false);
	if (!strcmp(verb, "cancel") || job.works)
		return kw_move_run_cancel(&run, job.uuid);
	return kw_move_run_again(&run, job.uuid, true);
}

static bool is_change(const char *verb)
{
	return !strcmp(verb, "cancel") || !strcmp(verb, "resume") || !strcmp(verb, "undo");
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first, count;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	count = argc - first;
	if (count == 0 || (count == 1 && !strcmp(argv[first], "list")))
		return show_all(json);
	if (count == 2 && !strcmp(argv[first], "show"))
		return show_one(argv[first + 1], json);
	if (count == 2 && is_change(argv[first]))
		return change(argv[first], argv[first + 1], json);
	kw_message("job: '%s' is none of list, show, cancel, resume and undo, or lacks a guest",
		   argv[first]);
	return KW_EXIT_USAGE;
}

const struct kw_command kw_command_job = {
	.name = "job",
	.arguments = "[list | show|cancel|resume|undo DOMAIN]",
	.summary = "Show how far moves of guests are, and steer them",
	.help = "Lists the moves that are not finished, and those that were since this host "
		"started. Of a guest, by name or UUID: show tells how far its move is or how it "
		"went; cancel has one that is under way taken back; resume goes on with one that "
		"has stopped, whatever stopped it, and undo takes it back: the guest stays here, "
		"and runs if it ran before. What was begun is looked up on both hosts, so either "
		"may be repeated. A guest that runs at its destination cannot be taken back. Exit "
		"status: 0 the guest is where it was wanted, 1 it is not, 3 refused.",
	.examples = "  kvmward job\n"
		    "  kvmward job show db1\n"
		    "  kvmward job resume db1\n",
	.most = 2,
	.run = run,
};
