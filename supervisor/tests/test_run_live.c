/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mover makes of a live move, between two hosts of libvirt's test driver,
 * each a file. That one moves nothing: what libvirt would do stands in each test.
 */
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/libvirt_load.h"
#include "base/text.h"
#include "ledger/moves.h"
#include "mover/mover.h"
#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define XML "<domain type='test'><name>g</name><uuid>" UUID "</uuid>"                             \
	    "<memory unit='KiB'>65536</memory><os><type>hvm</type></os></domain>"

static char top[32], run_dir[40], jobs_dir[40];
static virConnectPtr here, there;	/* what a file of the test driver is lives in one of these */

/* What libvirt does when it is to move the guest; and how many looks at a host find what. */
static bool (*migrate)(void);
static unsigned int migrations;
static int unseen;		/* the destination, so often; -1: until it is told to wait no more */
static void (*when_seen)(void);	/* what is found when that is over */
static int active;		/* libvirt says so often that it is moving it */
static void (*when_passive)(void);
static unsigned int unset_autostart;	/* so often the connection breaks instead */

static void be_told_to_wait_no_more(void)
{
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGINT);
}

static virConnectPtr open_it(const char *uri)
{
	bool is_there = strstr(uri, "/there.xml");
	virConnectPtr connection = is_there ? there : here;

	if (is_there && unseen) {
		if (unseen < 0)
			be_told_to_wait_no_more();
		else if (!--unseen && when_seen)
			when_seen();
		return virConnectOpen("test:///no/such/file");
	}
	return virConnectRef(connection) ? NULL : connection;
}

static int is_alive(virConnectPtr connection)
{
	return connection == there && unseen ? 0 : virConnectIsAlive(connection);
}

/* Libvirt's own refusal, for its words; the test driver does not move either. */
static int refuse(virDomainPtr domain)
{
	return virDomainMigrateToURI3(domain, "x:///", NULL, 0, 0);
}

static int migrate_it(virDomainPtr domain, const char *uri, virTypedParameterPtr parameters,
		      unsigned int count, unsigned int flags)
{
	(void)uri;
	(void)parameters;
	(void)count;
	(void)flags;
	migrations++;
	return migrate() ? 0 : refuse(domain);
}

static int job_stats(virDomainPtr domain, int *type, virTypedParameterPtr *parameters, int *count,
		     unsigned int flags)
{
	(void)flags;
	*parameters = NULL;
	*count = 0;
	*type = active ? VIR_DOMAIN_JOB_UNBOUNDED : VIR_DOMAIN_JOB_NONE;
	if (active && !--active && when_passive)
		when_passive();
	return virDomainGetConnect(domain) == there ? refuse(domain) : 0;
}

static int set_autostart(virDomainPtr domain, int on)
{
	if (!unset_autostart)
		return virDomainSetAutostart(domain, on);
	unset_autostart--;
	unseen = 1;
	return refuse(domain);
}

static int undefine_it(virDomainPtr domain, unsigned int flags)
{
	(void)flags;
	return virDomainUndefine(domain);
}

static virDomainPtr find(virConnectPtr connection)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, UUID);

	assert_non_null(domain);
	return domain;
}

static void define(virConnectPtr connection, bool runs)
{
	virDomainPtr domain = virDomainDefineXML(connection, XML);

	assert_non_null(domain);
	if (runs)
		assert_int_equal(virDomainCreate(domain), 0);
	virDomainFree(domain);
}

static void power_off(virConnectPtr connection)
{
	virDomainPtr domain = find(connection);

	assert_int_equal(virDomainDestroy(domain), 0);
	virDomainFree(domain);
}

static void remove_it(virConnectPtr connection)
{
	virDomainPtr domain = find(connection);

	virDomainDestroy(domain);
	assert_int_equal(virDomainUndefine(domain), 0);
	virDomainFree(domain);
}

static int load(void **state)
{
	struct kw_mover mover;
	char error[256];

	(void)state;
	/* as in the program: before there is another thread that could take them */
	if (kw_mover_take_signals(&mover) || close(mover.signal_fd))
		return -1;
	if (kw_move_sides_prepare(error, sizeof(error)))
		return -1;
	vir.ConnectOpen = open_it;
	vir.ConnectIsAlive = is_alive;
	vir.DomainMigrateToURI3 = migrate_it;
	vir.DomainGetJobStats = job_stats;
	vir.DomainUndefineFlags = undefine_it;
	vir.DomainSetAutostart = set_autostart;
	return 0;
}

static virConnectPtr open_file(const char *name)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "test://%s/%s", top, name);
	return tree_put(top, name, "<node/>") ? NULL : virConnectOpen(uri);
}

static int setup(void **state)
{
	(void)state;
	migrations = 0;
	unseen = active = 0;
	unset_autostart = 0;
	when_seen = when_passive = NULL;
	strcpy(top, "/tmp/kw-live-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(run_dir, sizeof(run_dir), "%s/run", top);
	snprintf(jobs_dir, sizeof(jobs_dir), "%s/jobs", top);
	here = open_file("here.xml");
	there = open_file("there.xml");
	return mkdir(run_dir, 0700) || !here || !there;
}

static int teardown(void **state)
{
	(void)state;
	virConnectClose(here);
	virConnectClose(there);
	return tree_remove(top);
}

static void mover_done(struct kw_mover *mover)
{
	kw_move_side_free(mover->here);
	kw_move_side_free(mover->there);
	kw_move_done(&mover->move);
	close(mover->signal_fd);
}

/* The guest runs here. */
static void begin(struct kw_mover *mover)
{
	*mover = (struct kw_mover){
		.jobs_dir = jobs_dir, .run_dir = run_dir,
		.move = { .id = "7", .name = "g", .uuid = UUID, .source = "h1", .host = "h2",
			  .kind = KW_MOVE_LIVE, .persistent = true, .memory.runs = true,
			  .options = { .unguarded = true } },
		.here = kw_move_side_create(NULL, UUID),
	};
	snprintf(mover->move.uri, sizeof(mover->move.uri), "test://%s/there.xml", top);
	mover->there = kw_move_side_create(mover->move.uri, UUID);
	mover->move.xml = strdup(XML);
	assert_int_equal(kw_mover_take_signals(mover), 0);
	kw_mover_cancels(mover);
	mover->cancels = 0;	/* those were of the test before */
	define(here, true);
}

static void expect_side(virConnectPtr connection, enum kw_side_state expected)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, UUID);

	assert_true(!domain == (expected == KW_SIDE_ABSENT));
	if (!domain)
		return;
	assert_int_equal(virDomainIsActive(domain), expected == KW_SIDE_RUNS);
	virDomainFree(domain);
}

static void expect_end(struct kw_mover *mover, enum kw_move_state state,
		       enum kw_side_state at_here, enum kw_side_state at_there)
{
	assert_int_equal(kw_mover_run_live(mover), state);
	expect_side(here, at_here);
	expect_side(there, at_there);
}

static void leave_here(void)
{
	remove_it(here);
}

static bool go_there(void)
{
	define(there, true);
	leave_here();
	return true;
}

static void a_guest_is_moved(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = go_there;
	expect_end(&mover, KW_MOVE_MOVED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
	assert_true(mover.move.memory.runs);
	assert_string_equal(mover.move.error, "");
}

static void nothing_is_begun_with_a_host_that_is_not_seen(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	unseen = 1;
	expect_end(&mover, KW_MOVE_STAYED, KW_SIDE_RUNS, KW_SIDE_ABSENT);
	assert_int_equal(migrations, 0);
	assert_non_null(strstr(mover.move.error, "libvirt of h2 cannot be asked"));
}

static void a_guest_of_that_uuid_there_is_left_alone(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	define(there, false);
	expect_end(&mover, KW_MOVE_STAYED, KW_SIDE_RUNS, KW_SIDE_OFF);
	assert_int_equal(migrations, 0);
	assert_string_equal(mover.move.error, "h2 has a guest of its UUID already");
}

/* The answer of the destination was lost: here libvirt has not let go of it. */
static bool go_there_unheard(void)
{
	define(there, true);
	unseen = 3;
	when_seen = leave_here;
	return false;
}

static void a_guest_that_may_run_there_is_waited_for(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = go_there_unheard;
	expect_end(&mover, KW_MOVE_MOVED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
}

static bool go_out_of_sight(void)
{
	unseen = -1;
	return false;
}

static void the_wait_for_it_ends_when_cancelled_twice(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = go_out_of_sight;
	expect_end(&mover, KW_MOVE_STOPPED, KW_SIDE_RUNS, KW_SIDE_ABSENT);
}

static int autostart_of(virConnectPtr connection)
{
	virDomainPtr domain = find(connection);
	int on = -1;

	assert_int_equal(virDomainGetAutostart(domain, &on), 0);
	virDomainFree(domain);
	return on;
}

static void it_starts_at_boot_there(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	mover.move.autostart = true;
	migrate = go_there;
	unset_autostart = 2;
	expect_end(&mover, KW_MOVE_MOVED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
	assert_int_equal(autostart_of(there), 1);
}

static void why_it_was_not_ended_is_told(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	strcpy(mover.move.step, "migrate");
	mover.move.autostart = true;
	mover.cancels = 2;
	unset_autostart = 1;
	go_there();
	expect_end(&mover, KW_MOVE_STOPPED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
	assert_non_null(strstr(mover.move.error, "direct migration is not supported"));
}

/* A mover that ended has begun it, whatever can be seen now. */
static void what_was_begun_is_not_begun_again_before_it_is_seen(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	strcpy(mover.move.step, "migrate");
	migrate = go_there;
	define(there, true);
	unseen = 3;
	when_seen = leave_here;
	expect_end(&mover, KW_MOVE_MOVED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
	assert_int_equal(migrations, 0);
}

static void what_came_to_nothing_is_begun_again(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	strcpy(mover.move.step, "migrate");
	migrate = go_there;
	expect_end(&mover, KW_MOVE_MOVED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
	assert_int_equal(migrations, 1);
}

static bool fail_there(void)
{
	define(there, false);
	return false;
}

static void a_definition_that_libvirt_left_there_goes(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = fail_there;
	expect_end(&mover, KW_MOVE_STAYED, KW_SIDE_RUNS, KW_SIDE_ABSENT);
	assert_int_not_equal(strlen(mover.move.error), 0);
}

static bool go_off(void)
{
	power_off(here);
	return false;
}

static void a_guest_that_goes_off_meanwhile_is_off_here(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = go_off;
	expect_end(&mover, KW_MOVE_STAYED, KW_SIDE_OFF, KW_SIDE_ABSENT);
	assert_false(mover.move.memory.runs);
	assert_string_equal(mover.move.error, "it has gone off meanwhile");
}

static bool end(void)
{
	remove_it(here);
	return false;
}

static void a_guest_that_is_not_defined_may_end_meanwhile(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	mover.move.persistent = false;
	migrate = end;
	expect_end(&mover, KW_MOVE_STAYED, KW_SIDE_ABSENT, KW_SIDE_ABSENT);
	assert_false(mover.move.memory.runs);
	assert_string_equal(mover.move.error, "it has ended meanwhile, and nothing is left of it");
}

static void arrive(void)
{
	go_there();
}

/* The connection broke, and libvirt goes on all the same. */
static bool go_on(void)
{
	active = 3;
	when_passive = arrive;
	return false;
}

static void what_libvirt_goes_on_with_is_followed(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = go_on;
	expect_end(&mover, KW_MOVE_MOVED, KW_SIDE_ABSENT, KW_SIDE_RUNS);
}

static bool go_on_for_ever(void)
{
	active = INT32_MAX;
	be_told_to_wait_no_more();
	return false;
}

static void what_libvirt_goes_on_with_is_no_guest_that_stays(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = go_on_for_ever;
	expect_end(&mover, KW_MOVE_STOPPED, KW_SIDE_RUNS, KW_SIDE_ABSENT);
	assert_string_equal(mover.move.error,
			    "libvirt may still be moving it, and was to be waited for no more");
}

static bool hang(void)
{
	be_told_to_wait_no_more();
	for (;;)
		pause();
	return false;
}

static void a_libvirt_that_hangs_is_left(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover);
	migrate = hang;
	expect_end(&mover, KW_MOVE_STOPPED, KW_SIDE_RUNS, KW_SIDE_ABSENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_is_moved),
		TEST(nothing_is_begun_with_a_host_that_is_not_seen),
		TEST(a_guest_of_that_uuid_there_is_left_alone),
		TEST(a_guest_that_may_run_there_is_waited_for),
		TEST(the_wait_for_it_ends_when_cancelled_twice),
		TEST(it_starts_at_boot_there),
		TEST(why_it_was_not_ended_is_told),
		TEST(what_was_begun_is_not_begun_again_before_it_is_seen),
		TEST(what_came_to_nothing_is_begun_again),
		TEST(a_definition_that_libvirt_left_there_goes),
		TEST(a_guest_that_goes_off_meanwhile_is_off_here),
		TEST(a_guest_that_is_not_defined_may_end_meanwhile),
		TEST(what_libvirt_goes_on_with_is_followed),
		TEST(what_libvirt_goes_on_with_is_no_guest_that_stays),
		TEST(a_libvirt_that_hangs_is_left),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
