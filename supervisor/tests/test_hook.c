/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/hook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "bus/client.h"
#include "facts/domain_xml.h"
#include "hook/program.h"
#include "ledger/drain.h"
#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define PLAIN "<domain type='kvm'><name>g</name><uuid>" UUID "</uuid><memory>1024</memory>" \
	      "<os><type machine='q35'>hvm</type></os></domain>"
#define SEV "<domain type='kvm'><name>g</name><uuid>" UUID "</uuid><memory>1024</memory>" \
	    "<os><type machine='q35'>hvm</type></os>" \
	    "<launchSecurity type='sev'><policy>0x33</policy></launchSecurity></domain>"
#define MOVING "<domain type='kvm'><name>g</name><uuid>" UUID "</uuid><memory>1024</memory>" \
	       "<os><type machine='q35'>hvm</type></os><metadata><m:move job='m7' peer='h2' " \
	       "xmlns:m='urn:kvmward:move:1'>arriving</m:move></metadata></domain>"
#define ADMIT_ALL "[hook]\nencrypted_when_unreachable = admit\n"
#define REFUSE_ALL "[hook]\nplain_when_unreachable = refuse\n"

/* A bus without kvmwardd for the first `failures` calls; then it gives `answer`. */
static struct {
	int open_error, call_error;
	unsigned int failures, calls;
	bool late_admits;		/* as the last call was made: what the alarm would say */
	enum kw_code answer;
	char name[64], op[64], xml[1024];
} fake_bus;

static bool alarm_admits;

void kw_hook_alarm_admits(void)
{
	alarm_admits = true;
}

struct kw_bus {
	int unused;
};

int kw_bus_open_door(const char *where, uint64_t deadline_ns, struct kw_bus **ret_bus)
{
	(void)where;
	assert_true(deadline_ns > 0);
	if (fake_bus.open_error)
		return fake_bus.open_error;
	*ret_bus = calloc(1, sizeof(**ret_bus));
	return 0;
}

void kw_bus_close(struct kw_bus *bus)
{
	free(bus);
}

const char *kw_bus_error(const struct kw_bus *bus)
{
	(void)bus;
	return "nobody home";
}

int kw_bus_hook(struct kw_bus *bus, const char *name, const char *op, const char *subop,
		const char *extra, const char *xml, struct kw_verdict *ret_verdict)
{
	(void)bus, (void)subop, (void)extra;
	kw_text_copy(fake_bus.name, sizeof(fake_bus.name), name);
	kw_text_copy(fake_bus.op, sizeof(fake_bus.op), op);
	kw_text_copy(fake_bus.xml, sizeof(fake_bus.xml), xml);
	fake_bus.late_admits = alarm_admits;
	if (fake_bus.calls++ < fake_bus.failures)
		return fake_bus.call_error;
	kw_verdict_set(ret_verdict, fake_bus.answer, "so it was decided");
	return 0;
}

static char dir[32], config[64];
static uint64_t age_ns; /* how long ago the hook was started */

static int setup(void **state)
{
	(void)state;
	memset(&fake_bus, 0, sizeof(fake_bus));
	fake_bus.call_error = -ENXIO;
	age_ns = 0;
	strcpy(dir, "/tmp/kw-hook-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(config, sizeof(config), "%s/kvmward.conf", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(dir);
	return 0;
}

static void write_config(const char *text)
{
	FILE *file = fopen(config, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int file_of(const void *text, size_t length)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	fflush(file);
	rewind(file);
	return dup(fileno(file)); /* the FILE is left to the end of the program */
}

static struct kw_verdict answer_fd(const char *op, int fd)
{
	char *argv[] = { "hook", "g", (char *)op, "begin", "-", NULL };
	struct kw_hook_place place = { fd, config, dir, dir, kw_clock_monotonic_ns() - age_ns };
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	alarm_admits = false;
	kw_hook_answer(5, argv, &place, &verdict);
	close(fd);
	return verdict;
}

static enum kw_code answer(const char *op, const char *xml)
{
	return answer_fd(op, file_of(xml, strlen(xml))).code;
}

static unsigned int elapsed_ms(uint64_t since_ns)
{
	return (kw_clock_monotonic_ns() - since_ns) / KW_NS_PER_MS;
}

static void nobody_home(void)
{
	fake_bus.failures = 1000;
}

static void test_passes_the_verdict_on(void **state)
{
	static const char *const ops[] = { "prepare", "start", "migrate", "restore" };

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		fake_bus.answer = KW_SLOT_FULL;
		assert_int_equal(answer(ops[i], SEV), KW_SLOT_FULL);
		fake_bus.answer = KW_ADMITTED;
		assert_int_equal(answer(ops[i], SEV), KW_ADMITTED);
		assert_string_equal(fake_bus.op, ops[i]);
		assert_string_equal(fake_bus.name, "g");
		assert_string_equal(fake_bus.xml, SEV);
	}
}

static void test_missing_arguments(void **state)
{
	static const struct {
		int argc;
		const char *op;
		enum kw_code code;
		bool refuse;
	} cases[] = {
		{ 1, NULL, KW_HOOK_USAGE, true },	 { 2, NULL, KW_HOOK_USAGE, true },
		{ 3, "prepare", KW_HOOK_USAGE, true },	 { 4, "start", KW_HOOK_USAGE, true },
		{ 3, "release", KW_HOOK_USAGE, false },	 { 3, "started", KW_HOOK_USAGE, false },
		{ 3, "reconnect", KW_ADMITTED, false },
	};
	struct kw_hook_place place = { -1, config, dir, dir, kw_clock_monotonic_ns() };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[] = { "hook", "g", (char *)cases[i].op, "begin", NULL };
		struct kw_verdict verdict;

		argv[cases[i].argc] = NULL;
		kw_hook_answer(cases[i].argc, argv, &place, &verdict);
		assert_int_equal(verdict.code, cases[i].code);
		assert_int_equal(kw_hook_may_refuse(kw_hook_kind_of_args(cases[i].argc, argv)),
				 cases[i].refuse);
	}
	assert_int_equal(fake_bus.calls, 0);
}

static void test_empty_name(void **state)
{
	char *argv[] = { "hook", "", "prepare", "begin", "-", NULL };
	struct kw_hook_place place = { -1, config, dir, dir, kw_clock_monotonic_ns() };
	struct kw_verdict verdict;

	(void)state;
	kw_hook_answer(5, argv, &place, &verdict);
	assert_int_equal(verdict.code, KW_HOOK_USAGE);
}

static void test_bad_input(void **state)
{
	char *big = malloc(KW_DOMAIN_XML_MAX + 1);

	(void)state;
	memset(big, ' ', KW_DOMAIN_XML_MAX + 1);
	assert_int_equal(answer("prepare", ""), KW_HOOK_USAGE);
	assert_int_equal(answer_fd("prepare", file_of("<a>\0</a>", 8)).code, KW_XML_INVALID);
	assert_int_equal(answer_fd("prepare", file_of(big, KW_DOMAIN_XML_MAX + 1)).code,
			 KW_XML_INVALID);
	assert_int_equal(answer_fd("prepare", open("/", O_RDONLY)).code, KW_HOOK_USAGE);
	assert_int_equal(answer_fd("prepare", open("/dev/null", O_RDONLY)).code, KW_HOOK_USAGE);
	assert_int_equal(fake_bus.calls, 0);
	assert_int_equal(answer_fd("prepare", file_of(big, KW_DOMAIN_XML_MAX)).code, KW_ADMITTED);
	assert_int_equal(fake_bus.calls, 1);
	free(big);
}

static void test_input_that_never_ends(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "<domain>", 8), 8);
	assert_int_equal(answer_fd("prepare", fds[0]).code, KW_HOOK_USAGE);
	assert_in_range(elapsed_ms(start_ns), 900, 1500);
	close(fds[1]);
}

static void test_waits_for_kvmwardd_to_come_back(void **state)
{
	(void)state;
	fake_bus.failures = 4;
	assert_int_equal(answer("prepare", SEV), KW_ADMITTED);
	assert_int_equal(fake_bus.calls, 5);
	fake_bus.calls = 0;
	fake_bus.answer = KW_SLOT_FULL;
	assert_int_equal(answer("start", SEV), KW_SLOT_FULL);
}

static void test_encrypted_is_refused_unasked(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();
	struct kw_verdict verdict;

	(void)state;
	nobody_home();
	verdict = answer_fd("prepare", file_of(SEV, strlen(SEV)));
	assert_int_equal(verdict.code, KW_DAEMON_UNREACHABLE);
	assert_non_null(strstr(verdict.sentence, "nobody home"));
	assert_in_range(elapsed_ms(start_ns), 1300, 1900);
}

static void test_broken_xml_counts_as_encrypted(void **state)
{
	(void)state;
	nobody_home();
	age_ns = KW_HOOK_RETRY_NS;
	assert_int_equal(answer("prepare", "<broken"), KW_DAEMON_UNREACHABLE);
}

static void test_plain_is_admitted_unasked_at_once(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();

	(void)state;
	nobody_home();
	assert_int_equal(answer("prepare", PLAIN), KW_ADMITTED);
	assert_in_range(elapsed_ms(start_ns), 0, 500);
	assert_int_equal(fake_bus.calls, 1);
}

static void test_configuration_is_followed(void **state)
{
	(void)state;
	nobody_home();
	age_ns = KW_HOOK_RETRY_NS;
	write_config(ADMIT_ALL);
	assert_int_equal(answer("prepare", SEV), KW_ADMITTED);
	write_config(REFUSE_ALL);
	assert_int_equal(answer("prepare", PLAIN), KW_DAEMON_UNREACHABLE);
	write_config("[hook]\nnonsense\n");
	assert_int_equal(answer("prepare", SEV), KW_DAEMON_UNREACHABLE);
	assert_int_equal(answer("prepare", PLAIN), KW_ADMITTED);
}

/* kvmwardd may hang while it is asked, until the alarm: that answers as it would be answered then. */
static void test_the_alarm_follows_the_configuration(void **state)
{
	static const struct {
		const char *config, *op, *xml;
		bool admits;
	} cases[] = {
		{ "", "prepare", PLAIN, true },		{ "", "prepare", SEV, false },
		{ "", "prepare", "<broken", false },	{ "", "prepare", MOVING, false },
		{ REFUSE_ALL, "prepare", PLAIN, false }, { ADMIT_ALL, "prepare", SEV, true },
		{ ADMIT_ALL, "restore", SEV, false },	{ ADMIT_ALL, "start", MOVING, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_config(cases[i].config);
		fake_bus.calls = 0;
		assert_int_equal(answer(cases[i].op, cases[i].xml), KW_ADMITTED);
		assert_int_equal(fake_bus.calls, 1);
		assert_int_equal(fake_bus.late_admits, cases[i].admits);
	}
}

/* At once, and whatever the configuration says: of two definitions one may start. */
static void test_a_moving_guest_never_starts_unasked(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();

	(void)state;
	nobody_home();
	write_config(ADMIT_ALL);
	assert_int_equal(answer("prepare", MOVING), KW_GUEST_MOVING);
	assert_int_equal(answer("migrate", MOVING), KW_GUEST_MOVING);
	assert_int_equal(answer("start", MOVING), KW_GUEST_MOVING);
	assert_int_equal(answer("prepare", MOVING "<"), KW_GUEST_MOVING);
	assert_in_range(elapsed_ms(start_ns), 0, 500);
	assert_int_equal(answer("prepare", PLAIN), KW_ADMITTED);
	fake_bus.failures = 0;
	fake_bus.answer = KW_ADMITTED;
	assert_int_equal(answer("prepare", MOVING), KW_ADMITTED); /* kvmwardd knows better */
}

/* By another host, as this one has heard before libvirt was there to mark its definition. */
static void test_a_taken_guest_is_not_admitted_unasked(void **state)
{
	char taken[64];

	(void)state;
	nobody_home();
	write_config(ADMIT_ALL);
	assert_int_equal(answer("prepare", SEV), KW_ADMITTED);
	snprintf(taken, sizeof(taken), "%s/taken", dir);
	assert_int_equal(mkdir(taken, 0700), 0);
	assert_int_equal(tree_put(taken, UUID ".taken", "{}"), 0);
	assert_int_equal(answer("prepare", SEV), KW_GUEST_MOVING);
	assert_int_equal(answer("prepare", PLAIN), KW_GUEST_MOVING);
}

static void test_a_drained_host_admits_nothing_unasked(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();
	char moves[64];

	(void)state;
	nobody_home();
	write_config(ADMIT_ALL);
	assert_int_equal(kw_drain_set(dir, true), 0);
	assert_int_equal(answer("prepare", PLAIN), KW_HOST_DRAINING);
	assert_int_equal(answer("migrate", SEV), KW_HOST_DRAINING);
	assert_int_equal(answer("restore", PLAIN), KW_HOST_DRAINING);
	assert_int_equal(answer("prepare", "<broken"), KW_HOST_DRAINING);
	assert_int_equal(answer("prepare", MOVING), KW_GUEST_MOVING);
	assert_in_range(elapsed_ms(start_ns), 0, 500);

	/* but for a guest that was here when it began, and that its move brings back */
	snprintf(moves, sizeof(moves), "%s/moves", dir);
	assert_int_equal(mkdir(moves, 0700), 0);
	assert_int_equal(tree_put(dir, "moves/" UUID ".json", "{}"), 0);
	assert_int_equal(answer("prepare", PLAIN), KW_ADMITTED);
	assert_int_equal(answer("prepare", MOVING), KW_GUEST_MOVING);

	assert_int_equal(kw_drain_set(dir, false), 0);
	assert_int_equal(answer("prepare", SEV), KW_ADMITTED);
}

/* At once, and whatever the configuration says: QEMU would die of it. */
static void test_an_encrypted_guest_is_never_restored_unasked(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();

	(void)state;
	nobody_home();
	write_config(ADMIT_ALL);
	assert_int_equal(answer("restore", SEV), KW_NO_RESTORE);
	assert_in_range(elapsed_ms(start_ns), 0, 500);
	assert_int_equal(answer("restore", PLAIN), KW_ADMITTED);
	age_ns = KW_HOOK_RETRY_NS;
	assert_int_equal(answer("prepare", SEV), KW_ADMITTED);
}

static void test_no_bus(void **state)
{
	(void)state;
	fake_bus.open_error = -ENOENT;
	age_ns = KW_HOOK_RETRY_NS;
	assert_int_equal(answer("prepare", PLAIN), KW_ADMITTED);
	assert_int_equal(answer("prepare", SEV), KW_DAEMON_UNREACHABLE);
}

static void test_no_second_try_when_not_allowed(void **state)
{
	(void)state;
	nobody_home();
	fake_bus.call_error = -EACCES;
	assert_int_equal(answer("prepare", SEV), KW_DAEMON_UNREACHABLE);
	assert_int_equal(fake_bus.calls, 1);
}

static bool note_is_there(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/released/%s", dir, UUID);
	return access(path, F_OK) == 0;
}

static void test_release_is_told(void **state)
{
	(void)state;
	assert_int_equal(answer("release", SEV), KW_ADMITTED);
	assert_int_equal(fake_bus.calls, 1);
	assert_false(note_is_there());
}

static void test_release_without_xml_is_told_by_name(void **state)
{
	(void)state;
	assert_int_equal(answer("release", ""), KW_ADMITTED);
	assert_int_equal(fake_bus.calls, 1);
	assert_string_equal(fake_bus.name, "g");
}

static void test_release_is_noted_at_once(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();

	(void)state;
	nobody_home();
	assert_int_equal(answer("stopped", SEV), KW_ADMITTED);
	assert_true(note_is_there());
	assert_in_range(elapsed_ms(start_ns), 0, 500);
	assert_int_equal(answer("release", SEV), KW_ADMITTED);
	assert_int_equal(answer("release", "<broken"), KW_XML_INVALID);
}

static void test_others_do_not_wait(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();

	(void)state;
	nobody_home();
	assert_int_equal(answer("started", SEV), KW_ADMITTED);
	assert_int_equal(answer("attach", SEV), KW_ADMITTED);
	assert_int_equal(answer("reconnect", "<broken"), KW_ADMITTED);
	assert_in_range(elapsed_ms(start_ns), 0, 500);
	assert_int_equal(fake_bus.calls, 2);
	assert_false(note_is_there());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_passes_the_verdict_on),
		TEST(test_missing_arguments),
		TEST(test_empty_name),
		TEST(test_bad_input),
		TEST(test_input_that_never_ends),
		TEST(test_waits_for_kvmwardd_to_come_back),
		TEST(test_encrypted_is_refused_unasked),
		TEST(test_broken_xml_counts_as_encrypted),
		TEST(test_plain_is_admitted_unasked_at_once),
		TEST(test_configuration_is_followed),
		TEST(test_the_alarm_follows_the_configuration),
		TEST(test_a_moving_guest_never_starts_unasked),
		TEST(test_a_taken_guest_is_not_admitted_unasked),
		TEST(test_a_drained_host_admits_nothing_unasked),
		TEST(test_an_encrypted_guest_is_never_restored_unasked),
		TEST(test_no_bus),
		TEST(test_no_second_try_when_not_allowed),
		TEST(test_release_is_told),
		TEST(test_release_without_xml_is_told_by_name),
		TEST(test_release_is_noted_at_once),
		TEST(test_others_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
