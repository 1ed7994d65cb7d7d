/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/walls_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/cleanup.h"
#include "daemon/log.h"
#include "model/cgroups.h"

struct kw_walls_watch {
	sd_event *event;
	const char *cgroup_root;
	void (*look)(void *userdata);
	void *userdata;
	sd_event_source *root, *slice, *timer;
};

KW_CLEANUP_OF(struct kw_walls_watch, kw_walls_watch_stop);

void kw_walls_watch_look_within(struct kw_walls_watch *watch, uint64_t wait_ns)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(watch->timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(watch->timer, wait_ns / 1000);
	sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kw_walls_watch *watch = userdata;

	(void)source, (void)usec;
	watch->look(watch->userdata);
	return 0;
}

/* True when it is this file that the event is about, or when that was lost. */
static bool is_about(const struct inotify_event *event, const char *name)
{
	return event->mask & IN_Q_OVERFLOW || (event->len && !strcmp(event->name, name));
}

static int on_slice_event(sd_event_source *source, const struct inotify_event *event,
			  void *userdata)
{
	struct kw_walls_watch *watch = userdata;

	(void)source;
	if (is_about(event, "misc.max") || is_about(event, "memory.max"))
		kw_walls_watch_look_within(watch, KW_WALLS_SETTLE_NS);
	return 0;
}

/* A slice that comes back is another folder. */
static int on_root_event(sd_event_source *source, const struct inotify_event *event,
			 void *userdata)
{
	struct kw_walls_watch *watch = userdata;

	(void)source;
	if (is_about(event, KW_GUEST_SLICE)) {
		watch->slice = sd_event_source_disable_unref(watch->slice);
		watch->look(watch->userdata);
	} else if (is_about(event, "cgroup.subtree_control")) {
		kw_walls_watch_look_within(watch, KW_WALLS_SETTLE_NS);
	}
	return 0;
}

void kw_walls_watch_slice(struct kw_walls_watch *watch, bool slice)
{
	char path[PATH_MAX];
	int r;

	if (!slice)
		watch->slice = sd_event_source_disable_unref(watch->slice);
	if (!slice || watch->slice)
		return;
	snprintf(path, sizeof(path), "%s/" KW_GUEST_SLICE, watch->cgroup_root);
	r = sd_event_add_inotify(watch->event, &watch->slice, path, IN_MODIFY,
				 on_slice_event, watch);
	if (r < 0 && r != -ENOENT)
		kw_log(LOG_WARNING, "changes in %s cannot be heard: %s", path, strerror(-r));
}

static void watch_root(struct kw_walls_watch *watch)
{
	int r = sd_event_add_inotify(watch->event, &watch->root, watch->cgroup_root,
				     IN_MODIFY | IN_CREATE | IN_DELETE, on_root_event, watch);

	if (r < 0)
		kw_log(LOG_WARNING, "changes in %s cannot be heard: %s", watch->cgroup_root,
		       strerror(-r));
}

static int add_timer(struct kw_walls_watch *watch)
{
	int r = sd_event_add_time_relative(watch->event, &watch->timer, CLOCK_BOOTTIME, 0,
					   1, on_timer, watch);

	return r < 0 ? r : sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
}

int kw_walls_watch_start(sd_event *event, const char *cgroup_root, void (*look)(void *userdata),
			 void *userdata, struct kw_walls_watch **ret_watch)
{
	_cleanup_(kw_walls_watch_stop_at) struct kw_walls_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	*watch = (struct kw_walls_watch){ event, cgroup_root, look, userdata };
	r = add_timer(watch);
	if (r < 0)
		return r;
	watch_root(watch);
	*ret_watch = KW_STEAL(watch);
	return 0;
}

void kw_walls_watch_stop(struct kw_walls_watch *watch)
{
	if (!watch)
		return;
	sd_event_source_disable_unref(watch->timer);
	sd_event_source_disable_unref(watch->slice);
	sd_event_source_disable_unref(watch->root);
	free(watch);
}
