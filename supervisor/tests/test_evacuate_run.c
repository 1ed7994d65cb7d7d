/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against libvirt's own test driver, which keeps its guests in this process. */
#include "cli/evacuate_run.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "act/libvirt_load.h"
#include "act/move_side.h"
#include "base/cleanup.h"
#include "ledger/kept.h"
#include "ledger/moves.h"
#include "model/mark.h"
#include "tests/kept_dir.h"
#include "tests/tree.h"

#define URI "test:///default"
#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define DOMAIN(type)                                                                               \
	"<domain type='" type "'><name>vault</name><uuid>" UUID "</uuid><memory>1024</memory>"     \
	"<os><type>hvm</type></os></domain>"
#define H1 { "h1", "bbbbbbbb-0000-4000-8000-000000000001" }
#define H2 { "h2", "bbbbbbbb-0000-4000-8000-000000000002" }

static char top[32], dir[64], locks[64], error[KW_EVACUATE_ERROR_MAX];
static const struct kw_host_name h2 = H2;
static const struct kw_evacuate how = { .uri = URI, .dir = dir, .lock_dir = locks,
					.taker = { H1, 1 } };
static const struct kw_kept kept = { .name = "vault", .uuid = UUID, .runs = true,
				     .autostart = true, .xml = (char *)DOMAIN("test") };
static virConnectPtr connection;

static int setup(void **state)
{
	(void)state;
	if (kept_dir_make(&h2, top, dir) || kw_kept_save(dir, &kept))
		return -1;
	snprintf(locks, sizeof(locks), "%s/locks", top);
	connection = virConnectOpen(URI);
	return connection ? 0 : -1;
}

/* The guest is kept by the driver for as long as this process lives. */
static int teardown(void **state)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, UUID);

	(void)state;
	if (domain && virDomainIsActive(domain))
		virDomainDestroy(domain);
	if (domain && virDomainUndefine(domain))
		return -1;
	if (domain)
		virDomainFree(domain);
	virConnectClose(connection);
	return tree_remove(top);
}

static bool runs(void)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, UUID);
	bool active = domain && virDomainIsActive(domain) == 1;

	if (domain)
		virDomainFree(domain);
	return active;
}

static void expect_over(void)
{
	struct kw_kept ignored;
	struct kw_taker taker;

	assert_int_equal(kw_kept_load(dir, UUID, &ignored), -ENOENT);
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), 0);
	assert_string_equal(taker.host.name, "h1");
}

static void one_that_ran_runs_here(void **state)
{
	virDomainPtr domain;
	int autostart = 0;

	(void)state;
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), 0);
	assert_true(runs());
	expect_over();
	domain = virDomainLookupByUUIDString(connection, UUID);
	assert_int_equal(virDomainGetAutostart(domain, &autostart), 0);
	assert_int_equal(autostart, 1);
	virDomainFree(domain);
}

static void another_is_defined_only(void **state)
{
	virDomainPtr domain;

	(void)state;
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", false, error, sizeof(error)), 0);
	assert_false(runs());
	domain = virDomainLookupByUUIDString(connection, UUID);
	assert_non_null(domain);
	virDomainFree(domain);
	expect_over();
}

/* Whatever an earlier one has done when it was ended. */
static void it_goes_on_from_where_it_was(void **state)
{
	virDomainPtr domain;

	(void)state;
	assert_int_equal(kw_kept_take(dir, UUID, &how.taker), 0);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", false, error, sizeof(error)), 0);
	assert_int_equal(kw_kept_save(dir, &kept), 0);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), 0);
	assert_true(runs());
	assert_int_equal(kw_kept_save(dir, &kept), 0);
	domain = virDomainLookupByUUIDString(connection, UUID);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), 0);
	assert_int_equal(virDomainIsActive(domain), 1);
	virDomainFree(domain);
	expect_over();
}

static void one_of_another_host_is_not_touched(void **state)
{
	const struct kw_taker other = { { "h3", "bbbbbbbb-0000-4000-8000-000000000003" }, 1 };
	struct kw_taker taker;

	(void)state;
	assert_int_equal(kw_kept_take(dir, UUID, &other), 0);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), -EEXIST);
	assert_non_null(strstr(error, "another host"));
	assert_null(virDomainLookupByUUIDString(connection, UUID));
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), 0);
	assert_string_equal(taker.host.name, "h3");
}

/* libvirt will not have it: then it is free for another host, and still kept. */
static void one_that_fails_is_given_back(void **state)
{
	struct kw_kept bad = kept, loaded = {};
	struct kw_taker taker;

	(void)state;
	bad.xml = (char *)DOMAIN("no-such-type");
	assert_int_not_equal(kw_evacuate_guest(&how, &bad, "", true, error, sizeof(error)), 0);
	assert_non_null(strstr(error, "cannot be defined here"));
	assert_null(strstr(error, "taken back"));
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
	assert_int_equal(kw_kept_load(dir, UUID, &loaded), 0);
	kw_kept_done(&loaded);
}

/* As long as nobody knows that it is this evacuation's, nobody takes it for that. */
static void one_that_is_here_already_is_not_touched(void **state)
{
	struct kw_taker taker;
	virDomainPtr domain = virDomainDefineXML(connection, DOMAIN("test"));

	(void)state;
	assert_int_equal(virDomainCreate(domain), 0);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), -EEXIST);
	assert_int_equal(virDomainIsActive(domain), 1);
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
	virDomainFree(domain);
}

static void a_host_that_comes_back_has_its_guests(void **state)
{
	_cleanup_close_ int fd = kw_kept_begin(dir, &h2);
	struct kw_taker taker;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), -EBUSY);
	assert_null(virDomainLookupByUUIDString(connection, UUID));
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
}

static bool has_mark(void)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, UUID);
	char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	bool marked = strstr(xml, KW_MARK_NAMESPACE);

	free(xml);
	virDomainFree(domain);
	return marked;
}

#define MARKED(job)                                                                                \
	"<domain type='test'><name>vault</name><uuid>" UUID "</uuid><metadata>"                    \
	"<m:move xmlns:m='" KW_MARK_NAMESPACE "' job='" job "' peer='h2'>arriving</m:move>"        \
	"</metadata><memory>1024</memory><os><type>hvm</type></os></domain>"

static void define_marked(const char *xml)
{
	virDomainPtr domain = virDomainDefineXML(connection, xml);

	assert_non_null(domain);
	virDomainFree(domain);
}

/* Its host has gone in the middle of a cold move to here. */
static void one_that_was_on_its_way_here_arrives(void **state)
{
	(void)state;
	define_marked(MARKED("m7"));
	assert_int_equal(kw_evacuate_guest(&how, &kept, "m7", true, error, sizeof(error)), 0);
	assert_true(runs());
	assert_false(has_mark());
	expect_over();
}

static void what_another_move_brought_is_not_replaced(void **state)
{
	struct kw_taker taker;

	(void)state;
	define_marked(MARKED("m8"));
	assert_int_equal(kw_evacuate_guest(&how, &kept, "m7", true, error, sizeof(error)), -EEXIST);
	assert_true(has_mark());
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
}

static int refuse_start(virDomainPtr domain, unsigned int flags)
{
	(void)domain;
	(void)flags;
	return -1;
}

/* So that the next try finds what this one did, and the other host too, if it is back by then. */
static void one_on_its_way_that_fails_is_as_before(void **state)
{
	struct kw_taker taker;

	(void)state;
	define_marked(MARKED("m7"));
	vir.DomainCreateWithFlags = refuse_start;
	assert_int_not_equal(kw_evacuate_guest(&how, &kept, "m7", true, error, sizeof(error)), 0);
	vir.DomainCreateWithFlags = virDomainCreateWithFlags;
	assert_true(has_mark());
	assert_false(runs());
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
}

static int refuse(virDomainPtr domain)
{
	(void)domain;
	return -1;
}

static int say_paused(virDomainPtr domain, int *state, int *reason, unsigned int flags)
{
	(void)domain;
	(void)flags;
	*state = VIR_DOMAIN_PAUSED;
	*reason = 0;
	return 0;
}

/* The driver has no flags for firmware variables. */
static int undefine(virDomainPtr domain, unsigned int flags)
{
	(void)flags;
	return virDomainUndefine(domain);
}

/* Its QEMU hangs in the kernel, say: no other host may have it, and libvirt has to know of it. */
static void one_that_cannot_be_ended_is_not_given_back(void **state)
{
	struct kw_kept loaded = {};
	struct kw_taker taker;
	virDomainPtr domain;

	(void)state;
	vir.DomainGetState = say_paused;
	vir.DomainDestroy = refuse;
	vir.DomainUndefineFlags = undefine;
	assert_int_not_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), 0);
	vir.DomainGetState = virDomainGetState;
	vir.DomainDestroy = virDomainDestroy;
	vir.DomainUndefineFlags = virDomainUndefineFlags;
	assert_non_null(strstr(error, "could not be taken back"));
	domain = virDomainLookupByUUIDString(connection, UUID);
	assert_int_equal(virDomainIsPersistent(domain), 1);
	assert_int_equal(virDomainIsActive(domain), 1);
	virDomainFree(domain);
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), 0);
	assert_int_equal(kw_kept_load(dir, UUID, &loaded), 0);
	kw_kept_done(&loaded);
}

static int start_and_fail(virDomainPtr domain, unsigned int flags)
{
	virDomainCreateWithFlags(domain, flags);
	return virDomainCreateWithFlags(domain, flags);
}

static void one_that_somebody_else_starts_runs(void **state)
{
	(void)state;
	vir.DomainCreateWithFlags = start_and_fail;
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)), 0);
	vir.DomainCreateWithFlags = virDomainCreateWithFlags;
	assert_string_equal(error, "");
	assert_true(runs());
	expect_over();
}

static void of_two_commands_one_works_on_it(void **state)
{
	_cleanup_close_ int lock = kw_move_lock(locks, UUID);
	struct kw_taker taker;

	(void)state;
	assert_true(lock >= 0);
	assert_int_equal(kw_evacuate_guest(&how, &kept, "", true, error, sizeof(error)),
			 -EWOULDBLOCK);
	assert_non_null(strstr(error, "another command"));
	assert_null(virDomainLookupByUUIDString(connection, UUID));
	assert_int_equal(kw_kept_taker(dir, UUID, &taker), -ENOENT);
}

static void say_nothing(void *data, virErrorPtr told)
{
	(void)data;
	(void)told;
}

static int prepare(void **state)
{
	(void)state;
	virSetErrorFunc(NULL, say_nothing);
	return kw_move_sides_prepare(error, sizeof(error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_ran_runs_here, setup, teardown),
		cmocka_unit_test_setup_teardown(another_is_defined_only, setup, teardown),
		cmocka_unit_test_setup_teardown(it_goes_on_from_where_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_another_host_is_not_touched, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_fails_is_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_here_already_is_not_touched, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_host_that_comes_back_has_its_guests, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_was_on_its_way_here_arrives, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_another_move_brought_is_not_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_on_its_way_that_fails_is_as_before, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_cannot_be_ended_is_not_given_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_somebody_else_starts_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(of_two_commands_one_works_on_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
