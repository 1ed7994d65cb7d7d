/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both sides are made up: three guests, and destinations with room for so many. */
#include "cli/drain_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "act/guests.h"
#include "base/text.h"

#define GUESTS 3

struct kw_bus {
	size_t room;
	int error, later_error;	/* of an empty list, and of one with guests */
};

static struct kw_bus buses[2];
static const char *const uris[] = { "qemu+ssh://h2/system", "qemu+ssh://h3/system" };
static enum kw_exit guest_error;

enum kw_exit kw_move_here_open(const char *command, struct kw_move_here *ret_here)
{
	*ret_here = (struct kw_move_here){ .command = command };
	return KW_EXIT_DONE;
}

void kw_move_here_close(struct kw_move_here *here)
{
	(void)here;
}

enum kw_exit kw_move_here_guest(struct kw_move_here *here, const char *guest,
				struct kw_move_guest *ret_guest)
{
	(void)here;
	kw_text_copy(ret_guest->look.uuid, sizeof(ret_guest->look.uuid), guest);
	ret_guest->look.xml = strdup(guest);
	return guest_error;
}

void kw_move_guest_done(struct kw_move_guest *guest)
{
	free(guest->look.xml);
}

const char *kw_move_guest_xml(const struct kw_move_guest *guest)
{
	return guest->look.xml;
}

void kw_move_there_open(const char *uri, struct kw_move_there *ret_there)
{
	size_t host = uri == uris[1];

	*ret_there = (struct kw_move_there){ .uri = uri, .bus = &buses[host] };
	if (buses[host].error == -ENOTCONN) {
		ret_there->bus = NULL;
		strcpy(ret_there->unguarded, "no way there");
	}
}

void kw_move_there_close(struct kw_move_there *there)
{
	(void)there;
}

int kw_move_facts_make(const struct kw_move_here *here, const struct kw_move_guest *guest,
		       struct kw_move_there *there, bool copies, struct kw_move_facts *ret_facts)
{
	(void)here, (void)guest, (void)there, (void)copies;
	*ret_facts = (struct kw_move_facts){ .run = KW_RUN_RUNS, .persistent = KW_U32(1),
					     .reached = true, .defined_there = KW_U32(0),
					     .machine_fits = KW_U32(1), .cpu_fits = KW_U32(1) };
	ret_facts->managed_save = ret_facts->snapshots = ret_facts->checkpoints = KW_U32(0);
	ret_facts->nested_vcpus = ret_facts->unfinished = KW_U32(0);
	strcpy(ret_facts->domain.virt_type, "kvm");
	return 0;
}

int kw_libvirt_guests(struct kw_libvirt *libvirt, struct kw_guest_name **ret_guests,
		       size_t *ret_count, char *error, size_t error_size)
{
	(void)libvirt, (void)error, (void)error_size;
	*ret_guests = calloc(GUESTS, sizeof(**ret_guests));
	*ret_count = GUESTS;
	for (size_t i = 0; i < GUESTS; i++)
		snprintf((*ret_guests)[i].uuid, sizeof((*ret_guests)[i].uuid), "guest%zu", i);
	return 0;
}

int kw_bus_plan_all(struct kw_bus *bus, const char *const *xmls, size_t count,
		    struct kw_verdict *ret_verdicts)
{
	int error = count ? bus->later_error : bus->error;

	for (size_t i = 0; i < count && !error; i++) {
		assert_true(kw_text_starts(xmls[i], "guest"));
		kw_verdict_set(&ret_verdicts[i], i < bus->room ? KW_ADMITTED : KW_SLOT_FULL, "%s",
			       xmls[i]);
	}
	return error;
}

const char *kw_bus_error(const struct kw_bus *bus)
{
	(void)bus;
	return "it broke";
}

static int setup(void **state)
{
	(void)state;
	memset(buses, 0, sizeof(buses));
	guest_error = KW_EXIT_DONE;
	return 0;
}

static enum kw_exit look_at(size_t uri_count, struct kw_drain_look *ret_look)
{
	const struct kw_move_wish wish = {};

	return kw_drain_look("drain", uris, uri_count, &wish, ret_look);
}

static const struct kw_verdict *bar(const struct kw_drain_look *look, size_t guest, size_t host)
{
	assert_non_null(kw_move_bar(&look->ways[guest].plans[host]));
	return &kw_move_bar(&look->ways[guest].plans[host])->verdict;
}

static void each_goes_where_there_is_room(void **state)
{
	_cleanup_(kw_drain_look_done) struct kw_drain_look look;

	(void)state;
	buses[0].room = buses[1].room = 1;
	assert_int_equal(look_at(2, &look), KW_EXIT_DONE);
	assert_int_equal(look.count, GUESTS);
	assert_true(look.ways[0].goes && look.ways[1].goes && !look.ways[2].goes);
	assert_int_equal(look.ways[0].destination, 0);
	assert_int_equal(look.ways[1].destination, 1);
	assert_int_equal(bar(&look, 2, 0)->code, KW_SLOT_FULL);
	/* the guest's own answer, not another's */
	assert_non_null(strstr(bar(&look, 2, 1)->sentence, "guest2"));
}

static void nobody_goes_where_no_kvmwardd_answers(void **state)
{
	_cleanup_(kw_drain_look_done) struct kw_drain_look look;

	(void)state;
	buses[0].error = -ENOTCONN;
	buses[1] = (struct kw_bus){ .room = GUESTS, .later_error = -EHOSTUNREACH };
	assert_int_equal(look_at(2, &look), KW_EXIT_DONE);
	for (size_t i = 0; i < GUESTS; i++) {
		assert_false(look.ways[i].goes);
		assert_int_equal(bar(&look, i, 0)->code, KW_DEST_UNGUARDED);
		assert_non_null(strstr(bar(&look, i, 0)->sentence, "no way there"));
		assert_int_equal(bar(&look, i, 1)->code, KW_DEST_UNGUARDED);
		assert_non_null(strstr(bar(&look, i, 1)->sentence, "it broke"));
	}
}

static void a_guest_that_cannot_be_looked_at_ends_it(void **state)
{
	_cleanup_(kw_drain_look_done) struct kw_drain_look look;

	(void)state;
	guest_error = KW_EXIT_FAILED;
	assert_int_equal(look_at(1, &look), KW_EXIT_FAILED);
	assert_int_equal(look.count, 1);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_goes_where_there_is_room),
		TEST(nobody_goes_where_no_kvmwardd_answers),
		TEST(a_guest_that_cannot_be_looked_at_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
