/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against libvirt's own test driver, which keeps its guests in this process. */
#include "cli/keep_guests.h"

#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/domain.h"
#include "base/cleanup.h"
#include "ledger/kept.h"
#include "ledger/moves.h"
#include "model/mark.h"
#include "tests/kept_dir.h"
#include "tests/tree.h"

#define URI "test:///default"
#define TEST "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the guest "test", which runs */
#define NEW "aaaaaaaa-0000-4000-8000-000000000001"
#define GONE "aaaaaaaa-0000-4000-8000-000000000002"

KW_CLEANUP_OF(struct kw_libvirt, kw_libvirt_close);

static char top[32], dir[64], nvram[64];
static const struct kw_host_name here = { "h1", "bbbbbbbb-0000-4000-8000-000000000001" };
static const struct kw_taker taker = {
	{ "h2", "bbbbbbbb-0000-4000-8000-000000000002" }, 1,
};

static int setup(void **state)
{
	(void)state;
	if (kept_dir_make(&here, top, dir))
		return -1;
	snprintf(nvram, sizeof(nvram), "%s/vars.fd", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(top);
}

/* Defines "new", which is off, for as long as its connection is kept. */
static virConnectPtr define(void)
{
	virConnectPtr connection = virConnectOpen(URI);
	virDomainPtr domain;
	char xml[1024];

	snprintf(xml, sizeof(xml), "<domain type='test'><name>new</name><uuid>" NEW "</uuid>"
		 "<memory>1024</memory><os><type>hvm</type><loader type='pflash'>/fw</loader>"
		 "<nvram>%s</nvram></os></domain>", nvram);
	domain = virDomainDefineXML(connection, xml);
	assert_non_null(domain);
	virDomainFree(domain);
	return connection;
}

static void undefine(virConnectPtr connection)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, NEW);

	assert_int_equal(virDomainUndefine(domain), 0);
	virDomainFree(domain);
	virConnectClose(connection);
}

static bool keep(void)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	char error[512];

	assert_int_equal(kw_libvirt_open(URI, &libvirt, error, sizeof(error)), 0);
	return kw_keep_guests(libvirt, URI, dir, top);
}

static void what_is_there_is_kept_and_the_rest_forgotten(void **state)
{
	_cleanup_(kw_kept_done) struct kw_kept kept = {}, other = {};
	struct kw_kept gone = { .name = "gone", .uuid = GONE, .xml = (char *)"" };
	_cleanup_free_ char *bytes = NULL;
	virConnectPtr connection;
	size_t size;

	(void)state;
	connection = define();
	assert_int_equal(tree_put(top, "vars.fd", "VARS"), 0);
	assert_int_equal(kw_kept_save(dir, &gone), 0);
	assert_int_equal(kw_kept_take(dir, GONE, &taker), 0);
	assert_true(keep());
	assert_int_equal(kw_kept_load(dir, TEST, &kept), 0);
	assert_true(kept.runs);
	assert_string_equal(kept.name, "test");
	assert_int_equal(kw_kept_load(dir, NEW, &other), 0);
	assert_false(other.runs);
	assert_non_null(strstr(other.xml, nvram));
	assert_int_equal(kw_kept_load_nvram(dir, NEW, &bytes, &size), 0);
	assert_int_equal(size, 4);
	assert_int_equal(kw_kept_load(dir, GONE, &gone), -ENOENT);
	undefine(connection);
	assert_true(keep());
	assert_int_equal(kw_kept_load(dir, NEW, &gone), -ENOENT);
}

static bool is_marked(virConnectPtr connection, const char *uuid)
{
	virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
	char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	bool marked = strstr(xml, "job=\"" KW_MARK_EVACUATED "\" peer=\"h2\">leaving<");

	free(xml);
	virDomainFree(domain);
	return marked;
}

/* Neither is anything of it overwritten; one that runs cannot be kept from starting. */
static void one_that_was_taken_does_not_start(void **state)
{
	struct kw_kept before = { .name = "new", .uuid = NEW, .runs = true,
				  .xml = (char *)"as it was" };
	_cleanup_(kw_kept_done) struct kw_kept kept = {};
	virConnectPtr connection;

	(void)state;
	connection = define();
	assert_int_equal(kw_kept_save(dir, &before), 0);
	assert_int_equal(kw_kept_take(dir, NEW, &taker), 0);
	assert_int_equal(kw_kept_take(dir, TEST, &taker), 0);
	assert_true(keep());
	assert_true(is_marked(connection, NEW));
	assert_false(is_marked(connection, TEST));
	assert_true(keep());
	assert_int_equal(kw_kept_load(dir, NEW, &kept), 0);
	assert_string_equal(kept.xml, "as it was");
	undefine(connection);
}

/* The way back of a move that began before would have it run twice. */
static void one_that_was_taken_on_its_way_does_not_come_back(void **state)
{
	virConnectPtr connection;
	virDomainPtr domain;

	(void)state;
	connection = define();
	domain = virDomainLookupByUUIDString(connection, NEW);
	assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
					      "<move job='m7' peer='root@h2'>leaving</move>",
					      "kvmward", KW_MARK_NAMESPACE,
					      VIR_DOMAIN_AFFECT_CONFIG), 0);
	virDomainFree(domain);
	assert_int_equal(kw_kept_take(dir, NEW, &taker), 0);
	assert_true(keep());
	assert_true(is_marked(connection, NEW));
	undefine(connection);
}

static void one_that_is_off_for_a_move_is_to_run(void **state)
{
	struct kw_move move = { .id = "m7", .name = "new", .uuid = NEW, .source = "h1",
				.uri = "qemu+ssh://root@h2/system", .host = "root@h2",
				.kind = KW_MOVE_COLD, .memory = { .runs = true },
				.xml = (char *)"" };
	_cleanup_(kw_kept_done) struct kw_kept kept = {}, off = {};
	virConnectPtr connection;

	(void)state;
	connection = define();
	assert_int_equal(kw_move_create(top, &move), 0);
	assert_true(keep());
	assert_int_equal(kw_kept_load(dir, NEW, &kept), 0);
	assert_true(kept.runs);
	move.memory.runs = false;
	assert_int_equal(kw_move_save(top, &move), 0);
	assert_true(keep());
	assert_int_equal(kw_kept_load(dir, NEW, &off), 0);
	assert_false(off.runs);
	undefine(connection);
}

/* And is kept as far as it can be, as are the others. */
static void one_bad_guest_stops_no_other(void **state)
{
	_cleanup_(kw_kept_done) struct kw_kept kept = {}, other = {};
	virConnectPtr connection;

	(void)state;
	connection = define();
	assert_int_equal(tree_put(dir, NEW ".taken", "damaged"), 0);
	assert_false(keep());
	assert_int_equal(kw_kept_load(dir, TEST, &kept), 0);
	assert_int_equal(kw_kept_load(dir, NEW, &other), -ENOENT);
	undefine(connection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_there_is_kept_and_the_rest_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_was_taken_does_not_start, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_was_taken_on_its_way_does_not_come_back,
						setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_off_for_a_move_is_to_run, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_bad_guest_stops_no_other, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
