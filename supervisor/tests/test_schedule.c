/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole of admission on a host that exists only here: libvirt calls the
 * hook, the hook asks kvmwardd, guests fork, get their slot and die, in any
 * order. Everything between is the real code: hook/, daemon/decide.c, policy/,
 * ledger/. kvmwardd and hooks die by kill -9 between any two changes to files,
 * before and after the answer; disks are full; libvirtd dies and forgets;
 * calls are lost, repeated and late; names and UUIDs change in between.
 *
 * Whatever happens: what was promised and what is taken are never more than
 * there is; a hold that stays after a look is somebody's; once everybody is
 * gone, so are all holds.
 *
 * KW_SCHEDULES=N runs so many; KW_SEED=N runs one again, and tells its story.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/text.h"
#include "bus/client.h"
#include "daemon/decide.h"
#include "daemon/log.h"
#include "facts/domain_xml.h"
#include "hook/hook.h"
#include "hook/input.h"
#include "policy/admit.h"
#include "policy/claims.h"
#include "tests/fake_disk.h"
#include "tests/fake_host.h"
#include "tests/tree.h"

#define GUESTS 12	/* libvirt's domains; more than there are slots */
#define STRANGERS 2	/* QEMU without libvirt */
#define ACTORS (GUESTS + STRANGERS)
#define STEPS 150
#define SCHEDULES 300
#define LATE_MAX 8	/* calls that a frozen kvmwardd finds when it goes on */
#define TIMEOUT_NS (60 * KW_NS_PER_S)

/* A guest's life as libvirt leads it, by what comes next. */
enum state {
	OFF,
	ARRIVING,	/* migrate or restore was admitted; prepare comes */
	PREPARED,
	STARTING,	/* start was admitted; QEMU is forked next */
	FORKED,
	CHARGED,	/* for its slot; KVM looks for an ASID */
	SLOTTED,	/* has its slot; started comes */
	RUNNING,
	ENDING,		/* no process (any more); stopped comes */
	RELEASING,	/* release comes */
};

struct actor {
	enum state state;
	bool busy;		/* libvirt waits for its hook */
	bool other_uuid;
	pid_t pid;
	uint64_t start_ns, admitted_ns;	/* 0: no promise */
	unsigned int number;
};

struct late_call {
	char name[16], op[16], xml[1024];
};

/* Shared with the processes that die. */
struct world {
	struct actor actors[ACTORS];
	struct late_call late[LATE_MAX];
	size_t late_count;
	bool up, frozen, disk_full, answered;
	uint64_t now_ns, up_at_ns, random;
	struct kw_verdict verdict;
	pid_t last_pid;
	unsigned int depth;
	unsigned int admitted, refused, started, deaths, failures;
};

static struct world *world;
static struct kw_supervisor supervisor;
static char dir[64], config_path[96];
static const char *hook_xml;		/* on standard input of the hook that runs */
static uint64_t bus_deadline_ns;
static bool telling;
static uint64_t seed;

static const uint32_t capacity[KW_POOL_COUNT] = { 3, 2 };

/* For guests; all that may run by their slots do not fit. */
#define MEMORY_BYTES (1700 * KW_MIB)
#define GUEST_BYTES (256 * KW_MIB)
/* What a plain guest would be admitted without is another test's. */
#define CONFIG "[memory]\nreserved_host_memory_mb = 300\n[hook]\nplain_when_unreachable = refuse\n"

/* ---------------------------------------------------------------- chance and story */

static unsigned int pick(unsigned int below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (unsigned int)(world->random >> 33) % below;
}

static bool one_in(unsigned int n)
{
	return pick(n) == 0;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	va_list args;

	if (!telling)
		return;
	va_start(args, format);
	fprintf(stderr, "%8.3f ", (double)world->now_ns / 1e9);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

__attribute__((format(printf, 1, 2))) static void broken(const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	fail_msg("KW_SEED=%" PRIu64 ": after %.3f s: %s", seed, (double)world->now_ns / 1e9, what);
}

/* The log is part of the story. */
void kw_log(int priority, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)priority;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell("  kvmwardd: %s", text);
}

void kw_log_guest(int priority, const char *uuid, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)priority, (void)uuid;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell("  kvmwardd: %.150s", text);
}

void kw_log_verdict(int priority, const char *uuid, enum kw_code code, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)priority, (void)uuid, (void)code;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tell("  kvmwardd: %.150s", text);
}

/* ---------------------------------------------------------------- time and disk */

uint64_t kw_clock_boottime_ns(void)
{
	return world->now_ns;
}

uint64_t kw_clock_monotonic_ns(void)
{
	return world->now_ns;
}

static bool disk_fails(void)
{
	return world->disk_full && one_in(3);
}

/* ---------------------------------------------------------------- guests */

static bool is_stranger(const struct actor *actor)
{
	return actor >= world->actors + GUESTS;
}

static enum kw_guest_type type_of(const struct actor *actor)
{
	static const enum kw_guest_type types[] = { KW_GUEST_SEV_ES, KW_GUEST_SEV, KW_GUEST_SEV,
						    KW_GUEST_PLAIN };

	return types[actor->number % 4];
}

static bool takes_slot(const struct actor *actor, enum kw_pool pool)
{
	enum kw_pool of;

	return kw_guest_type_pool(type_of(actor), false, &of) && of == pool;
}

static void uuid_of(const struct actor *actor, char uuid[KW_UUID_LEN + 1])
{
	snprintf(uuid, KW_UUID_LEN + 1, "%08x-0000-4000-8000-%012x", actor->other_uuid,
		 actor->number);
}

static void name_of(const struct actor *actor, char name[16])
{
	snprintf(name, 16, "guest%u", actor->number);
}

static bool has_slot(const struct actor *actor)
{
	return actor->state >= CHARGED && actor->state <= RUNNING;
}

static bool has_process(const struct actor *actor)
{
	return actor->state == FORKED || has_slot(actor);
}

static bool is_promised(const struct actor *actor)
{
	if (!actor->admitted_ns)
		return false;
	if (actor->state == FORKED)
		return true;
	return actor->state >= ARRIVING && actor->state <= STARTING &&
	       world->now_ns - actor->admitted_ns <= TIMEOUT_NS;
}

static uint32_t claimed(enum kw_pool pool)
{
	uint32_t count = 0;

	for (size_t i = 0; i < ACTORS; i++)
		count += takes_slot(&world->actors[i], pool) &&
			 (has_slot(&world->actors[i]) || is_promised(&world->actors[i]));
	return count;
}

/* As libvirt's XML is told in the hook; what is made of it may change, but not within a run. */
static uint64_t promised_bytes(enum kw_guest_type type)
{
	static uint64_t bytes[2];
	bool plain = type == KW_GUEST_PLAIN;
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	struct kw_config ones = { .ram_allocation_thousandths = 1000 };
	struct kw_claim claim;
	char error[256];
	const char *xml;

	if (bytes[plain])
		return bytes[plain];
	xml = fake_domain("g", UUID_A, plain ? "" : FAKE_SEV);
	assert_int_equal(kw_domain_xml_parse(xml, strlen(xml), &domain, error, sizeof(error)), 0);
	assert_int_equal(kw_claim_make(&domain, &claim), 0);
	bytes[plain] = kw_claim_takes_bytes(&ones, &claim);
	return bytes[plain];
}

static uint64_t claimed_bytes(void)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < ACTORS; i++) {
		const struct actor *actor = &world->actors[i];

		if (has_slot(actor))
			bytes += GUEST_BYTES;
		else if (is_promised(actor))
			bytes += promised_bytes(type_of(actor));
	}
	return bytes;
}

/* Is there a slot and the memory that nobody has and that is promised to nobody? */
static bool fits(const struct actor *actor)
{
	for (enum kw_pool pool = KW_POOL_SEV; pool <= KW_POOL_SEV_ES; pool++)
		if (takes_slot(actor, pool) && claimed(pool) >= capacity[pool])
			return false;
	return claimed_bytes() + GUEST_BYTES <= MEMORY_BYTES;
}

static void show_guest(const struct actor *actor)
{
	bool slot = has_slot(actor);
	char uuid[KW_UUID_LEN + 1] = "";

	if (!is_stranger(actor))
		uuid_of(actor, uuid);
	fake_guest_add(uuid, slot ? type_of(actor) : KW_GUEST_PLAIN, actor->pid);
	fake->guests[fake->guest_count - 1].start_time_ns = KW_U64(actor->start_ns);
	fake->guests[fake->guest_count - 1].libvirt = !is_stranger(actor);
	if (actor->state == CHARGED)
		fake->guests[fake->guest_count - 1].asid.known = false;
}

/* The kernel's view, to be made again after every change. A young QEMU has no VM yet. */
static void show(void)
{
	fake->guest_count = fake->forked_count = 0;
	for (size_t i = 0; i < ACTORS; i++) {
		const struct actor *actor = &world->actors[i];

		if (!has_process(actor))
			continue;
		if (actor->state == FORKED && actor->pid % 2)
			uuid_of(actor, fake->forked[fake->forked_count++]);
		else
			show_guest(actor);
	}
}

static void check_claims(void)
{
	for (enum kw_pool pool = KW_POOL_SEV; pool <= KW_POOL_SEV_ES; pool++)
		if (claimed(pool) > capacity[pool])
			broken("pool %d: %u claims for %u slots", pool, claimed(pool),
			       capacity[pool]);
	if (claimed_bytes() > MEMORY_BYTES)
		broken("%" PRIu64 " MiB of claims for %" PRIu64 " MiB of memory",
		       claimed_bytes() / (uint64_t)KW_MIB, (uint64_t)(MEMORY_BYTES / KW_MIB));
}

static void change(struct actor *actor, enum state state)
{
	static const char *const names[] = { "is off",  "arrives", "is prepared",
					     "starts",  "forks",   "is charged for its slot",
					     "gets its slot", "runs", "ends",
					     "is to be released" };

	actor->state = state;
	tell("guest%u %s", actor->number, names[state]);
	show();
	check_claims();
}

static void die(struct actor *actor)
{
	actor->admitted_ns = 0;
	actor->pid = 0;
	change(actor, is_stranger(actor) ? OFF : ENDING);
}

/*
 * The kernel gives the slot out: a guest with a promise does not fail here, since
 * claims are never more than slots. One whose promise ran out before it was forked
 * takes, as strangers do, what is promised to nobody.
 */
static void get_slot(struct actor *actor)
{
	if (!is_promised(actor) && !fits(actor)) {
		die(actor);
		return;
	}
	world->started++;
	change(actor, CHARGED);
}

static void fork_qemu(struct actor *actor)
{
	if (!is_promised(actor))
		actor->admitted_ns = 0;
	actor->pid = ++world->last_pid;
	actor->start_ns = ++world->now_ns;
	change(actor, FORKED);
}

/* While kvmwardd looks. Nobody takes what he has no promise of: that could not be known. */
static void kernel_goes_on(void)
{
	struct actor *actor = &world->actors[pick(GUESTS)];

	world->now_ns += pick(1000);
	if (actor->busy || !one_in(3))
		return;
	if (actor->state == FORKED && is_promised(actor))
		get_slot(actor);
	else if (actor->state == CHARGED)
		change(actor, SLOTTED);
	else if (has_process(actor) && one_in(3))
		die(actor);
}

/* ---------------------------------------------------------------- kvmwardd */

static void daemon_gone(uint64_t after_ns)
{
	tell("kvmwardd is dead for %.1f s", (double)after_ns / 1e9);
	kw_supervisor_done(&supervisor);
	world->up = world->frozen = false;
	world->late_count = 0;
	world->up_at_ns = world->now_ns + after_ns;
	world->deaths++;
}

static uint64_t some_absence_ns(void)
{
	return one_in(4) ? KW_NS_PER_S * (1 + pick(20)) : 100 * KW_NS_PER_MS;
}

/* Nothing of it is left but what it wrote. True when it came to its end. */
static bool in_mortal_process(void (*function)(const void *), const void *data)
{
	int status;
	pid_t pid;

	world->answered = false;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		fake_disk_left = pick(16);
		function(data);
		world->answered = one_in(2);
		_exit(FAKE_DISK_DEATH);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != FAKE_DISK_DEATH)
		broken("status %x", status);
	return world->answered;
}

static bool is_justified(const struct kw_hold *hold)
{
	for (size_t i = 0; i < GUESTS; i++) {
		const struct actor *actor = &world->actors[i];
		char uuid[KW_UUID_LEN + 1];

		uuid_of(actor, uuid);
		if (has_process(actor) && !strcmp(uuid, hold->claim.uuid) &&
		    (hold->pid ? hold->pid == actor->pid : hold->taken_ns <= actor->start_ns))
			return true;
	}
	return !hold->pid && world->now_ns - hold->taken_ns <= TIMEOUT_NS;
}

/* After a look that could be saved and during which nothing happened. */
static void check_holds(void)
{
	const struct kw_hold_list *list = kw_ledger_holds(supervisor.ledger);

	for (size_t i = 0; i < list->count; i++)
		if (!is_justified(&list->holds[i]))
			broken("%s %s is held for nobody, pid %d, %.3f s old",
			       list->holds[i].claim.name, list->holds[i].claim.uuid,
			       (int)list->holds[i].pid,
			       (double)(world->now_ns - list->holds[i].taken_ns) / 1e9);
}

static void come_up(const void *data)
{
	char error[256];

	(void)data;
	if (kw_supervisor_init(&supervisor, config_path, dir, dir, error,
			       sizeof(error)) < 0)
		return;
	kw_supervisor_look(&supervisor);
	world->up = true;
}

static void daemon_may_come_up(void)
{
	char bad[96];

	if (world->up || world->now_ns < world->up_at_ns)
		return;
	if (one_in(6)) {
		in_mortal_process(come_up, NULL);
		daemon_gone(some_absence_ns());
		return;
	}
	come_up(NULL);
	if (!world->up) {
		daemon_gone(100 * KW_NS_PER_MS);
		return;
	}
	tell("kvmwardd is up with %zu holds", kw_ledger_holds(supervisor.ledger)->count);
	snprintf(bad, sizeof(bad), "%s/ledger.bad", dir);
	if (access(bad, F_OK) == 0)
		broken("the ledger was damaged");
}

static void daemon_look(void)
{
	fake->meanwhile = NULL;
	kw_supervisor_look(&supervisor);
	if (!world->disk_full)
		check_holds();
	fake->meanwhile = kernel_goes_on;
}

static void look_and_die(const void *data)
{
	(void)data;
	kw_supervisor_look(&supervisor);
}

static void daemon_looks(void)
{
	if (!world->up || world->frozen)
		return;
	if (one_in(10)) {
		in_mortal_process(look_and_die, NULL);
		daemon_gone(some_absence_ns());
	} else {
		daemon_look();
	}
}

static void decide(const void *data)
{
	kw_decide_hook(&supervisor, data, &world->verdict);
}

/* True when the caller got an answer, which is world->verdict. */
static bool daemon_answers(const struct kw_hook_call *call)
{
	bool answered;

	if (!one_in(12)) {
		decide(call);
		return true;
	}
	answered = in_mortal_process(decide, call);
	tell("kvmwardd dies in %s of %s, %s", call->op, call->name,
	     answered ? "having answered" : "no answer");
	daemon_gone(some_absence_ns());
	return answered;
}

/*
 * It finds what was sent to it while it stood still, and answers it in one round;
 * nobody waits for the answers.
 */
static void daemon_thaws(void)
{
	tell("kvmwardd goes on, %zu calls are late", world->late_count);
	world->frozen = false;
	kw_supervisor_begin_round(&supervisor);
	for (size_t i = 0; i < world->late_count && world->up; i++) {
		const struct late_call *late = &world->late[i];
		struct kw_hook_call call = { late->name, late->op, "begin", "-", late->xml,
					     strlen(late->xml) };

		kernel_goes_on();
		daemon_answers(&call);
	}
	kw_supervisor_end_round(&supervisor);
	world->late_count = 0;
}

static void keep_late(const struct kw_hook_call *call)
{
	struct late_call *late = &world->late[world->late_count];

	if (world->late_count == LATE_MAX)
		return;
	world->late_count++;
	kw_text_copy(late->name, sizeof(late->name), call->name);
	kw_text_copy(late->op, sizeof(late->op), call->op);
	assert_true(kw_text_copy(late->xml, sizeof(late->xml), call->xml));
}

/* ---------------------------------------------------------------- what the hook calls */

int kw_bus_open_door(const char *where, uint64_t deadline_ns, struct kw_bus **ret_bus)
{
	static char bus;

	(void)where;
	bus_deadline_ns = deadline_ns;
	*ret_bus = (struct kw_bus *)&bus;
	return 0;
}

void kw_bus_close(struct kw_bus *bus)
{
	(void)bus;
}

const char *kw_bus_error(const struct kw_bus *bus)
{
	(void)bus;
	return "no answer";
}

int kw_bus_hook(struct kw_bus *bus, const char *name, const char *op, const char *subop,
		const char *extra, const char *xml, struct kw_verdict *ret_verdict)
{
	struct kw_hook_call call = { name, op, subop, extra, xml, strlen(xml) };

	(void)bus;
	world->now_ns += KW_NS_PER_MS * (1 + pick(10));
	daemon_may_come_up();
	if (!world->up)
		return -ENXIO;
	if (world->frozen) {
		keep_late(&call);
		world->now_ns = bus_deadline_ns;
		return -ETIMEDOUT;
	}
	if (!daemon_answers(&call))
		return -ENXIO;
	*ret_verdict = world->verdict;
	return 0;
}

int kw_input_read(int fd, size_t max, uint64_t deadline_ns, char **ret_text, size_t *ret_length)
{
	(void)fd, (void)max, (void)deadline_ns;
	*ret_text = strdup(hook_xml);
	*ret_length = strlen(hook_xml);
	return 0;
}

int __real_kw_release_note_leave(const char *where, const char *uuid);
int __wrap_kw_release_note_leave(const char *where, const char *uuid);

static void leave_note(const void *uuid)
{
	__real_kw_release_note_leave(dir, uuid);
}

/* The hook may be killed while it leaves its note. */
int __wrap_kw_release_note_leave(const char *where, const char *uuid)
{
	tell("a note of %s is left", uuid);
	if (!one_in(8))
		return __real_kw_release_note_leave(where, uuid);
	in_mortal_process(leave_note, uuid);
	return 0;
}

static void step_other(void);

/* While a hook waits for kvmwardd to come back, the world goes on. */
int __wrap_nanosleep(const struct timespec *wish, struct timespec *ret_left);
int __wrap_nanosleep(const struct timespec *wish, struct timespec *ret_left)
{
	const char *xml = hook_xml;

	(void)ret_left;
	world->now_ns += (uint64_t)wish->tv_nsec;
	if (world->depth++ < 2)
		step_other();
	world->depth--;
	hook_xml = xml;
	return 0;
}

/* ---------------------------------------------------------------- libvirt */

/* True when libvirt goes on: the hook's exit status is 0. */
static bool call_hook_once(struct actor *actor, char *op)
{
	static const char *const securities[] = { [KW_GUEST_PLAIN] = "", [KW_GUEST_SEV] = FAKE_SEV,
						  [KW_GUEST_SEV_ES] = FAKE_SEV_ES };
	const char *security = securities[type_of(actor)];
	struct kw_hook_place place = { .config_path = config_path,
				       .state_dir = dir, .kept_dir = dir, .start_ns = world->now_ns };
	char uuid[KW_UUID_LEN + 1], name[16], xml[1024];
	char *argv[] = { "kvmward-hook", name, op, "begin", "-", NULL };
	struct kw_verdict verdict;

	uuid_of(actor, uuid);
	name_of(actor, name);
	assert_true(kw_text_copy(xml, sizeof(xml), fake_domain(name, uuid, security)));
	hook_xml = xml;
	kw_hook_answer(5, argv, &place, &verdict);
	tell("%s of %s: %s", op, name, kw_code_name(verdict.code));
	return kw_verdict_admits(&verdict) || !kw_hook_may_refuse(kw_hook_kind_of(op));
}

/* Some calls are made twice; some hooks are killed, which refuses where that can be. */
static bool call_hook(struct actor *actor, char *op)
{
	bool goes_on = true;

	if (one_in(30)) {
		tell("%s of guest%u is lost", op, actor->number);
		return !kw_hook_may_refuse(kw_hook_kind_of(op));
	}
	actor->busy = true;
	for (unsigned int times = one_in(12) ? 2 : 1; times && goes_on; times--)
		goes_on = call_hook_once(actor, op);
	actor->busy = false;
	return goes_on;
}

static bool ask(struct actor *actor, char *op)
{
	bool admitted = call_hook(actor, op);

	if (admitted)
		world->admitted++;
	else
		world->refused++;
	actor->admitted_ns = admitted ? world->now_ns : 0;
	return admitted;
}

static void arrive(struct actor *actor, char *op)
{
	change(actor, ask(actor, op) ? ARRIVING : OFF);
}

static void prepare(struct actor *actor)
{
	change(actor, ask(actor, "prepare") ? PREPARED : ENDING);
}

/* A change of the guest's UUID leaves a promise that nobody asks for. */
static void start(struct actor *actor)
{
	if (one_in(30)) {
		actor->other_uuid = !actor->other_uuid;
		actor->admitted_ns = 0;
		tell("guest%u has another UUID now", actor->number);
	}
	change(actor, ask(actor, "start") ? STARTING : ENDING);
}

/* Of a refused or failed start and of a guest that ended libvirt tells in two calls. */
static void end(struct actor *actor)
{
	call_hook(actor, actor->state == ENDING ? "stopped" : "release");
	change(actor, actor->state == ENDING ? RELEASING : OFF);
}

static void run_on(struct actor *actor)
{
	if (one_in(3))
		die(actor);
	else if (one_in(3))
		call_hook(actor, one_in(2) ? "reconnect" : "attach");
	else if (one_in(4))
		call_hook(actor, one_in(2) ? "migrate" : "restore"); /* to where it runs already */
}

static void undefine(struct actor *actor)
{
	actor->admitted_ns = 0;
	change(actor, OFF);
}

static void step_guest(struct actor *actor)
{
	bool fails = one_in(8);

	switch (actor->state) {
	case OFF:
		if (one_in(4))
			arrive(actor, one_in(2) ? "migrate" : "restore");
		else
			prepare(actor);
		break;
	case ARRIVING:
		if (fails)
			undefine(actor);
		else
			prepare(actor);
		break;
	case PREPARED:
		if (fails)
			one_in(3) ? undefine(actor) : die(actor);
		else
			start(actor);
		break;
	case STARTING:
		if (fails)
			die(actor);
		else
			fork_qemu(actor);
		break;
	case FORKED:
		if (fails)
			die(actor);
		else
			get_slot(actor);
		break;
	case CHARGED:
		if (fails)
			die(actor);
		else
			change(actor, SLOTTED);
		break;
	case SLOTTED:
		if (fails)
			die(actor);
		else if (call_hook(actor, "started"))
			change(actor, RUNNING);
		break;
	case RUNNING:
		run_on(actor);
		break;
	case ENDING:
	case RELEASING:
		end(actor);
		break;
	}
}

static void step_some_guest(void)
{
	struct actor *actor = &world->actors[pick(GUESTS)];

	if (!actor->busy)
		step_guest(actor);
}

/* A stranger asks nobody, so it only takes what is promised to nobody. */
static void step_stranger(void)
{
	struct actor *actor = &world->actors[GUESTS + pick(STRANGERS)];

	if (actor->state != OFF)
		die(actor);
	else if (fits(actor)) {
		fork_qemu(actor);
		change(actor, SLOTTED);
	}
}

/*
 * libvirtd is killed: starts that were under way are forgotten, of what ran and
 * has ended it tells nobody, the hooks of guests that run are called again.
 */
static void libvirtd_dies(void)
{
	tell("libvirtd dies");
	for (size_t i = 0; i < GUESTS; i++) {
		struct actor *actor = &world->actors[i];

		if (actor->busy)
			continue;
		if (actor->state == RUNNING)
			call_hook(actor, "reconnect");
		else if (has_process(actor))
			die(actor);
		else if (actor->state != OFF)
			undefine(actor);
	}
}

static void toggle_freeze(void)
{
	if (!world->up)
		return;
	if (world->frozen)
		daemon_thaws();
	else
		world->frozen = true;
}

static void step(void)
{
	unsigned int action = pick(200);

	world->now_ns += KW_NS_PER_MS * (1 + pick(300));
	daemon_may_come_up();
	if (action == 0 && !world->depth)
		libvirtd_dies();
	else if (action < 6 && world->up && !world->depth)
		daemon_gone(some_absence_ns());
	else if (action < 10)
		world->now_ns += pick(2 * TIMEOUT_NS / KW_NS_PER_S) * KW_NS_PER_S;
	else if (action < 14 || (world->frozen && action < 50))
		toggle_freeze();
	else if (action < 20 || (world->disk_full && action < 50))
		world->disk_full = !world->disk_full;
	else if (action < 40)
		daemon_looks();
	else if (action < 54 && !world->depth) /* a hook that waits has been judged already */
		step_stranger();
	else
		step_some_guest();
	check_claims();
}

static void step_other(void)
{
	if (one_in(3))
		step();
}

/* ---------------------------------------------------------------- a schedule */

static void world_init(void)
{
	memset(world, 0, sizeof(*world));
	world->random = seed * 0x9e3779b97f4a7c15ull;
	world->now_ns = KW_NS_PER_S;
	for (unsigned int i = 0; i < ACTORS; i++)
		world->actors[i].number = i;
	fake_host_reset(capacity[KW_POOL_SEV], capacity[KW_POOL_SEV_ES]);
	fake->snp_apart = seed % 2;
	fake->memory_bytes = MEMORY_BYTES + 300 * KW_MIB;
	fake->meanwhile = kernel_goes_on;
	fake_disk_fails = disk_fails;
}

/* With everybody dead, nothing may stay held. */
static void end_of_schedule(void)
{
	const struct kw_hold_list *list;

	world->disk_full = world->frozen = false;
	for (size_t i = 0; i < ACTORS; i++)
		world->actors[i].state = OFF;
	show();
	world->now_ns += TIMEOUT_NS + KW_NS_PER_S;
	while (!world->up) {
		world->now_ns += KW_NS_PER_S;
		daemon_may_come_up();
	}
	daemon_look();
	list = kw_ledger_holds(supervisor.ledger);
	if (list->count)
		broken("%zu holds are left", list->count);
	kw_supervisor_done(&supervisor);
}

struct totals {
	unsigned int schedules, admitted, refused, started, deaths;
};

static void run(uint64_t number, struct totals *totals)
{
	seed = number;
	tree_remove(dir);
	assert_int_equal(__real_mkdir(dir, 0700), 0);
	assert_int_equal(tree_put(dir, "kvmward.conf", CONFIG), 0);
	snprintf(config_path, sizeof(config_path), "%s/kvmward.conf", dir);
	world_init();
	for (unsigned int i = 0; i < STEPS; i++)
		step();
	end_of_schedule();
	totals->schedules++;
	totals->admitted += world->admitted;
	totals->refused += world->refused;
	totals->started += world->started;
	totals->deaths += world->deaths;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void no_schedule_over_admits_or_leaks(void **state)
{
	uint64_t only = number_from("KW_SEED", 0);
	uint64_t count = number_from("KW_SCHEDULES", SCHEDULES);
	struct totals totals = {};

	(void)state;
	telling = only;
	for (uint64_t i = only ?: 1; i <= (only ?: count); i++)
		run(i, &totals);
	print_message("%u schedules: %u admitted, %u refused, %u started, %u deaths of kvmwardd\n",
		      totals.schedules, totals.admitted, totals.refused, totals.started,
		      totals.deaths);
	/* schedules that refuse nobody or start nobody show nothing */
	if (!only)
		assert_true(totals.admitted > 5 * count && totals.refused > 5 * count &&
			    totals.started > count && totals.deaths > count);
}

/* In memory where that is to be had: every step is saved. */
static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/dev/shm/kw-schedule-XXXXXX");
	if (mkdtemp(dir))
		return 0;
	strcpy(dir, "/tmp/kw-schedule-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return tree_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_schedule_over_admits_or_leaks),
	};

	fake_host_open();
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
