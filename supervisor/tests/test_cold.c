/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cold moves of a guest between two little hosts on which everything goes wrong:
 * steps fail or are done unheard, the link goes away, the mover is killed at any
 * moment and the job on disk is all that is left, operators cancel and resume.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mover/cold.h"

#define RUNS 20000

struct world {
	struct kw_side here, there;
	bool held;
	bool ran_there;
	bool late_give, late_start;	/* messages that are still on their way */
	struct kw_move move;		/* the mover's */
	struct kw_move disk;		/* what was saved of it */
	unsigned int cancels;
	uint64_t now_ms, give_up_ms;	/* then it is cancelled twice; 0 never */
	unsigned int trouble;		/* per cent of calls that go wrong */
	uint64_t random;
	unsigned int actions;
	jmp_buf death;
	enum kw_move_step never;	/* a step that is refused for good */
	int never_with;
	char steps[1024];
};

static uint32_t draw(struct world *world, uint32_t below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (uint32_t)(world->random >> 33) % below;
}

static bool goes_wrong(struct world *world)
{
	return world->trouble && draw(world, 100) < world->trouble;
}

static bool can_run(const struct kw_side *side)
{
	return side->state == KW_SIDE_RUNS ||
	       (side->state == KW_SIDE_OFF && side->mark == KW_MARK_NONE);
}

static void check(struct world *world)
{
	if (can_run(&world->here) && can_run(&world->there))
		fail_msg("it can run on both hosts");
	if (world->here.state == KW_SIDE_ABSENT && world->there.state == KW_SIDE_ABSENT)
		fail_msg("it is nowhere");
	world->ran_there |= world->there.state == KW_SIDE_RUNS;
}

static void start(struct kw_side *side)
{
	if (can_run(side))
		side->state = KW_SIDE_RUNS;
}

static void set_mark(struct kw_side *side, enum kw_mark_kind kind)
{
	if (side->state != KW_SIDE_ABSENT)
		side->mark = kind;
}

static void undefine(struct kw_side *side)
{
	assert_int_not_equal(side->state, KW_SIDE_RUNS);
	*side = (struct kw_side){ .state = KW_SIDE_ABSENT };
}

/* Others start and stop the guest, and what was sent long ago arrives. */
static void let_others_act(struct world *world)
{
	if (!goes_wrong(world))
		return;
	switch (draw(world, 6)) {
	case 0:
		start(&world->here);
		break;
	case 1:
		start(&world->there);
		break;
	case 2:
		if (world->there.state == KW_SIDE_RUNS)
			world->there.state = KW_SIDE_OFF;
		break;
	case 3:
		if (world->late_give)
			set_mark(&world->there, KW_MARK_NONE);
		world->late_give = false;
		break;
	case 4:
		if (world->late_start)
			start(&world->there);
		world->late_start = false;
		break;
	default:
		world->cancels++;
	}
	check(world);
}

static void take_effect(struct world *world, enum kw_move_step step)
{
	switch (step) {
	case KW_MOVE_HOLD:
		world->held = true;
		break;
	case KW_MOVE_DEFINE_THERE:
		if (world->there.state == KW_SIDE_ABSENT)
			world->there = (struct kw_side){ KW_SIDE_OFF, KW_MARK_ARRIVING, false };
		break;
	case KW_MOVE_SHUT_DOWN:
		if (world->here.state == KW_SIDE_RUNS)
			world->here.state = KW_SIDE_OFF;
		break;
	case KW_MOVE_MARK_HERE:
		set_mark(&world->here, KW_MARK_LEAVING);
		break;
	case KW_MOVE_GIVE:
		set_mark(&world->there, KW_MARK_NONE);
		break;
	case KW_MOVE_START_THERE:
		start(&world->there);
		break;
	case KW_MOVE_UNDEFINE_HERE:
		undefine(&world->here);
		break;
	case KW_MOVE_TAKE_BACK:
		set_mark(&world->there, KW_MARK_ARRIVING);
		break;
	case KW_MOVE_UNDEFINE_THERE:
		undefine(&world->there);
		break;
	case KW_MOVE_UNMARK_HERE:
		set_mark(&world->here, KW_MARK_NONE);
		break;
	case KW_MOVE_START_HERE:
		start(&world->here);
		break;
	default:
		break;
	}
	check(world);
}

static void maybe_die(struct world *world)
{
	if (world->trouble && !draw(world, 40))
		longjmp(world->death, 1);
}

static void hand_look(void *data, struct kw_move_view *ret_view, char *error, size_t size)
{
	struct world *world = data;

	maybe_die(world);
	*ret_view = (struct kw_move_view){ world->here, world->there, world->held };
	if (goes_wrong(world)) {
		ret_view->there = (struct kw_side){ .state = KW_SIDE_UNKNOWN };
		ret_view->held = world->held = false;
		kw_text_copy(error, size, "no route to host");
	} else if (goes_wrong(world)) {
		ret_view->here = (struct kw_side){ .state = KW_SIDE_UNKNOWN };
	}
	let_others_act(world);
}

static void note_step(struct world *world, enum kw_move_step step)
{
	size_t used = strlen(world->steps);

	snprintf(world->steps + used, sizeof(world->steps) - used, "%s%s", used ? " " : "",
		 kw_move_step_name(step));
}

static int hand_act(void *data, enum kw_move_step step, char *error, size_t size)
{
	static const int errors[] = { -EAGAIN, -EIO, -EPERM };
	struct world *world = data;
	int result;

	assert_memory_equal(&world->disk.memory, &world->move.memory, sizeof(world->disk.memory));
	assert_true(++world->actions < 100000);
	note_step(world, step);
	maybe_die(world);
	kw_text_copy(error, size, "it was refused");
	if (step == world->never)
		return world->never_with;
	if (!goes_wrong(world)) {
		take_effect(world, step);
		return 0;
	}
	result = errors[draw(world, 3)];
	if (result == -EAGAIN) {
		world->late_give |= step == KW_MOVE_GIVE;
		world->late_start |= step == KW_MOVE_START_THERE;
		if (draw(world, 2))
			take_effect(world, step);
	}
	maybe_die(world);
	return result;
}

static int hand_save(void *data)
{
	struct world *world = data;

	maybe_die(world);
	if (world->trouble && !draw(world, 60))
		return -ENOSPC;
	world->disk = world->move;
	maybe_die(world);
	return 0;
}

static void hand_pause(void *data, unsigned int ms)
{
	((struct world *)data)->now_ms += ms;
}

static uint64_t hand_now(void *data)
{
	return ((struct world *)data)->now_ms;
}

static unsigned int hand_cancels(void *data)
{
	struct world *world = data;

	return world->give_up_ms && world->now_ms >= world->give_up_ms ? 2 : world->cancels;
}

/* One life of the mover. False when it ended by death. */
static bool live(struct world *world, enum kw_move_state *ret_state)
{
	const struct kw_cold_hands hands = { world, hand_look, hand_act, hand_save, hand_pause,
					     hand_now, hand_cancels };

	world->move = world->disk;
	world->held = false;
	world->cancels = 0;
	if (setjmp(world->death))
		return false;
	*ret_state = kw_cold_run(&hands, &world->move);
	return true;
}

static void begin(struct world *world, uint64_t seed, bool runs)
{
	*world = (struct world){
		.here.state = runs ? KW_SIDE_RUNS : KW_SIDE_OFF,
		.there.state = KW_SIDE_ABSENT,
		.disk.memory.runs = runs,
		.random = seed * 0x9e3779b97f4a7c15u + 1,
		.never = KW_MOVE_STEP_COUNT,
	};
}

/* What has to be true of a move that is over. */
static void expect_end(const struct world *world, enum kw_move_state state)
{
	const struct kw_side *here = &world->here, *there = &world->there;

	if (state == KW_MOVE_MOVED) {
		assert_int_equal(here->state, KW_SIDE_ABSENT);
		assert_int_not_equal(there->state, KW_SIDE_ABSENT);
		assert_int_equal(there->mark, KW_MARK_NONE);
	} else {
		assert_int_equal(state, KW_MOVE_STAYED);
		assert_int_equal(there->state, KW_SIDE_ABSENT);
		assert_int_not_equal(here->state, KW_SIDE_ABSENT);
		assert_int_equal(here->mark, KW_MARK_NONE);
	}
}

/* Then nothing goes wrong any more, and the job is resumed, or undone. */
static void survive(uint64_t seed, bool runs)
{
	enum kw_move_state state = KW_MOVE_RUNNING;
	struct world world;
	bool over = false;

	begin(&world, seed, runs);
	world.trouble = 2 + draw(&world, 30);
	for (int lives = 0; lives < 4 && !over; lives++) {
		world.disk.memory.undo = draw(&world, 3) == 0 || (lives && world.disk.memory.undo);
		over = live(&world, &state) && state != KW_MOVE_STOPPED;
	}
	world.trouble = 0;
	if (!over) {
		world.disk.memory.undo = draw(&world, 2);
		assert_true(live(&world, &state));
	}
	expect_end(&world, state);
	if (state == KW_MOVE_STAYED && runs && !world.move.memory.lost)
		assert_true(can_run(&world.here));
	if (state == KW_MOVE_MOVED && runs)
		assert_true(world.ran_there);
}

static void it_ends_in_one_place_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++)
		survive(seed, seed % 4 != 0);
}

static void expect_run(enum kw_move_step never, int with, enum kw_move_state expected,
		       const char *steps, const char *error)
{
	enum kw_move_state state;
	struct world world;

	begin(&world, 1, true);
	world.never = never;
	world.never_with = with;
	assert_true(live(&world, &state));
	assert_int_equal(state, expected);
	assert_string_equal(world.steps, steps);
	assert_string_equal(world.move.error, error);
	if (expected != KW_MOVE_STOPPED)
		expect_end(&world, state);
}

static void all_goes_well(void **state)
{
	(void)state;
	expect_run(KW_MOVE_STEP_COUNT, 0, KW_MOVE_MOVED,
		   "hold define-there shut-down mark-here copy give start-there undefine-here", "");
}

static void what_is_refused_before_the_guest_is_touched_leaves_it_alone(void **state)
{
	(void)state;
	expect_run(KW_MOVE_HOLD, -EPERM, KW_MOVE_STAYED, "hold", "it was refused");
	expect_run(KW_MOVE_SHUT_DOWN, -EPERM, KW_MOVE_STAYED,
		   "hold define-there shut-down undefine-there", "it was refused");
}

static void what_may_pass_is_tried_three_times(void **state)
{
	(void)state;
	expect_run(KW_MOVE_DEFINE_THERE, -EIO, KW_MOVE_STAYED,
		   "hold define-there define-there define-there", "it was refused");
}

static void a_guest_that_does_not_start_there_comes_back(void **state)
{
	(void)state;
	expect_run(KW_MOVE_START_THERE, -EPERM, KW_MOVE_STAYED,
		   "hold define-there shut-down mark-here copy give start-there take-back "
		   "undefine-there unmark-here start-here", "it was refused");
}

static void what_cannot_be_ended_is_told(void **state)
{
	(void)state;
	expect_run(KW_MOVE_UNDEFINE_HERE, -EPERM, KW_MOVE_STOPPED,
		   "hold define-there shut-down mark-here copy give start-there undefine-here "
		   "undefine-here", "it was refused");
}

static void a_guest_that_starts_nowhere_is_off_here(void **state)
{
	enum kw_move_state end;
	struct world world;

	(void)state;
	begin(&world, 1, true);
	world.here = (struct kw_side){ KW_SIDE_OFF, KW_MARK_LEAVING, false };
	world.disk.memory.undo = true;
	strcpy(world.disk.error, "cancelled");
	world.never = KW_MOVE_START_HERE;
	world.never_with = -EIO;
	assert_true(live(&world, &end));
	assert_int_equal(end, KW_MOVE_STAYED);
	assert_string_equal(world.move.error,
			    "cancelled; and it does not start here again: it was refused");
	expect_end(&world, end);
}

static void look_without_there(void *data, struct kw_move_view *ret_view, char *error, size_t size)
{
	hand_look(data, ret_view, error, size);
	ret_view->there = (struct kw_side){ .state = KW_SIDE_UNKNOWN };
	kw_text_copy(error, size, "no route to host");
}

/* It starts here again, and what is there is left for later, when told to wait no more. */
static void a_guest_that_is_off_does_not_wait_for_ever(void **state)
{
	struct world world;
	const struct kw_cold_hands hands = { &world, look_without_there, hand_act, hand_save,
					     hand_pause, hand_now, hand_cancels };

	(void)state;
	begin(&world, 1, true);
	world.here = (struct kw_side){ KW_SIDE_OFF, KW_MARK_LEAVING, false };
	world.there = (struct kw_side){ KW_SIDE_OFF, KW_MARK_ARRIVING, false };
	world.move = world.disk;
	world.now_ms = 1;
	world.give_up_ms = 2 * KW_COLD_WAIT_MS;
	assert_int_equal(kw_cold_run(&hands, &world.move), KW_MOVE_STOPPED);
	assert_string_equal(world.steps, "unmark-here start-here");
	assert_int_equal(world.here.state, KW_SIDE_RUNS);
	assert_string_equal(world.move.error, "no route to host");
}

#define TEST(function) cmocka_unit_test(function)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_ends_in_one_place_whatever_happens),
		TEST(all_goes_well),
		TEST(what_is_refused_before_the_guest_is_touched_leaves_it_alone),
		TEST(what_may_pass_is_tried_three_times),
		TEST(a_guest_that_does_not_start_there_comes_back),
		TEST(what_cannot_be_ended_is_told),
		TEST(a_guest_that_starts_nowhere_is_off_here),
		TEST(a_guest_that_is_off_does_not_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
