/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every mistake with every key: a key that is added is tested from then on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/config_file.h"
#include "facts/config_keys.h"

/* The unit tests run in supervisor/. */
#define SHIPPED "etc/kvmward.conf"
#define MANUAL "man/kvmward.conf.5"

static char path[] = "/tmp/kw-config-XXXXXX";

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

static bool is_of_class(const struct kw_config_key *key)
{
	return !strcmp(key->section, KW_CONFIG_CLASS);
}

/* The configuration of a file with this key's section and, below it, these lines. */
static int read_lines(const struct kw_config_key *key, const char *lines, struct kw_config *config,
		      char error[512])
{
	char text[512];

	snprintf(text, sizeof(text), "[%s%s]\n%s", key->section, is_of_class(key) ? " gold" : "",
		 lines);
	assert_int_equal(kw_file_write(path, text, strlen(text), 0600), 0);
	error[0] = '\0';
	return kw_config_file_read(path, config, error, 512);
}

/* Refused: file and line stand at the front, and these words in the sentence. */
static void refused(const struct kw_config_key *key, const char *lines, int line, const char *first,
		    const char *second)
{
	struct kw_config config;
	char error[512], where[64];
	int result = read_lines(key, lines, &config, error);

	snprintf(where, sizeof(where), "%s:%d: ", path, line);
	if (result != -EINVAL || !kw_text_starts(error, where) || !strstr(error, first) ||
	    !strstr(error, second))
		fail_msg("[%s] %s: wanted %s... %s ... %s, got %d %s", key->section, lines, where,
			 first, second, result, error);
}

static void refused_value(const struct kw_config_key *key, const char *value)
{
	char lines[256], allowed[128], first[256];

	snprintf(lines, sizeof(lines), "# here\n%s = %s\n", key->name, value);
	snprintf(first, sizeof(first), "%s %s", key->name, *value ? "must be" : "has no value");
	kw_config_key_allowed(key, allowed, sizeof(allowed));
	refused(key, lines, 3, first, allowed);
	if (*value) {
		snprintf(first, sizeof(first), "not \"%s\"", value);
		refused(key, lines, 3, first, allowed);
	}
}

static void refused_number(const struct kw_config_key *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	refused_value(key, text);
}

static void *object_of(const struct kw_config_key *key, struct kw_config *config)
{
	return is_of_class(key) ? (void *)&config->classes[0] : config;
}

/* Is the field of this key the same in both? */
static bool same(const struct kw_config_key *key, struct kw_config *a, struct kw_config *b)
{
	const void *x = (char *)object_of(key, a) + key->offset;
	const void *y = (char *)object_of(key, b) + key->offset;

	switch (key->field) {
	case KW_CONFIG_U32:
		return *(uint32_t *)x == *(uint32_t *)y;
	case KW_CONFIG_MAYBE_U32:
		return ((struct kw_u32 *)x)->known == ((struct kw_u32 *)y)->known &&
		       ((struct kw_u32 *)x)->value == ((struct kw_u32 *)y)->value;
	case KW_CONFIG_MIB:
		return *(uint64_t *)x == *(uint64_t *)y;
	case KW_CONFIG_MAYBE_MIB:
		return ((struct kw_u64 *)x)->known == ((struct kw_u64 *)y)->known &&
		       ((struct kw_u64 *)x)->value == ((struct kw_u64 *)y)->value;
	case KW_CONFIG_BOOL:
		return *(bool *)x == *(bool *)y;
	case KW_CONFIG_TEXT:
		return !strcmp(x, y);
	}
	return false;
}

/* Taken, and nothing but the field of this key is other than its default. */
static void taken(const struct kw_config_key *key, const char *value)
{
	struct kw_config config, wanted;
	char error[512], lines[128];

	kw_config_defaults(&wanted);
	assert_true(kw_config_key_set(key, value, object_of(key, &wanted)));
	snprintf(lines, sizeof(lines), "%s = %s\n", key->name, value);
	if (read_lines(key, lines, &config, error))
		fail_msg("%s", error);
	for (const struct kw_config_key *other = kw_config_keys(); other->name; other++)
		if (!same(other, &config, &wanted))
			fail_msg("[%s] %s changes %s of [%s]", key->section, lines, other->name,
				 other->section);
}

/* A value that the key may have; every kind has two. */
static const char *good_value(const struct kw_config_key *key, bool most)
{
	static char text[2][16];

	switch (key->kind) {
	case KW_CONFIG_NUMBER:
		snprintf(text[most], sizeof(text[most]), "%" PRIu32, most ? key->most : key->least);
		return text[most];
	case KW_CONFIG_RATIO:
		return most ? "1000" : "0.001";
	case KW_CONFIG_ADMIT:
		return most ? "admit" : "refuse";
	case KW_CONFIG_SWITCH:
		return most ? "yes" : "no";
	case KW_CONFIG_PATH:
		return most ? "/shared/kvmward" : "/";
	}
	fail_msg("%s: a kind without a good value", key->name);
	return NULL;
}

static void good_values_are_taken(void **state)
{
	(void)state;
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		taken(key, good_value(key, false));
		taken(key, good_value(key, true));
	}
}

static void a_missing_key_has_its_default(void **state)
{
	struct kw_config config, wanted;
	char error[512];

	(void)state;
	kw_config_defaults(&wanted);
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		assert_int_equal(read_lines(key, "", &config, error), 0);
		assert_true(same(key, &config, &wanted));
	}
}

/* Empty, negative, huge, of a wrong unit and of no kind at all. */
static void bad_values_are_refused(void **state)
{
	static const char *const values[] = { "", "-1", "99999999999999999999", "1 GiB", "5s", "10%",
					      "1.5x", "0x10", "+1", "maybe", "Yes", "ADMIT", "\"1\"" };

	(void)state;
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++)
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
			refused_value(key, values[i]);
}

static void numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		if (key->kind != KW_CONFIG_NUMBER)
			continue;
		refused_number(key, (uint64_t)key->most + 1);
		refused_number(key, (1ull << 32) + key->least);
		if (key->least)
			refused_number(key, key->least - 1);
	}
}

static void ratios_have_three_decimals(void **state)
{
	static const char *const bad[] = { "0", "0.0", "0.000", "1000.001", "1.0005", ".5", "1.",
					   "1,5", "1.-5", "1. 5", "1.5.0", "00000001.5" };
	static const struct { const char *text; uint32_t thousandths; } good[] = {
		{ "1", 1000 }, { "1.5", 1500 }, { "0.25", 250 }, { "16.0", 16000 }, { "1.001", 1001 },
	};

	(void)state;
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		struct kw_config config;

		if (key->kind != KW_CONFIG_RATIO)
			continue;
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			refused_value(key, bad[i]);
		for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
			taken(key, good[i].text);
			assert_true(kw_config_key_set(key, good[i].text, &config));
			assert_int_equal(*(uint32_t *)((char *)&config + key->offset),
					 good[i].thousandths);
		}
	}
}

static void unknown_keys_are_refused(void **state)
{
	(void)state;
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		char lines[128], unknown[128], known[512];

		snprintf(lines, sizeof(lines), "x%s = 1\n", key->name);
		snprintf(unknown, sizeof(unknown), "unknown key \"x%s\" in section [%s", key->name,
			 key->section);
		kw_config_names(key->section, known, sizeof(known));
		assert_non_null(strstr(known, key->name));
		refused(key, lines, 2, unknown, known);
	}
}

static void a_key_twice_is_refused(void **state)
{
	(void)state;
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		char lines[256], first[128];

		snprintf(lines, sizeof(lines), "%s = %s\n\n%s = %s\n", key->name,
			 good_value(key, false), key->name, good_value(key, true));
		snprintf(first, sizeof(first), "%s is given twice", key->name);
		refused(key, lines, 4, first, "before in line 2");
	}
}

static void every_section_is_named(void **state)
{
	char sections[256];

	(void)state;
	kw_config_sections(sections, sizeof(sections));
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		char section[64];

		snprintf(section, sizeof(section), is_of_class(key) ? "[%s NAME]" : "[%s]",
			 key->section);
		assert_non_null(strstr(sections, section));
	}
}

/* Those of a class stand together in the manual; the shipped file has some as examples. */
static void manual_and_shipped_file_name_every_key(void **state)
{
	_cleanup_free_ char *manual = NULL, *shipped = NULL;

	(void)state;
	assert_int_equal(kw_file_read(MANUAL, 1 << 16, &manual, NULL), 0);
	assert_int_equal(kw_file_read(SHIPPED, 1 << 16, &shipped, NULL), 0);
	for (const struct kw_config_key *key = kw_config_keys(); key->name; key++) {
		const char *section = is_of_class(key) ? strstr(manual, "\n.Ss Section Bq class")
						       : manual;
		char item[64], line[64];

		snprintf(item, sizeof(item), is_of_class(key) ? " %s " : "\n.It Cm %s Ns = Ns",
			 key->name);
		snprintf(line, sizeof(line), "\n#%s = ", key->name);
		if (!strstr(section, item) || (!is_of_class(key) && !strstr(shipped, line)))
			fail_msg("%s is missing in %s or %s", key->name, MANUAL, SHIPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_are_taken),
		cmocka_unit_test(a_missing_key_has_its_default),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(ratios_have_three_decimals),
		cmocka_unit_test(unknown_keys_are_refused),
		cmocka_unit_test(a_key_twice_is_refused),
		cmocka_unit_test(every_section_is_named),
		cmocka_unit_test(manual_and_shipped_file_name_every_key),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
