/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvmwardd, its clients and the hook on a private bus. The host is made up;
 * everything else is real: the daemon is another process, and is killed.
 */
#include "daemon/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus/names.h"
#include "daemon/datagram.h"
#include "facts/domain_xml.h"
#include "hook/hook.h"
#include "ledger/ledger.h"
#include "tests/private_bus.h"

/* The whole hook, as libvirt would run it. */
static enum kw_code run_hook(const char *op, const char *uuid)
{
	char *argv[] = { "hook", "g", (char *)op, "begin", "-", NULL };
	struct kw_hook_place place = { -1, config, state_dir, state_dir, kw_clock_monotonic_ns() };
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	const char *xml = fake_domain("g", uuid, FAKE_SEV);
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], xml, strlen(xml)), strlen(xml));
	close(fds[1]);
	place.input_fd = fds[0];
	kw_hook_answer(5, argv, &place, &verdict);
	close(fds[0]);
	return verdict.code;
}

static void test_admits_until_full(void **state)
{
	(void)state;
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
	assert_int_equal(call_hook("prepare", UUID_C, ""), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_C, FAKE_SEV_ES), KW_ADMITTED);
	expect_holds(3, 3);
	assert_int_equal(call_hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	expect_holds(2, 2);
}

static void test_holds_are_told_whole(void **state)
{
	struct kw_bus *bus = open_bus();
	struct kw_hold_list list = {};

	(void)state;
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV_ES), KW_ADMITTED);
	assert_int_equal(kw_bus_holds(bus, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.holds[0].claim.uuid, UUID_A);
	assert_string_equal(list.holds[0].claim.name, "g");
	assert_int_equal(list.holds[0].claim.type, KW_GUEST_SEV_ES);
	assert_int_equal(list.holds[0].claim.memory_bytes, 256 * KW_MIB);
	assert_true(list.holds[0].claim.pinned_bytes >= 256 * KW_MIB);
	assert_true(list.holds[0].taken_ns > 0);
	assert_int_equal(list.holds[0].pid, 0);
	free(list.holds);
	kw_bus_close(bus);
}

static void test_killed_between_hold_and_start(void **state)
{
	(void)state;
	assert_int_equal(run_hook("prepare", UUID_A), KW_ADMITTED);
	assert_int_equal(run_hook("prepare", UUID_B), KW_ADMITTED);
	end_daemon(SIGKILL);
	start_daemon();
	expect_holds(2, 2);
	assert_int_equal(run_hook("prepare", UUID_C), KW_SLOT_FULL);
	assert_int_equal(run_hook("start", UUID_A), KW_ADMITTED);
	expect_holds(2, 2);
}

static void test_killed_between_start_and_release(void **state)
{
	(void)state;
	assert_int_equal(run_hook("prepare", UUID_A), KW_ADMITTED);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 4242);
	end_daemon(SIGKILL);
	start_daemon();
	expect_holds(1, 0);
	end_daemon(SIGKILL);
	fake->guest_count = 0;
	start_daemon();
	expect_holds(0, 0);
}

static void test_release_while_away(void **state)
{
	(void)state;
	assert_int_equal(run_hook("prepare", UUID_A), KW_ADMITTED);
	assert_int_equal(run_hook("prepare", UUID_B), KW_ADMITTED);
	end_daemon(SIGKILL);
	assert_int_equal(run_hook("stopped", UUID_A), KW_ADMITTED);
	assert_int_equal(run_hook("release", UUID_A), KW_ADMITTED);
	start_daemon();
	expect_holds(1, 1);
	assert_int_equal(run_hook("prepare", UUID_C), KW_ADMITTED);
}

static void test_note_while_up(void **state)
{
	size_t pending = 1;

	(void)state;
	assert_int_equal(run_hook("prepare", UUID_A), KW_ADMITTED);
	assert_int_equal(kw_release_note_leave(state_dir, UUID_A), 0);
	for (int i = 0; i < 100 && count_holds(&pending); i++)
		pause_ms(10);
	expect_holds(0, 0);
}

/* The hook runs in a child, the restart here, so that the daemon stays ours. */
static void test_hook_waits_for_a_restart(void **state)
{
	int status = 0;
	pid_t caller;

	(void)state;
	end_daemon(SIGKILL);
	caller = fork();
	if (caller == 0)
		_exit(run_hook("prepare", UUID_A) == KW_ADMITTED ? 0 : 1);
	pause_ms(300);
	start_daemon();
	waitpid(caller, &status, 0);
	assert_int_equal(status, 0);
	expect_holds(1, 1);
}

static void test_refused_while_away(void **state)
{
	uint64_t start_ns;

	(void)state;
	end_daemon(SIGTERM);
	start_ns = kw_clock_monotonic_ns();
	assert_int_equal(run_hook("prepare", UUID_A), KW_DAEMON_UNREACHABLE);
	assert_true(kw_clock_monotonic_ns() - start_ns < 2 * KW_NS_PER_S);
}

static void test_frozen_daemon(void **state)
{
	uint64_t start_ns = kw_clock_monotonic_ns();

	(void)state;
	kill(daemon_pid, SIGSTOP);
	assert_int_equal(run_hook("prepare", UUID_A), KW_DAEMON_UNREACHABLE);
	assert_true(kw_clock_monotonic_ns() - start_ns < 2 * KW_NS_PER_S);
	kill(daemon_pid, SIGCONT);
	/* Its caller has gone: nothing may be held for a guest that was refused. */
	expect_holds(0, 0);
}

/* The socket's messages are read by nobody, and in the end it takes no more. */
static void test_systemd_does_not_listen(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", state_dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	end_daemon(SIGTERM);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	start_daemon();
	expect_holds(0, 0);
	while (!kw_datagram_send(name.sun_path, "STATUS=here"))
		;
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	pause_ms(200); /* the change is told to systemd a little later */
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(end_daemon(SIGTERM), 0);
	unsetenv("NOTIFY_SOCKET");
	start_daemon();
	close(fd);
}

struct answers {
	size_t count, admitted, full;
};

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct answers *answers = userdata;
	const char *code, *sentence;

	(void)error;
	assert_true(sd_bus_message_read(reply, KW_BUS_VERDICT, &code, &sentence) > 0);
	answers->count++;
	answers->admitted += !strcmp(code, kw_code_name(KW_ADMITTED));
	answers->full += !strcmp(code, kw_code_name(KW_SLOT_FULL));
	return 0;
}

/* Raw, so that many calls can be on their way, or one be wrong. */
static sd_bus *open_raw_door(void)
{
	char address[128];
	sd_bus *bus = NULL;

	snprintf(address, sizeof(address), "unix:path=%s/door", state_dir);
	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_address(bus, address) >= 0);
	assert_true(sd_bus_start(bus) >= 0);
	return bus;
}

static void send_prepare(sd_bus *bus, unsigned int number, struct answers *answers)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *request = NULL;
	char uuid[KW_UUID_LEN + 1];
	const char *xml;

	snprintf(uuid, sizeof(uuid), "%08x-0000-4000-8000-000000000000", number);
	xml = fake_domain("g", uuid, FAKE_SEV);
	assert_true(sd_bus_message_new_method_call(bus, &request, KW_BUS_NAME, KW_BUS_PATH,
						   KW_BUS_INTERFACE, "Hook") >= 0);
	assert_true(sd_bus_message_append(request, "ssss", "g", "prepare", "begin", "-") >= 0);
	assert_true(sd_bus_message_append_array(request, 'y', xml, strlen(xml)) >= 0);
	assert_true(sd_bus_call_async(bus, NULL, request, on_answer, answers, UINT64_MAX) >= 0);
}

/* They are there when it looks: none is lost, and none is decided on what was before it. */
static void test_many_calls_at_once(void **state)
{
	struct answers answers = {};
	unsigned int looks;
	sd_bus *bus = open_raw_door();

	(void)state;
	assert_true(sd_bus_flush(bus) >= 0);	/* let in */
	kill(daemon_pid, SIGSTOP);
	for (unsigned int number = 0; number < 20; number++)
		send_prepare(bus, number, &answers);
	assert_true(sd_bus_flush(bus) >= 0);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	looks = fake->looks;
	kill(daemon_pid, SIGCONT);
	while (answers.count < 20)
		assert_true(sd_bus_process(bus, NULL) > 0 || sd_bus_wait(bus, 5000000) > 0);
	sd_bus_flush_close_unref(bus);
	assert_true(fake->looks - looks <= 5);	/* one, on a machine that is not busy */
	assert_int_equal(answers.admitted, 1);
	assert_int_equal(answers.full, 19);
	expect_holds(1, 1);
}

static void test_facts_unknown(void **state)
{
	(void)state;
	fake->known = false;
	assert_int_equal(run_hook("prepare", UUID_A), KW_FACTS_UNKNOWN);
	assert_int_equal(call_hook("prepare", UUID_A, ""), KW_ADMITTED);
	fake->known = true;
	assert_int_equal(run_hook("prepare", UUID_A), KW_ADMITTED);
}

static void test_who_differs_is_told(void **state)
{
	struct kw_bus *bus = open_bus();
	struct kw_hold_list list = {};

	(void)state;
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	fake_guest_add(UUID_A, KW_GUEST_SEV, 100);
	assert_int_equal(call_hook("started", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_bus_differing(bus, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.holds[0].claim.uuid, UUID_A);
	assert_int_equal(list.holds[0].pid, 100);
	assert_true(list.holds[0].claim.pinned_bytes > 256 * KW_MIB);
	free(list.holds);
	kw_bus_close(bus);
}

static void test_memory_is_told(void **state)
{
	struct kw_bus *bus = open_bus();
	struct kw_memory_status memory = {};

	(void)state;
	fake->huge = (struct kw_huge_pools){ .known = true, .count = 1, .pools = {
		{ .page_bytes = 2 * KW_MIB, .total_pages = 9, .free_pages = 7, .reserved_pages = 2 } } };
	fake_guest_add(UUID_A, KW_GUEST_PLAIN, 100);
	assert_int_equal(call_hook("prepare", UUID_B, ""), KW_ADMITTED);
	assert_int_equal(kw_bus_memory(bus, &memory), 0);
	assert_true(memory.known && memory.room.guests_known && memory.room.free_bytes.known);
	assert_int_equal(memory.room.total_bytes.value, 64 * KW_GIB);
	assert_int_equal(memory.room.reserve_bytes, 512 * KW_MIB);
	assert_int_equal(memory.room.encrypted_bytes, 0);
	assert_int_equal(memory.room.plain_bytes, 256 * KW_MIB);
	assert_int_equal(memory.room.pending_bytes, 256 * KW_MIB);
	assert_int_equal(memory.room.waiting_bytes, 0);
	assert_int_equal(memory.room.free_bytes.value, 63 * KW_GIB);
	assert_int_equal(memory.pool_count, 1);
	assert_int_equal(memory.pools[0].promised_pages, 2);
	assert_int_equal(memory.pools[0].free_pages, 5);
	fake->known = false;
	call_hook("prepare", UUID_B, "");
	assert_int_equal(kw_bus_memory(bus, &memory), 0);
	assert_false(memory.room.guests_known || memory.room.free_bytes.known);
	kw_bus_close(bus);
}

static void test_reload(void **state)
{
	struct kw_bus *bus = open_bus();
	struct kw_config in_force;

	(void)state;
	write_file(config, "[slots]\nsev_reserve = 1\nnum_memory_encrypted_guests = 7\n");
	assert_int_equal(kw_bus_reload(bus), 0);
	assert_int_equal(kw_bus_config(bus, &in_force), 0);
	assert_int_equal(in_force.reserve[KW_POOL_SEV], 1);
	assert_true(in_force.num_memory_encrypted_guests.known);
	assert_int_equal(in_force.num_memory_encrypted_guests.value, 7);
	assert_true(in_force.admit_plain_unasked);
	assert_false(in_force.admit_encrypted_unasked);
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_SLOT_RESERVED);

	write_file(config, "[slots]\nsev_reserve = lots\n");
	assert_int_equal(kw_bus_reload(bus), -EINVAL);
	assert_non_null(strstr(kw_bus_error(bus), "kvmward.conf:2:"));
	assert_int_equal(kw_bus_config(bus, &in_force), 0);
	assert_int_equal(in_force.reserve[KW_POOL_SEV], 1);
	kw_bus_close(bus);
}

static void test_classes_are_told(void **state)
{
	struct kw_bus *bus = open_bus();
	struct kw_class_table table = { .count = 1 };

	(void)state;
	assert_int_equal(kw_bus_classes(bus, &table), 0);
	assert_int_equal(table.count, 0);
	write_file(config, "[class gold]\nsev_reserve = 1\nmemory_limit_mb = 1024\n");
	assert_int_equal(kw_bus_reload(bus), 0);
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_CLASS_RESERVED);
	assert_int_equal(kw_bus_classes(bus, &table), 0);
	assert_int_equal(table.count, 6);
	assert_string_equal(table.uses[0].class_name, "gold");
	assert_int_equal(table.uses[0].reserve, 1);
	assert_false(table.uses[0].limit.known);
	assert_string_equal(table.uses[1].class_name, "");
	assert_int_equal(table.uses[1].used, 1);
	assert_int_equal(table.uses[3].pool, KW_POOL_SEV_ES);
	assert_int_equal(table.uses[4].thing, KW_CLASS_MEMORY);
	assert_int_equal(table.uses[4].limit.value, 1024 * KW_MIB);
	kw_bus_close(bus);
}

static void test_hangup_reloads(void **state)
{
	struct kw_config in_force = {};
	struct kw_bus *bus = open_bus();

	(void)state;
	write_file(config, "[slots]\nsev_es_reserve = 1\n");
	kill(daemon_pid, SIGHUP);
	for (int i = 0; i < 100 && !in_force.reserve[KW_POOL_SEV_ES]; i++) {
		pause_ms(10);
		assert_int_equal(kw_bus_config(bus, &in_force), 0);
	}
	assert_int_equal(in_force.reserve[KW_POOL_SEV_ES], 1);
	assert_false(in_force.num_memory_encrypted_guests.known);
	kw_bus_close(bus);
}

static void test_ends_and_starts(void **state)
{
	int status;
	pid_t second;

	(void)state;
	second = spawn_daemon(); /* the ledger is taken */
	waitpid(second, &status, 0);
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	assert_true(is_up());
	assert_int_equal(end_daemon(SIGTERM), 0);
	write_file(config, "nonsense\n");
	second = spawn_daemon();
	waitpid(second, &status, 0);
	assert_int_equal(WEXITSTATUS(status), KW_EXIT_CONFIG);
}

static enum kw_code plan(const char *xml)
{
	struct kw_bus *bus = open_bus();
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	assert_int_equal(kw_bus_plan(bus, xml, &verdict), 0);
	kw_bus_close(bus);
	return verdict.code;
}

/* A domain of `length` bytes, most of them a comment. */
static char *big_domain(size_t length)
{
	const char *domain = fake_domain("g", UUID_A, FAKE_SEV);
	size_t rest = length - strlen(domain);
	char *xml = malloc(length + 1);

	memcpy(xml, "<!--", 4);
	memset(xml + 4, 'x', rest - 7);
	memcpy(xml + rest - 3, "-->", 3);
	strcpy(xml + rest, domain);
	return xml;
}

static void test_sizes_and_encodings(void **state)
{
	char *most = big_domain(KW_DOMAIN_XML_MAX), *more = big_domain(KW_DOMAIN_XML_MAX + 1);

	(void)state;
	assert_int_equal(plan(most), KW_ADMITTED);
	assert_int_equal(plan(more), KW_XML_INVALID);
	assert_int_equal(plan(""), KW_XML_INVALID);
	assert_int_equal(plan("<domain type='kvm'><name>\xe4\xff</name></domain>"),
			 KW_XML_INVALID);
	assert_true(is_up());
	free(most);
	free(more);
}

static void test_bad_name_does_not_break_the_call(void **state)
{
	struct kw_bus *bus = open_door();
	struct kw_verdict verdict;

	(void)state;
	assert_int_equal(kw_bus_hook(bus, "g\xff", "prepare", "\xc3", "-",
				     fake_domain("g", UUID_A, ""), &verdict), 0);
	assert_int_equal(verdict.code, KW_ADMITTED);
	kw_bus_close(bus);
}

static void expect_refused(sd_bus *bus, const char *method, const char *types)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	assert_true(sd_bus_call_method(bus, KW_BUS_NAME, KW_BUS_PATH, KW_BUS_INTERFACE, method,
				       &error, NULL, types, "x") < 0);
	assert_true(sd_bus_error_is_set(&error));
	sd_bus_error_free(&error);
}

static void test_wrong_types_are_refused(void **state)
{
	sd_bus *bus = NULL, *door = open_raw_door();

	(void)state;
	assert_true(sd_bus_open_system(&bus) >= 0);
	expect_refused(bus, "Plan", "s");
	expect_refused(bus, "Wait", "s");
	expect_refused(bus, "Nothing", "");
	expect_refused(door, "Hook", "");
	expect_refused(door, "Hook", "s");
	expect_refused(door, "Plan", "s");
	sd_bus_flush_close_unref(bus);
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	sd_bus_flush_close_unref(door);
	assert_true(is_up());
}

/* More than are let in at once: the others wait until one has gone. */
static void test_many_visitors(void **state)
{
	struct kw_bus *visitors[300];

	(void)state;
	for (size_t i = 0; i < 300; i++)
		visitors[i] = open_door();
	for (size_t i = 0; i < 300; i++)
		kw_bus_close(visitors[i]);
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	expect_holds(1, 1);
}

static void test_many_clients(void **state)
{
	struct kw_bus *clients[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		clients[i] = open_bus();
	for (size_t i = 0; i < 100; i++) {
		struct kw_config ignored;

		assert_int_equal(kw_bus_config(clients[i], &ignored), 0);
	}
	for (size_t i = 0; i < 100; i++)
		kw_bus_close(clients[i]);
	assert_true(is_up());
}

static struct kw_refusal heard;

static void hear_refusal(const struct kw_refusal *refusal, void *data)
{
	*(struct kw_refusal *)data = *refusal;
}

static bool hear_change(struct kw_bus *bus)
{
	for (int i = 0; i < 100; i++) {
		struct pollfd wait = { .fd = kw_bus_fd(bus), .events = POLLIN };

		if (kw_bus_changed(bus))
			return true;
		poll(&wait, 1, 10);
	}
	return false;
}

static void test_changes_are_signalled(void **state)
{
	struct kw_bus *bus = open_bus();

	(void)state;
	assert_int_equal(kw_bus_subscribe(bus, NULL, NULL), 0);
	hear_change(bus); /* of the start, perhaps */
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_true(hear_change(bus));
	pause_ms(100);
	assert_false(kw_bus_changed(bus));
	kw_bus_close(bus);
}

static void test_refusals_are_signalled(void **state)
{
	struct kw_bus *bus = open_bus();

	(void)state;
	memset(&heard, 0, sizeof(heard));
	assert_int_equal(kw_bus_subscribe(bus, hear_refusal, &heard), 0);
	hear_change(bus);
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	hear_change(bus);
	assert_string_equal(heard.name, "");
	assert_int_equal(call_hook("prepare", UUID_C, FAKE_SEV), KW_SLOT_FULL);
	for (int i = 0; i < 100 && !*heard.name; i++) {
		kw_bus_changed(bus);
		pause_ms(10);
	}
	assert_string_equal(heard.name, "g");
	assert_string_equal(heard.uuid, UUID_C);
	assert_int_equal(heard.verdict.code, KW_SLOT_FULL);
	assert_true(kw_text_starts(heard.verdict.sentence, "no SEV slot is free"));
	kw_bus_close(bus);
}

/* Whoever listens hears as well that the daemon itself comes and goes. */
static void test_its_end_is_heard(void **state)
{
	struct kw_bus *bus = open_bus();

	(void)state;
	assert_int_equal(kw_bus_subscribe(bus, NULL, NULL), 0);
	hear_change(bus);
	end_daemon(SIGKILL);
	assert_true(hear_change(bus));
	start_daemon();
	assert_true(hear_change(bus));
	kw_bus_close(bus);
}

static void test_hearing_is_told(void **state)
{
	struct kw_hearing_state hearing = { .from = KW_HEARING_SLOTS };
	struct kw_bus *bus = open_bus();

	(void)state;
	assert_int_equal(kw_bus_hearing(bus, &hearing), 0);
	assert_int_equal(hearing.from, KW_HEARING_TIMER);
	assert_string_equal(hearing.reason, "KVM's uevents cannot be heard");
	kw_bus_close(bus);
}

static void see_place(const struct kw_place *place, void *data)
{
	*(struct kw_place *)data = *place;
}

/*
 * Another process that waits for a guest of this UUID, for 10 s at most, and when
 * admitted runs libvirt's hook if it is told to. Exits with the verdict's code, or
 * with 100 and more for an error.
 */
static pid_t spawn_waiter(const char *uuid, bool starts)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	struct kw_place place = {};
	struct kw_bus *bus = NULL;
	pid_t pid = fork();
	int r;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	r = kw_bus_open(kw_clock_monotonic_ns() + 10 * KW_NS_PER_S, &bus);
	if (!r)
		r = kw_bus_wait(bus, fake_domain("g", uuid, FAKE_SEV), -1, see_place, &place,
				&verdict);
	if (!r && place.place != 1)
		_exit(100);
	if (!r && starts)
		verdict.code = call_hook("prepare", uuid, FAKE_SEV);
	_exit(r ? 100 - r : (int)verdict.code);
}

static size_t count_waiting(void)
{
	struct kw_bus *bus = open_bus();
	struct kw_waiter_list list = {};
	size_t count;

	assert_int_equal(kw_bus_waiting(bus, &list), 0);
	kw_bus_close(bus);
	count = list.count;
	free(list.waiters);
	return count;
}

static void expect_waiting(size_t count)
{
	for (int i = 0; i < 200 && count_waiting() != count; i++)
		pause_ms(10);
	assert_int_equal(count_waiting(), count);
}

static int exit_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fill_slots(void)
{
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(call_hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
}

static void test_waiting_is_answered(void **state)
{
	pid_t waiter;

	(void)state;
	fill_slots();
	waiter = spawn_waiter(UUID_C, true);
	expect_waiting(1);
	assert_int_equal(waitpid(waiter, NULL, WNOHANG), 0);
	assert_int_equal(call_hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(exit_of(waiter), KW_ADMITTED);
	expect_waiting(0);
	expect_holds(2, 2);
}

static void test_client_goes(void **state)
{
	pid_t waiter;

	(void)state;
	fill_slots();
	waiter = spawn_waiter(UUID_C, false);
	expect_waiting(1);
	kill(waiter, SIGKILL);
	waitpid(waiter, NULL, 0);
	expect_waiting(0);
	/* and one that is admitted, but starts nothing */
	waiter = spawn_waiter(UUID_C, false);
	expect_waiting(1);
	assert_int_equal(call_hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(exit_of(waiter), KW_ADMITTED);
	for (int i = 0; i < 200; i++) {
		size_t pending;

		if (count_holds(&pending) == 1)
			break;
		pause_ms(10);
	}
	expect_holds(1, 1);
}

static void test_waiting_has_limits(void **state)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	struct kw_place place = {};
	struct kw_bus *bus = NULL;
	int fds[2];

	(void)state;
	fill_slots();
	assert_int_equal(kw_bus_open(kw_clock_monotonic_ns() + KW_NS_PER_S / 2, &bus), 0);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_C, FAKE_SEV), -1, see_place, &place,
				     &verdict), -ETIMEDOUT);
	kw_bus_close(bus);
	assert_int_equal(place.place, 1);
	assert_int_equal(place.count, 1);
	assert_int_equal(place.verdict.code, KW_SLOT_FULL);
	expect_waiting(0);

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(kw_bus_open(0, &bus), 0);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_C, FAKE_SEV), fds[0], NULL, NULL,
				     &verdict), -ECANCELED);
	kw_bus_close(bus);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(verdict.code, KW_CODE_COUNT);
	expect_waiting(0);
}

/* The restart is a child's, so that the daemon ends up ours. */
static void test_waiting_over_a_restart(void **state)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };
	struct kw_bus *bus = NULL;
	pid_t killer;

	(void)state;
	fill_slots();
	assert_int_equal(kw_bus_open(kw_clock_monotonic_ns() + 10 * KW_NS_PER_S, &bus), 0);
	killer = fork();
	if (killer == 0) {
		expect_waiting(1);
		kill(daemon_pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_C, FAKE_SEV), -1, NULL, NULL,
				     &verdict), -ENXIO);
	waitpid(killer, NULL, 0);
	assert_int_equal(kw_bus_await(bus, -1), 0); /* that it is gone, */
	waitpid(daemon_pid, NULL, 0);
	start_daemon();
	assert_int_equal(kw_bus_await(bus, -1), 0); /* and that it is back */
	assert_int_equal(call_hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(kw_bus_wait(bus, fake_domain("g", UUID_C, FAKE_SEV), -1, NULL, NULL,
				     &verdict), 0);
	assert_int_equal(verdict.code, KW_ADMITTED);
	expect_holds(2, 2);
	kw_bus_close(bus);
}

/* This host has no cgroups: that is told, and no reason to refuse anything. */
static void test_walls_are_told(void **state)
{
	struct kw_bus *bus = open_bus();
	struct kw_walls_status walls = {};

	(void)state;
	assert_int_equal(kw_bus_walls(bus, &walls), 0);
	assert_true(walls.known);
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++) {
		assert_int_equal(walls.wall[wall].state, KW_WALL_MISSING);
		assert_non_null(strstr(walls.wall[wall].reason, "cgroup v2"));
		assert_false(walls.wall[wall].limit.known);
	}
	assert_int_equal(call_hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	write_file(config, "[walls]\nmisc_max = no\n");
	assert_int_equal(kw_bus_reload(bus), 0);
	assert_int_equal(kw_bus_walls(bus, &walls), 0);
	assert_int_equal(walls.wall[KW_WALL_SEV].state, KW_WALL_OFF);
	assert_string_equal(walls.wall[KW_WALL_SEV].reason, "");
	assert_int_equal(walls.wall[KW_WALL_MEMORY].state, KW_WALL_MISSING);
	kw_bus_close(bus);
}

static void test_plans(void **state)
{
	const char *xmls[KW_BUS_PLANS_MAX + 1];
	struct kw_verdict verdicts[3] = {};
	struct kw_bus *bus = open_bus();

	(void)state;
	for (size_t i = 0; i < KW_BUS_PLANS_MAX + 1; i++)
		xmls[i] = "<domain/>";
	xmls[0] = fake_domain("g", UUID_A, FAKE_SEV);
	assert_int_equal(kw_bus_plan_all(bus, xmls, 0, verdicts), 0);
	assert_int_equal(kw_bus_plan_all(bus, xmls, 2, verdicts), 0);
	assert_int_equal(verdicts[0].code, KW_ADMITTED);
	assert_int_equal(verdicts[1].code, KW_XML_INVALID);
	assert_int_equal(verdicts[2].code, 0);
	assert_true(kw_bus_plan_all(bus, xmls, KW_BUS_PLANS_MAX + 1, NULL) < 0);
	expect_holds(0, 0);
	kw_bus_close(bus);
}

static enum kw_code plan_plain(struct kw_bus *bus)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	assert_int_equal(kw_bus_plan(bus, fake_domain("g", UUID_B, ""), &verdict), 0);
	return verdict.code;
}

static void test_draining(void **state)
{
	struct kw_bus *bus = open_bus();
	bool draining = true;
	pid_t waiter;

	(void)state;
	assert_int_equal(kw_bus_draining(bus, &draining), 0);
	assert_false(draining);
	fill_slots();
	waiter = spawn_waiter(UUID_C, false);
	expect_waiting(1);
	assert_int_equal(kw_bus_drain(bus, true), 0);
	assert_int_equal(exit_of(waiter), KW_HOST_DRAINING);
	assert_int_equal(kw_bus_draining(bus, &draining), 0);
	assert_true(draining);
	assert_int_equal(plan_plain(bus), KW_HOST_DRAINING);

	end_daemon(SIGKILL);
	assert_int_equal(run_hook("prepare", UUID_A), KW_HOST_DRAINING); /* that looks itself */
	start_daemon();
	assert_int_equal(plan_plain(bus), KW_HOST_DRAINING);
	assert_int_equal(kw_bus_drain(bus, false), 0);
	assert_int_equal(plan_plain(bus), KW_ADMITTED);
	kw_bus_close(bus);
}

static void test_nobody_home(void **state)
{
	struct kw_bus *bus;
	struct kw_config ignored;

	(void)state;
	end_daemon(SIGTERM);
	bus = open_bus();
	assert_int_equal(kw_bus_config(bus, &ignored), -ENXIO);
	assert_true(kw_bus_error(bus)[0]);
	kw_bus_close(bus);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_admits_until_full),
		TEST(test_holds_are_told_whole),
		TEST(test_killed_between_hold_and_start),
		TEST(test_killed_between_start_and_release),
		TEST(test_release_while_away),
		TEST(test_note_while_up),
		TEST(test_hook_waits_for_a_restart),
		TEST(test_refused_while_away),
		TEST(test_frozen_daemon),
		TEST(test_systemd_does_not_listen),
		TEST(test_many_calls_at_once),
		TEST(test_facts_unknown),
		TEST(test_who_differs_is_told),
		TEST(test_memory_is_told),
		TEST(test_reload),
		TEST(test_classes_are_told),
		TEST(test_hangup_reloads),
		TEST(test_ends_and_starts),
		TEST(test_sizes_and_encodings),
		TEST(test_bad_name_does_not_break_the_call),
		TEST(test_wrong_types_are_refused),
		TEST(test_many_visitors),
		TEST(test_many_clients),
		TEST(test_changes_are_signalled),
		TEST(test_refusals_are_signalled),
		TEST(test_its_end_is_heard),
		TEST(test_hearing_is_told),
		TEST(test_waiting_is_answered),
		TEST(test_client_goes),
		TEST(test_waiting_has_limits),
		TEST(test_waiting_over_a_restart),
		TEST(test_walls_are_told),
		TEST(test_plans),
		TEST(test_draining),
		TEST(test_nobody_home),
	};

	fake_host_open();
	return cmocka_run_group_tests(tests, start_bus, stop_bus);
}
