/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "cli/json.h"

static void put(struct json_object **object)
{
	json_object_put(*object);
}

/* The value as it stands in the text: "null", "true", "6", "\"sev\"". */
static const char *value(struct json_object *object, const char *key)
{
	struct json_object *found;

	if (!json_object_object_get_ex(object, key, &found))
		fail_msg("the key %s is missing", key);
	return json_object_to_json_string(found);
}

static void unknown_is_null_and_the_key_stays(void **state)
{
	const struct kw_guest guest = { .pid = 4, .libvirt = true };
	_cleanup_(put) struct json_object *to = kw_json_guest(&guest);
	static const char *const unknown[] = {
		"name", "uuid", "start_time_ns", "vm_fd", "comm", "uid", "cgroup", "type", "asid",
		"pinned_bytes", "memory_bytes", "vcpus", "nested_vcpus", "vhost_net_queues",
		"tap_queues", "mm_locked_bytes", "mm_pinned_bytes",
		"claimed_pinned_bytes", "mirror", "orphan",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		assert_string_equal(value(to, unknown[i]), "null");
	assert_string_equal(value(to, "pid"), "4");
	assert_string_equal(value(to, "libvirt"), "true");
}

static void numbers_are_numbers_and_names_are_the_contracts(void **state)
{
	const struct kw_guest guest = { .type = KW_U32(KW_GUEST_SEV_ES), .asid = KW_U32(0),
					.memory_bytes = KW_U64(1ull << 40), .name = "web" };
	const struct kw_host host = { .vendor = KW_U32(KW_VENDOR_HYGON), .sev_in_cpu = KW_U32(1),
				      .snp_in_cpu = KW_U32(0), .max_asid = KW_U32(15),
				      .slot_events = KW_U32(0), .slot_events_reason = "no kprobes",
				      .facts_source = KW_U32(KW_FACTS_BTF) };
	_cleanup_(put) struct json_object *guest_json = kw_json_guest(&guest);
	_cleanup_(put) struct json_object *host_json = kw_json_host(&host);

	(void)state;
	assert_string_equal(value(guest_json, "type"), "\"sev-es\"");
	assert_string_equal(value(guest_json, "asid"), "0");
	assert_string_equal(value(guest_json, "memory_bytes"), "1099511627776");
	assert_string_equal(value(host_json, "vendor"), "\"hygon\"");
	assert_string_equal(value(host_json, "sev_in_cpu"), "true");
	assert_string_equal(value(host_json, "snp_in_cpu"), "false");
	assert_string_equal(value(host_json, "slot_events"), "false");
	assert_string_equal(value(host_json, "slot_events_reason"), "\"no kprobes\"");
	assert_string_equal(value(host_json, "sev_es_in_cpu"), "null");
	assert_string_equal(value(host_json, "max_asid"), "15");
	assert_string_equal(value(host_json, "facts_source"), "\"btf\"");
}

static void hostile_text_is_still_json(void **state)
{
	const struct kw_guest guest = { .comm = "a\"b\n\033\xff\xc3\xbc" };
	_cleanup_(put) struct json_object *to = kw_json_guest(&guest);

	(void)state;
	assert_string_equal(value(to, "comm"), "\"a\\\"b\\n\\u001b\uFFFD\u00fc\"");
}

static void claims_and_verdicts(void **state)
{
	const struct kw_claim claim = { .name = "g", .type = KW_GUEST_SNP, .pinned_bytes = 0 };
	const struct kw_claim plain = { .name = "p" };
	const struct kw_verdict verdict = { KW_SLOT_FULL, "none is free" };
	_cleanup_(put) struct json_object *claimed = kw_json_claim(&claim, false);
	_cleanup_(put) struct json_object *unclaimed = kw_json_claim(&plain, false);
	_cleanup_(put) struct json_object *refused = kw_json_verdict(&verdict);

	(void)state;
	assert_string_equal(value(claimed, "pool"), "\"sev-es\"");
	assert_string_equal(value(claimed, "pinned_bytes"), "0");
	assert_string_equal(value(unclaimed, "pool"), "null");
	assert_string_equal(value(refused, "code"), "\"slot-full\"");
	assert_string_equal(value(refused, "admitted"), "false");
	assert_string_equal(value(refused, "sentence"), "\"none is free\"");
}

static void claims_tell_where_memory_comes_from(void **state)
{
	const struct kw_claim claim = { .huge = { { 0, 5 }, { 1 << 21, 6 } },
					.bound = { { 1ull << 63 | 2, 7 } } };
	_cleanup_(put) struct json_object *to = kw_json_claim(&claim, false);

	(void)state;
	assert_string_equal(value(to, "hugepages"),
			    "[ { \"page_bytes\": null, \"bytes\": 5 }, "
			    "{ \"page_bytes\": 2097152, \"bytes\": 6 } ]");
	assert_string_equal(value(to, "bound"), "[ { \"nodes\": [ 1, 63 ], \"bytes\": 7 } ]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_is_null_and_the_key_stays),
		cmocka_unit_test(numbers_are_numbers_and_names_are_the_contracts),
		cmocka_unit_test(hostile_text_is_still_json),
		cmocka_unit_test(claims_and_verdicts),
		cmocka_unit_test(claims_tell_where_memory_comes_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
