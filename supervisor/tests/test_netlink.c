/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "facts/netlink.h"
#include "tests/fake_socket.h"

/*
 * The kernel's end of the socket: sendmsg() below stands in for libc's. Each test
 * says what its kernel answers to the nth question of the family.
 */
#define FAMILY 30

static struct {
	bool loaded;
	void (*answer)(uint8_t command, unsigned int question);
	unsigned int questions, by_name;
	uint32_t sequence, port;
	uint16_t flags;
	struct nlattr attribute;	/* the only one of the last question */
} kernel;

/* After the message was written: the kernel's numbers of this conversation. */
static struct datagram *address(struct datagram *datagram, uint16_t flags)
{
	datagram->message.header.nlmsg_seq = kernel.sequence;
	datagram->message.header.nlmsg_pid = kernel.port;
	datagram->message.header.nlmsg_flags |= flags;
	return datagram;
}

static struct datagram *queue_result(uint16_t type, int error, const char *words)
{
	struct datagram *datagram = queue();

	message_begin_result(&datagram->message, type, error, words);
	return address(datagram, type == NLMSG_DONE ? NLM_F_MULTI : 0);
}

static struct datagram *queue_guest(uint32_t pid)
{
	struct datagram *datagram = queue();

	message_guest(&datagram->message, FAMILY, pid, KVMWARD_GUEST_TYPE_SEV);
	return address(datagram, NLM_F_MULTI);
}

static void queue_failure(int error)
{
	queue()->error = error;
}

static void answer_control(void)
{
	struct datagram *datagram;

	if (!kernel.loaded) {
		queue_result(NLMSG_ERROR, -ENOENT, NULL);
		return;
	}
	datagram = queue();
	message_begin_answer(&datagram->message, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	message_put_text(&datagram->message, CTRL_ATTR_FAMILY_NAME, "kvmward");
	message_put(&datagram->message, CTRL_ATTR_FAMILY_ID, &(uint16_t){ FAMILY }, 2);
	address(datagram, 0);
	queue_result(NLMSG_ERROR, 0, NULL);
}

/* All families; libnl keeps to itself those that it cannot read. */
static void answer_list(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (i && !kernel.loaded)
			break;
		message_family(&queue()->message, CTRL_CMD_NEWFAMILY, i ? "kvmward" : "nlctrl",
			       i ? FAMILY : GENL_ID_CTRL, "", 0);
		address(&unread.datagrams[unread.tail - 1], NLM_F_MULTI);
	}
	queue_result(NLMSG_DONE, 0, NULL);
}

static void take_attribute(const struct nlmsghdr *question)
{
	const size_t without = NLMSG_HDRLEN + GENL_HDRLEN;

	memset(&kernel.attribute, 0, sizeof(kernel.attribute));
	if (question->nlmsg_len == without)
		return;
	assert_int_equal(question->nlmsg_len, without + NLA_HDRLEN);
	memcpy(&kernel.attribute, (const char *)question + without, sizeof(kernel.attribute));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct nlmsghdr *header = message->msg_iov[0].iov_base;
	const struct genlmsghdr *generic = NLMSG_DATA(header);

	(void)fd;
	(void)flags;
	kernel.sequence = header->nlmsg_seq;
	kernel.port = header->nlmsg_pid;
	if (header->nlmsg_type == GENL_ID_CTRL && header->nlmsg_flags & NLM_F_DUMP) {
		answer_list();
	} else if (header->nlmsg_type == GENL_ID_CTRL) {
		kernel.by_name++;
		answer_control();
	} else {
		assert_int_equal(header->nlmsg_type, FAMILY);
		kernel.flags = header->nlmsg_flags;
		take_attribute(header);
		kernel.answer(generic->cmd, kernel.questions++);
	}
	return header->nlmsg_len;
}

static struct kw_netlink *open_with(void (*answer)(uint8_t, unsigned int))
{
	struct kw_netlink *netlink = NULL;

	memset(&kernel, 0, sizeof(kernel));
	queue_clear();
	kernel.loaded = true;
	kernel.answer = answer;
	assert_int_equal(kw_netlink_open(&netlink), 0);
	assert_string_equal(kw_netlink_error(netlink), "");
	return netlink;
}

static void test_module_not_loaded(void **state)
{
	struct kw_netlink *netlink = (struct kw_netlink *)&kernel;

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	queue_clear();
	assert_int_equal(kw_netlink_open(&netlink), -ENOENT);
	assert_ptr_equal(netlink, &kernel);
	kw_netlink_close(NULL);
}

static void answer_all(uint8_t command, unsigned int question);

/* A question by name would have the kernel load the module. */
static void test_module_is_left_alone(void **state)
{
	_cleanup_(kw_guest_list_done) struct kw_guest_list list = { 0 };
	struct kw_netlink *netlink = NULL;

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	queue_clear();
	assert_int_equal(kw_netlink_open_loaded(&netlink), -ENOENT);
	assert_null(netlink);
	kernel.loaded = true;
	kernel.answer = answer_all;
	assert_int_equal(kw_netlink_open_loaded(&netlink), 0);
	assert_int_equal(kernel.by_name, 0);
	assert_int_equal(kw_netlink_guests(netlink, &list), 0);
	assert_int_equal(list.count, 50);
	kw_netlink_close(netlink);
}

static void answer_all(uint8_t command, unsigned int question)
{
	struct datagram *datagram;

	(void)question;
	switch (command) {
	case KVMWARD_CMD_HOST_GET:
		datagram = queue();
		message_host(&datagram->message, FAMILY);
		address(datagram, 0);
		queue_result(NLMSG_ERROR, 0, NULL);
		return;
	case KVMWARD_CMD_SLOT_GET:
		for (uint32_t pool = 0; pool < 3; pool++) {
			datagram = queue();
			message_slots(&datagram->message, FAMILY, pool, 4 + pool);
			address(datagram, NLM_F_MULTI);
		}
		break;
	case KVMWARD_CMD_GUEST_GET:
		for (uint32_t pid = 100; pid < 150; pid++)
			queue_guest(pid);
		break;
	}
	queue_result(NLMSG_DONE, 0, NULL);
}

static void test_good_answers(void **state)
{
	_cleanup_(kw_guest_list_done) struct kw_guest_list list = { 0 };
	struct kw_netlink *netlink = open_with(answer_all);
	struct kw_slot_table slots;
	struct kw_host host;

	(void)state;
	assert_int_equal(kw_netlink_host(netlink, true, &host), 0);
	assert_int_equal(kernel.flags & NLM_F_DUMP, 0);
	assert_int_equal(kernel.attribute.nla_len, 0);
	assert_int_equal(kw_netlink_host(netlink, false, &host), 0);
	assert_int_equal(kernel.attribute.nla_len, NLA_HDRLEN);
	assert_int_equal(kernel.attribute.nla_type, KVMWARD_A_HOST_WITHOUT_PSP);
	assert_int_equal(host.max_asid.value, 15);
	assert_int_equal(kw_netlink_slots(netlink, &slots), 0);
	assert_int_equal(kernel.flags & NLM_F_DUMP, NLM_F_DUMP);
	assert_true(slots.known);
	assert_int_equal(slots.pool[KW_POOL_SEV].charged.value, 4);
	assert_int_equal(slots.pool[KW_POOL_SEV_ES].charged.value, 5);
	assert_int_equal(kw_netlink_guests(netlink, &list), 0);
	assert_true(list.known);
	assert_int_equal(list.count, 50);
	assert_int_equal(list.guests[49].pid, 149);
	assert_int_equal(kernel.questions, 4);
	kw_netlink_close(netlink);
}

static void answer_no_guests(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_result(NLMSG_DONE, 0, NULL);
}

static void test_no_guests_is_known(void **state)
{
	struct kw_guest_list list = { 0 };
	struct kw_netlink *netlink = open_with(answer_no_guests);

	(void)state;
	assert_int_equal(kw_netlink_guests(netlink, &list), 0);
	assert_true(list.known);
	assert_int_equal(list.count, 0);
	kw_guest_list_done(&list);
	kw_netlink_close(netlink);
}

static void answer_refusal(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_result(NLMSG_ERROR, -EPERM, "CAP_NET_ADMIN is needed");
}

static void answer_broken_dump(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1);
	queue_result(NLMSG_DONE, -ENOMEM, "no memory for the snapshot");
}

static void answer_gone(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_result(NLMSG_ERROR, -ENOENT, NULL);
}

static void answer_silence(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
}

static void answer_half(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1);
}

static void answer_without_pid(uint8_t command, unsigned int question)
{
	struct datagram *datagram = queue();

	(void)question;
	message_begin_answer(&datagram->message, FAMILY, command);
	message_put_u32(&datagram->message, KVMWARD_A_GUEST_ASID, 3);
	address(datagram, NLM_F_MULTI);
	queue_result(NLMSG_DONE, 0, NULL);
}

static void answer_other_family(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1)->message.header.nlmsg_type = FAMILY + 1;
	queue_result(NLMSG_DONE, 0, NULL);
}

static void answer_other_question(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1)->message.header.nlmsg_seq--;
	queue_result(NLMSG_DONE, 0, NULL);
}

static void answer_cut_short(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1)->message.header.nlmsg_len -= 6;
	queue_result(NLMSG_DONE, 0, NULL);
}

static void answer_losses(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1);
	queue_failure(ENOBUFS);
}

static void answer_changes(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_guest(1)->message.header.nlmsg_flags |= NLM_F_DUMP_INTR;
	queue_result(NLMSG_DONE, 0, NULL);
}

static void test_failures(void **state)
{
	static const struct {
		void (*answer)(uint8_t command, unsigned int question);
		int error;
		const char *words;
		unsigned int questions;
	} cases[] = {
		{ answer_refusal, -EPERM, "CAP_NET_ADMIN is needed", 1 },
		{ answer_broken_dump, -ENOMEM, "no memory for the snapshot", 1 },
		{ answer_gone, -ENOENT, "", 1 },
		{ answer_silence, -ETIMEDOUT, "", 1 },
		{ answer_half, -ETIMEDOUT, "", 1 },
		{ answer_without_pid, -EBADMSG, "", 1 },
		{ answer_other_family, -EBADMSG, "", 1 },
		{ answer_other_question, -EBADMSG, "", 1 },
		{ answer_cut_short, -EBADMSG, "", 1 },
		{ answer_losses, -ENOBUFS, "", 3 },
		{ answer_changes, -EAGAIN, "", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kw_guest_list list = { .count = 4711 };
		struct kw_netlink *netlink = open_with(cases[i].answer);

		assert_int_equal(kw_netlink_guests(netlink, &list), cases[i].error);
		assert_string_equal(kw_netlink_error(netlink), cases[i].words);
		assert_int_equal(kernel.questions, cases[i].questions);
		assert_int_equal(list.count, 4711);
		assert_false(list.known);

		/* The next question is answered, and what was left of the last one is not seen. */
		kernel.answer = answer_all;
		queue_clear();
		assert_int_equal(kw_netlink_guests(netlink, &list), 0);
		assert_int_equal(list.count, 50);
		assert_string_equal(kw_netlink_error(netlink), "");
		kw_guest_list_done(&list);
		kw_netlink_close(netlink);
	}
}

static void answer_better_later(uint8_t command, unsigned int question)
{
	static void (*const answers[])(uint8_t, unsigned int) = { answer_losses, answer_changes,
								  answer_all };

	unread.head = unread.tail;
	answers[question](command, question);
}

static void test_asked_again(void **state)
{
	_cleanup_(kw_guest_list_done) struct kw_guest_list list = { 0 };
	struct kw_netlink *netlink = open_with(answer_better_later);

	(void)state;
	assert_int_equal(kw_netlink_guests(netlink, &list), 0);
	assert_int_equal(list.count, 50);
	assert_int_equal(list.guests[0].pid, 100);
	assert_int_equal(kernel.questions, 3);
	kw_netlink_close(netlink);
}

static void answer_with_forgery(uint8_t command, unsigned int question)
{
	queue_guest(666)->sender = 1234;
	queue_result(NLMSG_DONE, 0, NULL)->sender = 1234;
	answer_all(command, question);
}

static void test_only_the_kernel_is_heard(void **state)
{
	_cleanup_(kw_guest_list_done) struct kw_guest_list list = { 0 };
	struct kw_netlink *netlink = open_with(answer_with_forgery);

	(void)state;
	assert_int_equal(kw_netlink_guests(netlink, &list), 0);
	assert_int_equal(list.count, 50);
	assert_int_equal(list.guests[0].pid, 100);
	kw_netlink_close(netlink);
}

static void answer_empty(uint8_t command, unsigned int question)
{
	(void)command;
	(void)question;
	queue_result(NLMSG_ERROR, 0, NULL);
}

static void test_host_without_answer(void **state)
{
	struct kw_netlink *netlink = open_with(answer_empty);
	struct kw_host host;

	(void)state;
	assert_int_equal(kw_netlink_host(netlink, true, &host), -EBADMSG);
	kw_netlink_close(netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module_not_loaded),
		cmocka_unit_test(test_module_is_left_alone),
		cmocka_unit_test(test_good_answers),
		cmocka_unit_test(test_no_guests_is_known),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_only_the_kernel_is_heard),
		cmocka_unit_test(test_host_without_answer),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
