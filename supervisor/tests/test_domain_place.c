/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/domain_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "facts/file_place.h"
#include "facts/host_xml.h"
#include "tests/tree.h"

static char error[256];

static struct kw_domain_place read_it(const char *inside)
{
	struct kw_domain_place place;
	char xml[4096];

	snprintf(xml, sizeof(xml), "<domain type='kvm'>%s</domain>", inside);
	assert_int_equal(kw_domain_place_read(xml, &place, error, sizeof(error)), 0);
	return place;
}

static void the_mode_of_the_processor_is_read(void **state)
{
	static const struct {
		const char *cpu;
		enum kw_cpu_mode mode;
	} rows[] = {
		{ "", KW_CPU_DEFAULT },
		{ "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>", KW_CPU_DEFAULT },
		{ "<cpu match='exact'><model>qemu64</model></cpu>", KW_CPU_CUSTOM },
		{ "<cpu mode='custom'><model>EPYC</model></cpu>", KW_CPU_CUSTOM },
		{ "<cpu mode='host-model'/>", KW_CPU_HOST_MODEL },
		{ "<cpu mode='host-passthrough' migratable='on'/>", KW_CPU_PASSTHROUGH },
		{ "<cpu mode='maximum'/>", KW_CPU_PASSTHROUGH },
		{ "<cpu mode='of-tomorrow'/>", KW_CPU_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(kw_domain_place_done) struct kw_domain_place place = read_it(rows[i].cpu);

		assert_int_equal(place.cpu_mode, rows[i].mode);
		assert_int_equal(!place.cpu, !*rows[i].cpu);
	}
}

static void the_processor_is_kept_as_it_stands(void **state)
{
	static const char cpu[] = "<cpu mode=\"custom\"><model>EPYC</model>"
				  "<feature policy=\"require\" name=\"avx2\"/></cpu>";
	_cleanup_(kw_domain_place_done) struct kw_domain_place place = read_it(cpu);

	(void)state;
	assert_string_equal(place.cpu, cpu);
}

/* One that is empty ties the guest to nothing. */
static void disks_and_what_they_lie_on_are_listed(void **state)
{
	_cleanup_(kw_domain_place_done) struct kw_domain_place place = read_it(
		"<devices>"
		"<disk type='file' device='disk'><source file='/no/such/top.qcow2'/>"
		" <backingStore type='file'><format type='qcow2'/><source file='/no/such/base'/>"
		"  <backingStore/></backingStore><target dev='vda' bus='virtio'/></disk>"
		"<disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>"
		"<disk type='network' device='cdrom'><source protocol='rbd' name='pool/iso'>"
		" <host name='mon1'/></source><target dev='sdb'/><readonly/></disk>"
		"<disk type='volume'><source pool='default' volume='v1'/><target dev='vdb'/></disk>"
		"</devices>");

	(void)state;
	assert_int_equal(place.disk_count, 4);
	assert_string_equal(place.disks[0].source, "/no/such/top.qcow2");
	assert_string_equal(place.disks[0].target, "vda");
	assert_false(place.disks[0].backing || place.disks[0].read_only);
	assert_int_equal(place.disks[0].reach, KW_DISK_UNKNOWN); /* it is not there */
	assert_string_equal(place.disks[1].source, "/no/such/base");
	assert_string_equal(place.disks[1].target, "vda");
	assert_true(place.disks[1].backing);
	assert_string_equal(place.disks[2].source, "pool/iso");
	assert_string_equal(place.disks[2].where, "rbd");
	assert_true(place.disks[2].read_only);
	assert_int_equal(place.disks[2].reach, KW_DISK_NETWORK);
	assert_string_equal(place.disks[3].source, "v1");
	assert_string_equal(place.disks[3].where, "volume");
	assert_int_equal(place.disks[3].reach, KW_DISK_UNKNOWN);
}

#define DISK(path, target)                                                                         \
	"<disk type='file'><source file='" path "'/><target dev='" target "'/></disk>"

static void what_is_defined_only_comes_later(void **state)
{
	_cleanup_(kw_domain_place_done) struct kw_domain_place place =
		read_it("<devices>" DISK("/a", "vda") DISK("/b", "vdb") "</devices>");
	_cleanup_(kw_domain_place_done) struct kw_domain_place defined = read_it(
		"<devices>" DISK("/a", "vda") DISK("/other", "vdb") DISK("/c", "vdc") "</devices>");

	(void)state;
	assert_int_equal(kw_domain_place_add_later(&place, &defined), 0);
	assert_int_equal(place.disk_count, 4);
	assert_false(place.disks[0].later || place.disks[1].later);
	assert_string_equal(place.disks[2].source, "/other");
	assert_string_equal(place.disks[3].target, "vdc");
	assert_true(place.disks[2].later && place.disks[3].later);
}

/* The same words mean another disk on another host. */
static void an_address_of_this_machine_reaches_nowhere(void **state)
{
	static const char *const hosts[] = {
		"<host name='localhost'/>", "<host name='127.0.0.1' port='10809'/>",
		"<host name='::1'/>", "<host transport='unix' socket='/run/nbd'/>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		_cleanup_(kw_domain_place_done) struct kw_domain_place place = { 0 };
		char text[512];

		snprintf(text, sizeof(text),
			 "<devices><disk type='network'><source protocol='nbd' name='x'>%s</source>"
			 "<target dev='vda'/></disk></devices>", hosts[i]);
		place = read_it(text);
		assert_int_equal(place.disk_count, 1);
		assert_int_equal(place.disks[0].reach, KW_DISK_UNKNOWN);
	}
}

static void a_bad_text_is_told(void **state)
{
	struct kw_domain_place place = { .disk_count = 7 };
	char long_path[900];

	(void)state;
	*error = 0;
	assert_int_equal(kw_domain_place_read("<domain", &place, error, sizeof(error)), -EBADMSG);
	assert_int_not_equal(*error, 0);
	snprintf(long_path, sizeof(long_path),
		 "<domain><devices><disk><source file='/%0800d'/></disk></devices></domain>", 0);
	assert_int_equal(kw_domain_place_read(long_path, &place, error, sizeof(error)), -EBADMSG);
	assert_non_null(strstr(error, "longer than"));
	assert_int_equal(place.disk_count, 7);
}

static void a_file_of_this_host_is_found_there(void **state)
{
	struct kw_move_disk disk = { .reach = KW_DISK_SEEN };
	char dir[] = "/dev/shm/kw-place-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(tree_put(dir, "disk", "content"), 0);
	snprintf(path, sizeof(path), "%s/disk", dir);
	kw_file_place(path, &disk);
	tree_remove(dir);
	assert_string_equal(disk.where, "tmpfs");
	assert_int_equal(disk.reach, KW_DISK_HERE);
	assert_true(disk.bytes.known && disk.bytes.value);
	assert_int_equal(disk.length_bytes.value, strlen("content"));
	kw_file_place(path, &disk);
	assert_int_equal(disk.reach, KW_DISK_UNKNOWN);
	assert_string_equal(disk.where, "");
	assert_false(disk.bytes.known || disk.length_bytes.known);
}

/* As libvirt 9.0 writes it, shortened. */
static const char capabilities[] =
	"<capabilities><host><uuid>C7A5FDBD-EDAF-9455-926A-D65C16DB1809</uuid>"
	"<cpu><arch>x86_64</arch><model>EPYC-Rome</model><vendor>AMD</vendor>"
	"<microcode version='137367679'/><signature family='23' model='49' stepping='0'/>"
	"<counter name='tsc' frequency='2250000000'/><topology sockets='1'/></cpu></host>"
	"<guest><os_type>hvm</os_type></guest></capabilities>";

static void a_host_is_read(void **state)
{
	struct kw_move_host host = { .name = "h1" };

	(void)state;
	kw_host_xml_read(capabilities, &host);
	assert_string_equal(host.uuid, "c7a5fdbd-edaf-9455-926a-d65c16db1809");
	assert_string_equal(host.cpu_vendor, "AMD");
	assert_string_equal(host.cpu_model, "EPYC-Rome");
	assert_int_equal(host.cpu_family.value, 23);
	assert_int_equal(host.cpu_number.value, 49);
	assert_true(host.cpu_stepping.known && !host.cpu_stepping.value);
	assert_int_equal(host.microcode.value, 137367679);
	assert_string_equal(host.name, "h1");
}

static void what_a_host_does_not_say_is_unknown(void **state)
{
	static const char *const texts[] = {
		"<capabilities><host><cpu><microcode version='0'/></cpu></host></capabilities>",
		"<capabilities><host><uuid>none</uuid><cpu><signature family='x'/></cpu></host>"
		"</capabilities>",
		"<capabilities/>", "not XML",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct kw_move_host host;

		memset(&host, 'x', sizeof(host));
		kw_host_xml_read(texts[i], &host);
		assert_string_equal(host.uuid, "");
		assert_string_equal(host.cpu_model, "");
		assert_false(host.cpu_family.known || host.cpu_stepping.known ||
			     host.microcode.known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mode_of_the_processor_is_read),
		cmocka_unit_test(the_processor_is_kept_as_it_stands),
		cmocka_unit_test(disks_and_what_they_lie_on_are_listed),
		cmocka_unit_test(what_is_defined_only_comes_later),
		cmocka_unit_test(an_address_of_this_machine_reaches_nowhere),
		cmocka_unit_test(a_bad_text_is_told),
		cmocka_unit_test(a_file_of_this_host_is_found_there),
		cmocka_unit_test(a_host_is_read),
		cmocka_unit_test(what_a_host_does_not_say_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
