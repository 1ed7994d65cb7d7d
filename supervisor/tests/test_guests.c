/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/display.h"
#include "cli/guests.h"

#define TERMINAL 80

static struct kw_guest guests[] = {
	{ .name = "web-1", .pid = 4242, .type = KW_U32(KW_GUEST_SEV), .asid = KW_U32(6),
	  .pinned_bytes = KW_U64(262 * KW_MIB), .mm_pinned_bytes = KW_U64(0),
	  .unmovable_bytes = KW_U64(262 * KW_MIB),
	  .memory_bytes = KW_U64(256 * KW_MIB), .vcpus = KW_U32(2), .libvirt = true },
	{ .comm = "sev_vm", .pid = 4294967, .type = KW_U32(KW_GUEST_SEV_ES),
	  .asid = KW_U32(1005), .pinned_bytes = KW_U64(1023 * KW_GIB),
	  .unmovable_bytes = KW_U64(1023 * KW_GIB), .memory_bytes = KW_U64(1023 * KW_GIB),
	  .vcpus = KW_U32(1024), .mirror = true, .orphan = true },
	{ .name = "db-1", .pid = 77, .type = KW_U32(KW_GUEST_SNP), .asid = KW_U32(2),
	  .pinned_bytes = KW_U64(0), .mm_pinned_bytes = KW_U64(0),
	  .unmovable_bytes = KW_U64(40 * KW_MIB), .memory_bytes = KW_U64(256 * KW_MIB),
	  .vcpus = KW_U32(2), .libvirt = true },
	{ .name = "a-name-\033[31m-that-goes-on-and-on-until-no-terminal-holds-it-any-more",
	  .pid = 1, .libvirt = true },
};

static const struct kw_guest_list list = { true, guests, 4 };

static char *printed(bool wide, bool exact, size_t width)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(kw_guests_print(&list, wide, exact, to, width), 0);
	fclose(to);
	return text;
}

static void every_line_fits_a_terminal(void **state)
{
	_cleanup_free_ char *text = printed(false, false, TERMINAL);
	char *rest = text, *line;
	size_t lines = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line) {
		assert_in_range(kw_display_width(line), 1, TERMINAL);
		lines++;
	}
	assert_int_equal(lines, 1 + list.count);
}

static void unmovable_is_more_than_pinned(void **state)
{
	_cleanup_free_ char *text = printed(false, false, 0);
	_cleanup_free_ char *exact = printed(false, true, 0);
	_cleanup_free_ char *wide = printed(true, false, 0);

	(void)state;
	assert_non_null(strstr(text, "PINNED   UNMOVABLE      MEMORY"));
	assert_non_null(strstr(text, "    6     262 MiB     262 MiB     256 MiB      2\n"));
	assert_non_null(strstr(text, "    2           0      40 MiB     256 MiB      2\n"));
	assert_non_null(strstr(exact, "      0       41943040      268435456"));
	assert_non_null(strstr(wide, "UNMOVABLE  VmPin"));
}

static void notes_and_unknown_are_shown(void **state)
{
	_cleanup_free_ char *text = printed(false, false, 0);

	(void)state;
	assert_non_null(strstr(text, "outside,mirror,orphan\n"));
	assert_non_null(strstr(text, "any-more        1  -          -           -           -"));
	assert_null(strchr(text, '\033'));
}

static void who_pins_otherwise_is_marked(void **state)
{
	_cleanup_free_ char *text = NULL;

	(void)state;
	guests[0].claimed_pinned_bytes = KW_U64(264 * KW_MIB);
	text = printed(false, false, 0);
	guests[0].claimed_pinned_bytes.known = false;
	assert_non_null(strstr(text, "256 MiB      2  differs\n"));
}

static void the_long_table_is_never_cut(void **state)
{
	_cleanup_free_ char *text = printed(true, false, TERMINAL);

	(void)state;
	assert_non_null(strstr(text, "until-no-terminal-holds-it-any-more"));
	assert_non_null(strstr(text, "CGROUP"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_fits_a_terminal),
		cmocka_unit_test(unmovable_is_more_than_pinned),
		cmocka_unit_test(notes_and_unknown_are_shown),
		cmocka_unit_test(who_pins_otherwise_is_marked),
		cmocka_unit_test(the_long_table_is_never_cut),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
