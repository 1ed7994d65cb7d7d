/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/opening.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

struct kw_opening {
	char *uri;
	uint64_t begun_ns;
	pthread_mutex_t mutex;		/* for all below */
	pthread_cond_t over_now;
	bool over, left;		/* who comes second to these two frees it */
	virConnectPtr connection;
	char error[1024];
};

static void done(struct kw_opening *opening)
{
	if (opening->connection)
		vir.ConnectClose(opening->connection);
	pthread_cond_destroy(&opening->over_now);
	pthread_mutex_destroy(&opening->mutex);
	free(opening->uri);
	free(opening);
}

/* libvirt keeps its words for the thread that it has failed. */
static void *open_it(void *data)
{
	struct kw_opening *opening = data;
	virConnectPtr connection = vir.ConnectOpen(opening->uri);
	bool left;

	pthread_mutex_lock(&opening->mutex);
	opening->connection = connection;
	if (!connection)
		kw_text_copy(opening->error, sizeof(opening->error), vir.GetLastErrorMessage());
	opening->over = true;
	left = opening->left;
	pthread_cond_signal(&opening->over_now);
	pthread_mutex_unlock(&opening->mutex);
	if (left)
		done(opening);
	return NULL;
}

struct kw_opening *kw_opening_begin(const char *uri)
{
	struct kw_opening *opening = calloc(1, sizeof(*opening));
	pthread_t thread;

	if (!opening)
		return NULL;
	pthread_mutex_init(&opening->mutex, NULL);
	pthread_cond_init(&opening->over_now, NULL);
	opening->begun_ns = kw_clock_monotonic_ns();
	opening->uri = strdup(uri);
	if (!opening->uri || pthread_create(&thread, NULL, open_it, opening)) {
		done(opening);
		return NULL;
	}
	pthread_detach(thread);
	return opening;
}

bool kw_opening_wait(struct kw_opening *opening, unsigned int limit_ms)
{
	uint64_t until_ns = kw_clock_monotonic_ns() + limit_ms * KW_NS_PER_MS;
	const struct timespec until = { .tv_sec = (time_t)(until_ns / KW_NS_PER_S),
					.tv_nsec = (long)(until_ns % KW_NS_PER_S) };
	bool over;

	pthread_mutex_lock(&opening->mutex);
	while (!opening->over)
		if (pthread_cond_clockwait(&opening->over_now, &opening->mutex, CLOCK_MONOTONIC,
					   &until))
			break;
	over = opening->over;
	pthread_mutex_unlock(&opening->mutex);
	return over;
}

virConnectPtr kw_opening_take(struct kw_opening *opening, char *error, size_t error_size)
{
	virConnectPtr connection = opening->connection;

	opening->connection = NULL;
	if (!connection)
		kw_text_copy(error, error_size, opening->error);
	return connection;
}

uint64_t kw_opening_begun_ns(const struct kw_opening *opening)
{
	return opening->begun_ns;
}

void kw_opening_leave(struct kw_opening *opening)
{
	bool over;

	if (!opening)
		return;
	pthread_mutex_lock(&opening->mutex);
	opening->left = true;
	over = opening->over;
	pthread_mutex_unlock(&opening->mutex);
	if (over)
		done(opening);
}
