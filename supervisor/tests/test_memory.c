/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the sum of the host's memory is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/memory.h"

static struct kw_memory_status memory = {
	.known = true,
	.room = {
		.total_bytes = KW_U64(4096 * KW_MIB), .reserve_bytes = 512 * KW_MIB,
		.pools_bytes = KW_U64(80 * KW_MIB), .guests_known = true,
		.encrypted_bytes = 300 * KW_MIB, .plain_bytes = 200 * KW_MIB,
		.pending_bytes = 100 * KW_MIB, .waiting_bytes = 60 * KW_MIB,
		.free_bytes = KW_U64(2904 * KW_MIB),
	},
	.pools = { { .page_bytes = 2 * KW_MIB, .total_pages = 40, .unused_pages = 8,
		     .promised_pages = 3, .free_pages = 5 } },
	.pool_count = 1,
};

static struct kw_config config = { .ram_allocation_thousandths = 1500 };

static char *printed(bool brief)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (brief)
		kw_memory_print_brief(&memory, &config, to, 0);
	else
		assert_int_equal(kw_memory_print(&memory, &config, false, to, 0), 0);
	fclose(to);
	return text;
}

static void every_part_has_its_line(void **state)
{
	_cleanup_free_ char *text = printed(false);

	(void)state;
	assert_string_equal(text, "MEMORY                          SIZE\n"
				  "in the host                 4096 MiB\n"
				  "reserved for it              512 MiB\n"
				  "hugepage pools                80 MiB\n"
				  "encrypted guests             300 MiB\n"
				  "plain guests / 1.5           200 MiB\n"
				  "held for guests that start    40 MiB\n"
				  "waited for                    60 MiB\n"
				  "free                        2904 MiB\n\n"
				  "HUGEPAGES OF  TOTAL  UNUSED  PROMISED  FREE\n"
				  "    2048 KiB     40       8         3     5\n");
}

static void pools_without_pages_are_left_out(void **state)
{
	_cleanup_free_ char *text = NULL;

	(void)state;
	memory.pools[0].total_pages = memory.pools[0].unused_pages = 0;
	text = printed(false);
	memory.pools[0].total_pages = 40;
	assert_null(strstr(text, "HUGEPAGES"));
}

static void the_rule_is_a_sum(void **state)
{
	_cleanup_free_ char *text = printed(true), *unknown = NULL;

	(void)state;
	assert_non_null(strstr(text, "free 2904 MiB = 4096 MiB in the host - 512 MiB reserved - 80 MiB "
				     "of hugepages - 300 MiB of encrypted guests - 200 MiB of plain "
				     "guests (memory / 1.5) - 40 MiB held - 60 MiB waited for"));
	memory.room.guests_known = memory.room.free_bytes.known = false;
	unknown = printed(true);
	memory.room.guests_known = memory.room.free_bytes.known = true;
	assert_non_null(strstr(unknown, "free not known = 4096 MiB"));
	assert_non_null(strstr(unknown, "not known of encrypted guests"));
}

static void json_has_all_of_it(void **state)
{
	const struct kw_memory_status unknown = {};
	struct json_object *to = kw_json_memory(&memory, &config), *pools;

	(void)state;
	assert_null(kw_json_memory(&unknown, &config));
	assert_int_equal(json_object_get_uint64(json_object_object_get(to, "held_bytes")),
			 40 * KW_MIB);
	assert_int_equal(json_object_get_uint64(json_object_object_get(to, "free_bytes")),
			 2904 * KW_MIB);
	assert_true(json_object_get_double(json_object_object_get(to, "ram_allocation_ratio")) ==
		    1.5);
	pools = json_object_object_get(to, "pools");
	assert_int_equal(json_object_array_length(pools), 1);
	json_object_put(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_has_its_line),
		cmocka_unit_test(pools_without_pages_are_left_out),
		cmocka_unit_test(the_rule_is_a_sum),
		cmocka_unit_test(json_has_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
