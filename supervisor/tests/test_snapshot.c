/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "facts/snapshot.h"

/*
 * A module of our own making in place of facts/netlink.c, which the linker then
 * leaves in its archive. Numbers below 0 are errors; the last of a row repeats.
 */
struct kw_netlink {
	int number;
};

#define ROW 8

static struct {
	bool only_loaded;	/* of the last open */
	int open[ROW], host[ROW], slots[ROW], guests[ROW];	/* slots: charged; guests: count */
	const char *reason, *words;
	unsigned int opens, closes, host_calls, slots_calls, guests_calls;
} module;

static int next(const int *row, unsigned int *calls)
{
	unsigned int at = (*calls)++;

	while (at && (at >= ROW || !row[at]))
		at--;
	return row[at] == INT32_MAX ? 0 : row[at];
}

#define ZERO INT32_MAX	/* 0 in a row ends it */

static int open_module(struct kw_netlink **ret_netlink)
{
	int error = next(module.open, &module.opens);

	if (error < 0)
		return error;
	*ret_netlink = calloc(1, sizeof(**ret_netlink));
	assert_non_null(*ret_netlink);
	return 0;
}

int kw_netlink_open(struct kw_netlink **ret_netlink)
{
	module.only_loaded = false;
	return open_module(ret_netlink);
}

int kw_netlink_open_loaded(struct kw_netlink **ret_netlink)
{
	module.only_loaded = true;
	return open_module(ret_netlink);
}

void kw_netlink_close(struct kw_netlink *netlink)
{
	if (netlink)
		module.closes++;
	free(netlink);
}

const char *kw_netlink_error(const struct kw_netlink *netlink)
{
	(void)netlink;
	return module.words ? module.words : "";
}

int kw_netlink_host(struct kw_netlink *netlink, bool psp, struct kw_host *ret_host)
{
	int error = next(module.host, &module.host_calls);

	(void)netlink;
	assert_false(psp);
	if (error < 0)
		return error;
	*ret_host = (struct kw_host){ .facts_source = KW_U32(KW_FACTS_BTF) };
	if (!module.reason)
		return 0;
	ret_host->facts_source = KW_U32(KW_FACTS_NONE);
	strcpy(ret_host->facts_reason, module.reason);
	return 0;
}

int kw_netlink_slots(struct kw_netlink *netlink, struct kw_slot_table *ret_slots)
{
	int charged = next(module.slots, &module.slots_calls);

	(void)netlink;
	if (charged < 0)
		return charged;
	*ret_slots = (struct kw_slot_table){ .known = true };
	ret_slots->pool[KW_POOL_SEV].charged = KW_U32((uint32_t)charged);
	return 0;
}

int kw_netlink_guests(struct kw_netlink *netlink, struct kw_guest_list *ret_list)
{
	int count = next(module.guests, &module.guests_calls);

	(void)netlink;
	if (count < 0)
		return count;
	ret_list->guests = calloc((size_t)count + 1, sizeof(*ret_list->guests));
	assert_non_null(ret_list->guests);
	for (int i = 0; i < count; i++)
		ret_list->guests[i].pid = INT32_MAX - i;
	ret_list->count = (size_t)count;
	ret_list->known = true;
	return 0;
}

static int reset(void **state)
{
	(void)state;
	memset(&module, 0, sizeof(module));
	return 0;
}

static void test_everything_known(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	module.slots[0] = 3;
	module.guests[0] = 3;
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_non_null(netlink);
	assert_true(facts.host_known && facts.slots.known && facts.guests.known);
	assert_int_equal(facts.guests.count, 3);
	assert_true(facts.memory_total_bytes.value > 1 << 20);
	assert_string_equal(facts.reason, "");
	assert_int_equal(module.slots_calls, 2);
	assert_int_equal(module.guests_calls, 1);
	kw_facts_done(&facts);

	kw_snapshot_read(&netlink, NULL, &facts);
	assert_int_equal(module.opens, 1);
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

/* A guest starts between the first count and the list, another one after the list. */
static void test_until_both_agree(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	memcpy(module.slots, (int[ROW]){ ZERO, 2, 2 }, sizeof(module.slots));
	memcpy(module.guests, (int[ROW]){ 1, 2 }, sizeof(module.guests));
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_int_equal(facts.guests.count, 2);
	assert_int_equal(facts.slots.pool[KW_POOL_SEV].charged.value, 2);
	assert_int_equal(module.slots_calls, 3);
	assert_int_equal(module.guests_calls, 2);
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

/* Never quiet: five rounds, and the slots are those counted after the guests. */
static void test_never_agreeing(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	memcpy(module.slots, (int[ROW]){ 1, 2, 3, 4, 5, 6, 7, 8 }, sizeof(module.slots));
	memcpy(module.guests, (int[ROW]){ 1, 2, 3, 4, 5, 6, 7, 8 }, sizeof(module.guests));
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_int_equal(module.guests_calls, 5);
	assert_int_equal(facts.guests.count, 5);
	assert_int_equal(facts.slots.pool[KW_POOL_SEV].charged.value, 6);
	assert_true(facts.slots.known && facts.guests.known);
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

static void test_module_not_loaded(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	module.open[0] = -ENOENT;
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_null(netlink);
	assert_false(facts.host_known || facts.slots.known || facts.guests.known);
	assert_true(facts.memory_total_bytes.known);
	assert_string_equal(facts.reason, "the module kvmward is not loaded: modprobe kvmward");
	assert_int_equal(module.opens, 1);
	kw_facts_done(&facts);
}

/* Looks that nobody has asked for leave a module alone that was taken out. */
static void test_watching_loads_no_module(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	module.open[0] = -ENOENT;
	kw_snapshot_watch(&netlink, NULL, &facts);
	assert_true(module.only_loaded);
	assert_false(facts.host_known);
	kw_facts_done(&facts);
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_false(module.only_loaded);
	kw_facts_done(&facts);
	assert_int_equal(kw_netlink_open(&netlink), -ENOENT);
	module.open[0] = 0;
	assert_int_equal(kw_netlink_open(&netlink), 0);
	module.host[0] = -ENOENT;
	kw_snapshot_watch(&netlink, NULL, &facts);
	assert_true(module.only_loaded);
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

static void open_before(struct kw_netlink **ret_netlink)
{
	assert_int_equal(kw_netlink_open(ret_netlink), 0);
	module.opens = 0;
}

/* rmmod and modprobe between two snapshots: the second one does not even stumble. */
static void test_module_loaded_again(void **state)
{
	struct kw_netlink *netlink;
	struct kw_facts facts;

	(void)state;
	open_before(&netlink);
	memcpy(module.host, (int[ROW]){ -ENOENT, ZERO }, sizeof(module.host));
	module.guests[0] = 2;
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_non_null(netlink);
	assert_int_equal(module.closes, 1);
	assert_int_equal(module.opens, 1);
	assert_int_equal(facts.guests.count, 2);
	assert_string_equal(facts.reason, "");
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

static void test_module_went_away(void **state)
{
	struct kw_netlink *netlink;
	struct kw_facts facts;

	(void)state;
	open_before(&netlink);
	module.guests[0] = -ENOENT;
	module.open[0] = -ENOENT;
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_null(netlink);
	assert_int_equal(module.closes, 1);
	assert_false(facts.host_known || facts.slots.known || facts.guests.known);
	assert_string_equal(facts.reason, "the module kvmward is not loaded: modprobe kvmward");
	kw_facts_done(&facts);
}

static void test_without_privilege(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	module.guests[0] = -EPERM;
	module.slots[0] = 1;
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_true(facts.host_known);
	assert_true(facts.slots.known);
	assert_int_equal(facts.slots.pool[KW_POOL_SEV].charged.value, 1);
	assert_false(facts.guests.known);
	assert_string_equal(facts.reason,
			    "guests are not known: only root may see them (CAP_NET_ADMIN)");
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

static void test_slots_fail_afterwards(void **state)
{
	struct kw_netlink *netlink = NULL;
	struct kw_facts facts;

	(void)state;
	memcpy(module.slots, (int[ROW]){ 1, -EINVAL }, sizeof(module.slots));
	module.words = "no slots today";
	kw_snapshot_read(&netlink, NULL, &facts);
	assert_false(facts.slots.known);
	assert_string_equal(facts.reason, "slots are not known: no slots today");
	kw_facts_done(&facts);
	kw_netlink_close(netlink);
}

static void test_reasons(void **state)
{
	static const struct {
		int open, host;
		const char *kernel, *reason;
	} cases[] = {
		{ -EPROTONOSUPPORT, 0, NULL,
		  "the module kvmward cannot be reached by netlink: Protocol not supported" },
		{ 0, -ETIMEDOUT, NULL, "facts of the host are not known: the module kvmward does "
		  "not answer; see dmesg" },
		{ 0, -EBADMSG, NULL, "facts of the host are not known: the module kvmward "
		  "answers what this version cannot read" },
		{ 0, -EIO, NULL, "facts of the host are not known: Input/output error" },
		{ 0, 0, "no BTF for kvm_amd",
		  "types, ASIDs and pinned memory of guests are not known: no BTF for kvm_amd" },
		{ 0, 0, "", "types, ASIDs and pinned memory of guests are not known" },
		{ 0, -EIO, "not shown", "facts of the host are not known: Input/output error" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_netlink *netlink = NULL;
		struct kw_facts facts;

		reset(state);
		module.open[0] = cases[i].open;
		module.host[0] = cases[i].host;
		module.reason = cases[i].kernel;
		kw_snapshot_read(&netlink, NULL, &facts);
		assert_string_equal(facts.reason, cases[i].reason);
		kw_facts_done(&facts);
		kw_netlink_close(netlink);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_everything_known, reset),
		cmocka_unit_test_setup(test_until_both_agree, reset),
		cmocka_unit_test_setup(test_never_agreeing, reset),
		cmocka_unit_test_setup(test_module_not_loaded, reset),
		cmocka_unit_test_setup(test_watching_loads_no_module, reset),
		cmocka_unit_test_setup(test_module_loaded_again, reset),
		cmocka_unit_test_setup(test_module_went_away, reset),
		cmocka_unit_test_setup(test_without_privilege, reset),
		cmocka_unit_test_setup(test_slots_fail_afterwards, reset),
		cmocka_unit_test_setup(test_reasons, reset),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
