/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/domain_files.h"

#include <fcntl.h>
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
#include "facts/domain_xml.h"
#include "tests/tree.h"

#define SEV "<launchSecurity type='sev'><policy>0x33</policy></launchSecurity>"

static char dir[32];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kw-files-XXXXXX");
	return !mkdtemp(dir);
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(dir);
}

static void make_file(const char *name, off_t size)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

/* A domain whose loader, variables, their template and ROM have these names, and a look at it. */
static void look(const char *security, const char *loader, const char *nvram, const char *rom,
		 struct kw_domain *ret_domain)
{
	char xml[1024], error[256] = "";

	snprintf(xml, sizeof(xml), "<domain type='kvm'><name>g</name><memory>1024</memory>"
		 "<os><loader type='pflash'>%s/%s</loader>"
		 "<nvram template='%s/template'>%s/%s</nvram></os>"
		 "<devices><disk/><interface/><interface><rom file='%s%s'/></interface></devices>"
		 "%s</domain>", dir, loader, dir, dir, nvram, *rom == '/' ? "" : dir, rom, security);
	if (kw_domain_xml_parse(xml, strlen(xml), ret_domain, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	kw_domain_files_look(ret_domain);
}

static void test_sizes(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain fresh = {}, used = {};

	(void)state;
	make_file("code", 3653632);
	make_file("template", 540672);
	look(SEV, "code", "vars", "/proc/self/exe", &fresh);
	assert_int_equal(fresh.loader_bytes.value, 3653632);
	assert_int_equal(fresh.nvram_bytes.value, 540672);
	assert_false(fresh.devices[1].rom_bytes.known);
	assert_true(fresh.devices[2].rom_bytes.value > 1024);
	make_file("vars", 131072);
	look(SEV, "code", "vars", "", &used);
	assert_int_equal(used.nvram_bytes.value, 131072);
}

static void test_what_is_no_file(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	char fifo[64];

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	look(SEV, "fifo", ".", "/tmp", &domain);
	assert_false(domain.loader_bytes.known);
	assert_false(domain.nvram_bytes.known);
	assert_false(domain.devices[2].rom_bytes.known);
}

static void test_nothing_for_a_plain_guest(void **state)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};

	(void)state;
	make_file("code", 4096);
	look("", "code", "code", "/proc/self/exe", &domain);
	assert_false(domain.loader_bytes.known);
	assert_false(domain.nvram_bytes.known);
	assert_false(domain.devices[2].rom_bytes.known);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),
		TEST(test_what_is_no_file),
		TEST(test_nothing_for_a_plain_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
