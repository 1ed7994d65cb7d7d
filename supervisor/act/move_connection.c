/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/move_connection.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* After 5 s without a word libvirt asks for one, three times. */
#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 3

#define OPEN_LIMIT_MS 30000u
/* By then it may well wait for a host that has long been up anew: another one is tried. */
#define OPENING_KEPT_NS (300 * KW_NS_PER_S)

static void say_nothing(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static void *run_events(void *data)
{
	(void)data;
	while (!vir.EventRunDefaultImpl())
		;
	return NULL;
}

int kw_move_sides_prepare(char *error, size_t error_size)
{
	pthread_t thread;
	int r = kw_libvirt_load(error, error_size);

	if (r)
		return r;
	vir.SetErrorFunc(NULL, say_nothing);
	if (vir.EventRegisterDefaultImpl()) {
		kw_text_copy(error, error_size, vir.GetLastErrorMessage());
		return -EIO;
	}
	r = pthread_create(&thread, NULL, run_events, NULL);
	if (r)
		kw_text_copy(error, error_size, strerror(r));
	else
		pthread_detach(thread);
	return -r;
}

struct kw_move_side *kw_move_side_create(const char *uri, const char *uuid)
{
	struct kw_move_side *side = calloc(1, sizeof(*side));
	char *copy = strdup(uri ?: "qemu:///system");

	if (!side || !copy) {
		free(side);
		free(copy);
		return NULL;
	}
	side->uri = copy;
	side->open_limit_ms = OPEN_LIMIT_MS;
	kw_text_copy(side->uuid, sizeof(side->uuid), uuid);
	return side;
}

static void disconnect(struct kw_move_side *side)
{
	if (side->connection)
		vir.ConnectClose(side->connection);
	side->connection = NULL;
}

void kw_move_side_free(struct kw_move_side *side)
{
	if (!side)
		return;
	disconnect(side);
	kw_opening_leave(side->opening);
	free(side->uri);
	free(side);
}

const char *kw_move_side_error(const struct kw_move_side *side)
{
	return side->error;
}

bool kw_move_side_is_connected(struct kw_move_side *side)
{
	if (side->connection && vir.ConnectIsAlive(side->connection) != 1)
		disconnect(side);
	return side->connection;
}

/* One that nobody could wait for is gone on with, so that they do not pile up. */
static int open_it(struct kw_move_side *side)
{
	if (side->opening && kw_clock_monotonic_ns() - kw_opening_begun_ns(side->opening) >=
				     OPENING_KEPT_NS)
		kw_opening_leave(KW_STEAL(side->opening));
	if (!side->opening)
		side->opening = kw_opening_begin(side->uri);
	if (!side->opening)
		kw_text_copy(side->error, sizeof(side->error), strerror(ENOMEM));
	else if (!kw_opening_wait(side->opening, side->open_limit_ms))
		snprintf(side->error, sizeof(side->error), "it has not answered within %u s",
			 side->open_limit_ms / 1000);
	else {
		side->connection = kw_opening_take(side->opening, side->error,
						   sizeof(side->error));
		kw_opening_leave(KW_STEAL(side->opening));
	}
	return side->connection ? 0 : -ENOTCONN;
}

int kw_move_side_connect(struct kw_move_side *side)
{
	int error = kw_move_side_is_connected(side) ? 0 : open_it(side);

	if (error)
		return error;
	/* 1: the other end has none of it. Then a dead link is found out by TCP, in minutes. */
	vir.ConnectSetKeepAlive(side->connection, KEEPALIVE_S, KEEPALIVE_COUNT);
	return 0;
}

int kw_move_side_fail(struct kw_move_side *side)
{
	int code = vir.GetLastErrorCode();

	kw_text_copy(side->error, sizeof(side->error), vir.GetLastErrorMessage());
	if (code == VIR_ERR_NO_DOMAIN)
		return -ENOENT;
	if (side->connection && vir.ConnectIsAlive(side->connection) == 1)
		return -EIO;
	disconnect(side);
	return -ENOTCONN;
}
