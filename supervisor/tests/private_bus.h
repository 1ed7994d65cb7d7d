/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system bus for tests and kvmwardd on it, as another process that can be
 * killed. The host is tests/fake_host.h's.
 */
#ifndef KW_TESTS_PRIVATE_BUS_H
#define KW_TESTS_PRIVATE_BUS_H

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/client.h"
#include "daemon/service.h"
#include "tests/fake_host.h"
#include "tests/tree.h"

static const char bus_config[] =
	"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\"\n"
	" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
	"<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>\n"
	"<policy context='default'><allow user='*'/><allow own='*'/>\n"
	"<allow send_destination='*' eavesdrop='true'/><allow receive_sender='*'/></policy>\n"
	"</busconfig>\n";

static char top[32], state_dir[64], config[96];
static pid_t bus_pid, daemon_pid;

static inline void pause_ms(unsigned int ms)
{
	poll(NULL, 0, (int)ms);
}

static inline void write_file(const char *path, const char *format, ...)
{
	FILE *file = fopen(path, "w");
	va_list args;

	assert_non_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static inline int start_bus(void **state)
{
	char path[64];

	(void)state;
	strcpy(top, "/tmp/kw-service-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(path, sizeof(path), "%s/bus.conf", top);
	write_file(path, bus_config, top);
	bus_pid = fork();
	if (bus_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--config-file",
		       path, (char *)NULL);
		_exit(127);
	}
	snprintf(path, sizeof(path), "%s/bus", top);
	for (int i = 0; i < 200 && access(path, F_OK); i++)
		pause_ms(10);
	snprintf(path, sizeof(path), "unix:path=%s/bus", top);
	return setenv("DBUS_SYSTEM_BUS_ADDRESS", path, 1);
}

static inline int stop_bus(void **state)
{
	(void)state;
	kill(bus_pid, SIGKILL);
	waitpid(bus_pid, NULL, 0);
	return tree_remove(top);
}

static inline pid_t spawn_daemon(void)
{
	struct kw_daemon_options options = { config, state_dir, state_dir };
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(kw_service_run(&options));
	}
	assert_true(pid > 0);
	return pid;
}

static inline struct kw_bus *open_bus(void)
{
	struct kw_bus *bus = NULL;

	assert_int_equal(kw_bus_open(kw_clock_monotonic_ns() + 5 * KW_NS_PER_S, &bus), 0);
	return bus;
}

static inline bool is_up(void)
{
	struct kw_bus *bus = open_bus();
	struct kw_config ignored;
	int r = kw_bus_config(bus, &ignored);

	kw_bus_close(bus);
	return r == 0;
}

static inline void start_daemon(void)
{
	daemon_pid = spawn_daemon();
	for (int i = 0; i < 200 && !is_up(); i++)
		pause_ms(10);
	assert_true(is_up());
}

static inline int end_daemon(int number)
{
	int status = 0;

	kill(daemon_pid, number);
	waitpid(daemon_pid, &status, 0);
	daemon_pid = 0;
	return status;
}

static inline int setup(void **state)
{
	(void)state;
	snprintf(state_dir, sizeof(state_dir), "%s/state-XXXXXX", top);
	assert_non_null(mkdtemp(state_dir));
	snprintf(config, sizeof(config), "%s/kvmward.conf", state_dir);
	fake_host_reset(2, 1);
	start_daemon();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	if (daemon_pid)
		end_daemon(SIGKILL);
	return 0;
}

static inline struct kw_bus *open_door(void)
{
	struct kw_bus *bus = NULL;

	assert_int_equal(kw_bus_open_door(state_dir, kw_clock_monotonic_ns() + 5 * KW_NS_PER_S,
					  &bus), 0);
	return bus;
}

static inline enum kw_code call_hook(const char *op, const char *uuid, const char *security)
{
	struct kw_bus *bus = open_door();
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	assert_int_equal(kw_bus_hook(bus, "g", op, "begin", "-", fake_domain("g", uuid, security),
				     &verdict), 0);
	kw_bus_close(bus);
	return verdict.code;
}

/* The number of holds; *ret_pending those without a guest. */
static inline size_t count_holds(size_t *ret_pending)
{
	struct kw_bus *bus = open_bus();
	struct kw_hold_list list = {};
	size_t count;

	assert_int_equal(kw_bus_holds(bus, &list), 0);
	kw_bus_close(bus);
	*ret_pending = 0;
	for (size_t i = 0; i < list.count; i++)
		*ret_pending += list.holds[i].pid == 0;
	count = list.count;
	free(list.holds);
	return count;
}

static inline void expect_holds(size_t count, size_t pending)
{
	size_t found;

	assert_int_equal(count_holds(&found), count);
	assert_int_equal(found, pending);
}

#endif
