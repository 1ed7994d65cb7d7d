/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "metrics/prometheus.h"

static char *written(const struct kw_metrics *metrics)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(kw_prometheus_write(metrics, to), 0);
	fclose(to);
	return text;
}

static size_t occurrences(const char *text, const char *part)
{
	size_t count = 0;

	while ((text = strstr(text, part))) {
		count++;
		text++;
	}
	return count;
}

static void nothing_known_is_no_zero(void **state)
{
	struct kw_facts facts = {};
	struct kw_metrics metrics = { .facts = &facts };
	_cleanup_free_ char *text = written(&metrics);

	(void)state;
	assert_non_null(strstr(text, "\nkvmward_module_up 0\n"));
	assert_non_null(strstr(text, "\nkvmward_guests_known 0\n"));
	assert_null(strstr(text, "kvmward_host_"));
	assert_null(strstr(text, "kvmward_slots_"));
	assert_null(strstr(text, "kvmward_guests "));
}

static void pools_share_a_family_and_leave_gaps_out(void **state)
{
	struct kw_facts facts = { .slots.known = true };
	struct kw_metrics metrics = { .facts = &facts };
	_cleanup_free_ char *text = NULL;

	(void)state;
	facts.slots.pool[KW_POOL_SEV].capacity = KW_U32(10);
	facts.slots.pool[KW_POOL_SEV_ES].capacity = KW_U32(0);
	facts.slots.pool[KW_POOL_SEV].charged = KW_U32(4);
	metrics.pools[KW_POOL_SEV].free = KW_U32(6);
	metrics.pools[KW_POOL_SEV].waiting = KW_U32(2);
	text = written(&metrics);
	assert_non_null(strstr(text, "# TYPE kvmward_slots_capacity gauge\n"
				     "kvmward_slots_capacity{pool=\"sev\"} 10\n"
				     "kvmward_slots_capacity{pool=\"sev-es\"} 0\n"));
	assert_non_null(strstr(text, "kvmward_slots_charged{pool=\"sev\"} 4\n"));
	assert_null(strstr(text, "kvmward_slots_charged{pool=\"sev-es\"}"));
	assert_null(strstr(text, "kvmward_slots_in_use"));
	assert_non_null(strstr(text, "kvmward_slots_free{pool=\"sev\"} 6\n"));
	assert_non_null(strstr(text, "kvmward_slots_waiting{pool=\"sev\"} 2\n"));
	assert_null(strstr(text, "kvmward_slots_held"));
}

static void classes_are_told(void **state)
{
	struct kw_class_table classes = {
		.uses = { { .class_name = "gold", .used = 1, .reserve = 2, .limit = KW_U64(3) },
			  { .class_name = "", .used = 4 },
			  { .class_name = "gold", .thing = KW_CLASS_MEMORY, .used = 4096 } },
		.count = 3,
	};
	struct kw_facts facts = {};
	struct kw_metrics metrics = { .facts = &facts, .classes = &classes };
	_cleanup_free_ char *text = written(&metrics);

	(void)state;
	assert_non_null(strstr(text, "# TYPE kvmward_class_slots_used gauge\n"
				     "kvmward_class_slots_used{class=\"gold\",pool=\"sev\"} 1\n"
				     "kvmward_class_slots_used{class=\"\",pool=\"sev\"} 4\n"));
	assert_int_equal(occurrences(text, "\nkvmward_class_slots_limit{"), 1);
	assert_non_null(strstr(text, "\nkvmward_class_memory_used_bytes{class=\"gold\"} 4096\n"));
	assert_null(strstr(text, "kvmward_class_memory_limit_bytes"));
}

static void two_vms_of_one_process_are_two_series(void **state)
{
	struct kw_guest guests[] = {
		{ .pid = 7, .vm_fd = KW_U32(3), .type = KW_U32(KW_GUEST_SEV), .comm = "sev_vm",
		  .asid = KW_U32(6), .pinned_bytes = KW_U64(4096) },
		{ .pid = 7, .vm_fd = KW_U32(4), .type = KW_U32(KW_GUEST_PLAIN), .comm = "sev_vm" },
	};
	struct kw_facts facts = { .guests = { true, guests, 2 } };
	struct kw_metrics metrics = { .facts = &facts };
	_cleanup_free_ char *text = written(&metrics);

	(void)state;
	assert_non_null(strstr(text, "\nkvmward_guests 2\n"));
	assert_int_equal(occurrences(text, "# TYPE kvmward_guest_info gauge"), 1);
	assert_int_equal(occurrences(text, "\nkvmward_guest_info{"), 2);
	assert_non_null(strstr(text, "kvmward_guest_asid{name=\"sev_vm\",uuid=\"\",pid=\"7\","
				     "vm_fd=\"3\",type=\"sev\"} 6\n"));
	assert_int_equal(occurrences(text, "\nkvmward_guest_asid{"), 1);
	assert_int_equal(occurrences(text, "\nkvmward_guest_pinned_bytes{"), 1);
	assert_null(strstr(text, "kvmward_guest_memory_bytes"));
}

static void hostile_names_stay_in_their_label(void **state)
{
	struct kw_guest guest = { .pid = 1, .name = "a\"} 1\nb\\\033\xff" };
	struct kw_facts facts = { .guests = { true, &guest, 1 } };
	struct kw_metrics metrics = { .facts = &facts };
	_cleanup_free_ char *text = written(&metrics);

	(void)state;
	assert_non_null(strstr(text, "{name=\"a\\\"} 1\\nb\\\\\uFFFD\uFFFD\","));
	assert_null(strchr(text, '\033'));
}

static void host_facts_keep_no_and_drop_unknown(void **state)
{
	struct kw_facts facts = { .host_known = true,
				  .host = { .vendor = KW_U32(KW_VENDOR_AMD),
					    .sev_in_cpu = KW_U32(1),
					    .sev_enabled = KW_U32(0),
					    .psp_build = KW_U32(21),
					    .slot_events = KW_U32(0),
					    .slot_events_reason = "no kprobes",
					    .kvm_vendor_module = "kvm_amd" } };
	struct kw_metrics metrics = { .facts = &facts, .daemon_reachable = true,
				      .draining = true };
	_cleanup_free_ char *text = written(&metrics);

	(void)state;
	assert_non_null(strstr(text, "\nkvmward_module_up 1\n"));
	assert_non_null(strstr(text, "\nkvmward_daemon_up 1\n"));
	assert_non_null(strstr(text, "\nkvmward_draining 1\n"));
	assert_non_null(strstr(text, "\nkvmward_host_sev_in_cpu 1\n"));
	assert_non_null(strstr(text, "\nkvmward_host_sev_enabled 0\n"));
	assert_null(strstr(text, "kvmward_host_snp_in_cpu"));
	assert_non_null(strstr(text, "kvmward_host_info{vendor=\"amd\",kvm_vendor_module=\"kvm_amd\","
				     "facts_source=\"\",facts_reason=\"\","
				     "slot_events_reason=\"no kprobes\",psp_build=\"21\"} 1\n"));
	assert_non_null(strstr(text, "\nkvmward_host_slot_events 0\n"));
}

/* Every sample must stand in its own family, directly below its TYPE line. */
static void families_stay_together(void **state)
{
	struct kw_guest guests[2] = { { .pid = 1, .vm_fd = KW_U32(1) },
				      { .pid = 2, .vm_fd = KW_U32(1) } };
	struct kw_facts facts = { .host_known = true, .guests = { true, guests, 2 } };
	struct kw_metrics metrics = { .facts = &facts };
	_cleanup_free_ char *text = NULL;
	char family[128] = "", *rest, *line;
	size_t samples = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		guests[i].vcpus = KW_U32(2);
		guests[i].memory_bytes = KW_U64(1);
		guests[i].start_time_ns = KW_U64(1500000000);
	}
	text = rest = written(&metrics);
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "# TYPE %127s", family) == 1 || !*line || *line == '#')
			continue;
		assert_int_equal(strcspn(line, "{ "), strlen(family));
		assert_memory_equal(line, family, strlen(family));
		samples++;
	}
	assert_int_equal(samples, 3 + 1 + 1 + 4 * 2);
}

static void walls_that_are_off_are_left_out(void **state)
{
	struct kw_facts facts = {};
	struct kw_metrics metrics = {
		.facts = &facts,
		.walls = { .known = true,
			   .wall = { [KW_WALL_MEMORY] = { KW_WALL_OK, KW_U64(1 << 20), "" },
				     [KW_WALL_SEV] = { KW_WALL_MISSING, KW_U64(3), "why" } } },
	};
	_cleanup_free_ char *text = NULL, *none = NULL;

	(void)state;
	metrics.walls.wall[KW_WALL_SEV_ES].state = KW_WALL_OFF;
	text = written(&metrics);
	assert_non_null(strstr(text, "# TYPE kvmward_wall_up gauge\n"
				     "kvmward_wall_up{wall=\"memory_max\"} 1\n"
				     "kvmward_wall_up{wall=\"misc_max_sev\"} 0\n# HELP"));
	assert_non_null(strstr(text, "\nkvmward_wall_memory_bytes 1048576\n"));
	assert_null(strstr(text, "kvmward_wall_slots"));
	metrics.walls.wall[KW_WALL_SEV_ES] = (struct kw_wall_status){ KW_WALL_OK, KW_U64(4), "" };
	free(KW_STEAL(text));
	text = written(&metrics);
	assert_non_null(strstr(text, "\nkvmward_wall_slots{key=\"sev_es\"} 4\n"));
	metrics.walls.known = false;
	none = written(&metrics);
	assert_null(strstr(none, "kvmward_wall"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_is_no_zero),
		cmocka_unit_test(pools_share_a_family_and_leave_gaps_out),
		cmocka_unit_test(classes_are_told),
		cmocka_unit_test(two_vms_of_one_process_are_two_series),
		cmocka_unit_test(hostile_names_stay_in_their_label),
		cmocka_unit_test(host_facts_keep_no_and_drop_unknown),
		cmocka_unit_test(walls_that_are_off_are_left_out),
		cmocka_unit_test(families_stay_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
