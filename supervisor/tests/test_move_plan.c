/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/move_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"

static const struct kw_move_facts facts = {
	.domain = { .name = "vault", .uuid = "be795772-410c-434d-bd26-caca5396d394" },
	.destination = "h2",
};

static void add(struct kw_move_plan *plan, enum kw_obstacle_weight weight, enum kw_code code,
		const char *sentence)
{
	struct kw_obstacle *obstacle = &plan->obstacles[plan->count++];

	obstacle->weight = weight;
	kw_verdict_set(&obstacle->verdict, code, "%s", sentence);
}

static void expect(const struct kw_move_plan *plan, const char *text)
{
	_cleanup_free_ char *printed = NULL;
	size_t length;
	FILE *to = open_memstream(&printed, &length);

	kw_move_plan_print(&facts, plan, 120, to, 80);
	fclose(to);
	assert_string_equal(printed, text);
}

static void a_live_move_is_printed(void **state)
{
	const struct kw_move_plan plan = { .kind = KW_MOVE_LIVE, .possible = true,
					   .downtime_ms = KW_U64(300), .copy_bytes = KW_U64(0) };

	(void)state;
	expect(&plan, "guest        vault (be795772-410c-434d-bd26-caca5396d394)\n"
		      "to           h2\n"
		      "moves        live\n"
		      "stops        for 300 ms at the end, which QEMU aims at\n");
}

static void what_bars_is_printed_last(void **state)
{
	struct kw_move_plan plan = { .kind = KW_MOVE_COLD, .stops = true,
				     .copy_bytes = KW_U64(3ull << 30) };

	(void)state;
	add(&plan, KW_OBSTACLE_BARS, KW_DISK_LOCAL, "disk 'vda' is on ext4 of this host only; put "
	    "it on storage that both hosts have");
	add(&plan, KW_OBSTACLE_WARNS, KW_DEST_NEWER, "h2 has a newer QEMU");
	add(&plan, KW_OBSTACLE_NOT_LIVE, KW_LIVE_ENCRYPTED, "the guest is encrypted");
	expect(&plan, "guest        vault (be795772-410c-434d-bd26-caca5396d394)\n"
		      "to           h2\n"
		      "moves        cold, if nothing stood in the way\n"
		      "stops        from its shutdown here, for which it has 120 s, until it has\n"
		      "             started there\n"
		      "copied       3072 MiB of disks\n"
		      "not live     live-encrypted: the guest is encrypted\n"
		      "warning      dest-newer: h2 has a newer QEMU\n"
		      "refused      disk-local: disk 'vda' is on ext4 of this host only; put it on\n"
		      "             storage that both hosts have\n");
}

static void what_is_not_known_is_no_number(void **state)
{
	struct kw_move_plan plan = { .kind = KW_MOVE_LIVE, .possible = true };

	(void)state;
	expect(&plan, "guest        vault (be795772-410c-434d-bd26-caca5396d394)\n"
		      "to           h2\n"
		      "moves        live\n"
		      "stops        at the end, for how long is not known\n"
		      "copied       disks, of how many bytes is not known\n");
	plan = (struct kw_move_plan){ .kind = KW_MOVE_COLD, .possible = true,
				      .copy_bytes = KW_U64(0) };
	expect(&plan, "guest        vault (be795772-410c-434d-bd26-caca5396d394)\n"
		      "to           h2\n"
		      "moves        cold\n"
		      "stops        not at all: it is off, and stays so\n");
}

static void programs_read_the_same(void **state)
{
	struct kw_move_plan plan = { .kind = KW_MOVE_COLD, .stops = true,
				     .copy_bytes = KW_U64(0) };
	struct json_object *json;

	(void)state;
	add(&plan, KW_OBSTACLE_BARS, KW_DEST_SAME, "it is this host");
	json = kw_json_move_plan(&facts, &plan);
	assert_string_equal(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN),
			    "{\"name\":\"vault\",\"uuid\":\"be795772-410c-434d-bd26-caca5396d394\","
			    "\"destination\":\"h2\",\"kind\":\"cold\",\"possible\":false,"
			    "\"stops\":true,\"downtime_ms\":null,\"copy_disks\":[],"
			    "\"copy_bytes\":0,\"obstacles\":["
			    "{\"code\":\"dest-same\",\"admitted\":false,"
			    "\"sentence\":\"it is this host\","
			    "\"remedy\":\"Name another host.\",\"weight\":\"bars\"}]}");
	json_object_put(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_live_move_is_printed),
		cmocka_unit_test(what_bars_is_printed_last),
		cmocka_unit_test(what_is_not_known_is_no_number),
		cmocka_unit_test(programs_read_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
