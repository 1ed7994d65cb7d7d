/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Admission and ledger together on a host that exists only here: guests
 * prepare, fork, get their slot, die and are released in any order, releases
 * get lost, the supervisor is killed. Whatever happens, a guest that was
 * admitted finds a slot, and no slot is kept for nobody.
 *
 * KW_SEED=N runs one schedule again.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/text.h"
#include "ledger/ledger.h"
#include "policy/admit.h"
#include "tests/tree.h"

#define GUESTS 14	/* libvirt's domains; more than there are slots */
#define STRANGERS 3	/* QEMU without libvirt, some with a UUID of libvirt's */
#define STEPS 1500
#define SEEDS 4
#define TIMEOUT_NS 60000ull

enum state { OFF, PREPARED, FORKED, RUNNING, DEAD };

struct actor {
	char uuid[KW_UUID_LEN + 1];
	enum kw_guest_type type;
	enum state state;
	pid_t pid;
	uint64_t start_ns;
};

static const uint32_t capacity[KW_POOL_COUNT] = { 5, 3 };

struct host {
	struct actor actors[GUESTS + STRANGERS];
	struct kw_config config;
	struct kw_ledger *ledger;
	uint64_t now_ns, seed;
	pid_t last_pid;
	unsigned int admitted, refused, started;
};

static char dir[64];

static unsigned int pick(struct host *host, unsigned int below)
{
	host->seed ^= host->seed << 13;
	host->seed ^= host->seed >> 7;
	host->seed ^= host->seed << 17;
	return (unsigned int)(host->seed >> 33) % below;
}

static bool is_stranger(const struct host *host, const struct actor *actor)
{
	return actor >= host->actors + GUESTS;
}

static bool has_process(const struct actor *actor)
{
	return actor->state == FORKED || actor->state == RUNNING;
}

static enum kw_pool pool_of(const struct actor *actor)
{
	enum kw_pool pool = KW_POOL_SEV;

	assert_true(kw_guest_type_pool(actor->type, false, &pool));
	return pool;
}

static uint32_t taken(const struct host *host, enum kw_pool pool)
{
	uint32_t count = 0;

	for (size_t i = 0; i < GUESTS + STRANGERS; i++)
		count += host->actors[i].state == RUNNING && pool_of(&host->actors[i]) == pool;
	return count;
}

static uint32_t pending(const struct host *host, enum kw_pool pool)
{
	const struct kw_hold_list *list = kw_ledger_holds(host->ledger);
	uint32_t count = 0;
	enum kw_pool of;

	for (size_t i = 0; i < list->count; i++)
		count += !list->holds[i].pid &&
			 kw_guest_type_pool(list->holds[i].claim.type, false, &of) && of == pool;
	return count;
}

/* What the kernel and /proc would show now. */
struct view {
	struct kw_facts facts;
	struct kw_guest guests[GUESTS + STRANGERS];
	char uuids[GUESTS + STRANGERS][KW_UUID_LEN + 1];
	struct kw_uuid_list running;
};

static void show(struct view *view, const struct host *host, const struct actor *actor)
{
	struct kw_guest *guest = &view->guests[view->facts.guests.count++];
	bool slot = actor->state == RUNNING;

	guest->pid = actor->pid;
	guest->start_time_ns = KW_U64(actor->start_ns);
	guest->type = KW_U32(slot ? actor->type : KW_GUEST_PLAIN);
	guest->memory_bytes = guest->pinned_bytes = KW_U64(KW_MIB);
	guest->libvirt = !is_stranger(host, actor);
	strcpy(guest->uuid, actor->uuid);
	strcpy(view->uuids[view->running.count++], actor->uuid);
}

static void look(const struct host *host, struct view *view)
{
	static const struct kw_u32 yes = { true, 1 };

	memset(view, 0, sizeof(*view));
	view->running.uuids = view->uuids;
	view->facts.host_known = view->facts.slots.known = view->facts.guests.known = true;
	view->facts.host = (struct kw_host){ .sev_in_cpu = yes, .sev_enabled = yes,
					     .sev_es_in_cpu = yes, .sev_es_enabled = yes,
					     .kvm_vendor_module = "kvm_amd" };
	view->facts.memory_total_bytes = KW_U64(64 * KW_GIB);
	view->facts.guests.guests = view->guests;
	for (size_t i = 0; i < GUESTS + STRANGERS; i++)
		if (has_process(&host->actors[i]))
			show(view, host, &host->actors[i]);
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		view->facts.slots.pool[pool] = (struct kw_slots){
			.capacity = KW_U32(capacity[pool]),
			.charged = KW_U32(taken(host, pool)),
			.in_use = KW_U32(taken(host, pool)),
		};
}

/* What the daemon does before it decides anything. */
static void bring_in_line(struct host *host, struct view *view)
{
	bool changed;

	look(host, view);
	assert_int_equal(kw_ledger_take_release_notes(host->ledger), 0);
	assert_int_equal(kw_ledger_reconcile(host->ledger, &view->facts.guests, &view->running,
					     host->now_ns, TIMEOUT_NS, &changed),
			 0);
}

static bool is_pending(const struct host *host, const char *uuid)
{
	const struct kw_hold_list *list = kw_ledger_holds(host->ledger);

	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->holds[i].claim.uuid, uuid))
			return !list->holds[i].pid;
	return false;
}

static bool ask(struct host *host, const struct actor *actor)
{
	struct kw_claim claim = { .type = actor->type, .ceiling_bytes = KW_MIB };
	struct kw_verdict verdict;
	struct view view;

	strcpy(claim.uuid, actor->uuid);
	bring_in_line(host, &view);
	kw_admit(&view.facts, kw_ledger_holds(host->ledger), &host->config, &claim, &verdict);
	if (!kw_verdict_admits(&verdict)) {
		host->refused++;
		return false;
	}
	host->admitted++;
	assert_int_equal(kw_ledger_take(host->ledger, &claim, host->now_ns), 0);
	return true;
}

static void release(struct host *host, struct actor *actor)
{
	if (pick(host, 2))
		assert_int_equal(kw_ledger_release(host->ledger, actor->uuid), 0);
	else
		assert_int_equal(kw_release_note_leave(dir, actor->uuid), 0);
	actor->state = OFF;
}

static void fork_qemu(struct host *host, struct actor *actor)
{
	actor->pid = ++host->last_pid;
	actor->start_ns = ++host->now_ns;
	actor->state = FORKED;
}

/* The start hook asks again when its hold has timed out meanwhile. */
static void start(struct host *host, struct actor *actor)
{
	struct view view;

	bring_in_line(host, &view);
	if (is_pending(host, actor->uuid) || ask(host, actor))
		fork_qemu(host, actor);
	else
		actor->state = DEAD;
}

/* The kernel gives the slot out: this is where an admitted guest must not fail. */
static void get_slot(struct host *host, struct actor *actor)
{
	assert_true(taken(host, pool_of(actor)) < capacity[pool_of(actor)]);
	actor->state = RUNNING;
	host->started++;
}

static void step_guest(struct host *host, struct actor *actor)
{
	bool dies = pick(host, 4) == 0;

	switch (actor->state) {
	case OFF:
		if (ask(host, actor))
			actor->state = PREPARED;
		break;
	case PREPARED:
		if (dies)
			actor->state = DEAD;
		else
			start(host, actor);
		break;
	case FORKED:
		if (dies)
			actor->state = DEAD;
		else
			get_slot(host, actor);
		break;
	case RUNNING:
		if (dies)
			actor->state = DEAD;
		break;
	case DEAD:
		release(host, actor);
		break;
	}
}

/* A stranger asks nobody, so it only takes what is promised to nobody. */
static void step_stranger(struct host *host, struct actor *actor)
{
	enum kw_pool pool = pool_of(actor);
	struct view view;

	bring_in_line(host, &view);
	if (actor->state == RUNNING) {
		actor->state = OFF;
	} else if (taken(host, pool) + pending(host, pool) < capacity[pool]) {
		fork_qemu(host, actor);
		actor->state = RUNNING;
	}
}

static void restart(struct host *host)
{
	bool damaged = true;

	kw_ledger_close(host->ledger);
	host->ledger = NULL;
	assert_int_equal(kw_ledger_open(dir, &host->ledger, &damaged), 0);
	assert_false(damaged);
}

static void step(struct host *host)
{
	unsigned int action = pick(host, 20);

	host->now_ns += 1 + pick(host, 100);
	if (action == 0)
		restart(host);
	else if (action == 1)
		host->now_ns += pick(host, 2 * TIMEOUT_NS);
	else if (action == 2)
		step_stranger(host, &host->actors[GUESTS + pick(host, STRANGERS)]);
	else
		step_guest(host, &host->actors[pick(host, GUESTS)]);
}

static void check(struct host *host)
{
	struct view view;

	bring_in_line(host, &view);
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		assert_true(taken(host, pool) + pending(host, pool) <= capacity[pool]);
}

static void host_init(struct host *host, uint64_t seed)
{
	*host = (struct host){ .seed = seed * 0x9e3779b97f4a7c15ull, .now_ns = 1000 };
	kw_config_defaults(&host->config);
	for (unsigned int i = 0; i < GUESTS + STRANGERS; i++) {
		/* the first stranger borrows a guest's UUID */
		unsigned int number = i == GUESTS ? 0 : i;

		snprintf(host->actors[i].uuid, sizeof(host->actors[i].uuid),
			 "00000000-0000-0000-0000-%012x", number);
		host->actors[i].type = i % 3 ? KW_GUEST_SEV : KW_GUEST_SEV_ES;
	}
	restart(host);
}

/* With everybody dead, nothing may stay held. */
static void end(struct host *host)
{
	struct view view;

	for (size_t i = 0; i < GUESTS + STRANGERS; i++)
		host->actors[i].state = OFF;
	host->now_ns += TIMEOUT_NS + 1;
	bring_in_line(host, &view);
	assert_int_equal(kw_ledger_holds(host->ledger)->count, 0);
	kw_ledger_close(host->ledger);
}

static void run(uint64_t seed)
{
	struct host host;

	print_message("KW_SEED=%" PRIu64 "\n", seed);
	host_init(&host, seed);
	for (unsigned int i = 0; i < STEPS; i++) {
		step(&host);
		check(&host);
	}
	end(&host);
	/* a schedule that refuses nobody or starts nobody shows nothing */
	assert_true(host.admitted > 50 && host.refused > 50 && host.started > 50);
}

static void no_schedule_over_admits_or_leaks(void **state)
{
	const char *seed = getenv("KW_SEED");

	(void)state;
	if (seed) {
		run(strtoull(seed, NULL, 10));
		return;
	}
	for (uint64_t i = 1; i <= SEEDS; i++)
		run(i);
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

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
