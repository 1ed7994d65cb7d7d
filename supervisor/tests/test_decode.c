/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "facts/decode.h"
#include "facts/family.h"
#include "tests/kernel_message.h"

#define FAMILY 30
#define MUTATIONS 100000

static int decode_guest(const struct message *message, struct kw_guest *ret_guest)
{
	return kw_decode_guest(&message->header, message->header.nlmsg_len, ret_guest);
}

static void test_host(void **state)
{
	struct kw_host host;
	struct message message;

	(void)state;
	message_host(&message, FAMILY);
	assert_int_equal(kw_decode_host(&message.header, message.header.nlmsg_len, &host), 0);
	assert_int_equal(host.vendor.value, KW_VENDOR_AMD);
	assert_true(kw_u32_yes(host.sev_enabled));
	assert_true(kw_u32_no(host.snp_enabled));
	assert_false(host.sev_es_enabled.known);
	assert_false(host.psp_state.known);
	assert_int_equal(host.max_asid.value, 15);
	assert_string_equal(host.kvm_vendor_module, "kvm_amd");
	assert_true(host.facts_source.known);
	assert_int_equal(host.facts_source.value, KW_FACTS_NONE);
	assert_string_equal(host.facts_reason, "no BTF for kvm_amd");
	assert_true(kw_u32_no(host.smm_locked));
	assert_false(host.snp_active.known);
	assert_int_equal(host.vmpls.value, 4);
	assert_true(kw_u32_no(host.slot_events));
	assert_string_equal(host.slot_events_reason, "no kprobes");
}

static void test_slots(void **state)
{
	struct kw_slot_table table = { 0 };
	struct message message;

	(void)state;
	message_slots(&message, FAMILY, KVMWARD_SLOT_POOL_SEV_ES, 3);
	assert_int_equal(kw_decode_slots(&message.header, message.header.nlmsg_len, &table), 0);
	assert_int_equal(table.pool[KW_POOL_SEV_ES].charged.value, 3);
	assert_int_equal(table.pool[KW_POOL_SEV_ES].first_asid.value, 6);
	assert_true(table.pool[KW_POOL_SEV_ES].mirrors.known);
	assert_false(table.pool[KW_POOL_SEV].capacity.known);

	message_slots(&message, FAMILY, KW_POOL_COUNT, 9);
	assert_int_equal(kw_decode_slots(&message.header, message.header.nlmsg_len, &table), 0);
	assert_int_equal(table.pool[KW_POOL_SEV_ES].charged.value, 3);
	assert_false(table.pool[KW_POOL_SEV].capacity.known);
	assert_false(table.snp_apart);

	message_slots(&message, FAMILY, KVMWARD_SLOT_POOL_SNP, 1);
	assert_int_equal(kw_decode_slots(&message.header, message.header.nlmsg_len, &table), 0);
	assert_int_equal(table.pool[KW_POOL_SNP].charged.value, 1);
	assert_true(table.snp_apart);

	message_begin_answer(&message, FAMILY, KVMWARD_CMD_SLOT_GET);
	message_put_u32(&message, KVMWARD_A_SLOT_CAPACITY, 10);
	assert_int_equal(kw_decode_slots(&message.header, message.header.nlmsg_len, &table),
			 -EBADMSG);
}

static int decode_event(const struct message *message, struct kw_slot_event *ret_event)
{
	return kw_decode_slot_event(&message->header, message->header.nlmsg_len, ret_event);
}

static void test_slot_event(void **state)
{
	struct kw_slot_event event;
	struct message message;

	(void)state;
	message_slot_event(&message, FAMILY, KVMWARD_SLOT_POOL_SEV_ES, 3, -1);
	assert_int_equal(decode_event(&message, &event), 0);
	assert_int_equal(event.pool, KW_POOL_SEV_ES);
	assert_int_equal(event.change, -1);
	assert_int_equal(event.pid.value, 4242);
	assert_int_equal(event.start_time_ns.value, 123456789012345);
	assert_int_equal(event.slots.charged.value, 3);
	assert_int_equal(event.slots.capacity.value, 10);
	assert_false(event.slots.in_use.known || event.slots.mirrors.known);

	/* A pool of a newer kernel, a process that is not known. */
	message_begin_answer(&message, FAMILY, KVMWARD_CMD_SLOT_NTF);
	message_put_u32(&message, KVMWARD_A_SLOT_POOL, 77);
	message_put_u32(&message, KVMWARD_A_SLOT_CHANGE, 1);
	assert_int_equal(decode_event(&message, &event), 0);
	assert_int_equal(event.pool, 77);
	assert_int_equal(event.change, 1);
	assert_false(event.pid.known || event.slots.charged.known);
}

static void test_bad_slot_events(void **state)
{
	static const struct {
		uint16_t attribute;
		const char *data;
		size_t length;
	} cases[] = {
		{ KVMWARD_A_SLOT_CHANGE, "\0\0\0\0", 4 },
		{ KVMWARD_A_SLOT_CHANGE, "\2\0\0\0", 4 },
		{ KVMWARD_A_SLOT_CHANGE, "\1\0\0\0\0\0\0\0", 8 },
		{ KVMWARD_A_SLOT_PID, "\0\0\0\0", 4 },
		{ KVMWARD_A_SLOT_PID, "\0\0\0\x80", 4 },
		{ KVMWARD_A_SLOT_PID, "\1\0", 2 },
		{ KVMWARD_A_SLOT_START_TIME_NS, "\1\0\0\0", 4 },
		{ KVMWARD_A_SLOT_CHARGED, "\1\0", 2 },
	};
	struct kw_slot_event event;
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message_slot_event(&message, FAMILY, KVMWARD_SLOT_POOL_SEV, 3, 1);
		message_put(&message, cases[i].attribute, cases[i].data, cases[i].length);
		if (decode_event(&message, &event) != -EBADMSG)
			fail_msg("case %zu was taken", i);
	}
	message_slots(&message, FAMILY, KVMWARD_SLOT_POOL_SEV, 3);
	assert_int_equal(decode_event(&message, &event), -EBADMSG);	/* another command */
	message_begin_answer(&message, FAMILY, KVMWARD_CMD_SLOT_NTF);
	message_put_u32(&message, KVMWARD_A_SLOT_POOL, 0);
	assert_int_equal(decode_event(&message, &event), -EBADMSG);	/* no change */
	message_begin_answer(&message, FAMILY, KVMWARD_CMD_SLOT_NTF);
	message_put_u32(&message, KVMWARD_A_SLOT_CHANGE, 1);
	assert_int_equal(decode_event(&message, &event), -EBADMSG);	/* no pool */
}

static int decode_family(const struct message *message, struct kw_family *ret_family)
{
	return kw_family_decode(&message->header, message->header.nlmsg_len, "slots", ret_family);
}

static void test_families(void **state)
{
	struct kw_family family;
	struct message message;

	(void)state;
	message_family(&message, CTRL_CMD_NEWFAMILY, "kvmward", FAMILY, "slots", 9);
	assert_int_equal(decode_family(&message, &family), 0);
	assert_string_equal(family.name, "kvmward");
	assert_true(family.there);
	assert_int_equal(family.id, FAMILY);
	assert_int_equal(family.group, 9);
	message_family(&message, CTRL_CMD_NEWFAMILY, "nl80211", 31, "scan", 9);
	assert_int_equal(decode_family(&message, &family), 0);
	assert_int_equal(family.group, 0);
	message_family(&message, CTRL_CMD_DELFAMILY, "kvmward", FAMILY, "", 0);
	assert_int_equal(decode_family(&message, &family), 0);
	assert_false(family.there);
	message_family(&message, CTRL_CMD_NEWMCAST_GRP, "kvmward", FAMILY, "slots", 9);
	assert_int_equal(decode_family(&message, &family), -ENOENT);
}

static void test_bad_families(void **state)
{
	struct kw_family family = { .id = 4711 };
	struct message message;

	(void)state;
	message_family(&message, CTRL_CMD_NEWFAMILY, "a name that is too long", 30, "slots", 9);
	assert_int_equal(decode_family(&message, &family), -EBADMSG);
	message_begin_answer(&message, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	assert_int_equal(decode_family(&message, &family), -EBADMSG);
	message_family(&message, CTRL_CMD_NEWFAMILY, "kvmward", FAMILY, "slots", 9);
	message_put(&message, CTRL_ATTR_FAMILY_ID, "\1\0\0\0", 4);
	assert_int_equal(decode_family(&message, &family), -EBADMSG);
	message_family(&message, CTRL_CMD_NEWFAMILY, "kvmward", FAMILY, "slots", 9);
	message_put(&message, CTRL_ATTR_MCAST_GROUPS, "\10\0\1\0\4\0\1\0", 8);	/* no number */
	assert_int_equal(decode_family(&message, &family), -EBADMSG);
	message_family(&message, CTRL_CMD_NEWFAMILY, "kvmward", FAMILY, "slots", 9);
	message_put(&message, CTRL_ATTR_MCAST_GROUPS, "\377\0\1\0", 4);	/* cut off */
	assert_int_equal(decode_family(&message, &family), -EBADMSG);
	assert_int_equal(family.id, 4711);
}

static void test_guest(void **state)
{
	struct kw_guest guest;
	struct message message;

	(void)state;
	message_guest(&message, FAMILY, 4242, KVMWARD_GUEST_TYPE_SEV_ES);
	assert_int_equal(decode_guest(&message, &guest), 0);
	assert_int_equal(guest.pid, 4242);
	assert_int_equal(guest.start_time_ns.value, 123456789012345);
	assert_int_equal(guest.type.value, KW_GUEST_SEV_ES);
	assert_int_equal(guest.pinned_bytes.value, 275058688);
	assert_true(guest.nested_vcpus.known);
	assert_int_equal(guest.nested_vcpus.value, 0);
	assert_false(guest.tap_queues.known);
	assert_string_equal(guest.comm, "qemu-system-x86");
	assert_true(guest.flags_known);
	assert_false(guest.mirror || guest.orphan || guest.libvirt);
	assert_string_equal(guest.uuid, "");
}

static void test_guest_flags(void **state)
{
	struct kw_guest guest;
	struct message message;

	(void)state;
	message_begin_answer(&message, FAMILY, KVMWARD_CMD_GUEST_GET);
	message_put_u32(&message, KVMWARD_A_GUEST_PID, 1);
	message_put_u32(&message, KVMWARD_A_GUEST_FLAGS,
			KVMWARD_GUEST_FLAGS_ORPHAN | KVMWARD_GUEST_FLAGS_MIRROR | 1u << 20);
	assert_int_equal(decode_guest(&message, &guest), 0);
	assert_true(guest.mirror);
	assert_true(guest.orphan);
	assert_false(guest.type.known);

	message_begin_answer(&message, FAMILY, KVMWARD_CMD_GUEST_GET);
	message_put_u32(&message, KVMWARD_A_GUEST_PID, 1);
	assert_int_equal(decode_guest(&message, &guest), 0);
	assert_false(guest.flags_known || guest.mirror || guest.orphan);
}

static void test_newer_kernel(void **state)
{
	struct kw_guest guest;
	struct message message;

	(void)state;
	message_guest(&message, FAMILY, 1, KVMWARD_GUEST_TYPE_SNP + 1);
	message_put_u64(&message, KVMWARD_A_GUEST_MAX + 1, 5);
	message_put_text(&message, 0x3fff, "to come");
	message.bytes[NLMSG_HDRLEN + 1] = 2;	/* a later version of the family */
	assert_int_equal(decode_guest(&message, &guest), 0);
	assert_false(guest.type.known);
	assert_int_equal(guest.asid.value, 7);
}

static void test_texts_are_bounded_and_printable(void **state)
{
	char path[4096];
	struct kw_guest guest;
	struct message message;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	message_begin_answer(&message, FAMILY, KVMWARD_CMD_GUEST_GET);
	message_put_u32(&message, KVMWARD_A_GUEST_PID, 1);
	message_put_text(&message, KVMWARD_A_GUEST_CGROUP, path);
	message_put_text(&message, KVMWARD_A_GUEST_COMM, "a\x1b[2J\xff\n\xc2\x9b");
	assert_int_equal(decode_guest(&message, &guest), 0);
	assert_int_equal(strlen(guest.cgroup), sizeof(guest.cgroup) - 1);
	assert_string_equal(guest.comm, "a?[2J????");
}

/* An attribute that is wrong by itself, in a message that is otherwise good. */
static void test_bad_attributes(void **state)
{
	static const struct {
		uint16_t attribute;
		const char *data;
		size_t length;
	} cases[] = {
		{ KVMWARD_A_GUEST_ASID, "\1\0\0\0", 0 },
		{ KVMWARD_A_GUEST_ASID, "\1\0\0\0", 3 },
		{ KVMWARD_A_GUEST_ASID, "\1\0\0\0\0\0\0\0", 8 },
		{ KVMWARD_A_GUEST_TYPE, "\1\0\0\0", 2 },
		{ KVMWARD_A_GUEST_FLAGS, "\1\0\0\0", 1 },
		{ KVMWARD_A_GUEST_PINNED_BYTES, "\1\0\0\0\0\0\0\0", 4 },
		{ KVMWARD_A_GUEST_PINNED_BYTES, "\1\0\0\0\0\0\0\0\0\0\0\0", 12 },
		{ KVMWARD_A_GUEST_COMM, "", 0 },
		{ KVMWARD_A_GUEST_COMM, "qemu", 4 },
		{ KVMWARD_A_GUEST_CGROUP, "/a/b", 3 },
		{ KVMWARD_A_GUEST_PID, "\0\0\0\0", 4 },
		{ KVMWARD_A_GUEST_PID, "\0\0\0\x80", 4 },
		{ KVMWARD_A_GUEST_PID, "\1\0\0\0\0\0\0\0", 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_guest guest, before;
		struct message message;

		memset(&guest, 0xa5, sizeof(guest));
		before = guest;
		message_guest(&message, FAMILY, 1, KVMWARD_GUEST_TYPE_SEV);
		message_put(&message, cases[i].attribute, cases[i].data, cases[i].length);
		assert_int_equal(decode_guest(&message, &guest), -EBADMSG);
		assert_memory_equal(&guest, &before, sizeof(guest));
	}
}

static void test_bad_messages(void **state)
{
	struct kw_guest guest;
	struct kw_host host;
	struct message message;

	(void)state;
	message_begin_answer(&message, FAMILY, KVMWARD_CMD_GUEST_GET);
	assert_int_equal(decode_guest(&message, &guest), -EBADMSG);	/* no pid */
	message_host(&message, FAMILY);
	assert_int_equal(decode_guest(&message, &guest), -EBADMSG);	/* another command */
	message_guest(&message, FAMILY, 1, KVMWARD_GUEST_TYPE_SEV);
	assert_int_equal(kw_decode_host(&message.header, message.header.nlmsg_len, &host),
			 -EBADMSG);
	assert_int_equal(kw_decode_guest(&message.header, 0, &guest), -EBADMSG);
	assert_int_equal(kw_decode_guest(&message.header, message.header.nlmsg_len - 1, &guest),
			 -EBADMSG);
	assert_int_equal(kw_decode_guest(&message.header, SIZE_MAX, &guest), -EBADMSG);
	message.header.nlmsg_len = 3;
	assert_int_equal(kw_decode_guest(&message.header, sizeof(message), &guest), -EBADMSG);
	message.header.nlmsg_len = 0xffffffff;
	assert_int_equal(kw_decode_guest(&message.header, sizeof(message), &guest), -EBADMSG);
}

/* In a buffer of just that size, so that a byte read too many is seen. */
static struct nlmsghdr *exact_copy(const struct message *message, size_t length)
{
	struct nlmsghdr *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, message, length);
	return copy;
}

/* Cut between two attributes it is a shorter message; anywhere else it is refused. */
static void test_every_truncation(void **state)
{
	unsigned int whole = 0;
	struct message message;

	(void)state;
	message_guest(&message, FAMILY, 1, KVMWARD_GUEST_TYPE_SEV);
	for (uint32_t length = NLMSG_HDRLEN; length <= message.header.nlmsg_len; length++) {
		_cleanup_free_ struct nlmsghdr *part = exact_copy(&message, length);
		struct kw_guest guest;

		if (length < message.header.nlmsg_len)
			assert_int_equal(kw_decode_guest(part, length, &guest), -EBADMSG);
		part->nlmsg_len = length;
		if (kw_decode_guest(part, length, &guest) == 0)
			whole++;
	}
	/* 13 attributes end in 13 places; two texts have padding, which may be missing. */
	assert_in_range(whole, 13, 13 + 2 * 3);
}

static void decode_all(struct nlmsghdr *message, size_t length)
{
	struct kw_slot_table table = { 0 };
	struct kw_guest guest, guest_before;
	struct kw_host host, host_before;
	struct kw_slot_event event;
	struct kw_family family;
	char words[64];
	int error;

	memset(&guest, 0x5a, sizeof(guest));
	memset(&host, 0x5a, sizeof(host));
	guest_before = guest;
	host_before = host;
	if (kw_decode_guest(message, length, &guest) != 0)
		assert_memory_equal(&guest, &guest_before, sizeof(guest));
	else
		assert_true(guest.pid > 0 && memchr(guest.comm, 0, sizeof(guest.comm)) &&
			    memchr(guest.cgroup, 0, sizeof(guest.cgroup)));
	if (kw_decode_host(message, length, &host) != 0)
		assert_memory_equal(&host, &host_before, sizeof(host));
	kw_decode_slots(message, length, &table);
	if (kw_decode_slot_event(message, length, &event) == 0)
		assert_true((event.change == 1 || event.change == -1) &&
			    (!event.pid.known || (int)event.pid.value > 0));
	if (kw_family_decode(message, length, "slots", &family) == 0)
		assert_non_null(memchr(family.name, 0, sizeof(family.name)));
	if (kw_decode_result(message, length, &error, words, sizeof(words)) == 0)
		assert_true(error <= 0 && memchr(words, 0, sizeof(words)));
}

static uint32_t next_random(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 8;
}

/* The same changes on every run: one to four bytes, now and then the length as well. */
static void test_mutations(void **state)
{
	struct message originals[7];
	uint32_t random = 20240229;

	(void)state;
	message_guest(&originals[0], FAMILY, 1, KVMWARD_GUEST_TYPE_SEV);
	message_host(&originals[1], FAMILY);
	message_slots(&originals[2], FAMILY, KVMWARD_SLOT_POOL_SEV, 3);
	message_begin_result(&originals[3], NLMSG_ERROR, -EPERM, "CAP_NET_ADMIN is needed");
	message_begin_result(&originals[4], NLMSG_DONE, -ENOMEM, "no memory for the snapshot");
	message_slot_event(&originals[5], FAMILY, KVMWARD_SLOT_POOL_SEV, 3, 1);
	message_family(&originals[6], CTRL_CMD_NEWFAMILY, "kvmward", FAMILY, "slots", 9);
	for (unsigned int i = 0; i < MUTATIONS; i++) {
		const struct message *original = &originals[i % 7];
		size_t length = original->header.nlmsg_len;
		_cleanup_free_ struct nlmsghdr *copy = exact_copy(original, length);

		for (unsigned int n = 1 + next_random(&random) % 4; n; n--)
			((unsigned char *)copy)[next_random(&random) % length] =
				(unsigned char)next_random(&random);
		if (next_random(&random) % 4)
			copy->nlmsg_len = (uint32_t)length;
		decode_all(copy, length);
	}
}

static int result_of(const struct message *message, char *words, size_t size)
{
	int error = 1;

	assert_int_equal(kw_decode_result(&message->header, message->header.nlmsg_len, &error,
					  words, size), 0);
	return error;
}

static void test_results(void **state)
{
	const struct nlmsghdr quoted = { .nlmsg_len = 24, .nlmsg_type = FAMILY };
	struct message message;
	char words[64];
	int error = -EPERM;

	(void)state;
	message_begin_result(&message, NLMSG_ERROR, -EPERM, "only for\tadmins");
	assert_int_equal(result_of(&message, words, sizeof(words)), -EPERM);
	assert_string_equal(words, "only for?admins");
	message_begin_result(&message, NLMSG_ERROR, 0, NULL);
	assert_int_equal(result_of(&message, words, sizeof(words)), 0);
	assert_string_equal(words, "");
	message_begin_result(&message, NLMSG_DONE, -ENOMEM, "no room");
	assert_int_equal(result_of(&message, words, sizeof(words)), -ENOMEM);
	assert_string_equal(words, "no room");
	message_begin_result(&message, NLMSG_DONE, -ENOMEM, "no room");
	assert_int_equal(result_of(&message, words, 4), -ENOMEM);
	assert_string_equal(words, "no ");

	/* Without NETLINK_CAP_ACK the whole request is quoted before the words. */
	message_begin(&message, NLMSG_ERROR, NLM_F_ACK_TLVS);
	message_append(&message, &error, sizeof(error));
	message_append(&message, &quoted, sizeof(quoted));
	message_append(&message, "12345678", 8);
	message_put_text(&message, NLMSGERR_ATTR_MSG, "whole");
	assert_int_equal(result_of(&message, words, sizeof(words)), -EPERM);
	assert_string_equal(words, "whole");
}

static void test_bad_results(void **state)
{
	struct message message;
	char words[64] = "before";
	int error = 77;

	(void)state;
	message_begin(&message, NLMSG_ERROR, 0);
	assert_int_equal(kw_decode_result(&message.header, message.header.nlmsg_len, &error,
					  words, sizeof(words)), -EBADMSG);
	message_begin_result(&message, NLMSG_DONE, 5, NULL);
	assert_int_equal(kw_decode_result(&message.header, message.header.nlmsg_len, &error,
					  words, sizeof(words)), -EBADMSG);
	message_begin_result(&message, NLMSG_ERROR, -5000, NULL);
	assert_int_equal(kw_decode_result(&message.header, message.header.nlmsg_len, &error,
					  words, sizeof(words)), -EBADMSG);
	assert_int_equal(error, 77);
	assert_string_equal(words, "before");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_slot_event),
		cmocka_unit_test(test_bad_slot_events),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_bad_families),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_guest_flags),
		cmocka_unit_test(test_newer_kernel),
		cmocka_unit_test(test_texts_are_bounded_and_printable),
		cmocka_unit_test(test_bad_attributes),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_bad_results),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
