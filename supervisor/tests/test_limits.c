/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "base/file.h"
#include "tests/tree.h"

static char proc[64];

static int setup(void **state)
{
	(void)state;
	strcpy(proc, "/tmp/kw-limits-XXXXXX");
	return mkdtemp(proc) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(proc);
}

static void put(const char *pid, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", proc, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, name);
	assert_int_equal(kw_file_write(path, text, strlen(text), 0600), 0);
}

/* As the kernel prints them. */
static void add_process(const char *pid, const char *comm, const char *soft, const char *hard)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "Limit                     Soft Limit           Hard Limit           Units     \n"
		 "Max processes             15483                15483                processes \n"
		 "Max open files            8192                 524288               files     \n"
		 "Max locked memory         %-20s %-20s bytes     \n"
		 "Max address space         unlimited            unlimited            bytes     \n",
		 soft, hard);
	put(pid, "comm", comm);
	put(pid, "limits", text);
}

static void expect(struct kw_u64 wanted)
{
	struct kw_u64 is = kw_limits_libvirt_memlock_bytes(proc);

	assert_int_equal(is.known, wanted.known);
	if (wanted.known)
		assert_int_equal(is.value, wanted.value);
}

static void reads_the_soft_limit_of_the_daemon(void **state)
{
	(void)state;
	add_process("1", "systemd\n", "1048576", "1048576");
	add_process("800", "libvirtd\n", "67108864", "134217728");
	put("self", "comm", "libvirtd\n");
	expect(KW_U64(67108864));
	add_process("800", "virtqemud\n", "8388608", "8388608");
	expect(KW_U64(8388608));
	add_process("800", "virtqemud\n", "unlimited", "unlimited");
	expect(KW_U64(UINT64_MAX));
}

static void takes_the_smallest_of_several(void **state)
{
	(void)state;
	add_process("800", "libvirtd\n", "unlimited", "unlimited");
	add_process("801", "virtqemud\n", "67108864", "67108864");
	add_process("802", "libvirtd\n", "134217728", "134217728");
	expect(KW_U64(67108864));
}

static void knows_nothing_without_a_daemon(void **state)
{
	(void)state;
	expect((struct kw_u64){ 0 });
	add_process("700", "libvirtd-imposter\n", "0", "0");
	add_process("701", "qemu-system-x86\n", "0", "0");
	expect((struct kw_u64){ 0 });
	put("702", "comm", "libvirtd\n");
	expect((struct kw_u64){ 0 });
	add_process("703", "libvirtd\n", "much", "much");
	expect((struct kw_u64){ 0 });
	put("704", "comm", "virtqemud\n");
	put("704", "limits", "Limit\nMax locked memory ");
	expect((struct kw_u64){ 0 });
	strcat(proc, "-not");
	expect((struct kw_u64){ 0 });
	proc[strlen(proc) - strlen("-not")] = '\0';
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_the_soft_limit_of_the_daemon, setup,
						teardown),
		cmocka_unit_test_setup_teardown(takes_the_smallest_of_several, setup, teardown),
		cmocka_unit_test_setup_teardown(knows_nothing_without_a_daemon, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
