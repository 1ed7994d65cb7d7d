/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "tests/tree.h"

#define UUID_A "aaaaaaaa-0000-0000-0000-000000000001"
#define UUID_B "bbbbbbbb-0000-0000-0000-000000000002"
#define UUID_C "cccccccc-0000-0000-0000-000000000003"
#define TIMEOUT 60

KW_CLEANUP_OF(struct kw_ledger, kw_ledger_close);
#define _cleanup_ledger_ _cleanup_(kw_ledger_close_at)

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kw-ledger-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return tree_remove(dir);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(kw_file_write(in_dir(name), text, strlen(text), 0600), 0);
}

static bool there(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

static struct kw_ledger *open_ledger(void)
{
	struct kw_ledger *ledger = NULL;
	bool damaged = true;

	assert_int_equal(kw_ledger_open(dir, &ledger, &damaged), 0);
	assert_false(damaged);
	return ledger;
}

static struct kw_claim claim_for(const char *uuid, enum kw_guest_type type)
{
	struct kw_claim claim = { .name = "gu\"est \xc3\xa4", .class_name = "gold", .type = type,
				  .memory_bytes = 1ull << 30, .pinned_bytes = 1ull << 30,
				  .plug_bytes = 1ull << 40,
				  .huge = { { 0, 1ull << 30 }, { 1ull << 30, 1ull << 31 } },
				  .bound = { { 1ull << 63, 1ull << 20 }, { 3, 1 } },
				  .memlock_bytes = UINT64_MAX, .ceiling_bytes = 1ull << 63 };

	kw_text_copy(claim.uuid, sizeof(claim.uuid), uuid);
	return claim;
}

static void take_at(struct kw_ledger *ledger, const char *uuid, enum kw_guest_type type,
		    uint64_t now_ns)
{
	struct kw_claim claim = claim_for(uuid, type);

	assert_int_equal(kw_ledger_take(ledger, &claim, now_ns), 0);
}

static const struct kw_hold *hold_of(const struct kw_ledger *ledger, const char *uuid)
{
	const struct kw_hold_list *list = kw_ledger_holds(ledger);

	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->holds[i].claim.uuid, uuid))
			return &list->holds[i];
	return NULL;
}

static size_t count_of(const struct kw_ledger *ledger)
{
	return kw_ledger_holds(ledger)->count;
}

static void starts_empty_and_alone(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	struct kw_ledger *second = (struct kw_ledger *)1;
	bool damaged;

	(void)state;
	assert_int_equal(count_of(ledger), 0);
	assert_int_equal(kw_ledger_open(dir, &second, &damaged), -EBUSY);
	assert_ptr_equal(second, (struct kw_ledger *)1);
}

static void makes_its_directory(void **state)
{
	struct kw_ledger *ledger = NULL;
	char path[128];
	bool damaged;

	(void)state;
	snprintf(path, sizeof(path), "%s/deeper", dir);
	assert_int_equal(kw_ledger_open(path, &ledger, &damaged), 0);
	kw_ledger_close(ledger);
	assert_int_equal(kw_ledger_open("/proc/no/such", &ledger, &damaged), -ENOENT);
	kw_ledger_close(NULL);
}

static void gives_the_same_holds_after_reopening(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	_cleanup_free_ struct kw_hold *before = calloc(3, sizeof(*before));

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	take_at(ledger, UUID_B, KW_GUEST_SNP, UINT64_MAX);
	take_at(ledger, UUID_C, KW_GUEST_PLAIN, 0);
	memcpy(before, kw_ledger_holds(ledger)->holds, 3 * sizeof(*before));
	kw_ledger_close(ledger);
	ledger = open_ledger();
	assert_int_equal(count_of(ledger), 3);
	assert_memory_equal(kw_ledger_holds(ledger)->holds, before, 3 * sizeof(*before));
}

/* What is said of a hold stays said, in the ledger and over a restart; nothing else changes. */
static void notes_are_kept(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	struct kw_hold before, hold;

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 10);
	take_at(ledger, UUID_B, KW_GUEST_SEV, 20);
	before = hold = *hold_of(ledger, UUID_B);
	hold.started = hold.differs = before.started = before.differs = true;
	hold.pid = 4711;
	hold.claim.pinned_bytes = 0;
	assert_int_equal(kw_ledger_note(ledger, &hold), 0);
	assert_memory_equal(hold_of(ledger, UUID_B), &before, sizeof(before));
	assert_false(hold_of(ledger, UUID_A)->started);
	kw_ledger_close(ledger);
	ledger = open_ledger();
	assert_memory_equal(hold_of(ledger, UUID_B), &before, sizeof(before));
	/* of a run before this one, or of none */
	hold.taken_ns = 19;
	assert_int_equal(kw_ledger_note(ledger, &hold), -ENOENT);
	assert_int_equal(kw_ledger_release(ledger, UUID_B), 0);
	assert_int_equal(kw_ledger_note(ledger, &before), -ENOENT);
	/* of a new run nothing is known */
	take_at(ledger, UUID_B, KW_GUEST_SEV, 30);
	assert_false(hold_of(ledger, UUID_B)->started || hold_of(ledger, UUID_B)->differs);
}

/* Of a kvmwardd that knew of no classes, and did not compare what guests pin. */
static void reads_holds_without_a_class(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = NULL;

	(void)state;
	put("ledger.json", "{\"version\":1,\"holds\":[{\"uuid\":\"" UUID_A "\",\"name\":\"a\","
			   "\"type\":\"sev\",\"memory_bytes\":1,\"pinned_bytes\":1,"
			   "\"memlock_bytes\":1,\"ceiling_bytes\":1,\"taken_ns\":1,\"pid\":0,"
			   "\"start_time_ns\":0}]}");
	ledger = open_ledger();
	assert_int_equal(count_of(ledger), 1);
	assert_string_equal(hold_of(ledger, UUID_A)->claim.class_name, "");
	assert_int_equal(hold_of(ledger, UUID_A)->claim.plug_bytes, 0);
	assert_int_equal(hold_of(ledger, UUID_A)->claim.huge[0].bytes, 0);
	assert_int_equal(hold_of(ledger, UUID_A)->claim.bound[0].bytes, 0);
	assert_false(hold_of(ledger, UUID_A)->started || hold_of(ledger, UUID_A)->differs);
}

static void one_hold_per_uuid(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	struct kw_claim claim = claim_for("AAAAAAAA-0000-0000-0000-000000000001", KW_GUEST_SEV_ES);

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 10);
	assert_int_equal(kw_ledger_take(ledger, &claim, 20), 0);
	assert_int_equal(count_of(ledger), 1);
	assert_int_equal(hold_of(ledger, UUID_A)->claim.type, KW_GUEST_SEV_ES);
	assert_int_equal(hold_of(ledger, UUID_A)->taken_ns, 20);
}

static void a_new_hold_outlives_the_note_of_the_last_run(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();

	(void)state;
	assert_int_equal(kw_release_note_leave(dir, UUID_B), 0);
	take_at(ledger, UUID_A, KW_GUEST_SEV, 10);
	assert_int_equal(kw_release_note_leave(dir, UUID_A), 0);
	take_at(ledger, UUID_A, KW_GUEST_SEV, 20);
	take_at(ledger, UUID_C, KW_GUEST_SEV, 20);
	assert_int_equal(kw_ledger_take_release_notes(ledger), 0);
	assert_non_null(hold_of(ledger, UUID_A));
}

static void refuses_what_is_no_uuid(void **state)
{
	static const char *const bad[] = { "", "guest", "../../etc/passwd",
					   "aaaaaaaa-0000-0000-0000-00000000000g" };
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct kw_claim claim = claim_for(bad[i], KW_GUEST_SEV);

		assert_int_equal(kw_ledger_take(ledger, &claim, 1), -EINVAL);
		assert_int_equal(kw_ledger_release(ledger, bad[i]), -EINVAL);
		assert_int_equal(kw_release_note_leave(dir, bad[i]), -EINVAL);
	}
	assert_int_equal(count_of(ledger), 0);
	assert_false(there("ledger.json"));
}

static void release_can_be_repeated(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	take_at(ledger, UUID_B, KW_GUEST_SEV, 1);
	assert_int_equal(kw_ledger_release(ledger, UUID_A), 0);
	assert_int_equal(kw_ledger_release(ledger, UUID_A), 0);
	assert_int_equal(kw_ledger_release(ledger, UUID_C), 0);
	assert_int_equal(count_of(ledger), 1);
	kw_ledger_close(ledger);
	ledger = open_ledger();
	assert_int_equal(count_of(ledger), 1);
	assert_non_null(hold_of(ledger, UUID_B));
}

/* A directory in the way of the new file: saving fails even for root. */
static void what_cannot_be_saved_did_not_happen(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	struct kw_claim claim = claim_for(UUID_B, KW_GUEST_SEV);

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	assert_int_equal(kw_release_note_leave(dir, UUID_A), 0);
	assert_int_equal(mkdir(in_dir("ledger.json.tmp"), 0700), 0);
	assert_int_equal(kw_ledger_take(ledger, &claim, 2), -EISDIR);
	assert_int_equal(kw_ledger_release(ledger, UUID_A), -EISDIR);
	assert_int_equal(kw_ledger_take_release_notes(ledger), -EISDIR);
	assert_int_equal(count_of(ledger), 1);
	assert_non_null(hold_of(ledger, UUID_A));
	assert_true(there("released/" UUID_A));
	assert_int_equal(rmdir(in_dir("ledger.json.tmp")), 0);
	assert_int_equal(kw_ledger_take_release_notes(ledger), 0);
	assert_int_equal(count_of(ledger), 0);
	assert_false(there("released/" UUID_A));
}

/* The child may write so many bytes, and is then killed in the middle of the write. */
static void take_and_die_after(size_t bytes)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		const struct rlimit none = { 0, 0 }, limit = { bytes, bytes };
		struct kw_claim claim = claim_for(UUID_B, KW_GUEST_SEV);
		struct kw_ledger *ledger;
		bool damaged;

		if (kw_ledger_open(dir, &ledger, &damaged))
			_exit(1);
		signal(SIGXFSZ, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(kw_ledger_take(ledger, &claim, 2) ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGXFSZ : WEXITSTATUS(status) == 0);
}

static void survives_a_crash_at_any_byte_of_a_write(void **state)
{
	bool old = false, whole = false;

	(void)state;
	for (size_t bytes = 0; bytes < 2500; bytes += 61) {
		_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();

		assert_int_equal(kw_ledger_release(ledger, UUID_B), 0);
		take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
		kw_ledger_close(KW_STEAL(ledger));
		take_and_die_after(bytes);
		ledger = open_ledger();
		assert_non_null(hold_of(ledger, UUID_A));
		*(hold_of(ledger, UUID_B) ? &whole : &old) = true;
		assert_int_equal(count_of(ledger), hold_of(ledger, UUID_B) ? 2 : 1);
	}
	assert_true(old && whole);
}

static void expect_damaged(void)
{
	struct kw_ledger *ledger = NULL;
	bool damaged = false;

	assert_int_equal(kw_ledger_open(dir, &ledger, &damaged), 0);
	assert_true(damaged);
	assert_int_equal(count_of(ledger), 0);
	assert_true(there("ledger.bad"));
	assert_false(there("ledger.json"));
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	kw_ledger_close(ledger);
}

static void sets_a_truncated_file_aside(void **state)
{
	struct kw_ledger *ledger = open_ledger();
	_cleanup_free_ char *text = NULL;
	size_t length;

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	kw_ledger_close(ledger);
	assert_int_equal(kw_file_read(in_dir("ledger.json"), 1 << 20, &text, &length), 0);
	for (size_t cut = 0; cut < length; cut += 11) {
		assert_int_equal(kw_file_write(in_dir("ledger.json"), text, cut, 0600), 0);
		expect_damaged();
	}
}

#define HOLD(uuid, type, taken, pid)                                                               \
	"{\"uuid\":\"" uuid "\",\"name\":\"n\",\"type\":\"" type "\",\"memory_bytes\":1,"          \
	"\"pinned_bytes\":1,\"memlock_bytes\":1,\"ceiling_bytes\":1,\"taken_ns\":" taken ","       \
	"\"pid\":" pid ",\"start_time_ns\":0}"
#define FILE_OF(version, holds) "{\"version\":" version ",\"holds\":[" holds "]}"

static void sets_a_file_of_another_kind_aside(void **state)
{
	static const char *const bad[] = {
		"null",
		"[]",
		"{}",
		"\xff\xfe garbage",
		FILE_OF("2", ""),
		FILE_OF("\"1\"", ""),
		FILE_OF("1", "") " x",
		FILE_OF("1", "") "{}",
		"{\"version\":1,\"holds\":{}}",
		FILE_OF("1", "null"),
		FILE_OF("1", "{}"),
		FILE_OF("1", HOLD("../../../etc", "sev", "1", "0")),
		FILE_OF("1", HOLD(UUID_A "0", "sev", "1", "0")),
		FILE_OF("1", HOLD(UUID_A, "tdx", "1", "0")),
		FILE_OF("1", HOLD(UUID_A, "sev", "-1", "0")),
		FILE_OF("1", HOLD(UUID_A, "sev", "1.5", "0")),
		FILE_OF("1", HOLD(UUID_A, "sev", "1", "-1")),
		FILE_OF("1", HOLD(UUID_A, "sev", "1", "2147483648")),
		FILE_OF("1", HOLD(UUID_A, "sev", "true", "0")),
		FILE_OF("1", HOLD(UUID_A, "sev", "1", "0") "," HOLD(UUID_A, "sev", "1", "0")),
		"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put("ledger.json", bad[i]);
		expect_damaged();
	}
	/* the frame of these is sound */
	put("ledger.json", FILE_OF("1", HOLD(UUID_A, "sev-es", "7", "8")));
	kw_ledger_close(open_ledger());
}

/* What one hold becomes, seen against one world. */
enum outcome { STAYS, CONFIRMED, ENDS };

#define NOW (1000 * 1000000000ull)
#define OLD (NOW - 61 * 1000000000ull)
#define TIMEOUT_NS (TIMEOUT * 1000000000ull)

static const struct kw_u64 unknown_time = { 0 };

static void reconcile_row(enum kw_guest_type type, uint64_t taken_ns, const struct kw_guest *guest,
			  size_t processes, enum outcome wanted)
{
	struct kw_guest_list guests = { true, (struct kw_guest *)guest, guest ? 1 : 0 };
	char uuids[][KW_UUID_LEN + 1] = { UUID_A, UUID_A };
	struct kw_uuid_list list = { uuids, processes };
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	bool changed = wanted == STAYS;
	const struct kw_hold *hold;

	assert_int_equal(kw_ledger_release(ledger, UUID_A), 0);
	take_at(ledger, UUID_A, type, taken_ns);
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, &list, NOW, TIMEOUT_NS, &changed), 0);
	assert_int_equal(changed, wanted != STAYS);
	kw_ledger_close(ledger);
	ledger = open_ledger();
	hold = hold_of(ledger, UUID_A);
	assert_int_equal(hold == NULL, wanted == ENDS);
	if (hold)
		assert_int_equal(hold->pid, wanted == CONFIRMED ? guest->pid : 0);
}

static void pending_holds_follow_the_world(void **state)
{
	static const struct kw_guest sev = { .pid = 7, .type = { true, KW_GUEST_SEV },
					     .start_time_ns = { true, NOW }, .uuid = UUID_A };
	struct kw_guest plain = sev, mirror = sev, orphan = sev, other = sev, older = sev,
			timeless = sev, unknown = sev, es = sev;

	(void)state;
	plain.type = KW_U32(KW_GUEST_PLAIN);
	mirror.mirror = true;
	orphan.orphan = true;
	strcpy(other.uuid, UUID_B);
	older.start_time_ns = KW_U64(OLD - 1);
	timeless.start_time_ns = unknown_time;
	unknown.type.known = false;
	es.type = KW_U32(KW_GUEST_SEV_ES);

	reconcile_row(KW_GUEST_SEV, NOW, NULL, 0, STAYS);
	reconcile_row(KW_GUEST_SEV, NOW, &sev, 1, CONFIRMED);
	reconcile_row(KW_GUEST_SEV, NOW, &timeless, 1, CONFIRMED);
	reconcile_row(KW_GUEST_SEV, NOW, &es, 1, CONFIRMED);
	/* it runs, but has no slot yet, however long that takes */
	reconcile_row(KW_GUEST_SEV, OLD, &plain, 1, STAYS);
	reconcile_row(KW_GUEST_SEV, OLD, &unknown, 1, STAYS);
	reconcile_row(KW_GUEST_SEV, OLD, NULL, 1, STAYS);
	reconcile_row(KW_GUEST_PLAIN, NOW, &plain, 1, CONFIRMED);
	/* these are not the guest that was admitted */
	reconcile_row(KW_GUEST_SEV, NOW, &older, 1, STAYS);
	reconcile_row(KW_GUEST_SEV, NOW, &mirror, 1, STAYS);
	reconcile_row(KW_GUEST_SEV, NOW, &orphan, 1, STAYS);
	reconcile_row(KW_GUEST_SEV, NOW, &other, 1, STAYS);
	/* nobody came */
	reconcile_row(KW_GUEST_SEV, NOW - TIMEOUT_NS, NULL, 0, STAYS);
	reconcile_row(KW_GUEST_SEV, OLD, NULL, 0, ENDS);
	reconcile_row(KW_GUEST_SEV, OLD, &other, 0, ENDS);
	/* the last run is still there: alone, and with a process that may be the one */
	reconcile_row(KW_GUEST_SEV, OLD, &older, 1, ENDS);
	reconcile_row(KW_GUEST_SEV, OLD, &older, 2, STAYS);
	/* from before a reboot */
	reconcile_row(KW_GUEST_SEV, NOW + 1, NULL, 0, ENDS);
	reconcile_row(KW_GUEST_SEV, NOW + 1, NULL, 1, STAYS);
}

static void confirmed_holds_end_with_their_process(void **state)
{
	struct kw_guest guest = { .pid = 7, .type = KW_U32(KW_GUEST_SEV),
				  .start_time_ns = KW_U64(NOW), .uuid = UUID_A };
	struct kw_guest_list guests = { true, &guest, 1 };
	struct kw_uuid_list nobody = { NULL, 0 };
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	bool changed = false;

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, NOW);
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, &nobody, NOW, 0, &changed), 0);
	assert_true(changed);
	assert_int_equal(hold_of(ledger, UUID_A)->start_time_ns, NOW);
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, &nobody, NOW * 2, 0, &changed), 0);
	assert_false(changed);
	/* facts that are missing end nothing */
	guests = (struct kw_guest_list){ false, NULL, 0 };
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, &nobody, NOW * 2, 0, &changed), 0);
	assert_int_equal(count_of(ledger), 1);
	/* its pid with another start is another process */
	guests = (struct kw_guest_list){ true, &guest, 1 };
	guest.start_time_ns = KW_U64(NOW + 5);
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, &nobody, NOW * 2, 0, &changed), 0);
	assert_true(changed);
	assert_int_equal(count_of(ledger), 0);
}

static void a_new_start_makes_a_confirmed_hold_pending(void **state)
{
	struct kw_guest guest = { .pid = 7, .type = KW_U32(KW_GUEST_SEV),
				  .start_time_ns = KW_U64(NOW), .uuid = UUID_A };
	struct kw_guest_list guests = { true, &guest, 1 };
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	bool changed;

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, NOW);
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, NULL, NOW, 0, &changed), 0);
	assert_int_equal(hold_of(ledger, UUID_A)->pid, 7);
	take_at(ledger, UUID_A, KW_GUEST_SEV, NOW + 10);
	assert_int_equal(hold_of(ledger, UUID_A)->pid, 0);
	/* the last run is still there, and does not stand for the new one */
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, NULL, NOW + 11, 0, &changed), 0);
	assert_false(changed);
	assert_int_equal(hold_of(ledger, UUID_A)->pid, 0);
}

static void processes_that_are_not_known_end_no_hold(void **state)
{
	struct kw_guest_list guests = { true, NULL, 0 };
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	bool changed = true;

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, OLD);
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, NULL, NOW, TIMEOUT_NS, &changed), 0);
	assert_false(changed);
	assert_int_equal(count_of(ledger), 1);
}

static void pending_holds_are_overdue_after_their_time(void **state)
{
	struct kw_guest guest = { .pid = 7, .type = KW_U32(KW_GUEST_SEV),
				  .start_time_ns = KW_U64(NOW), .uuid = UUID_A };
	struct kw_guest_list guests = { true, &guest, 1 };
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();
	bool changed;

	(void)state;
	assert_false(kw_ledger_overdue(ledger, NOW, 0));
	take_at(ledger, UUID_A, KW_GUEST_SEV, NOW);
	assert_false(kw_ledger_overdue(ledger, NOW + TIMEOUT_NS, TIMEOUT_NS));
	assert_true(kw_ledger_overdue(ledger, NOW + TIMEOUT_NS + 1, TIMEOUT_NS));
	/* from before a reboot */
	assert_true(kw_ledger_overdue(ledger, NOW - 1, TIMEOUT_NS));
	/* its guest is there */
	assert_int_equal(kw_ledger_reconcile(ledger, &guests, NULL, NOW, 0, &changed), 0);
	assert_false(kw_ledger_overdue(ledger, NOW + TIMEOUT_NS + 1, TIMEOUT_NS));
}

static void notes_release_once(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();

	(void)state;
	assert_int_equal(kw_ledger_take_release_notes(ledger), 0);
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	take_at(ledger, UUID_B, KW_GUEST_SEV, 1);
	assert_int_equal(kw_release_note_leave(dir, "AAAAAAAA-0000-0000-0000-000000000001"), 0);
	assert_int_equal(kw_release_note_leave(dir, UUID_A), 0);
	assert_int_equal(kw_release_note_leave(dir, UUID_C), 0);
	assert_int_equal(kw_ledger_take_release_notes(ledger), 0);
	assert_int_equal(count_of(ledger), 1);
	assert_non_null(hold_of(ledger, UUID_B));
	assert_false(there("released/" UUID_A));
	assert_false(there("released/" UUID_C));
	take_at(ledger, UUID_A, KW_GUEST_SEV, 2);
	assert_int_equal(kw_ledger_take_release_notes(ledger), 0);
	assert_int_equal(count_of(ledger), 2);
}

static void notes_can_be_left_before_there_is_a_ledger(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/fresh", dir);
	assert_int_equal(kw_release_note_leave(path, UUID_A), 0);
	assert_true(there("fresh/released/" UUID_A));
}

static void what_is_no_note_is_left_alone(void **state)
{
	_cleanup_ledger_ struct kw_ledger *ledger = open_ledger();

	(void)state;
	take_at(ledger, UUID_A, KW_GUEST_SEV, 1);
	take_at(ledger, UUID_B, KW_GUEST_SEV, 1);
	assert_int_equal(mkdir(in_dir("released"), 0700), 0);
	assert_int_equal(mkdir(in_dir("released/" UUID_A), 0700), 0);
	assert_int_equal(symlink("/etc/passwd", in_dir("released/" UUID_B)), 0);
	put("released/notes.txt", "x");
	put("released/AAAAAAAA-0000-0000-0000-000000000001", "");
	put("released/aaaaaaaa00000000000000000000000001", "");
	assert_int_equal(kw_ledger_take_release_notes(ledger), 0);
	assert_int_equal(count_of(ledger), 2);
	assert_true(there("released/notes.txt"));
	assert_true(there("released/" UUID_B));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_empty_and_alone),
		TEST(makes_its_directory),
		TEST(gives_the_same_holds_after_reopening),
		TEST(notes_are_kept),
		TEST(reads_holds_without_a_class),
		TEST(one_hold_per_uuid),
		TEST(a_new_hold_outlives_the_note_of_the_last_run),
		TEST(refuses_what_is_no_uuid),
		TEST(release_can_be_repeated),
		TEST(what_cannot_be_saved_did_not_happen),
		TEST(survives_a_crash_at_any_byte_of_a_write),
		TEST(sets_a_truncated_file_aside),
		TEST(sets_a_file_of_another_kind_aside),
		TEST(pending_holds_follow_the_world),
		TEST(confirmed_holds_end_with_their_process),
		TEST(a_new_start_makes_a_confirmed_hold_pending),
		TEST(processes_that_are_not_known_end_no_hold),
		TEST(pending_holds_are_overdue_after_their_time),
		TEST(notes_release_once),
		TEST(notes_can_be_left_before_there_is_a_ledger),
		TEST(what_is_no_note_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
