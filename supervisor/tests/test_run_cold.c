/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cold moves by the mover's own hands between two hosts of libvirt's test driver,
 * each a file. There is no kvmwardd at the destination, as the operator allows.
 */
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/move_connection.h"
#include "base/text.h"
#include "ledger/moves.h"
#include "mover/mover.h"
#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define XML "<domain type='test'><name>g</name><uuid>" UUID "</uuid>"                             \
	    "<memory unit='KiB'>65536</memory><os><type>hvm</type></os></domain>"

static char top[32], run_dir[40], jobs_dir[40];
static bool no_start;	/* at the destination */
static bool starting;	/* there, likewise */
static bool no_autostart;
static bool saves;	/* somebody does, when it is asked to shut down */
static char destination[KW_MOVE_URI_MAX];

/* The test driver will hear nothing of firmware variables. */
static int undefine(virDomainPtr domain, unsigned int flags)
{
	(void)flags;
	return virDomainUndefine(domain);
}

static bool is_there(virDomainPtr domain)
{
	char *uri = virConnectGetURI(virDomainGetConnect(domain));
	bool there = !strcmp(uri, destination);

	free(uri);
	return there;
}

static int create(virDomainPtr domain, unsigned int flags)
{
	return no_start && is_there(domain) ? virDomainMigrateToURI3(domain, "x:///", NULL, 0, 0)
					    : virDomainCreateWithFlags(domain, flags);
}

/* A start that is under way, and comes to nothing as soon as somebody has seen it. */
static int get_state(virDomainPtr domain, int *state, int *reason, unsigned int flags)
{
	int result = virDomainGetState(domain, state, reason, flags);

	if (result || !starting || !is_there(domain))
		return result;
	starting = false;
	*state = VIR_DOMAIN_PAUSED;
	*reason = VIR_DOMAIN_PAUSED_STARTING_UP;
	return virDomainDestroy(domain);
}

static int set_autostart(virDomainPtr domain, int on)
{
	if (no_autostart)
		return virDomainMigrateToURI3(domain, "x:///", NULL, 0, 0);
	return virDomainSetAutostart(domain, on);
}

static int shut_down(virDomainPtr domain, unsigned int flags)
{
	return saves ? virDomainManagedSave(domain, 0) : virDomainShutdownFlags(domain, flags);
}

static int load(void **state)
{
	char error[256];

	(void)state;
	if (kw_move_sides_prepare(error, sizeof(error)))
		return -1;
	vir.DomainUndefineFlags = undefine;
	vir.DomainCreateWithFlags = create;
	vir.DomainShutdownFlags = shut_down;
	vir.DomainGetState = get_state;
	vir.DomainSetAutostart = set_autostart;
	return setenv("PATH", "/nowhere", 1);	/* no ssh */
}

static int setup(void **state)
{
	(void)state;
	no_start = no_autostart = starting = saves = false;
	strcpy(top, "/tmp/kw-cold-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(run_dir, sizeof(run_dir), "%s/run", top);
	snprintf(jobs_dir, sizeof(jobs_dir), "%s/jobs", top);
	snprintf(destination, sizeof(destination), "test://%s/there.xml", top);
	return mkdir(run_dir, 0700) || tree_put(top, "here.xml", "<node/>") ||
	       tree_put(top, "there.xml", "<node/>");
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(top);
}

static void mover_done(struct kw_mover *mover)
{
	kw_move_side_free(mover->here);
	kw_move_side_free(mover->there);
	kw_move_done(&mover->move);
	close(mover->signal_fd);
}

static void begin(struct kw_mover *mover, bool runs)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "test://%s/here.xml", top);
	*mover = (struct kw_mover){
		.jobs_dir = jobs_dir, .run_dir = run_dir,
		.move = { .id = "7", .name = "g", .uuid = UUID, .source = "h1", .host = "h2",
			  .kind = KW_MOVE_COLD, .persistent = true, .memory.runs = runs,
			  .options = { .unguarded = true, .shutdown_timeout_s = 5 } },
		.here = kw_move_side_create(uri, UUID),
		.there = kw_move_side_create(destination, UUID),
	};
	strcpy(mover->move.uri, destination);
	mover->move.xml = strdup(XML);
	assert_int_equal(kw_mover_take_signals(mover), 0);
	assert_int_equal(kw_move_side_define(mover->here, XML), 0);
	if (runs)
		assert_int_equal(kw_move_side_start(mover->here), 0);
}

static void expect_side(struct kw_move_side *side, enum kw_side_state expected)
{
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state state;

	assert_int_equal(kw_move_side_look(side, &state, &xml), 0);
	assert_int_equal(state, expected);
	if (xml)
		assert_null(strstr(xml, KW_MARK_NAMESPACE));
}

/* What is on disk is what a mover that was killed would go on from. */
static void expect_saved(const struct kw_mover *mover, const char *step)
{
	_cleanup_(kw_move_done) struct kw_move saved = {};

	assert_int_equal(kw_move_load(jobs_dir, UUID, &saved), 0);
	assert_string_equal(saved.step, step);
	assert_string_equal(saved.id, mover->move.id);
}

static void a_guest_that_runs_is_moved(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_MOVED);
	expect_side(mover.here, KW_SIDE_ABSENT);
	expect_side(mover.there, KW_SIDE_RUNS);
	expect_saved(&mover, "undefine-here");
	assert_true(mover.progress.downtime_ms.known);
	assert_string_equal(mover.move.error, "");
}

static int autostart_there(const struct kw_mover *mover)
{
	virDomainPtr domain = virDomainLookupByUUIDString(mover->there->connection, UUID);
	int on = -1;

	assert_int_equal(virDomainGetAutostart(domain, &on), 0);
	virDomainFree(domain);
	return on;
}

/* What is refused for good is no reason to keep the job. */
static void it_starts_at_boot_there(void **state)
{
	(void)state;
	for (int refused = 0; refused < 2; refused++) {
		_cleanup_(mover_done) struct kw_mover mover;

		begin(&mover, true);
		mover.move.autostart = true;
		no_autostart = refused;
		assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_MOVED);
		assert_int_equal(autostart_there(&mover), !refused);
	}
}

static void a_guest_that_is_off_is_moved(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, false);
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_MOVED);
	expect_side(mover.here, KW_SIDE_ABSENT);
	expect_side(mover.there, KW_SIDE_OFF);
	assert_false(mover.progress.downtime_ms.known);
}

static void a_guest_that_does_not_start_there_runs_here(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	no_start = true;
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_STAYED);
	expect_side(mover.here, KW_SIDE_RUNS);
	expect_side(mover.there, KW_SIDE_ABSENT);
	assert_int_not_equal(strlen(mover.move.error), 0);
}

/* The mover was killed in the middle of starting it there, and goes on. */
static void a_start_that_is_under_way_is_not_taken_for_granted(void **state)
{
	const struct kw_mark leaving = { .kind = KW_MARK_LEAVING, .job = "7", .peer = "h2" };
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, false);
	mover.move.memory.runs = mover.move.memory.copied = mover.move.memory.given = true;
	assert_int_equal(kw_move_side_mark(mover.here, &leaving), 0);
	assert_int_equal(kw_move_side_define(mover.there, XML), 0);
	assert_int_equal(kw_move_side_start(mover.there), 0);
	starting = true;
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_MOVED);
	expect_side(mover.here, KW_SIDE_ABSENT);
	expect_side(mover.there, KW_SIDE_RUNS);
}

static void save_here(struct kw_mover *mover)
{
	bool before = saves;

	saves = true;
	assert_int_equal(kw_move_side_shut_down(mover->here), 0);
	saves = before;
}

static void expect_saved_here(struct kw_mover *mover)
{
	bool saved = false;

	assert_int_equal(kw_mover_run_cold(mover), KW_MOVE_STAYED);
	expect_side(mover->here, KW_SIDE_OFF);
	expect_side(mover->there, KW_SIDE_ABSENT);
	assert_int_equal(kw_move_side_is_saved(mover->here, &saved), 0);
	assert_true(saved);
	assert_false(mover->move.memory.runs);
	assert_string_equal(mover->move.error,
			    "it was saved, not shut down; 'virsh start' goes on with it");
}

static void a_guest_that_is_saved_instead_stays_saved(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	saves = true;
	expect_saved_here(&mover);
	assert_string_equal(mover.move.step, "undone");
}

/* The mover was killed before it could see that. */
static void a_guest_that_was_saved_is_not_given(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	save_here(&mover);
	expect_saved_here(&mover);
	assert_false(mover.move.memory.started);
}

static void a_guest_that_goes_off_by_itself_is_shut_down(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;
	char error[256] = "";

	(void)state;
	begin(&mover, false);
	assert_int_equal(kw_mover_shut_down(&mover, error, sizeof(error)), 0);
	assert_string_equal(error, "");
}

static void without_leave_a_host_without_kvmwardd_is_refused(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	mover.move.options.unguarded = false;
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_STAYED);
	expect_side(mover.here, KW_SIDE_RUNS);
	expect_side(mover.there, KW_SIDE_ABSENT);
	assert_string_equal(mover.move.error,
			    "kvmwardd of h2 cannot be asked: No such file or directory");
}

static bool reaches(bool unguarded, const char *words)
{
	struct kw_mover mover = { .move = { .uri = "qemu+ssh://h2/system?keyfile=/k", .host = "h2",
					    .options.unguarded = unguarded } };
	char script[256], error[256];

	snprintf(script, sizeof(script), "#!/bin/sh\necho '%s' >&2\nexit 255\n", words);
	assert_int_equal(tree_put(top, "ssh", script), 0);
	return kw_mover_reaches(&mover, error, sizeof(error));
}

static void libvirt_may_get_through_where_our_ssh_does_not(void **state)
{
	static const char refused[] = "ssh: connect to host h2 port 22: Connection refused";
	static const char no_key[] = "root@h2: Permission denied (publickey).";
	char ssh[64];

	(void)state;
	snprintf(ssh, sizeof(ssh), "%s/ssh", top);
	assert_int_equal(tree_put(top, "ssh", "") | chmod(ssh, 0755), 0);
	assert_int_equal(setenv("PATH", top, 1), 0);
	assert_false(reaches(false, refused));
	assert_false(reaches(false, no_key));
	assert_false(reaches(true, refused));
	assert_true(reaches(true, no_key));
	assert_int_equal(setenv("PATH", "/nowhere", 1), 0);
}

static void what_was_cancelled_before_stays(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	mover.move.memory.undo = true;
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_STAYED);
	expect_side(mover.here, KW_SIDE_RUNS);
	expect_side(mover.there, KW_SIDE_ABSENT);
}

static void a_guest_of_that_name_there_is_left_alone(void **state)
{
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, true);
	assert_int_equal(kw_move_side_define(mover.there, XML), 0);
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_STOPPED);
	expect_side(mover.here, KW_SIDE_RUNS);
	expect_side(mover.there, KW_SIDE_OFF);
}

/* While this host was gone: the job ends once it is undefined here, whatever way it was to go. */
static void a_guest_that_was_evacuated_does_not_come_back(void **state)
{
	const struct kw_mark taken = { KW_MARK_LEAVING, KW_MARK_EVACUATED, "h2" };
	_cleanup_(mover_done) struct kw_mover mover;

	(void)state;
	begin(&mover, false);
	mover.move.memory.undo = mover.move.memory.runs = true;
	assert_int_equal(kw_move_side_mark(mover.here, &taken), 0);
	assert_int_equal(kw_move_side_define(mover.there, XML), 0);
	assert_int_equal(kw_move_side_start(mover.there), 0);
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_STOPPED);
	assert_non_null(strstr(mover.move.error, "has taken it"));
	expect_side(mover.there, KW_SIDE_RUNS);
	assert_int_equal(kw_move_side_undefine(mover.here, false), 0);
	mover.move.memory.undo = false;
	assert_int_equal(kw_mover_run_cold(&mover), KW_MOVE_MOVED);
	expect_side(mover.there, KW_SIDE_RUNS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_that_runs_is_moved),
		TEST(a_guest_that_is_off_is_moved),
		TEST(it_starts_at_boot_there),
		TEST(a_guest_that_does_not_start_there_runs_here),
		TEST(a_start_that_is_under_way_is_not_taken_for_granted),
		TEST(a_guest_that_is_saved_instead_stays_saved),
		TEST(a_guest_that_was_saved_is_not_given),
		TEST(a_guest_that_goes_off_by_itself_is_shut_down),
		TEST(without_leave_a_host_without_kvmwardd_is_refused),
		TEST(libvirt_may_get_through_where_our_ssh_does_not),
		TEST(what_was_cancelled_before_stays),
		TEST(a_guest_of_that_name_there_is_left_alone),
		TEST(a_guest_that_was_evacuated_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
