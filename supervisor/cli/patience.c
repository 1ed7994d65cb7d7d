/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/patience.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/message.h"

/* Freed by the thread, which may be the last to know it. */
struct worker {
	void (*call)(void *data);
	void *data;
	int done_fd;		/* a copy of the waiter's */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void *work(void *argument)
{
	struct worker worker = *(struct worker *)argument;
	const uint64_t one = 1;

	free(argument);
	worker.call(worker.data);
	if (write(worker.done_fd, &one, sizeof(one)) < 0)
		abort();	/* an eventfd of 0 takes a 1 */
	close(worker.done_fd);
	return NULL;
}

static int begin(void (*call)(void *data), void *data, int done_fd)
{
	_cleanup_free_ struct worker *worker = malloc(sizeof(*worker));
	pthread_t thread;
	int error;

	if (!worker)
		return -ENOMEM;
	*worker = (struct worker){ call, data, dup(done_fd) };
	if (worker->done_fd < 0)
		return -errno;
	error = pthread_create(&thread, NULL, work, worker);
	if (error) {
		close(worker->done_fd);
		return -error;
	}
	pthread_detach(thread);
	(void)KW_STEAL(worker);
	return 0;
}

/* Until then; 1 done, 0 it is time, or -EINTR. */
static int wait_until(int done_fd, uint64_t until_ns, const sigset_t *signals)
{
	struct pollfd done = { .fd = done_fd, .events = POLLIN };

	while (!interrupted) {
		uint64_t now_ns = kw_clock_monotonic_ns();
		uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
		struct timespec left = { .tv_sec = (time_t)(left_ns / KW_NS_PER_S),
					 .tv_nsec = (long)(left_ns % KW_NS_PER_S) };

		if (ppoll(&done, 1, until_ns == UINT64_MAX ? NULL : &left, signals) > 0)
			return 1;
		if (!left_ns)
			return 0;
	}
	return -EINTR;
}

static int wait_for(const struct kw_patience *patience, int done_fd, const sigset_t *signals)
{
	uint64_t begun_ns = kw_clock_monotonic_ns();
	uint64_t limit_ns = patience->limit_ms ? begun_ns + patience->limit_ms * KW_NS_PER_MS
					       : UINT64_MAX;
	uint64_t notice_ns = begun_ns + patience->notice_ms * KW_NS_PER_MS;
	int r = wait_until(done_fd, notice_ns < limit_ns ? notice_ns : limit_ns, signals);

	if (r == 0 && notice_ns < limit_ns) {
		kw_message("%s", patience->notice);
		r = wait_until(done_fd, limit_ns, signals);
	}
	if (r < 0)
		return r;
	return r ? 0 : -ETIMEDOUT;
}

/* The thread inherits that the interrupt is blocked: it is ours to take. */
int kw_patience_run(const struct kw_patience *patience, void (*call)(void *data), void *data)
{
	const struct sigaction action = { .sa_handler = on_interrupt };
	_cleanup_close_ int done_fd = eventfd(0, EFD_CLOEXEC);
	struct sigaction action_before;
	sigset_t blocked, before;
	int r;

	if (done_fd < 0)
		return -errno;
	interrupted = 0;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigaction(SIGINT, &action, &action_before);
	r = begin(call, data, done_fd);
	if (!r)
		r = wait_for(patience, done_fd, &before);
	sigaction(SIGINT, &action_before, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
