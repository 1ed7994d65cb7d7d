/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against libvirt's own test driver, which keeps its guests in this process. */
#include <libvirt/libvirt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "act/domain.h"
#include "act/guests.h"
#include "base/cleanup.h"
#include "base/text.h"

#define URI "test:///default"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the guest "test" that URI begins with */
#define DOMAIN(name, memory)                                                                       \
	"<domain type='test'><name>" name "</name><memory unit='KiB'>" memory "</memory>"          \
	"<os><type>hvm</type></os></domain>"

KW_CLEANUP_OF(struct kw_libvirt, kw_libvirt_close);
KW_CLEANUP_OF(virDomain, virDomainFree);

static char error[512];

/* A second look at the same driver; libvirt shares test:///default within a process. */
static virConnectPtr look(void)
{
	virConnectPtr connection = virConnectOpen(URI);

	assert_non_null(connection);
	return connection;
}

static void open_it(struct kw_libvirt **ret_libvirt)
{
	assert_int_equal(kw_libvirt_open(URI, ret_libvirt, error, sizeof(error)), 0);
}

static bool is_defined(virConnectPtr connection, const char *name)
{
	_cleanup_(virDomainFree_at) virDomain *domain = virDomainLookupByName(connection, name);

	return domain && virDomainIsPersistent(domain) == 1;
}

static void an_unknown_uri_is_told(void **state)
{
	struct kw_libvirt *libvirt = NULL;

	(void)state;
	*error = 0;
	assert_true(kw_libvirt_open("no-such-driver:///", &libvirt, error, sizeof(error)) < 0);
	assert_null(libvirt);
	assert_int_not_equal(strlen(error), 0);
}

static void versions_are_told(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	struct kw_software software = { 0 };

	(void)state;
	open_it(&libvirt);
	kw_libvirt_software(libvirt, &software);
	assert_true(software.libvirt.known);
	assert_int_equal(software.libvirt.value, LIBVIR_VERSION_NUMBER);
	assert_true(software.qemu.known);
}

static void guests_are_listed(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	_cleanup_free_ struct kw_guest_name *guests = NULL;
	virConnectPtr connection = look();
	_cleanup_(virDomainFree_at) virDomain *off = NULL;
	char uuid[37] = "";
	size_t count;

	(void)state;
	off = virDomainDefineXML(connection, DOMAIN("off", "1024"));
	open_it(&libvirt);
	assert_int_equal(kw_libvirt_start(libvirt, DOMAIN("another", "1024"), (struct kw_start){},
					  uuid, error, sizeof(error)), 0);
	assert_int_equal(kw_libvirt_guests(libvirt, &guests, &count, error, sizeof(error)), 0);
	assert_int_equal(count, 3);
	assert_string_equal(guests[0].name, "another");
	assert_string_equal(guests[0].uuid, uuid);
	assert_string_equal(guests[1].name, "off");
	assert_string_equal(guests[2].name, "test");
	assert_string_equal(guests[2].uuid, UUID);
	virDomainUndefine(off);
	virConnectClose(connection);
}

static void a_guest_is_started_and_not_kept(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	virConnectPtr connection = look();
	char uuid[37] = "";

	(void)state;
	open_it(&libvirt);
	assert_int_equal(kw_libvirt_start(libvirt, DOMAIN("passing", "1024"), (struct kw_start){},
					  uuid, error, sizeof(error)), 0);
	assert_true(kw_text_is_uuid(uuid));
	assert_false(is_defined(connection, "passing"));
	virConnectClose(connection);
}

static void a_guest_is_started_and_kept(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	virConnectPtr connection = look();
	const struct kw_start how = { .define = true };
	char uuid[37] = "";

	(void)state;
	open_it(&libvirt);
	assert_int_equal(kw_libvirt_start(libvirt, DOMAIN("kept", "1024"), how, uuid, error,
					  sizeof(error)), 0);
	assert_true(is_defined(connection, "kept"));
	virConnectClose(connection);
}

static void bad_xml_starts_nothing(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	char uuid[37] = "untouched";

	(void)state;
	open_it(&libvirt);
	for (int define = 0; define < 2; define++) {
		*error = 0;
		assert_true(kw_libvirt_start(libvirt, "<domain/>",
					     (struct kw_start){ .define = define }, uuid, error,
					     sizeof(error)) < 0);
		assert_int_not_equal(strlen(error), 0);
		assert_string_equal(uuid, "untouched");
	}
}

/* "test" runs already, so its second start fails after its definition was replaced. */
static void a_failed_start_leaves_the_earlier_definition(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	_cleanup_(virDomainFree_at) virDomain *domain = NULL;
	_cleanup_free_ char *before = NULL, *after = NULL;
	virConnectPtr connection = look();
	char uuid[37] = "untouched";

	(void)state;
	open_it(&libvirt);
	domain = virDomainLookupByUUIDString(connection, UUID);
	assert_non_null(domain);
	before = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	assert_true(kw_libvirt_start(libvirt,
				     "<domain type='test'><name>test</name><uuid>" UUID "</uuid>"
				     "<memory unit='KiB'>4096</memory>"
				     "<os><type>hvm</type></os></domain>",
				     (struct kw_start){ .define = true }, uuid, error, sizeof(error)) < 0);
	assert_string_equal(uuid, "untouched");
	assert_non_null(strstr(error, "running"));
	after = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
	assert_non_null(strstr(before, "8388608"));
	assert_string_equal(after, before);
	virConnectClose(connection);
}

static void a_driver_without_sev_tells_no_numbers(void **state)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	struct kw_u32 cbitpos = KW_U32(7), reduced = KW_U32(7);
	int failed;

	(void)state;
	open_it(&libvirt);
	*error = 0;
	failed = kw_libvirt_sev_caps(libvirt, &cbitpos, &reduced, error, sizeof(error));
	if (failed) {
		assert_int_not_equal(strlen(error), 0);
		assert_int_equal(cbitpos.value, 7);
	} else {
		assert_false(cbitpos.known || reduced.known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_uri_is_told),
		cmocka_unit_test(versions_are_told),
		cmocka_unit_test(guests_are_listed),
		cmocka_unit_test(a_guest_is_started_and_not_kept),
		cmocka_unit_test(a_guest_is_started_and_kept),
		cmocka_unit_test(bad_xml_starts_nothing),
		cmocka_unit_test(a_failed_start_leaves_the_earlier_definition),
		cmocka_unit_test(a_driver_without_sev_tells_no_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
