/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every state that a cold move can get into, whatever fails, crashes, is started
 * or stopped by others, is lost on the way or arrives late: the guest is never
 * able to run on both hosts and never defined on none, and every state leads to
 * an end once nothing more goes wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/move_steps.h"

#define STATES (1u << 17)
#define STEPS_MOST 24

/* Both hosts as they are, what the mover has on disk, and messages still on their way. */
struct world {
	struct kw_move_view view;
	struct kw_move_memory memory;
	bool late_give, late_start;
};

/* How a step may go. */
enum outcome { WELL, UNHEARD, NOT_NOW, NEVER, OUTCOMES };

/* What others may do between a look and the step, and after it. */
enum event {
	NOTHING,
	START_HERE, START_THERE, STOP_HERE, STOP_THERE,
	LATE_GIVE, LATE_START,
	CRASH, CANCEL,
	EVENTS
};

static uint32_t pack_side(const struct kw_side *side)
{
	return (uint32_t)side->state << 2 | (uint32_t)side->mark;
}

static uint32_t pack(const struct world *world)
{
	const struct kw_move_memory *memory = &world->memory;

	return pack_side(&world->view.here) | pack_side(&world->view.there) << 4 |
	       (uint32_t)world->view.held << 8 | (uint32_t)memory->undo << 9 |
	       (uint32_t)memory->runs << 10 | (uint32_t)memory->copied << 11 |
	       (uint32_t)memory->given << 12 | (uint32_t)memory->started << 13 |
	       (uint32_t)memory->lost << 14 | (uint32_t)world->late_give << 15 |
	       (uint32_t)world->late_start << 16;
}

static struct kw_side unpack_side(uint32_t bits)
{
	return (struct kw_side){ .state = bits >> 2 & 3, .mark = bits & 3 };
}

static struct world unpack(uint32_t bits)
{
	return (struct world){
		.view = { unpack_side(bits), unpack_side(bits >> 4), bits >> 8 & 1 },
		.memory = { .undo = bits >> 9 & 1, .runs = bits >> 10 & 1,
			    .copied = bits >> 11 & 1, .given = bits >> 12 & 1,
			    .started = bits >> 13 & 1, .lost = bits >> 14 & 1 },
		.late_give = bits >> 15 & 1,
		.late_start = bits >> 16 & 1,
	};
}

static bool exists(const struct kw_side *side)
{
	return side->state != KW_SIDE_ABSENT;
}

static bool can_run(const struct kw_side *side)
{
	return side->state == KW_SIDE_RUNS ||
	       (side->state == KW_SIDE_OFF && side->mark == KW_MARK_NONE);
}

static void fail_with(const char *what, const struct world *world)
{
	fail_msg("%s: here %d mark %d, there %d mark %d, held %d, undo %d runs %d copied %d "
		 "given %d started %d lost %d, late %d %d", what, world->view.here.state,
		 world->view.here.mark, world->view.there.state, world->view.there.mark,
		 world->view.held, world->memory.undo, world->memory.runs, world->memory.copied,
		 world->memory.given, world->memory.started, world->memory.lost, world->late_give,
		 world->late_start);
}

static void check(const struct world *world)
{
	const struct kw_side *here = &world->view.here, *there = &world->view.there;

	if (can_run(here) && can_run(there))
		fail_with("it can run on both", world);
	if (!exists(here) && !exists(there))
		fail_with("it is nowhere", world);
}

/* As libvirt and the hook have it: a start of what is marked is refused. */
static void start(struct kw_side *side)
{
	if (can_run(side))
		side->state = KW_SIDE_RUNS;
}

static void stop(struct kw_side *side)
{
	if (side->state == KW_SIDE_RUNS)
		side->state = KW_SIDE_OFF;
}

static void mark(struct kw_side *side, enum kw_mark_kind kind)
{
	if (exists(side))
		side->mark = kind;
}

/* To undefine one that runs would leave it running without a definition. */
static void undefine(struct kw_side *side, const struct world *world)
{
	if (side->state == KW_SIDE_RUNS)
		fail_with("a guest that runs is undefined", world);
	*side = (struct kw_side){ .state = KW_SIDE_ABSENT };
}

static void take_effect(struct world *world, enum kw_move_step step)
{
	struct kw_side *here = &world->view.here, *there = &world->view.there;

	switch (step) {
	case KW_MOVE_HOLD:
		world->view.held = true;
		break;
	case KW_MOVE_DEFINE_THERE:
		if (!exists(there))
			*there = (struct kw_side){ KW_SIDE_OFF, KW_MARK_ARRIVING, false };
		break;
	case KW_MOVE_SHUT_DOWN:
		stop(here);
		break;
	case KW_MOVE_MARK_HERE:
		mark(here, KW_MARK_LEAVING);
		break;
	case KW_MOVE_GIVE:
		mark(there, KW_MARK_NONE);
		break;
	case KW_MOVE_START_THERE:
		start(there);
		break;
	case KW_MOVE_UNDEFINE_HERE:
		undefine(here, world);
		break;
	case KW_MOVE_TAKE_BACK:
		mark(there, KW_MARK_ARRIVING);
		break;
	case KW_MOVE_UNDEFINE_THERE:
		undefine(there, world);
		break;
	case KW_MOVE_UNMARK_HERE:
		mark(here, KW_MARK_NONE);
		break;
	case KW_MOVE_START_HERE:
		start(here);
		break;
	default:
		break;
	}
}

/* What the mover notes after a step that it knows to have gone well, or never to go. */
static void note(struct world *world, enum kw_move_step step, enum outcome outcome)
{
	struct kw_move_memory *memory = &world->memory;

	if (outcome == WELL && step == KW_MOVE_COPY)
		memory->copied = true;
	if (outcome == WELL && step == KW_MOVE_START_THERE)
		memory->started = true;
	if (outcome == NEVER && step == KW_MOVE_START_HERE)
		memory->lost = true;
	else if (outcome == NEVER)
		memory->undo = true;
}

static void do_step(struct world *world, enum kw_move_step step, enum outcome outcome)
{
	if (step == KW_MOVE_TOO_LATE)
		world->memory.undo = false;
	if (outcome == UNHEARD && step == KW_MOVE_GIVE)
		world->late_give = true;
	if (outcome == UNHEARD && step == KW_MOVE_START_THERE)
		world->late_start = true;
	if (outcome == WELL || outcome == UNHEARD)
		take_effect(world, step);
	note(world, step, outcome);
}

static void happen(struct world *world, enum event event)
{
	switch (event) {
	case START_HERE:
		start(&world->view.here);
		break;
	case START_THERE:
		start(&world->view.there);
		break;
	case STOP_HERE:
		stop(&world->view.here);
		break;
	case STOP_THERE:
		stop(&world->view.there);
		break;
	case LATE_GIVE:
		if (world->late_give)
			mark(&world->view.there, KW_MARK_NONE);
		break;
	case LATE_START:
		if (world->late_start)
			start(&world->view.there);
		break;
	case CRASH:
		world->view.held = false;
		break;
	case CANCEL:
		world->memory.undo = true;
		break;
	default:
		break;
	}
}

/* States that were reached and are still to be gone on from. */
static uint8_t reached[STATES];
static uint32_t queue[STATES];
static size_t queued;

static void reach(const struct world *world)
{
	uint32_t bits = pack(world);

	check(world);
	if (reached[bits])
		return;
	reached[bits] = 1;
	queue[queued++] = bits;
}

/* One look, in which the destination may be out of sight, then one step, with others about. */
static void go_on(const struct world *from, bool in_sight)
{
	struct world seen = *from;
	struct kw_move_view view;
	enum kw_move_step step;

	if (!in_sight)
		seen.view.held = false;
	view = seen.view;
	if (!in_sight)
		view.there = (struct kw_side){ .state = KW_SIDE_UNKNOWN };
	step = kw_move_next(&view, &seen.memory);
	if (step == KW_MOVE_STUCK)
		fail_with("stuck", from);
	for (enum event event = NOTHING; event < EVENTS; event++) {
		for (enum outcome outcome = WELL; outcome < OUTCOMES; outcome++) {
			struct world next = seen;

			happen(&next, event);
			check(&next);
			do_step(&next, step, outcome);
			reach(&next);
		}
	}
}

static bool is_end(const struct world *world, enum kw_move_step step)
{
	const struct kw_side *here = &world->view.here, *there = &world->view.there;

	if (step == KW_MOVE_DONE)
		return !exists(here) && exists(there) && there->mark == KW_MARK_NONE &&
		       (world->memory.started || !world->memory.runs);
	return step == KW_MOVE_UNDONE && exists(here) && here->mark == KW_MARK_NONE &&
	       !exists(there) &&
	       (here->state == KW_SIDE_RUNS || !world->memory.runs || world->memory.lost);
}

/* Nothing goes wrong any more. */
static void check_end(struct world world)
{
	struct world first = world;

	for (int i = 0; i < STEPS_MOST; i++) {
		enum kw_move_step step = kw_move_next(&world.view, &world.memory);

		if (is_end(&world, step))
			return;
		do_step(&world, step, WELL);
		check(&world);
	}
	fail_with("no end", &first);
}

static void explore(enum kw_side_state begin)
{
	struct world world = { .view.here.state = begin, .view.there.state = KW_SIDE_ABSENT };

	memset(reached, 0, sizeof(reached));
	queued = 0;
	reach(&world);
	for (size_t i = 0; i < queued; i++) {
		world = unpack(queue[i]);
		check_end(world);
		go_on(&world, true);
		go_on(&world, false);
	}
	print_message("%zu states\n", queued);
}

static void a_guest_that_runs_is_never_in_two_places(void **state)
{
	(void)state;
	explore(KW_SIDE_RUNS);
}

static void a_guest_that_is_off_is_never_in_two_places(void **state)
{
	(void)state;
	explore(KW_SIDE_OFF);
}

/* The steps of a move, or of its undoing, when all goes well. */
static void expect_steps(struct world world, const char *expected)
{
	char steps[512] = "";

	for (int i = 0; i < STEPS_MOST; i++) {
		enum kw_move_step step = kw_move_next(&world.view, &world.memory);
		size_t length = strlen(steps);

		snprintf(steps + length, sizeof(steps) - length, "%s%s", length ? " " : "",
			 kw_move_step_name(step));
		if (is_end(&world, step) || step == KW_MOVE_STUCK)
			break;
		do_step(&world, step, WELL);
	}
	assert_string_equal(steps, expected);
}

static const struct world running = { .view = { { .state = KW_SIDE_RUNS },
						{ .state = KW_SIDE_ABSENT }, false } };

static void a_move_takes_its_steps(void **state)
{
	(void)state;
	expect_steps(running, "hold define-there shut-down mark-here copy give start-there "
			      "undefine-here done");
}

static void a_guest_that_is_off_stays_off(void **state)
{
	struct world world = running;

	(void)state;
	world.view.here.state = KW_SIDE_OFF;
	expect_steps(world, "define-there mark-here copy give undefine-here done");
}

static void undoing_takes_the_right_back_first(void **state)
{
	struct world world = {
		.view = { { KW_SIDE_OFF, KW_MARK_LEAVING, false }, { .state = KW_SIDE_OFF }, false },
		.memory = { .undo = true, .runs = true, .copied = true, .given = true },
	};

	(void)state;
	expect_steps(world, "take-back undefine-there unmark-here start-here undone");
	world.memory.given = false;
	world.view.there = (struct kw_side){ KW_SIDE_OFF, KW_MARK_ARRIVING, false };
	expect_steps(world, "unmark-here start-here undefine-there undone");
	world.memory.lost = true;
	expect_steps(world, "unmark-here undefine-there undone");
	world.view.there.state = KW_SIDE_RUNS;
	world.view.there.mark = KW_MARK_NONE;
	expect_steps(world, "too-late undefine-here done");
}

static enum kw_move_step next_of(struct kw_side here, struct kw_side there, bool undo)
{
	struct kw_move_view view = { here, there, false };
	struct kw_move_memory memory = { .undo = undo, .runs = true };

	return kw_move_next(&view, &memory);
}

static void what_others_have_done_is_left_to_people(void **state)
{
	const struct kw_side runs = { .state = KW_SIDE_RUNS }, off = { .state = KW_SIDE_OFF };
	const struct kw_side absent = { .state = KW_SIDE_ABSENT };

	(void)state;
	for (int undo = 0; undo < 2; undo++) {
		assert_int_equal(next_of(runs, runs, undo), KW_MOVE_STUCK);
		assert_int_equal(next_of(runs, off, undo), KW_MOVE_STUCK);
		assert_int_equal(next_of(off, off, undo), KW_MOVE_STUCK);
		assert_int_equal(next_of((struct kw_side){ KW_SIDE_OFF, KW_MARK_ARRIVING, false },
					 absent, undo), KW_MOVE_STUCK);
		assert_int_equal(next_of((struct kw_side){ KW_SIDE_OFF, KW_MARK_LEAVING, true },
					 absent, undo), KW_MOVE_STUCK);
		assert_int_equal(next_of(off, (struct kw_side){ KW_SIDE_OFF, KW_MARK_ARRIVING, true },
					 undo), KW_MOVE_STUCK);
		assert_int_equal(next_of(off, (struct kw_side){ KW_SIDE_OFF, KW_MARK_UNKNOWN, false },
					 undo), KW_MOVE_STUCK);
	}
	assert_int_equal(next_of(absent, absent, false), KW_MOVE_STUCK);
}

/* What the destination was not given it cannot have, seen or not. */
static void an_unseen_destination_keeps_nothing_back_that_it_never_had(void **state)
{
	struct kw_move_view view = { { KW_SIDE_OFF, KW_MARK_LEAVING, false },
				     { .state = KW_SIDE_UNKNOWN }, false };
	struct kw_move_memory memory = { .undo = true, .runs = true };

	(void)state;
	assert_int_equal(kw_move_next(&view, &memory), KW_MOVE_UNMARK_HERE);
	memory.given = true;
	assert_int_equal(kw_move_next(&view, &memory), KW_MOVE_WAIT_THERE);
	memory.undo = false;
	assert_int_equal(kw_move_next(&view, &memory), KW_MOVE_WAIT_THERE);
	view.here.state = KW_SIDE_UNKNOWN;
	assert_int_equal(kw_move_next(&view, &memory), KW_MOVE_WAIT_HERE);
}

#define TEST(function) cmocka_unit_test(function)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_that_runs_is_never_in_two_places),
		TEST(a_guest_that_is_off_is_never_in_two_places),
		TEST(a_move_takes_its_steps),
		TEST(a_guest_that_is_off_stays_off),
		TEST(undoing_takes_the_right_back_first),
		TEST(what_others_have_done_is_left_to_people),
		TEST(an_unseen_destination_keeps_nothing_back_that_it_never_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
