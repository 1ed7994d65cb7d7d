/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against libvirt's own test driver, which keeps its guests in this process. */
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "act/inspect.h"
#include "act/libvirt_load.h"
#include "base/cleanup.h"

#define URI "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the guest "test" that URI begins with */
#define DOMAIN(name)                                                                               \
	"<domain type='test'><name>" name "</name><memory>1024</memory>"                           \
	"<os><type>hvm</type></os></domain>"
#define OTHER "6695eb01-f6a4-8304-79aa-97f2502e1900"

KW_CLEANUP_OF(struct kw_libvirt, kw_libvirt_close);

static char error[512];

static struct kw_libvirt *open_it(void)
{
	struct kw_libvirt *libvirt;

	assert_int_equal(kw_libvirt_open(URI, &libvirt, error, sizeof(error)), 0);
	return libvirt;
}

static void a_guest_is_looked_at_by_name_and_uuid(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	static const char *const names[] = { "test", UUID };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(kw_guest_look_done) struct kw_guest_look look = { 0 };

		assert_int_equal(kw_libvirt_look(libvirt, names[i], &look, error, sizeof(error)),
				 0);
		assert_string_equal(look.name, "test");
		assert_string_equal(look.uuid, UUID);
		assert_int_equal(look.run, KW_RUN_RUNS);
		assert_true(kw_u32_yes(look.persistent));
		assert_true(kw_u32_no(look.managed_save));
		assert_true(kw_u32_no(look.snapshots));
		assert_non_null(strstr(look.xml, "<domain"));
		assert_non_null(strstr(look.definition, "<domain"));
	}
}

static void a_transient_guest_has_no_definition(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	_cleanup_(kw_guest_look_done) struct kw_guest_look look = { 0 };
	virConnectPtr connection = virConnectOpen(URI);
	virDomainPtr domain = virDomainCreateXML(connection, DOMAIN("passing"), 0);

	(void)state;
	assert_int_equal(virDomainSuspend(domain), 0);
	assert_int_equal(kw_libvirt_look(libvirt, "passing", &look, error, sizeof(error)), 0);
	assert_true(kw_u32_no(look.persistent));
	assert_null(look.definition);
	assert_int_equal(look.run, KW_RUN_PAUSED);
	virDomainFree(domain);
	virConnectClose(connection);
}

static void kept_states_and_snapshots_are_counted(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	_cleanup_(kw_guest_look_done) struct kw_guest_look look = { 0 };
	virConnectPtr connection = virConnectOpen(URI);
	virDomainPtr domain = virDomainDefineXML(connection, DOMAIN("kept"));
	static const char *const snapshots[] = {
		"<domainsnapshot><name>a</name></domainsnapshot>",
		"<domainsnapshot><name>b</name></domainsnapshot>",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		virDomainSnapshotFree(virDomainSnapshotCreateXML(domain, snapshots[i], 0));
	assert_int_equal(virDomainCreate(domain), 0);
	assert_int_equal(virDomainManagedSave(domain, 0), 0);
	assert_int_equal(kw_libvirt_look(libvirt, "kept", &look, error, sizeof(error)), 0);
	assert_int_equal(look.run, KW_RUN_OFF);
	assert_true(kw_u32_yes(look.managed_save));
	assert_int_equal(look.snapshots.value, 2);
	virDomainFree(domain);
	virConnectClose(connection);
}

static void a_guest_that_is_not_there_is_told(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	struct kw_guest_look look = { .run = KW_RUN_STOPPED };

	(void)state;
	*error = 0;
	assert_int_equal(kw_libvirt_look(libvirt, "nobody", &look, error, sizeof(error)), -ENOENT);
	assert_int_not_equal(*error, 0);
	assert_int_equal(kw_libvirt_look(libvirt, OTHER, &look, error, sizeof(error)), -ENOENT);
	assert_int_equal(look.run, KW_RUN_STOPPED);
}

static void a_guest_is_found_by_either(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();

	(void)state;
	assert_true(kw_u32_yes(kw_libvirt_has_guest(libvirt, "test", OTHER)));
	assert_true(kw_u32_yes(kw_libvirt_has_guest(libvirt, "nobody", UUID)));
	assert_true(kw_u32_no(kw_libvirt_has_guest(libvirt, "nobody", OTHER)));
}

static void a_host_tells_of_itself(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	_cleanup_free_ char *capabilities = kw_libvirt_capabilities(libvirt);
	char name[256] = "";

	(void)state;
	assert_non_null(strstr(capabilities, "<host>"));
	kw_libvirt_host_name(libvirt, name, sizeof(name));
	assert_int_not_equal(*name, 0);
}

/* This driver compares no processors: that is not known, and not a processor that does not fit. */
static void what_cannot_be_compared_is_not_known(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	const struct kw_domain domain = { .arch = "x86_64" };
	struct kw_u32 fits;

	(void)state;
	*error = 0;
	fits = kw_libvirt_cpu_fits(libvirt, &domain, "<cpu><model>EPYC</model></cpu>", error,
				   sizeof(error));
	assert_false(fits.known);
	assert_int_not_equal(*error, 0);
	assert_false(kw_libvirt_volume_bytes(libvirt, "/no/such/volume").known);
}

static void make_volume(virConnectPtr connection, const char *name)
{
	virStoragePoolPtr pool = virStoragePoolLookupByName(connection, "default-pool");
	char xml[256];
	virStorageVolPtr volume;

	snprintf(xml, sizeof(xml), "<volume><name>%s</name><capacity>4096</capacity></volume>",
		 name);
	volume = virStorageVolCreateXML(pool, xml, 0);
	assert_non_null(volume);
	virStorageVolFree(volume);
	virStoragePoolFree(pool);
}

/* This driver does not look pools up by their directories. */
static virStoragePoolPtr pool_of(virConnectPtr connection, const char *dir)
{
	return virStoragePoolLookupByName(connection, dir + 1);
}

/* Its connections share one set of pools; that one has the directory /default-pool. */
static void a_disk_is_copied_where_there_is_a_pool_and_no_file(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = open_it();
	virConnectPtr connection = virConnectOpen(URI);

	(void)state;
	vir.StoragePoolLookupByTargetPath = pool_of;
	make_volume(connection, "taken.raw");
	assert_int_equal(kw_libvirt_copy_place(libvirt, "/default-pool/taken.raw"), KW_COPY_TAKEN);
	assert_int_equal(kw_libvirt_copy_place(libvirt, "/default-pool/new.raw"), KW_COPY_FREE);
	assert_int_equal(kw_libvirt_copy_place(libvirt, "/elsewhere/new.raw"), KW_COPY_NO_POOL);
	assert_int_equal(kw_libvirt_copy_place(libvirt, "new.raw"), KW_COPY_UNKNOWN);
	virConnectClose(connection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_is_looked_at_by_name_and_uuid),
		cmocka_unit_test(a_transient_guest_has_no_definition),
		cmocka_unit_test(kept_states_and_snapshots_are_counted),
		cmocka_unit_test(a_guest_that_is_not_there_is_told),
		cmocka_unit_test(a_guest_is_found_by_either),
		cmocka_unit_test(a_host_tells_of_itself),
		cmocka_unit_test(what_cannot_be_compared_is_not_known),
		cmocka_unit_test(a_disk_is_copied_where_there_is_a_pool_and_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
