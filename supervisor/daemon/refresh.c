/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/refresh.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/log.h"
#include "facts/slot_events.h"
#include "facts/watch.h"
#include "policy/looks.h"

/* A process that has yet to appear, or has gone, makes no event: nobody tells of a start that fails. */
#define PENDING_NS (2 * KW_NS_PER_S)

struct kw_refresh {
	void (*look)(void *userdata);
	void *userdata;
	int watch_fd;				/* -1: cannot be heard */
	struct kw_slot_events *slot_events;	/* NULL: likewise */
	struct kw_looks looks;
	struct kw_hearing_state hearing;
	sd_event_source *uevents, *slots, *notes, *timer;
};

KW_CLEANUP_OF(struct kw_refresh, kw_refresh_stop);

static void arm(struct kw_refresh *refresh)
{
	uint64_t due_ns = kw_looks_due_ns(&refresh->looks);

	if (due_ns == KW_LOOKS_NEVER) {
		sd_event_source_set_enabled(refresh->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(refresh->timer, due_ns / 1000 + 1);
	sd_event_source_set_enabled(refresh->timer, SD_EVENT_ONESHOT);
}

static void take_hint(struct kw_refresh *refresh, enum kw_hint hint)
{
	kw_looks_hint(&refresh->looks, hint, refresh->hearing.from, kw_clock_boottime_ns());
	arm(refresh);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct kw_refresh *refresh = userdata;
	uint64_t began_ns = kw_clock_boottime_ns();

	(void)source, (void)usec;
	refresh->look(refresh->userdata);
	kw_looks_looked(&refresh->looks, began_ns, kw_clock_boottime_ns());
	arm(refresh);
	return 0;
}

static int on_uevent(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source, (void)revents;
	if (kw_watch_drain(fd))
		take_hint(userdata, KW_HINT_GUEST);
	return 0;
}

/* Who had a slot is not to be seen any more when it matters: a leak is found late. */
static void log_event(const struct kw_slot_event *event, void *data)
{
	char count[32] = "";

	(void)data;
	if (event->slots.charged.known)
		snprintf(count, sizeof(count), ": %" PRIu32 " charged", event->slots.charged.value);
	if (event->pool < KW_POOL_COUNT)
		kw_log(LOG_DEBUG, "a slot of pool %s was %s by a guest of process %" PRIu32 "%s",
		       kw_pool_name(event->pool), event->change > 0 ? "taken" : "given back",
		       event->pid.value, count);
}

static void hear_slots(struct kw_refresh *refresh)
{
	struct kw_slot_news news = {};

	if (refresh->slot_events)
		news = kw_slot_events_drain(refresh->slot_events, log_event, NULL);
	if (news.slots)
		take_hint(refresh, KW_HINT_SLOT);
	if (news.module)
		take_hint(refresh, KW_HINT_OTHER);
}

static int on_slots(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source, (void)fd, (void)revents;
	hear_slots(userdata);
	return 0;
}

static int on_note(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	(void)source, (void)event;
	take_hint(userdata, KW_HINT_OTHER);
	return 0;
}

static int add_timer(sd_event *event, struct kw_refresh *refresh)
{
	int r = sd_event_add_time(event, &refresh->timer, CLOCK_BOOTTIME, 0, 1, on_timer, refresh);

	return r < 0 ? r : sd_event_source_set_enabled(refresh->timer, SD_EVENT_OFF);
}

static int add_watch(sd_event *event, struct kw_refresh *refresh)
{
	refresh->watch_fd = kw_watch_open();
	if (refresh->watch_fd < 0) {
		kw_log(LOG_WARNING, "KVM's uevents cannot be heard: %s",
		       strerror(-refresh->watch_fd));
		return 0;
	}
	return sd_event_add_io(event, &refresh->uevents, refresh->watch_fd, EPOLLIN, on_uevent,
			       refresh);
}

static int add_slot_events(sd_event *event, struct kw_refresh *refresh)
{
	int r = kw_slot_events_open(&refresh->slot_events);

	if (r < 0) {
		kw_log(LOG_WARNING, "the kernel's news of modules cannot be heard: %s",
		       strerror(-r));
		return 0;
	}
	return sd_event_add_io(event, &refresh->slots, kw_slot_events_fd(refresh->slot_events),
			       EPOLLIN, on_slots, refresh);
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
	refresh->hearing.from = KW_HEARING_COUNT;	/* not judged yet */
	kw_looks_init(&refresh->looks);
	r = add_timer(event, refresh);
	if (r >= 0)
		r = add_watch(event, refresh);
	if (r >= 0)
		r = add_slot_events(event, refresh);
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
	sd_event_source_disable_unref(refresh->timer);
	sd_event_source_disable_unref(refresh->notes);
	sd_event_source_disable_unref(refresh->slots);
	sd_event_source_disable_unref(refresh->uevents);
	kw_slot_events_close(refresh->slot_events);
	kw_close_at(&refresh->watch_fd);
	free(refresh);
}

static void log_hearing(const struct kw_hearing_state *now)
{
	if (now->reason[0])
		kw_log(LOG_NOTICE, "changes are learnt from %s: %s", kw_hearing_title(now->from),
		       now->reason);
	else
		kw_log(LOG_INFO, "changes are learnt from %s", kw_hearing_title(now->from));
}

static bool judge_hearing(struct kw_refresh *refresh, const struct kw_facts *facts)
{
	struct kw_hearing_state now;

	kw_hearing_judge(facts, kw_slot_events_joined(refresh->slot_events),
			 kw_slot_events_reason(refresh->slot_events), refresh->watch_fd >= 0,
			 &now);
	if (now.from == refresh->hearing.from && !strcmp(now.reason, refresh->hearing.reason))
		return false;
	refresh->hearing = now;
	log_hearing(&now);
	return true;
}

bool kw_refresh_expect(struct kw_refresh *refresh, const struct kw_facts *facts,
		       bool pending_holds)
{
	uint64_t period_ns;
	bool changed;

	hear_slots(refresh);	/* the look may have loaded the module */
	changed = judge_hearing(refresh, facts);
	period_ns = kw_looks_period_ns(facts, refresh->hearing.from);
	if (pending_holds && (!period_ns || period_ns > PENDING_NS))
		period_ns = PENDING_NS;
	kw_looks_idle(&refresh->looks, period_ns, kw_clock_boottime_ns());
	arm(refresh);
	return changed;
}

const struct kw_hearing_state *kw_refresh_hearing(const struct kw_refresh *refresh)
{
	return &refresh->hearing;
}
