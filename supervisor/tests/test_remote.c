/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvmwardd of another host: ssh is a script, which takes the place of the way
 * and not of the bridge at its end, or goes wrong as the real one does.
 */
#include "bus/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/private_bus.h"

static char ssh[64], asked[64];

static void put_ssh(const char *script)
{
	snprintf(ssh, sizeof(ssh), "%s/bin/ssh", top);
	snprintf(asked, sizeof(asked), "%s/asked", top);
	write_file(ssh, "#!/bin/sh\necho \"$*\" >%s\n%s\n", asked, script);
	assert_int_equal(chmod(ssh, 0755), 0);
}

static int start_all(void **state)
{
	char path[4096], bin[64];
	int r = start_bus(state);

	snprintf(bin, sizeof(bin), "%s/bin", top);
	snprintf(path, sizeof(path), "%s:%s", bin, getenv("PATH"));
	return r ?: mkdir(bin, 0700) ?: setenv("PATH", path, 1);
}

static struct kw_bus *open_remote(uint64_t limit_ns)
{
	struct kw_bus *bus = NULL;

	assert_int_equal(kw_bus_open_remote("root@h2:2222", kw_clock_monotonic_ns() + limit_ns,
					    &bus), 0);
	return bus;
}

/* Whether a child process of ours is left, also as a zombie, but the bus and kvmwardd. */
static size_t children(void)
{
	char path[64];
	char *text, *at;
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	assert_int_equal(kw_file_read(path, 4096, &text, NULL), 0);
	for (at = text; (at = strchr(at, ' ')); at++)
		count++;
	free(text);
	return count - (bus_pid > 0) - (daemon_pid > 0);
}

/* The error of a call to a host that is not reached; and that it cost little time. */
static int fail_on(const char *script, uint64_t limit_ns, const char *words)
{
	uint64_t start_ns = kw_clock_monotonic_ns();
	struct kw_verdict verdict;
	struct kw_bus *bus;
	int r;

	put_ssh(script);
	bus = open_remote(limit_ns);
	r = kw_bus_plan(bus, fake_domain("g", UUID_A, FAKE_SEV), &verdict);
	assert_string_equal(kw_bus_error(bus), words);
	kw_bus_close(bus);
	assert_true(kw_clock_monotonic_ns() - start_ns < limit_ns + 2 * KW_NS_PER_S);
	assert_int_equal(children(), 0);
	return r;
}

static void test_all_calls(void **state)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	struct kw_hold_list list = {};
	struct kw_config in_force;
	struct kw_bus *bus;
	size_t pending;
	char *args;

	(void)state;
	put_ssh("exec systemd-stdio-bridge -p $DBUS_SYSTEM_BUS_ADDRESS");
	bus = open_remote(10 * KW_NS_PER_S);
	assert_int_equal(kw_bus_plan(bus, fake_domain("g", UUID_A, FAKE_SEV), &verdict), 0);
	assert_int_equal(verdict.code, KW_ADMITTED);
	assert_int_equal(kw_bus_config(bus, &in_force), 0);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_A, FAKE_SEV), -1, NULL, NULL,
				     &verdict), 0);
	assert_int_equal(verdict.code, KW_ADMITTED);
	assert_true(kw_bus_keeps(bus));
	assert_int_equal(kw_bus_holds(bus, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.holds[0].claim.uuid, UUID_A);
	free(list.holds);
	kw_bus_close(bus);
	for (int i = 0; i < 200 && count_holds(&pending); i++)
		pause_ms(10);
	expect_holds(0, 0);
	assert_int_equal(children(), 0);

	assert_int_equal(kw_file_read(asked, 4096, &args, NULL), 0);
	assert_non_null(strstr(args, "-oBatchMode=yes"));
	assert_non_null(strstr(args, "-- ssh://root@h2:2222 systemd-stdio-bridge\n"));
	free(args);
}

static void test_ssh_refuses(void **state)
{
	(void)state;
	assert_int_equal(fail_on("echo 'a banner' >&2; echo 'Host key verification failed.' >&2\n"
				 "exit 255", 5 * KW_NS_PER_S, "Host key verification failed"),
			 -EHOSTUNREACH);
	assert_int_equal(fail_on("exit 255", 5 * KW_NS_PER_S,
				 "ssh, or the bridge there, ended without a word"),
			 -EHOSTUNREACH);
}

/* Nor is it waited for when it hangs, deaf to signals, with a child of its own. */
static void test_ssh_hangs(void **state)
{
	(void)state;
	assert_int_equal(fail_on("trap '' TERM HUP INT; sleep 1000; sleep 1000", KW_NS_PER_S / 2,
				 "no answer in time"), -ETIMEDOUT);
}

static void test_wait_hangs(void **state)
{
	struct kw_bus *bus;
	struct kw_verdict verdict;

	(void)state;
	put_ssh("sleep 1000");
	bus = open_remote(KW_NS_PER_S / 2);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_A, FAKE_SEV), -1, NULL, NULL,
				     &verdict), -ETIMEDOUT);
	kw_bus_close(bus);
	assert_int_equal(children(), 0);
}

static void test_link_breaks(void **state)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	struct kw_bus *bus;
	struct kw_config ignored;

	(void)state;
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_C, FAKE_SEV), KW_ADMITTED);
	put_ssh("echo 'Connection to h2 timed out.' >&2\n"
		"(sleep 0.3; kill $$) >/dev/null & exec systemd-stdio-bridge -p $DBUS_SYSTEM_BUS_ADDRESS");
	bus = open_remote(10 * KW_NS_PER_S);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_A, FAKE_SEV), -1, NULL, NULL,
				     &verdict), -EHOSTUNREACH);
	assert_string_equal(kw_bus_error(bus), "Connection to h2 timed out");
	assert_int_equal(kw_bus_config(bus, &ignored), -EHOSTUNREACH);
	kw_bus_close(bus);
}

/* A hold on the other host, until it is known to have ended. */
static struct kw_bus *hold(const char *script)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	struct kw_bus *bus;

	put_ssh(script);
	bus = open_remote(10 * KW_NS_PER_S);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_A, FAKE_SEV), -1, NULL, NULL,
				     &verdict), 0);
	assert_int_equal(verdict.code, KW_ADMITTED);
	assert_true(kw_bus_keeps(bus));
	return bus;
}

static void expect_lost(struct kw_bus *bus)
{
	for (int i = 0; i < 200 && kw_bus_keeps(bus); i++)
		pause_ms(10);
	assert_false(kw_bus_keeps(bus));
	kw_bus_close(bus);
}

static void test_hold_ends(void **state)
{
	struct kw_bus *bus;

	(void)state;
	expect_lost(hold("(sleep 1; kill $$) >/dev/null & exec systemd-stdio-bridge "
			 "-p $DBUS_SYSTEM_BUS_ADDRESS"));
	bus = hold("exec systemd-stdio-bridge -p $DBUS_SYSTEM_BUS_ADDRESS");
	end_daemon(SIGTERM);
	expect_lost(bus);
}

static void test_nobody_there(void **state)
{
	struct kw_config ignored;
	struct kw_bus *bus;

	(void)state;
	end_daemon(SIGTERM);
	put_ssh("exec systemd-stdio-bridge -p $DBUS_SYSTEM_BUS_ADDRESS");
	bus = open_remote(10 * KW_NS_PER_S);
	assert_int_equal(kw_bus_config(bus, &ignored), -ENXIO);
	kw_bus_close(bus);
}

static void test_no_ssh(void **state)
{
	char *path = strdup(getenv("PATH"));
	struct kw_bus *bus = NULL;

	(void)state;
	setenv("PATH", state_dir, 1);
	assert_int_equal(kw_bus_open_remote("h2", 0, &bus), -ENOENT);
	assert_null(bus);
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(children(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_calls),
		TEST(test_ssh_refuses),
		TEST(test_ssh_hangs),
		TEST(test_wait_hangs),
		TEST(test_link_breaks),
		TEST(test_hold_ends),
		TEST(test_nobody_there),
		TEST(test_no_ssh),
	};

	fake_host_open();
	return cmocka_run_group_tests(tests, start_all, stop_bus);
}
