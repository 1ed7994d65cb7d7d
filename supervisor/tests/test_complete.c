/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "act/domain.h"
#include "base/cleanup.h"
#include "base/file.h"

static const struct kw_completion full = {
	.cbitpos = { .known = true, .value = 51 },
	.reduced_phys_bits = { .known = true, .value = 1 },
	.hard_limit_bytes = { .known = true, .value = 4398046511104 + 1 },
};

static char *complete(const char *xml, const struct kw_completion *completion)
{
	char *text = NULL;

	assert_int_equal(kw_domain_complete(xml, completion, &text), 0);
	return text;
}

static char *read_domain(const char *name)
{
	char path[256], *text = NULL;

	snprintf(path, sizeof(path), "tests/data/domains/%s", name);
	assert_int_equal(kw_file_read(path, 1 << 20, &text, NULL), 0);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_nova(void **state)
{
	_cleanup_free_ char *xml = read_domain("nova.xml"), *text = complete(xml, &full);

	(void)state;
	assert_has(text, "  <memory>4194304</memory>\n"
			 "  <memtune>\n"
			 "    <hard_limit unit=\"KiB\">4294967297</hard_limit>\n"
			 "  </memtune>\n"
			 "  <vcpu>4</vcpu>\n");
	assert_has(text, "  <launchSecurity type=\"sev\">\n"
			 "    <cbitpos>51</cbitpos>\n"
			 "    <reducedPhysBits>1</reducedPhysBits>\n"
			 "    <policy>0x0033</policy>\n"
			 "  </launchSecurity>\n");
	assert_null(strstr(text, "locked"));
	assert_null(strstr(text, "memoryBacking"));
	assert_null(strstr(text, "<?xml"));
	assert_has(text, "xmlns:nova=\"http://openstack.org/xmlns/libvirt/nova/1.1\"");
}

/* Taking out what was added gives the file again, byte for byte. */
static void cut(char *text, const char *part)
{
	char *at = strstr(text, part);

	assert_non_null(at);
	memmove(at, at + strlen(part), strlen(at + strlen(part)) + 1);
}

static void test_the_rest_is_kept(void **state)
{
	struct kw_completion numbers = full;
	_cleanup_free_ char *xml = read_domain("nova.xml"), *text = NULL;

	(void)state;
	numbers.hard_limit_bytes.known = false;
	text = complete(xml, &numbers);
	assert_has(text, "<locked/>");
	cut(text, "    <cbitpos>51</cbitpos>\n");
	cut(text, "    <reducedPhysBits>1</reducedPhysBits>\n");
	assert_string_equal(text, xml);
}

static void test_complete_file_is_left_alone(void **state)
{
	_cleanup_free_ char *xml = read_domain("live.xml"), *text = complete(xml, &full);

	(void)state;
	assert_has(text, "<cbitpos>51</cbitpos>");
	assert_has(text, "5242880</hard_limit>");
	assert_null(strstr(text, "4294967297"));
}

static void test_plain_domain_is_left_alone(void **state)
{
	_cleanup_free_ char *xml = read_domain("virt-install.xml"), *text = complete(xml, &full);

	(void)state;
	assert_string_equal(text, xml);
}

static void test_snp_with_tabs(void **state)
{
	_cleanup_free_ char *xml = read_domain("snp.xml"), *text = complete(xml, &full);

	(void)state;
	assert_has(text, "\t<memory unit=\"GiB\">2</memory>\n\t<memtune>\n\t\t<hard_limit");
	assert_has(text, "kernelHashes=\"yes\">\n\t\t<cbitpos>51</cbitpos>\n\t\t<reducedPhysBits>");
	assert_has(text, "<!-- no disk: it boots a kernel of its own -->");
	assert_has(text, "<qemu:arg value=\"-d\"/>");
}

#define SEV(inner) "<domain type='kvm'><name>n</name>" inner "</domain>"

static void test_pieces(void **state)
{
	static const struct {
		const char *xml, *want;
	} cases[] = {
		{ SEV("<launchSecurity type='sev'/>"),
		  "<domain type=\"kvm\"><name>n</name><memtune><hard_limit unit=\"KiB\">4294967297"
		  "</hard_limit></memtune><launchSecurity type=\"sev\"><cbitpos>51</cbitpos>"
		  "<reducedPhysBits>1</reducedPhysBits></launchSecurity></domain>\n" },
		{ SEV("<memtune><soft_limit>9</soft_limit></memtune>"
		      "<launchSecurity type='sev'><reducedPhysBits>5</reducedPhysBits>"
		      "</launchSecurity>"),
		  "<domain type=\"kvm\"><name>n</name><memtune><hard_limit unit=\"KiB\">4294967297"
		  "</hard_limit><soft_limit>9</soft_limit></memtune><launchSecurity type=\"sev\">"
		  "<cbitpos>51</cbitpos><reducedPhysBits>5</reducedPhysBits></launchSecurity>"
		  "</domain>\n" },
		{ "<domain>\n  <name>n</name>\n  <launchSecurity type='sev'>\n  </launchSecurity>\n"
		  "</domain>",
		  "<domain>\n  <name>n</name>\n  <memtune>\n    <hard_limit unit=\"KiB\">4294967297"
		  "</hard_limit>\n  </memtune>\n  <launchSecurity type=\"sev\">\n"
		  "    <cbitpos>51</cbitpos>\n    <reducedPhysBits>1</reducedPhysBits>\n"
		  "  </launchSecurity>\n</domain>\n" },
		{ "<?xml version='1.0'?>\n" SEV("<launchSecurity type='tdx'/>"),
		  "<?xml version='1.0'?>\n" SEV("<launchSecurity type='tdx'/>") },
		{ "<?xml version='1.0'?>\n<domain><memtune><hard_limit>7</hard_limit></memtune>"
		  "<memoryBacking><hugepages/><locked/></memoryBacking>"
		  "<title>caf\xc3\xa9 &lt;</title><launchSecurity type='sev'><cbitpos>1</cbitpos>"
		  "<reducedPhysBits>2</reducedPhysBits></launchSecurity></domain>",
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<domain><memtune><hard_limit>7"
		  "</hard_limit></memtune><memoryBacking><hugepages/></memoryBacking>"
		  "<title>caf\xc3\xa9 &lt;</title><launchSecurity type=\"sev\"><cbitpos>1</cbitpos>"
		  "<reducedPhysBits>2</reducedPhysBits></launchSecurity></domain>\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *text = complete(cases[i].xml, &full);

		assert_string_equal(text, cases[i].want);
	}
}

static void test_uuid(void **state)
{
	static const struct kw_completion named = { .uuid = "5ea15ea1-0000-4000-8000-000000000001" };
	static const char *const kinds[] = { "<launchSecurity type=\"sev\"/>", "<os/>" };
	static const struct {
		const char *head, *want;
	} cases[] = {
		{ "<name>a</name>", "<name>a</name><uuid>5ea15ea1-0000-4000-8000-000000000001</uuid>" },
		{ "<uuid>x</uuid><name>a</name>", "<uuid>x</uuid><name>a</name>" },
		{ "", "<uuid>5ea15ea1-0000-4000-8000-000000000001</uuid>" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *text = NULL;
		char xml[256], want[256];

		snprintf(xml, sizeof(xml), "<domain>%s%s</domain>", cases[i / 2].head, kinds[i % 2]);
		snprintf(want, sizeof(want), "<domain>%s%s</domain>\n", cases[i / 2].want,
			 kinds[i % 2]);
		text = complete(xml, &named);
		assert_string_equal(text, want);
	}
}

static void test_twice_is_once(void **state)
{
	_cleanup_free_ char *xml = read_domain("nova.xml"), *once = complete(xml, &full);
	_cleanup_free_ char *twice = complete(once, &full);

	(void)state;
	assert_string_equal(twice, once);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"", "x", "<domain>", "<network/>", "<domain xmlns='urn:x'/>",
		"<!DOCTYPE domain [<!ENTITY a 'b'>]><domain>&a;</domain>",
		"<?xml version='1.0' encoding='latin1'?><domain/>",
	};
	char untouched, *text = &untouched;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(kw_domain_complete(texts[i], &full, &text), -EBADMSG);
		assert_ptr_equal(text, &untouched);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nova),
		cmocka_unit_test(test_the_rest_is_kept),
		cmocka_unit_test(test_complete_file_is_left_alone),
		cmocka_unit_test(test_plain_domain_is_left_alone),
		cmocka_unit_test(test_snp_with_tabs),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_twice_is_once),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("complete", tests, NULL, NULL);
}
