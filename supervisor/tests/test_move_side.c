/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against libvirt's own test driver, which keeps its guests in this process. */
#include "act/move_side.h"

#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "act/move_connection.h"
#include "act/move_file.h"
#include "base/cleanup.h"

#define URI "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the guest "test" that URI begins with */
#define NEW_UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define NEW "<domain type='test'><name>new</name><uuid>" NEW_UUID "</uuid>"                       \
	    "<memory unit='KiB'>65536</memory><os><type>hvm</type></os></domain>"

KW_CLEANUP_OF(struct kw_move_side, kw_move_side_free);

static int prepare(void **state)
{
	char error[256];

	(void)state;
	return kw_move_sides_prepare(error, sizeof(error));
}

static void expect_state(struct kw_move_side *side, enum kw_side_state expected)
{
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state state;

	assert_int_equal(kw_move_side_look(side, &state, &xml), 0);
	assert_int_equal(state, expected);
	assert_true(!xml == (expected == KW_SIDE_ABSENT));
}

/* The test driver refuses to hear of firmware variables; its guests are one process's. */
static void undefine(const char *uuid)
{
	virConnectPtr connection = virConnectOpen(URI);
	virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);

	assert_int_equal(virDomainUndefine(domain), 0);
	virDomainFree(domain);
	virConnectClose(connection);
}

static void a_guest_comes_and_goes(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side =
		kw_move_side_create(URI, NEW_UUID);
	bool awake = false;

	(void)state;
	expect_state(side, KW_SIDE_ABSENT);
	assert_int_equal(kw_move_side_start(side), -ENOENT);
	assert_int_equal(kw_move_side_define(side, NEW), 0);
	expect_state(side, KW_SIDE_OFF);
	assert_int_equal(kw_move_side_is_awake(side, &awake), 0);
	assert_false(awake);
	assert_int_equal(kw_move_side_start(side), 0);
	assert_int_equal(kw_move_side_start(side), -EIO);
	expect_state(side, KW_SIDE_RUNS);
	assert_int_equal(kw_move_side_is_awake(side, &awake), 0);
	assert_true(awake);
	assert_int_equal(kw_move_side_set_autostart(side, true), 0);
	assert_int_equal(kw_move_side_shut_down(side), 0);
	expect_state(side, KW_SIDE_OFF);
	assert_int_equal(kw_move_side_start(side), 0);
	assert_int_equal(kw_move_side_power_off(side), 0);
	assert_int_equal(kw_move_side_power_off(side), -EIO);
	undefine(NEW_UUID);
	assert_int_equal(kw_move_side_undefine(side, true), 0);
	expect_state(side, KW_SIDE_ABSENT);
}

static int be_starting(virDomainPtr domain, int *state, int *reason, unsigned int flags)
{
	(void)domain;
	(void)flags;
	*state = VIR_DOMAIN_PAUSED;
	*reason = VIR_DOMAIN_PAUSED_STARTING_UP;
	return 0;
}

static void a_guest_that_is_being_started_does_not_run_yet(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side = kw_move_side_create(URI, UUID);
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state seen = KW_SIDE_ABSENT;
	int result;

	(void)state;
	vir.DomainGetState = be_starting;
	result = kw_move_side_look(side, &seen, &xml);
	vir.DomainGetState = virDomainGetState;
	assert_int_equal(result, -EAGAIN);
	assert_int_equal(seen, KW_SIDE_ABSENT);
	assert_null(xml);
	expect_state(side, KW_SIDE_RUNS);
}

static void a_job_is_told_of_the_guest(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side = kw_move_side_create(URI, "");
	struct kw_move_about by_name = {}, by_uuid = {};

	(void)state;
	assert_int_equal(kw_move_side_about(side, "test", &by_name), 0);
	assert_string_equal(by_name.uuid, UUID);
	assert_string_equal(by_name.name, "test");
	assert_true(by_name.runs && by_name.persistent);
	assert_false(by_name.autostart || by_name.managed_save);
	assert_non_null(strstr(by_name.xml, UUID));
	assert_int_equal(kw_move_side_about(side, "6695EB01F6A4830479AA97F2502E193F", &by_uuid), 0);
	assert_string_equal(by_uuid.name, "test");
	free(by_name.xml);
	free(by_uuid.xml);
	assert_int_equal(kw_move_side_about(side, "nobody", &by_name), -ENOENT);
	assert_int_equal(kw_move_side_about(side, NEW_UUID, &by_name), -ENOENT);
}

static bool has_mark(struct kw_move_side *side, const char *word)
{
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state state;

	assert_int_equal(kw_move_side_look(side, &state, &xml), 0);
	return strstr(xml, "urn:kvmward:move:1") && strstr(xml, word);
}

static void only_its_own_job_removes_a_mark(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side = kw_move_side_create(URI, UUID);
	struct kw_mark mark = { .kind = KW_MARK_LEAVING, .job = "7", .peer = "h<2>" };
	const struct kw_mark other = { .kind = KW_MARK_ARRIVING, .job = "8", .peer = "h3" };
	const struct kw_mark none = { .job = "8" };

	(void)state;
	assert_int_equal(kw_move_side_mark(side, &none), 0);
	assert_int_equal(kw_move_side_mark(side, &mark), 0);
	assert_true(has_mark(side, "leaving"));
	assert_int_equal(kw_move_side_mark(side, &none), -EPERM);
	assert_int_equal(kw_move_side_mark(side, &other), -EPERM);
	assert_true(has_mark(side, "leaving"));
	mark.kind = KW_MARK_ARRIVING;
	assert_int_equal(kw_move_side_mark(side, &mark), 0);
	assert_true(has_mark(side, "arriving"));
	mark.kind = KW_MARK_NONE;
	assert_int_equal(kw_move_side_mark(side, &mark), 0);
	assert_int_equal(kw_move_side_mark(side, &mark), 0);
	assert_false(has_mark(side, "move"));
}

static void a_host_that_is_not_there_is_no_refusal(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side =
		kw_move_side_create("test:///no/such/file", UUID);
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state seen;

	(void)state;
	assert_int_equal(kw_move_side_look(side, &seen, &xml), -ENOTCONN);
	assert_int_equal(kw_move_side_start(side), -ENOTCONN);
	assert_int_not_equal(strlen(kw_move_side_error(side)), 0);
	assert_false(kw_move_side_is_connected(side));
}

static sem_t thawed;

static virConnectPtr open_frozen(const char *uri)
{
	sem_wait(&thawed);
	return virConnectOpen(uri);
}

static void a_libvirt_that_is_frozen_is_not_waited_for_for_ever(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side = kw_move_side_create(URI, UUID);
	struct kw_move_side *other = kw_move_side_create(URI, UUID);
	unsigned int limit_ms = side->open_limit_ms;

	(void)state;
	sem_init(&thawed, 0, 0);
	vir.ConnectOpen = open_frozen;
	side->open_limit_ms = other->open_limit_ms = 1;
	for (int i = 0; i < 2; i++)
		assert_int_equal(kw_move_side_connect(side), -ENOTCONN);
	assert_int_equal(kw_move_side_connect(other), -ENOTCONN);
	assert_string_equal(kw_move_side_error(side), "it has not answered within 0 s");
	kw_move_side_free(other);	/* its thread goes by itself */
	for (int i = 0; i < 2; i++)	/* as often as one was begun */
		sem_post(&thawed);
	side->open_limit_ms = limit_ms;
	assert_int_equal(kw_move_side_connect(side), 0);
	vir.ConnectOpen = virConnectOpen;
}

static void a_file_has_a_path_of_libvirts(void **state)
{
	static const char *const paths[] = { "", "file", "/file", "/dir/", "/a<b/c", "/a/b'c" };
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side = kw_move_side_create(URI, UUID);
	bool there;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(kw_move_side_has_file(side, paths[i], &there), -EINVAL);
	assert_int_equal(kw_move_side_has_file(side, "/kvmward-test/no-such-file", &there), 0);
	assert_false(there);
}

/* The test driver knows none by its path. */
static virStoragePoolPtr find_pool(virConnectPtr connection, const char *path)
{
	assert_string_equal(path, "/kvmward-left");
	return virStoragePoolLookupByName(connection, "kvmward-" UUID);
}

static void a_pool_that_a_mover_left_behind_goes(void **state)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side = kw_move_side_create(URI, UUID);
	virConnectPtr connection = virConnectOpen(URI);
	virStoragePoolPtr pool = virStoragePoolCreateXML(
		connection, "<pool type='dir'><name>kvmward-" UUID "</name><target>"
		"<path>/kvmward-left</path></target></pool>", 0);
	bool there = true;

	(void)state;
	assert_non_null(pool);
	virStoragePoolFree(pool);
	vir.StoragePoolLookupByTargetPath = find_pool;
	assert_int_equal(kw_move_side_has_file(side, "/kvmward-left/no-such-file", &there), 0);
	vir.StoragePoolLookupByTargetPath = virStoragePoolLookupByTargetPath;
	assert_false(there);
	assert_null(virStoragePoolLookupByName(connection, "kvmward-" UUID));
	virConnectClose(connection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_comes_and_goes),
		cmocka_unit_test(a_guest_that_is_being_started_does_not_run_yet),
		cmocka_unit_test(a_job_is_told_of_the_guest),
		cmocka_unit_test(only_its_own_job_removes_a_mark),
		cmocka_unit_test(a_host_that_is_not_there_is_no_refusal),
		cmocka_unit_test(a_libvirt_that_is_frozen_is_not_waited_for_for_ever),
		cmocka_unit_test(a_file_has_a_path_of_libvirts),
		cmocka_unit_test(a_pool_that_a_mover_left_behind_goes),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
