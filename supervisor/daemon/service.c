/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bus/names.h"
#include "bus/server.h"
#include "daemon/datagram.h"
#include "daemon/decide.h"
#include "daemon/line.h"
#include "daemon/log.h"
#include "daemon/plan.h"
#include "daemon/refresh.h"
#include "daemon/supervisor.h"
#include "daemon/walls.h"
#include "facts/cgroups.h"
#include "policy/shares.h"

/* Changes that come in a bunch make one signal. */
#define DEBOUNCE_US (50 * 1000ull)

struct service {
	sd_event *event;
	struct kw_supervisor supervisor;
	struct kw_refresh *refresh;
	struct kw_server *server;
	struct kw_walls *walls;
	sd_event_source *announce;
};

static void service_done(struct service *service)
{
	sd_event_source_disable_unref(service->announce);
	kw_walls_stop(service->walls);
	kw_server_close(service->server);
	kw_refresh_stop(service->refresh);
	kw_supervisor_done(&service->supervisor);
	sd_event_unref(service->event);
}

/* As sd_notify(), but it is lost rather than waited for when systemd does not listen. */
__attribute__((format(printf, 1, 2)))
static void notify(const char *format, ...)
{
	const char *socket = getenv("NOTIFY_SOCKET");
	char text[256];
	va_list args;

	if (!socket)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kw_datagram_send(socket, text);
}

static int on_announce(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct service *service = userdata;

	(void)source, (void)usec;
	kw_server_emit_changed(service->server);
	notify("STATUS=%s, %zu holds pending", service->supervisor.slots_line,
		   kw_supervisor_pending_count(&service->supervisor));
	return 0;
}

static void announce_soon(struct service *service)
{
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(service->announce, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(service->announce, DEBOUNCE_US);
	sd_event_source_set_enabled(service->announce, SD_EVENT_ONESHOT);
}

static void on_answer(void *data, uint64_t ticket, const struct kw_verdict *verdict)
{
	struct service *service = data;

	kw_server_answer(service->server, ticket, verdict);
}

static void on_place(void *data, uint64_t ticket, const struct kw_place *place)
{
	struct service *service = data;

	kw_server_tell_place(service->server, ticket, place);
}

/* To be called after anything that may have looked or changed the ledger. */
static void follow_up(struct service *service)
{
	const struct kw_line_listener listener = { on_answer, on_place, service };

	kw_line_serve(&service->supervisor, &listener);
	if (kw_refresh_expect(service->refresh, &service->supervisor.facts,
			      kw_supervisor_pending_count(&service->supervisor) > 0))
		kw_server_emit_hearing(service->server);
	if (kw_walls_keep(service->walls, &service->supervisor.facts, &service->supervisor.config))
		kw_server_emit_walls(service->server);
	if (kw_supervisor_take_changed(&service->supervisor))
		announce_soon(service);
}

static void on_look(void *userdata)
{
	struct service *service = userdata;

	kw_supervisor_watch(&service->supervisor);
	follow_up(service);
}

/* A refusal is news of its own: nothing on the host has changed by it. */
static void tell_refused(struct service *service)
{
	struct kw_refusal refusal;

	if (kw_supervisor_take_refusal(&service->supervisor, &refusal))
		kw_server_emit_refused(service->server, &refusal);
}

static void handle_begin(void *userdata)
{
	struct service *service = userdata;

	kw_supervisor_begin_round(&service->supervisor);
}

static void handle_end(void *userdata)
{
	struct service *service = userdata;

	kw_supervisor_end_round(&service->supervisor);
	follow_up(service);
}

static void handle_hook(void *userdata, const struct kw_hook_call *call,
			struct kw_verdict *ret_verdict)
{
	struct service *service = userdata;

	kw_decide_hook(&service->supervisor, call, ret_verdict);
	tell_refused(service);
}

static void handle_plan(void *userdata, const char *xml, size_t length,
			struct kw_verdict *ret_verdict)
{
	struct service *service = userdata;

	kw_plan_one(&service->supervisor, xml, length, ret_verdict);
}

static void handle_plans(void *userdata, const struct kw_plan_text *texts, size_t count,
			 struct kw_verdict *ret_verdicts)
{
	struct service *service = userdata;

	kw_plan_all(&service->supervisor, texts, count, ret_verdicts);
}

static void handle_wait(void *userdata, uint64_t ticket, const char *xml, size_t length)
{
	struct service *service = userdata;
	struct kw_verdict verdict;

	if (!kw_line_ask(&service->supervisor, ticket, xml, length, &verdict))
		kw_server_answer(service->server, ticket, &verdict);
	tell_refused(service);
}

static void handle_left(void *userdata, uint64_t ticket)
{
	struct service *service = userdata;

	kw_line_leave(&service->supervisor, ticket);
	follow_up(service);
}

static int handle_waiters(void *userdata, struct kw_waiter_list *ret_list)
{
	struct service *service = userdata;

	return kw_waiting_list(&service->supervisor.waiting, ret_list);
}

static void handle_classes(void *userdata, struct kw_class_table *ret_table)
{
	struct service *service = userdata;

	kw_shares_list(&service->supervisor.facts, kw_ledger_holds(service->supervisor.ledger),
		      &service->supervisor.config, ret_table);
}

static const struct kw_hold_list *handle_holds(void *userdata)
{
	struct service *service = userdata;

	return kw_ledger_holds(service->supervisor.ledger);
}

static const struct kw_config *handle_config(void *userdata)
{
	struct service *service = userdata;

	return &service->supervisor.config;
}

static const struct kw_hearing_state *handle_hearing(void *userdata)
{
	struct service *service = userdata;

	return kw_refresh_hearing(service->refresh);
}

static const struct kw_walls_status *handle_walls(void *userdata)
{
	struct service *service = userdata;

	return kw_walls_status(service->walls);
}

static void handle_memory(void *userdata, struct kw_memory_status *ret_status)
{
	struct service *service = userdata;

	kw_supervisor_memory(&service->supervisor, ret_status);
}

static bool handle_draining(void *userdata)
{
	struct service *service = userdata;

	return service->supervisor.draining;
}

static int handle_drain(void *userdata, bool on)
{
	struct service *service = userdata;
	int r = kw_supervisor_drain(&service->supervisor, on);

	if (r >= 0)
		kw_server_emit_draining(service->server);
	return r;
}

static int handle_reload(void *userdata, char *error, size_t error_size)
{
	struct service *service = userdata;
	int r;

	notify("RELOADING=1\nMONOTONIC_USEC=%" PRIu64, kw_clock_monotonic_ns() / 1000);
	r = kw_supervisor_reload(&service->supervisor, error, error_size);
	if (r >= 0) {
		kw_server_emit_configuration(service->server);
		kw_supervisor_watch(&service->supervisor); /* walls are built on fresh facts */
	}
	notify("READY=1");
	return r;
}

static const struct kw_server_handlers handlers = {
	.begin = handle_begin,
	.end = handle_end,
	.hook = handle_hook,
	.plan = handle_plan,
	.plans = handle_plans,
	.wait = handle_wait,
	.left = handle_left,
	.waiters = handle_waiters,
	.classes = handle_classes,
	.holds = handle_holds,
	.config = handle_config,
	.hearing = handle_hearing,
	.walls = handle_walls,
	.memory = handle_memory,
	.draining = handle_draining,
	.drain = handle_drain,
	.reload = handle_reload,
};

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	char error[512] = "";

	(void)source, (void)info;
	handle_reload(userdata, error, sizeof(error)); /* has logged what was wrong */
	follow_up(userdata);
	return 0;
}

static int add_signals(struct service *service)
{
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(service->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(service->event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(service->event, NULL, SIGHUP, on_hangup, service);
	return r;
}

static int add_announce(struct service *service)
{
	int r = sd_event_add_time_relative(service->event, &service->announce, CLOCK_BOOTTIME, 0, 1,
					   on_announce, service);

	return r < 0 ? r : sd_event_source_set_enabled(service->announce, SD_EVENT_OFF);
}

static int report(const char *what, int r)
{
	if (r < 0)
		kw_log(LOG_ERR, "cannot %s: %s", what, strerror(-r));
	return r;
}

/* The watches are there before the first look: nothing that happens after it is missed. */
static int open_loop(struct service *service, const char *state_dir)
{
	int r = sd_event_new(&service->event);

	if (r >= 0)
		r = add_signals(service);
	if (r >= 0)
		r = add_announce(service);
	if (r >= 0)
		r = kw_refresh_start(service->event, state_dir, on_look, service,
				     &service->refresh);
	return report("set up the event loop", r);
}

static int open_walls(struct service *service, const char *state_dir)
{
	struct kw_walls_place place = {
		.cgroup_root = KW_CGROUP_ROOT,
		.state_dir = state_dir,
		.bus = kw_server_bus(service->server),
		.event = service->event,
	};

	return report("watch the walls", kw_walls_start(&place, on_look, service, &service->walls));
}

/* Calls arrive only after the ledger is in line with the kernel. */
static int open_bus(struct service *service, const char *state_dir)
{
	int r = kw_server_open(service->event, &handlers, service, &service->server);

	if (report("connect to the system bus", r) < 0)
		return r;
	r = open_walls(service, state_dir);
	if (r < 0)
		return r;
	kw_supervisor_look(&service->supervisor);
	follow_up(service);
	r = kw_server_open_door(service->server, state_dir);
	if (report("let in libvirt's hooks", r) < 0)
		return r;
	return report("take the name " KW_BUS_NAME " on the system bus",
		      kw_server_own_name(service->server));
}

static int open_supervisor(struct service *service, const struct kw_daemon_options *options)
{
	char error[512] = "";
	int r = kw_supervisor_init(&service->supervisor, options->config_path, options->state_dir,
				   options->kept_dir, error, sizeof(error));

	if (r < 0)
		kw_log(LOG_ERR, "%s", error);
	return r;
}

int kw_service_run(const struct kw_daemon_options *options)
{
	_cleanup_(service_done) struct service service = {};
	int r;

	r = open_supervisor(&service, options);
	if (r < 0)
		return r == -EINVAL ? KW_EXIT_CONFIG : EXIT_FAILURE;
	if (options->walls_down)
		return kw_walls_take_down(KW_CGROUP_ROOT, options->state_dir) < 0 ? EXIT_FAILURE
										  : EXIT_SUCCESS;
	if (open_loop(&service, options->state_dir) < 0 || open_bus(&service, options->state_dir) < 0)
		return EXIT_FAILURE;
	/* systemd waits for this one */
	sd_notifyf(0, "READY=1\nSTATUS=%s, %zu holds pending", service.supervisor.slots_line,
		   kw_supervisor_pending_count(&service.supervisor));
	r = sd_event_loop(service.event);
	notify("STOPPING=1");
	return r < 0 ? EXIT_FAILURE : r;
}
