/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/drain_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/moves.h"

#define OPTIONS_MAX 12
#define EXIT_REFUSED 3

/* A 'kvmward migrate' under way. */
struct worker {
	struct kw_drain_move *move;	/* NULL: free */
	pid_t pid;
	int pid_fd, words_fd;
	char earlier[KW_MARK_JOB_MAX];	/* the guest's last job, whose end is told still */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* In a process group of its own: Ctrl-C is passed on to it, once. */
static int spawn(const struct kw_drain_how *how, struct worker *worker)
{
	const struct kw_drain_move *move = worker->move;
	const char *argv[OPTIONS_MAX + 6] = { "kvmward", "migrate" };
	const char *const *options = how->options[move->kind];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	size_t count = 2;
	int error;

	argv[count++] = move->kind == KW_MOVE_LIVE ? "--live" : "--cold";
	for (size_t i = 0; options[i] && i < OPTIONS_MAX; i++)
		argv[count++] = options[i];
	argv[count++] = move->name;
	argv[count++] = move->uri;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, worker->words_fd, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	error = posix_spawn(&worker->pid, how->program, &actions, &attributes, (char **)argv,
			    environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static void end_worker(struct worker *worker)
{
	if (worker->pid_fd >= 0)
		close(worker->pid_fd);
	if (worker->words_fd >= 0)
		close(worker->words_fd);
	worker->move = NULL;
}

static int open_worker(const struct kw_drain_how *how, struct worker *worker)
{
	int r;

	worker->words_fd = memfd_create("migrate-errors", MFD_CLOEXEC);
	if (worker->words_fd < 0)
		return -errno;
	r = spawn(how, worker);
	if (r < 0)
		return r;
	worker->pid_fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	return worker->pid_fd < 0 ? -errno : 0;
}

static int begin(const struct kw_drain_how *how, struct kw_drain_move *move, struct worker *worker)
{
	struct kw_move_progress earlier = {};
	int r;

	*worker = (struct worker){ .move = move, .pid_fd = -1 };
	kw_progress_load(how->progress_dir, move->uuid, &earlier);
	kw_text_copy(worker->earlier, sizeof(worker->earlier), earlier.id);
	r = open_worker(how, worker);
	if (r < 0) {
		kw_text_copy(move->words, sizeof(move->words), strerror(-r));
		move->end = KW_DRAIN_FAILED;
		end_worker(worker);
	} else {
		move->end = KW_DRAIN_RUNS;
	}
	how->told(move, how->data);
	return r;
}

static enum kw_drain_end end_of(enum kw_move_state state)
{
	if (state == KW_MOVE_MOVED)
		return KW_DRAIN_MOVED;
	return state == KW_MOVE_STAYED ? KW_DRAIN_STAYED : KW_DRAIN_FAILED;
}

/* By the move's own account; without one by what its command said and how it ended. */
static void judge_end(const struct kw_drain_how *how, struct worker *worker, int status)
{
	struct kw_drain_move *move = worker->move;
	struct kw_move_progress progress = {};

	kw_file_last_line(worker->words_fd, move->words, sizeof(move->words));
	if (!kw_progress_load(how->progress_dir, move->uuid, &progress) &&
	    strcmp(progress.id, worker->earlier) != 0) {
		move->end = end_of(progress.state);
		move->total_ms = progress.total_ms;
		move->downtime_ms = progress.downtime_ms;
		if (progress.error[0])
			kw_text_copy(move->words, sizeof(move->words), progress.error);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		move->end = KW_DRAIN_MOVED;
	} else {
		move->end = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED
				    ? KW_DRAIN_STAYED : KW_DRAIN_FAILED;
	}
}

static void finish(const struct kw_drain_how *how, struct worker *worker)
{
	int status = 0;

	waitpid(worker->pid, &status, 0);
	judge_end(how, worker, status);
	how->told(worker->move, how->data);
	end_worker(worker);
}

struct crew {
	const struct kw_drain_how *how;
	struct worker workers[KW_DRAIN_JOBS_MAX];
	bool warned;			/* they know that the drain was interrupted */
};

static void pass_signal_on(struct crew *crew)
{
	if (!interrupted || crew->warned)
		return;
	crew->warned = true;
	for (unsigned int i = 0; i < crew->how->jobs; i++)
		if (crew->workers[i].move)
			kill(crew->workers[i].pid, SIGINT);
}

static bool any_works(const struct crew *crew)
{
	for (unsigned int i = 0; i < crew->how->jobs; i++)
		if (crew->workers[i].move)
			return true;
	return false;
}

/* Sleeps until one of them ends, or a signal comes. */
static void wait_for_one(struct crew *crew, const sigset_t *signals)
{
	struct pollfd fds[KW_DRAIN_JOBS_MAX];

	for (unsigned int i = 0; i < crew->how->jobs; i++)
		fds[i] = (struct pollfd){
			.fd = crew->workers[i].move ? crew->workers[i].pid_fd : -1,
			.events = POLLIN,
		};
	if (ppoll(fds, crew->how->jobs, NULL, signals) < 0)
		return;
	for (unsigned int i = 0; i < crew->how->jobs; i++)
		if (fds[i].revents)
			finish(crew->how, &crew->workers[i]);
}

static struct worker *find_idle(struct crew *crew)
{
	for (unsigned int i = 0; i < crew->how->jobs; i++)
		if (!crew->workers[i].move)
			return &crew->workers[i];
	return NULL;
}

static void catch_signals(sigset_t *ret_before)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t caught;

	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigprocmask(SIG_BLOCK, &caught, ret_before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int kw_drain_run(const struct kw_drain_how *how, struct kw_drain_move *moves, size_t count)
{
	struct crew crew = { .how = how };
	struct worker *idle;
	sigset_t before;
	size_t next = 0;
	int r = 0;

	catch_signals(&before);
	for (;;) {
		pass_signal_on(&crew);
		idle = find_idle(&crew);
		if (idle && next < count && !interrupted && r >= 0)
			r = begin(how, &moves[next++], idle);
		else if (any_works(&crew))
			wait_for_one(&crew, &before);
		else
			break;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r < 0 ? r : 0;
}
