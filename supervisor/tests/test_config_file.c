/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/config_file.h"

static char path[] = "/tmp/kw-config-XXXXXX";

/* The unit tests run in supervisor/. */
#define SHIPPED "etc/kvmward.conf"

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int read_bytes(const char *text, size_t length, struct kw_config *config, char error[256])
{
	error[0] = '\0';
	assert_int_equal(kw_file_write(path, text, length, 0600), 0);
	return kw_config_file_read(path, config, error, 256);
}

static void expect_config(const char *text, const struct kw_config *wanted)
{
	struct kw_config config;
	char error[256];

	memset(&config, 0xa5, sizeof(config));
	if (read_bytes(text, strlen(text), &config, error))
		fail_msg("%s", error);
	assert_int_equal(config.reserve[KW_POOL_SEV], wanted->reserve[KW_POOL_SEV]);
	assert_int_equal(config.reserve[KW_POOL_SEV_ES], wanted->reserve[KW_POOL_SEV_ES]);
	assert_int_equal(config.num_memory_encrypted_guests.known,
			 wanted->num_memory_encrypted_guests.known);
	assert_int_equal(config.num_memory_encrypted_guests.value,
			 wanted->num_memory_encrypted_guests.value);
	assert_int_equal(config.reserved_host_memory_bytes, wanted->reserved_host_memory_bytes);
	assert_int_equal(config.admit_encrypted_unasked, wanted->admit_encrypted_unasked);
	assert_int_equal(config.admit_plain_unasked, wanted->admit_plain_unasked);
	assert_int_equal(config.memory_max_wall, wanted->memory_max_wall);
	assert_int_equal(config.misc_max_wall, wanted->misc_max_wall);
	assert_int_equal(config.hold_timeout_s, wanted->hold_timeout_s);
}

static void expect_bytes_refused(const char *text, size_t length, int line, const char *in_message)
{
	struct kw_config config, before;
	char error[256], where[64];
	int result;

	memset(&config, 0xa5, sizeof(config));
	before = config;
	result = read_bytes(text, length, &config, error);
	snprintf(where, sizeof(where), "%s:%d: ", path, line);
	if (result != -EINVAL || !kw_text_starts(error, where) || !strstr(error, in_message))
		fail_msg("wanted %s%s, got %d %s", where, in_message, result, error);
	assert_true(kw_text_is_utf8(error));
	assert_memory_equal(&config, &before, sizeof(config));
}

static void expect_refused(const char *text, int line, const char *in_message)
{
	expect_bytes_refused(text, strlen(text), line, in_message);
}

static void nothing_gives_the_defaults(void **state)
{
	struct kw_config wanted, config;
	char error[256] = "";

	(void)state;
	kw_config_defaults(&wanted);
	assert_int_equal(wanted.reserved_host_memory_bytes, 512 * KW_MIB);
	assert_false(wanted.admit_encrypted_unasked);
	assert_true(wanted.admit_plain_unasked);
	assert_true(wanted.memory_max_wall);
	assert_true(wanted.misc_max_wall);
	expect_config("", &wanted);
	expect_config("# nothing\n\n  ; at all\n[slots]\n", &wanted);
	assert_int_equal(kw_config_file_read("/tmp/kw-no-such-file", &config, error, 256), 0);
	assert_int_equal(config.hold_timeout_s, wanted.hold_timeout_s);
}

static void every_key_is_read(void **state)
{
	struct kw_config wanted = {
		.reserve = { 2, 3, 4 },
		.num_memory_encrypted_guests = KW_U32(15),
		.reserved_host_memory_bytes = 8192 * KW_MIB,
		.admit_encrypted_unasked = true,
		.admit_plain_unasked = false,
		.admit_small_memlock = true,
		.memory_max_wall = false,
		.misc_max_wall = false,
		.hold_timeout_s = 5,
	};

	(void)state;
	expect_config("[slots]\nsev_reserve = 2\nsev_es_reserve=3\nsnp_reserve = 4\n"
		      "num_memory_encrypted_guests = 15\n"
		      "[memory]\nreserved_host_memory_mb = 8192\n"
		      "[hook]\nencrypted_when_unreachable = admit\n"
		      "plain_when_unreachable = refuse\nsmall_memory_lock = admit\n"
		      "[walls]\nmemory_max = no\nmisc_max = no\n"
		      "[daemon]\nhold_timeout = 5",
		      &wanted);
}

static void the_form_is_free_where_it_can_be(void **state)
{
	struct kw_config wanted;

	(void)state;
	kw_config_defaults(&wanted);
	wanted.reserve[KW_POOL_SEV] = 2;
	wanted.hold_timeout_s = 9;
	/* indented lines are lines of their own, not the rest of the one before */
	expect_config("\xef\xbb\xbf[slots] # few\r\n\tsev_reserve\t=  2  ; two\r\n"
		      "  [daemon]\r\n  hold_timeout = 9\r\n",
		      &wanted);
}

static void limits_can_be_reached(void **state)
{
	struct kw_config wanted;

	(void)state;
	kw_config_defaults(&wanted);
	wanted.reserve[KW_POOL_SEV] = 65535;
	wanted.num_memory_encrypted_guests = KW_U32(0);
	wanted.reserved_host_memory_bytes = (1ull << 30) * KW_MIB;
	wanted.hold_timeout_s = 86400;
	expect_config("[slots]\nsev_reserve = 65535\nnum_memory_encrypted_guests = 0\n"
		      "[memory]\nreserved_host_memory_mb = 1073741824\n"
		      "[daemon]\nhold_timeout = 86400\n",
		      &wanted);
}

static void bad_values_say_what_is_allowed(void **state)
{
	static const char *const values[] = { "-1", "+1", "65536", "1.5", "0x10", "12 slots", "2k",
					      "99999999999999999999", "many", "\"2\"", "1\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char text[128];

		snprintf(text, sizeof(text), "\n[slots]\nsev_reserve = %s\n", values[i]);
		expect_refused(text, 3, "sev_reserve must be a whole number from 0 to 65535");
	}
	expect_refused("[memory]\nreserved_host_memory_mb = 512 MiB\n", 2, "not \"512 MiB\"");
	expect_refused("[memory]\nreserved_host_memory_mb = 1073741825\n", 2, "to 1073741824");
	expect_refused("[daemon]\nhold_timeout = 0\n", 2, "from 1 to 86400");
	expect_refused("[daemon]\nhold_timeout = 86401\n", 2, "from 1 to 86400");
	expect_refused("[hook]\nplain_when_unreachable = yes\n", 2, "admit or refuse, not \"yes\"");
	expect_refused("[hook]\nplain_when_unreachable = Admit\n", 2, "not \"Admit\"");
	expect_refused("[hook]\nsmall_memory_lock = 1\n", 2, "admit or refuse, not \"1\"");
	expect_refused("[walls]\nmisc_max = maybe\n", 2, "misc_max must be yes or no, not");
	expect_refused("[walls]\nmemory_max = 1\n", 2, "memory_max must be yes or no, not");
	expect_refused("[slots]\nsev_reserve =\n", 2, "sev_reserve has no value");
	expect_refused("[slots]\nsev_reserve = ; none\n", 2, "sev_reserve has no value");
}

static void unknown_words_are_refused(void **state)
{
	(void)state;
	expect_refused("[slots]\n\nsev_reserv = 2\n", 3,
		       "unknown key \"sev_reserv\" in section [slots], which has sev_reserve, "
		       "sev_es_reserve, snp_reserve, num_memory_encrypted_guests");
	/* a key of another section */
	expect_refused("[daemon]\nsev_reserve = 2\n", 2, "which has hold_timeout");
	expect_refused("[slot]\nsev_reserve = 2\n", 1, "unknown section [slot]");
	expect_refused("[slots]\n[Memory]\n", 2, "unknown section [Memory]; sections are [slots], "
						 "[memory], [hook], [walls], [daemon], [evacuation] and [class NAME]");
	expect_refused("[]\n", 1, "unknown section []");
	expect_refused("sev_reserve = 2\n", 1, "before the first section");
	expect_refused("[slots]\n= 2\n", 2, "unknown key \"\"");
}

static void a_key_twice_is_refused(void **state)
{
	(void)state;
	expect_refused("[slots]\nsev_reserve = 2\nsev_reserve = 2\n", 3,
		       "sev_reserve is given twice");
	expect_refused("[slots]\nsev_reserve = 2\n[daemon]\n[slots]\nsev_reserve = 3\n", 5,
		       "given twice");
}

static void lines_of_no_kind_are_refused(void **state)
{
	(void)state;
	expect_refused("[slots]\nsev_reserve 2\n", 2, "neither \"[section]\" nor");
	expect_refused("[slots\nsev_reserve = 2\n", 1, "no closing bracket");
	expect_refused("[slots] sev_reserve = 2\n", 1, "text after [slots]");
	/* the first of two errors is named */
	expect_refused("[slots]\nnonsense\nsev_reserve = x\n", 2, "neither");
	expect_refused("[slots]\nsev_reserve = x\nnonsense\n", 2, "whole number");
}

static void hostile_bytes_are_refused(void **state)
{
	char large[70000], line[400];

	(void)state;
	expect_bytes_refused("[slots]\nsev_res\0erve = 2\n", 25, 2, "NUL byte");
	expect_bytes_refused("\0", 1, 1, "NUL byte");
	expect_refused("[slots]\nsev_reserve = \x1b[2J\n", 2, "control character");
	expect_refused("[slots]\nsev_reserve = 1\r2\n", 2, "control character");
	expect_refused("[slots]\n# \xff\n", 2, "UTF-8");
	/* inih would split it and read its end as a key */
	memset(line, ' ', sizeof(line));
	memcpy(line, "[slots]\n#", 9);
	strcpy(line + 330, "\nsev_reserve = 1\n");
	expect_refused(line, 2, "longer than");
	memset(large, '#', sizeof(large));
	assert_int_equal(kw_file_write(path, large, sizeof(large), 0600), 0);
	assert_int_equal(kw_config_file_read(path, NULL, line, sizeof(line)), -EFBIG);
	assert_non_null(strstr(line, path));
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
	struct kw_config config;
	char error[256] = "";

	(void)state;
	assert_int_equal(kw_config_file_read("/tmp", &config, error, sizeof(error)), -EISDIR);
	assert_string_equal(error, "/tmp: Is a directory");
}

static void classes_are_read(void **state)
{
	struct kw_config config;
	char error[256];
	const char *text = "[class gold]\nsev_reserve = 2\nsev_limit = 3\nsev_es_limit = 0\n"
			   "memory_reserve_mb = 1024\nmemory_limit_mb = 2048\n"
			   "[class silver_2] ; none of it\n[slots]\nsev_reserve = 1\n"
			   "[class gold]\nsnp_reserve = 4\nsev_es_reserve = 0\nsnp_limit = 4\n";

	(void)state;
	if (read_bytes(text, strlen(text), &config, error))
		fail_msg("%s", error);
	assert_int_equal(config.class_count, 2);
	assert_string_equal(config.classes[0].name, "gold");
	assert_int_equal(config.classes[0].reserve[KW_POOL_SEV], 2);
	assert_int_equal(config.classes[0].limit[KW_POOL_SEV].value, 3);
	assert_true(config.classes[0].limit[KW_POOL_SEV_ES].known);
	assert_int_equal(config.classes[0].limit[KW_POOL_SEV_ES].value, 0);
	assert_int_equal(config.classes[0].reserve[KW_POOL_SNP], 4);
	assert_int_equal(config.classes[0].memory_reserve_bytes, 1024 * KW_MIB);
	assert_int_equal(config.classes[0].memory_limit_bytes.value, 2048 * KW_MIB);
	assert_string_equal(config.classes[1].name, "silver_2");
	assert_false(config.classes[1].limit[KW_POOL_SEV].known);
	assert_false(config.classes[1].memory_limit_bytes.known);
	assert_int_equal(config.reserve[KW_POOL_SEV], 1);
}

static void bad_classes_are_refused(void **state)
{
	char many[1024] = "";

	(void)state;
	expect_refused("[class ]\n", 1, "a name of at most 32 letters, digits and _");
	expect_refused("[class go-ld]\n", 1, "[class go-ld]: a class has a name");
	expect_refused("[class a b]\n", 1, "a class has a name");
	expect_refused("[class abcdefghijabcdefghijabcdefghijabc]\n", 1, "at most 32");
	expect_refused("[class]\n", 1, "unknown section [class]");
	expect_refused("[class gold]\nhold_timeout = 5\n", 2,
		       "unknown key \"hold_timeout\" in section [class gold], which has "
		       "sev_reserve, sev_limit, ");
	expect_refused("[class gold]\nsev_limit = 1\n[class gold]\nsev_limit = 1\n", 4,
		       "sev_limit is given twice, before in line 2");
	expect_refused("[class gold]\nsev_limit = lots\n", 2, "from 0 to 65535");
	expect_refused("[class gold]\nsev_limit =\n", 2, "from 0 to 65535");
	expect_refused("[class gold]\nmemory_limit_mb = -1\n", 2, "from 0 to 1073741824");
	expect_refused("[class gold]\nsev_limit = 1\nsev_reserve = 2\n", 3,
		       "the reserve of [class gold] is above its limit");
	expect_refused("[class gold]\nmemory_reserve_mb = 2\nmemory_limit_mb = 1\n", 3,
		       "memory_limit_mb: the reserve");
	for (int i = 0; i < KW_CLASS_MAX + 1; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "[class c%d]\n", i);
	expect_refused(many, KW_CLASS_MAX + 1, "there can be 16 classes");
}

/* Takes the comment sign off every "#key = value". */
static void uncomment_keys(char *text)
{
	for (char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (at[0] == '#' && at[1] != ' ' && at[1] != '\n')
			at[0] = ' ';
	}
}

static void the_shipped_file_shows_the_defaults(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct kw_config wanted;

	(void)state;
	kw_config_defaults(&wanted);
	assert_int_equal(kw_file_read(SHIPPED, 1 << 16, &text, NULL), 0);
	expect_config(text, &wanted);
	uncomment_keys(text);
	wanted.num_memory_encrypted_guests = KW_U32(15); /* the one key without a default */
	expect_config(text, &wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_gives_the_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(the_form_is_free_where_it_can_be),
		cmocka_unit_test(limits_can_be_reached),
		cmocka_unit_test(bad_values_say_what_is_allowed),
		cmocka_unit_test(unknown_words_are_refused),
		cmocka_unit_test(a_key_twice_is_refused),
		cmocka_unit_test(lines_of_no_kind_are_refused),
		cmocka_unit_test(hostile_bytes_are_refused),
		cmocka_unit_test(classes_are_read),
		cmocka_unit_test(bad_classes_are_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(the_shipped_file_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
