/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/refresh.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/log.h"
#include "facts/watch.h"

/* KVM tells before the slot changes hands, and a frozen process may take its time. */
static const uint64_t after_event_us[] = { 20 * 1000, 200 * 1000, 1000 * 1000 };
#define AFTER_COUNT (sizeof(after_event_us) / sizeof(after_event_us[0]))
#define SLOW_US (2 * 1000 * 1000ull)
#define ACCURACY_US 1000

struct kw_refresh {
	void (*look)(void *userdata);
	void *userdata;
	int watch_fd;
	bool slow_needed;
	sd_event_source *uevents, *notes, *slow, *after[AFTER_COUNT];
};

KW_CLEANUP_OF(struct kw_refresh, kw_refresh_stop);

static int on_after(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kw_refresh *refresh = userdata;

	(void)source, (void)usec;
	refresh->look(refresh->userdata);
	return 0;
}

static bool is_armed(sd_event_source *timer)
{
	int enabled = SD_EVENT_OFF;

	return sd_event_source_get_enabled(timer, &enabled) >= 0 && enabled != SD_EVENT_OFF;
}

static void arm(sd_event_source *timer, uint64_t delay_us)
{
	sd_event_source_set_time_relative(timer, delay_us);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/*
 * The first look is not put off by further events, so that a storm of them
 * cannot starve it; the later ones come after the last event.
 */
static void look_soon(struct kw_refresh *refresh)
{
	if (!is_armed(refresh->after[0]))
		arm(refresh->after[0], after_event_us[0]);
	for (size_t i = 1; i < AFTER_COUNT; i++)
		arm(refresh->after[i], after_event_us[i]);
}

static int on_uevent(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct kw_refresh *refresh = userdata;

	(void)source, (void)revents;
	if (kw_watch_drain(fd))
		look_soon(refresh);
	return 0;
}

static int on_note(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct kw_refresh *refresh = userdata;

	(void)source, (void)event;
	if (!is_armed(refresh->after[0]))
		arm(refresh->after[0], after_event_us[0]);
	return 0;
}

static int on_slow(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kw_refresh *refresh = userdata;

	(void)usec;
	refresh->look(refresh->userdata);
	if (refresh->slow_needed)
		arm(source, SLOW_US);
	return 0;
}

static int add_timer(sd_event *event, sd_event_time_handler_t handler, struct kw_refresh *refresh,
		     sd_event_source **ret_timer)
{
	int r = sd_event_add_time_relative(event, ret_timer, CLOCK_BOOTTIME, 0, ACCURACY_US,
					   handler, refresh);

	return r < 0 ? r : sd_event_source_set_enabled(*ret_timer, SD_EVENT_OFF);
}

static int add_timers(sd_event *event, struct kw_refresh *refresh)
{
	int r = add_timer(event, on_slow, refresh, &refresh->slow);

	for (size_t i = 0; r >= 0 && i < AFTER_COUNT; i++)
		r = add_timer(event, on_after, refresh, &refresh->after[i]);
	return r;
}

static int add_watch(sd_event *event, struct kw_refresh *refresh)
{
	refresh->watch_fd = kw_watch_open();
	if (refresh->watch_fd < 0) {
		kw_log(LOG_WARNING, "cannot hear of guests that come and go: %s; slots are read at "
		       "every decision and every %llu s while one is held",
		       strerror(-refresh->watch_fd), SLOW_US / 1000000);
		return 0;
	}
	return sd_event_add_io(event, &refresh->uevents, refresh->watch_fd, EPOLLIN, on_uevent,
			       refresh);
}

static int add_notes(sd_event *event, const char *dir, struct kw_refresh *refresh)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/released", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return sd_event_add_inotify(event, &refresh->notes, path,
				    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO, on_note, refresh);
}

int kw_refresh_start(sd_event *event, const char *dir, void (*look)(void *userdata),
		     void *userdata, struct kw_refresh **ret_refresh)
{
	_cleanup_(kw_refresh_stop_at) struct kw_refresh *refresh = calloc(1, sizeof(*refresh));
	int r;

	if (!refresh)
		return -ENOMEM;
	refresh->look = look;
	refresh->userdata = userdata;
	refresh->watch_fd = -1;
	r = add_timers(event, refresh);
	if (r >= 0)
		r = add_watch(event, refresh);
	if (r >= 0)
		r = add_notes(event, dir, refresh);
	if (r < 0)
		return r;
	*ret_refresh = KW_STEAL(refresh);
	return 0;
}

void kw_refresh_stop(struct kw_refresh *refresh)
{
	if (!refresh)
		return;
	for (size_t i = 0; i < AFTER_COUNT; i++)
		sd_event_source_disable_unref(refresh->after[i]);
	sd_event_source_disable_unref(refresh->slow);
	sd_event_source_disable_unref(refresh->notes);
	sd_event_source_disable_unref(refresh->uevents);
	kw_close_at(&refresh->watch_fd);
	free(refresh);
}

void kw_refresh_expect(struct kw_refresh *refresh, bool pending_holds, bool any_holds)
{
	refresh->slow_needed = pending_holds || (refresh->watch_fd < 0 && any_holds);
	if (!refresh->slow_needed)
		sd_event_source_set_enabled(refresh->slow, SD_EVENT_OFF);
	else if (!is_armed(refresh->slow))
		arm(refresh->slow, SLOW_US);
}
