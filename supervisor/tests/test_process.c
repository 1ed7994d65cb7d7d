/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/file.h"
#include "facts/meminfo.h"
#include "facts/process.h"
#include "facts/qemu.h"

#define PROC "tests/data/proc"
#define VAULT "0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5"
#define DB "11111111-2222-4333-8444-555555555555"

static void test_libvirt_cgroups(void **state)
{
	static const struct {
		const char *cgroup;
		bool libvirt;
	} cases[] = {
		{ "/machine.slice/machine-qemu\\x2d1\\x2da.scope", true },
		{ "/machine.slice/machine-qemu\\x2d1\\x2da.scope/libvirt/vcpu0", true },
		{ "/machine.slice/machine-gold.slice/machine-qemu\\x2d1\\x2da.scope", true },
		{ "/machine/qemu-3-db.libvirt-qemu", true },
		{ "/machine/gold.partition/qemu-3-db.libvirt-qemu/emulator", true },
		{ "/system.slice/libvirtd.service", true },
		{ "/system.slice/virtqemud.service", true },
		{ "", false },
		{ "/", false },
		{ "///", false },
		{ "/machine.slice", false },
		{ "/machine.slice/machine-lxc\\x2d1\\x2da.scope", false },
		{ "/machine.slice/machine-qemu\\x2d1\\x2da.service", false },
		{ "/machine.slice/machine-qemu\\x2d", false },
		{ "/machine.slice/systemd-nspawn@x.service/machine-qemu\\x2d1.scope", false },
		{ "/user.slice/machine-qemu\\x2d1\\x2da.scope", false },
		{ "/user.slice/user-1000.slice/session-1.scope", false },
		{ "/user.slice/user-1000.slice/user@1000.service/machine-qemu\\x2d1.scope", false },
		{ "/user.slice/user-1000.slice/libvirtd.service", false },
		{ "/system.slice/libvirtd.service.d/x", false },
		{ "/../machine.slice/machine-qemu\\x2d1\\x2da.scope", false },
		{ "/system.slice/docker-f00.scope/machine.slice/machine-qemu\\x2d1.scope", false },
		{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (kw_cgroup_is_libvirt(cases[i].cgroup) != cases[i].libvirt)
			fail_msg("%s: not %d", cases[i].cgroup, cases[i].libvirt);
}

#define ARGUMENTS(text) (text), sizeof(text)

static void test_command_lines(void **state)
{
	static const struct {
		const char *arguments;
		size_t length;
		const char *uuid, *name;
	} cases[] = {
		{ ARGUMENTS("qemu\0-uuid\0" VAULT "\0-name\0guest=a"), VAULT, "a" },
		{ ARGUMENTS("qemu\0--uuid\0" VAULT "\0--name\0a"), VAULT, "a" },
		{ ARGUMENTS("qemu\0-name\0a,process=b"), "", "a" },
		{ ARGUMENTS("qemu\0-name\0debug-threads=on,guest=a,,b"), "", "a,b" },
		{ ARGUMENTS("qemu\0-name\0guest=,,\0-S"), "", "," },
		{ ARGUMENTS("qemu\0-name\0process=b,a"), "", "" },
		{ ARGUMENTS("qemu\0-name\0guest=a\0-name\0guest=b"), "", "a" },
		{ ARGUMENTS("qemu\0-uuid\0" VAULT "\0-uuid\0" DB), VAULT, "" },
		{ ARGUMENTS("qemu\0-uuid\0nonsense\0-uuid\0" DB), DB, "" },
		{ ARGUMENTS("qemu\0-uuid"), "", "" },
		{ ARGUMENTS("qemu\0-name"), "", "" },
		{ ARGUMENTS("qemu\0-name\0"), "", "" },
		{ "qemu\0-name\0guest=cut", 20, "", "" },
		{ "", 0, "", "" },
		{ ARGUMENTS(""), "", "" },
		{ ARGUMENTS("\0\0\0\0"), "", "" },
		{ ARGUMENTS("qemu\0-name\0guest=a\nb\xff"), "", "a?b?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char uuid[KW_UUID_LEN + 1] = "before", name[KW_NAME_MAX] = "before";
		_cleanup_free_ char *exact = malloc(cases[i].length + 1);

		assert_non_null(exact);
		memcpy(exact, cases[i].arguments, cases[i].length);
		exact = realloc(exact, cases[i].length ? cases[i].length : 1);
		kw_qemu_identity(exact, cases[i].length, uuid, name);
		assert_string_equal(uuid, cases[i].uuid);
		assert_string_equal(name, cases[i].name);
	}
}

static void test_long_names_are_cut(void **state)
{
	char uuid[KW_UUID_LEN + 1], name[KW_NAME_MAX], arguments[9000] = "qemu";

	(void)state;
	memcpy(arguments + 5, "-name\0guest=", 12);
	memset(arguments + 17, 'n', sizeof(arguments) - 18);
	kw_qemu_identity(arguments, sizeof(arguments), uuid, name);
	assert_int_equal(strlen(name), KW_NAME_MAX - 1);
	assert_string_equal(uuid, "");
}

static const struct kw_guest *find(const struct kw_guest_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->guests[i].pid == pid)
			return &list->guests[i];
	fail_msg("no guest of %d", (int)pid);
	return NULL;
}

static void test_guests(void **state)
{
	static const struct {
		pid_t pid;
		const char *uuid, *name;
		bool libvirt;
	} cases[] = {
		{ 1201, VAULT, "vault-3", true },
		{ 1302, "b6d5a5c9-4f0e-4c5e-8f58-3a6d1c2b7e10", "web,blue", true },
		{ 1403, "", "", false },		/* by hand; says the UUID of 1201 */
		{ 1504, "", "", false },		/* in a cgroup named like libvirt's */
		{ 1605, "", "", false },
		{ 1706, DB, "db", true },
		{ 1807, "", "", true },			/* a zombie has no command line */
		{ 1908, "", "", false },		/* in a container */
		{ 2009, "22222222-2222-4333-8444-555555555555", "old?[31m?", true },
		{ 2110, "", "nouuid", true },
		{ 31337, "", "", false },		/* gone */
	};
	struct kw_guest guests[sizeof(cases) / sizeof(cases[0])] = { 0 };
	struct kw_guest_list list = { true, guests, sizeof(cases) / sizeof(cases[0]) };

	(void)state;
	for (size_t i = 0; i < list.count; i++)
		guests[i].pid = cases[i].pid;
	kw_process_name_guests(PROC, &list);
	for (size_t i = 0; i < list.count; i++) {
		assert_string_equal(guests[i].uuid, cases[i].uuid);
		assert_string_equal(guests[i].name, cases[i].name);
		assert_int_equal(guests[i].libvirt, cases[i].libvirt);
	}
	assert_string_equal(find(&list, 1706)->cgroup, "/machine/qemu-3-db.libvirt-qemu/emulator");
	assert_string_equal(find(&list, 31337)->cgroup, "");
}

/* What the kernel says of the cgroup counts more than what /proc says later. */
static void test_kernel_cgroup_first(void **state)
{
	struct kw_guest guest = { .pid = 1201, .cgroup = "/user.slice/user-1.slice" };
	struct kw_guest_list list = { true, &guest, 1 };

	(void)state;
	kw_process_name_guests(PROC, &list);
	assert_string_equal(guest.cgroup, "/user.slice/user-1.slice");
	assert_string_equal(guest.uuid, "");
	assert_string_equal(guest.name, "");
	assert_false(guest.libvirt);
}

static void test_orphan_has_no_name(void **state)
{
	struct kw_guest guest = { .pid = 1201, .orphan = true };
	struct kw_guest_list list = { true, &guest, 1 };

	(void)state;
	kw_process_name_guests(PROC, &list);
	assert_string_equal(guest.uuid, "");
	assert_string_equal(guest.name, "");
	assert_false(guest.libvirt);
}

/* Read again is what may have changed: another process, another cgroup, not libvirt's. */
static void test_names_are_kept(void **state)
{
	static const char scope[] = "/machine.slice/machine-qemu\\x2d3\\x2dvault.scope";
	struct kw_guest old[] = {
		{ .pid = 1, .start_time_ns = KW_U64(10), .cgroup = "/", .name = "by hand" },
		{ .pid = 1201, .start_time_ns = KW_U64(10), .uuid = VAULT, .name = "vault-3",
		  .libvirt = true },
	};
	struct kw_guest now[] = {
		{ .pid = 1201, .start_time_ns = KW_U64(10) },
		{ .pid = 1, .start_time_ns = KW_U64(10), .cgroup = "/" },
		{ .pid = 1201, .start_time_ns = KW_U64(10), .orphan = true },
		{ .pid = 1201, .start_time_ns = KW_U64(11) },
		{ .pid = 1201, .start_time_ns = KW_U64(10), .cgroup = "/user.slice" },
		{ .pid = 1201 },
	};
	struct kw_guest_list before = { true, old, 2 }, list = { true, now, 6 };

	(void)state;
	kw_text_copy(old[1].cgroup, sizeof(old[1].cgroup), scope);
	for (size_t i = 0; i < list.count; i++)
		if (!now[i].cgroup[0])
			kw_text_copy(now[i].cgroup, sizeof(now[i].cgroup), scope);
	kw_process_keep_names(&before, &list);
	assert_string_equal(now[0].uuid, VAULT);
	assert_string_equal(now[0].name, "vault-3");
	assert_true(now[0].libvirt);
	for (size_t i = 1; i < list.count; i++) {
		assert_string_equal(now[i].uuid, "");
		assert_string_equal(now[i].name, "");
		assert_false(now[i].libvirt);
	}
	/* what has a name is not read: there is no such start in the tree */
	kw_process_name_guests(PROC, &list);
	assert_string_equal(now[0].name, "vault-3");
	before.count = 0;
	kw_process_keep_names(&before, &list);
}

static void test_pid_of_another_process(void **state)
{
	const uint64_t tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	struct kw_guest guests[] = {
		{ .pid = 1201, .start_time_ns = KW_U64(123456 * tick_ns + tick_ns - 1) },
		{ .pid = 1201, .start_time_ns = KW_U64(123457 * tick_ns) },
		{ .pid = 1302, .start_time_ns = KW_U64(223344 * tick_ns) },
	};
	struct kw_guest_list list = { true, guests, 3 };

	(void)state;
	kw_process_name_guests(PROC, &list);
	assert_string_equal(guests[0].name, "vault-3");
	assert_string_equal(guests[1].name, "");
	assert_false(guests[1].libvirt);
	assert_string_equal(guests[2].name, "web,blue");
}

static void test_uuids(void **state)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list list = { 0 };

	(void)state;
	assert_int_equal(kw_process_uuids(PROC, &list), 0);
	assert_int_equal(list.count, 4);
	assert_int_equal(kw_uuid_list_count(&list, VAULT), 1);
	assert_int_equal(kw_uuid_list_count(&list, "b6d5a5c9-4f0e-4c5e-8f58-3a6d1c2b7e10"), 1);
	assert_int_equal(kw_uuid_list_count(&list, DB), 1);
	assert_int_equal(kw_uuid_list_count(&list, "22222222-2222-4333-8444-555555555555"), 1);
	assert_int_equal(kw_uuid_list_count(&list, "99999999-2222-4333-8444-555555555555"), 0);
}

static void test_uuids_without_proc(void **state)
{
	struct kw_uuid_list list = { .count = 4711 };

	(void)state;
	assert_int_equal(kw_process_uuids(PROC "/none", &list), -ENOENT);
	assert_int_equal(list.count, 4711);
}

/* This machine's own /proc: processes come and go underway, none is libvirt's unless it is. */
static void test_real_proc(void **state)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list list = { 0 };
	struct kw_guest guest = { .pid = getpid(), .start_time_ns = KW_U64(1) };
	struct kw_guest_list guests = { true, &guest, 1 };

	(void)state;
	assert_int_equal(kw_process_uuids("/proc", &list), 0);
	kw_process_name_guests("/proc", &guests);
	assert_string_equal(guest.cgroup, "");
	guest.start_time_ns.known = false;
	kw_process_name_guests("/proc", &guests);
	assert_int_equal(guest.cgroup[0], '/');
	assert_false(guest.libvirt);
}

static struct kw_u64 total_of(const char *text)
{
	char dir[] = "/tmp/kw-meminfo-XXXXXX", path[64];
	struct kw_u64 total;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/meminfo", dir);
	assert_int_equal(kw_file_write(path, text, strlen(text), 0600), 0);
	total = kw_meminfo_total_bytes(dir);
	unlink(path);
	rmdir(dir);
	return total;
}

static void test_meminfo(void **state)
{
	static const char *const unknown[] = {
		"", "MemFree: 1 kB\n", "MemTotal:\n", "MemTotal: x kB\n", "MemTotal: -1 kB\n",
		"MemTotal: 5 MB\n", "MemTotal: 5\n", "XMemTotal: 5 kB\n",
		"MemTotal: 99999999999999999999 kB\n", "MemTotal: 18446744073709551615 kB\n",
	};

	(void)state;
	assert_true(kw_meminfo_total_bytes(PROC).known);
	assert_int_equal(kw_meminfo_total_bytes(PROC).value, 16318480ull * 1024);
	assert_int_equal(kw_meminfo_hugetlb_bytes(PROC).value, 2097152ull * 1024);
	assert_false(kw_meminfo_hugetlb_bytes(PROC "/none").known);
	assert_false(kw_meminfo_total_bytes(PROC "/none").known);
	assert_int_equal(total_of("MemFree: 1 kB\nMemTotal:\t7 kB").value, 7 * 1024);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_false(total_of(unknown[i]).known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libvirt_cgroups),
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_kernel_cgroup_first),
		cmocka_unit_test(test_orphan_has_no_name),
		cmocka_unit_test(test_names_are_kept),
		cmocka_unit_test(test_pid_of_another_process),
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_uuids_without_proc),
		cmocka_unit_test(test_real_proc),
		cmocka_unit_test(test_meminfo),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
