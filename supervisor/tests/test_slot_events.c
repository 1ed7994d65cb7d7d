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
#include "facts/slot_events.h"
#include "tests/fake_socket.h"

/*
 * The kernel's end of the socket: sendmsg() and setsockopt() below stand in for
 * libc's.
 */
#define NOTIFY 16	/* group of the controller's own news */

static struct {
	uint16_t family;	/* of the module; 0: not loaded */
	uint32_t group;		/* "slots"; 0: it has none */
	int join_error;
	unsigned int joins, lists, by_name;
	uint32_t joined;	/* group of the module that we are in */
	bool silent;		/* lists are not answered at once */
} kernel;

static void queue_family(uint8_t command, const char *name, uint16_t id, uint32_t group)
{
	message_family(&queue()->message, command, name, id,
		       strcmp(name, "nlctrl") ? "slots" : "notify", group);
}

static void queue_event(int32_t change)
{
	message_slot_event(&queue()->message, kernel.family, KVMWARD_SLOT_POOL_SEV, 3, change);
}

static void queue_end(void)
{
	message_begin_result(&queue()->message, NLMSG_DONE, 0, NULL);
}

static void answer_list(void)
{
	queue_family(CTRL_CMD_NEWFAMILY, "nlctrl", GENL_ID_CTRL, NOTIFY);
	if (kernel.family)
		queue_family(CTRL_CMD_NEWFAMILY, "kvmward", kernel.family, kernel.group);
	queue_family(CTRL_CMD_NEWFAMILY, "kvmwardx", 99, 98);
	queue_end();
}

/* To libnl, about the controller. */
static void answer_name(const struct nlmsghdr *question)
{
	struct datagram *datagram;

	kernel.by_name += memmem(question, question->nlmsg_len, "kvmward", 7) != NULL;
	queue_family(CTRL_CMD_NEWFAMILY, "nlctrl", GENL_ID_CTRL, NOTIFY);
	datagram = queue();
	message_begin_result(&datagram->message, NLMSG_ERROR, 0, NULL);
	for (unsigned int i = unread.head; i < unread.tail; i++) {
		unread.datagrams[i].message.header.nlmsg_seq = question->nlmsg_seq;
		unread.datagrams[i].message.header.nlmsg_pid = question->nlmsg_pid;
	}
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct nlmsghdr *question = message->msg_iov[0].iov_base;

	(void)fd, (void)flags;
	assert_int_equal(question->nlmsg_type, GENL_ID_CTRL);
	if (!(question->nlmsg_flags & NLM_F_DUMP)) {
		answer_name(question);
	} else {
		kernel.lists++;
		if (!kernel.silent)
			answer_list();
	}
	return question->nlmsg_len;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	uint32_t group;

	(void)fd;
	if (level != SOL_NETLINK || option != NETLINK_ADD_MEMBERSHIP)
		return 0;
	assert_int_equal(size, sizeof(group));
	memcpy(&group, value, sizeof(group));
	if (group == NOTIFY)
		return 0;
	kernel.joins++;
	assert_int_equal(group, kernel.group);
	if (kernel.join_error) {
		errno = kernel.join_error;
		return -1;
	}
	kernel.joined = group;
	return 0;
}

KW_CLEANUP_OF(struct kw_slot_events, kw_slot_events_close);

static struct kw_slot_events *open_with(uint16_t family, uint32_t group, int join_error)
{
	struct kw_slot_events *events = NULL;

	memset(&kernel, 0, sizeof(kernel));
	queue_clear();
	kernel.family = family;
	kernel.group = group;
	kernel.join_error = join_error;
	assert_int_equal(kw_slot_events_open(&events), 0);
	assert_int_equal(unread.head, unread.tail);
	queue_clear();
	return events;
}

static char told[64];

static void remember(const struct kw_slot_event *event, void *data)
{
	assert_ptr_equal(data, told);
	strcat(told, event->change > 0 ? "+" : "-");
}

/* What a drain says, as text: 's' slots, 'm' module, then the events. */
static const char *drain(struct kw_slot_events *events)
{
	static char text[80];
	struct kw_slot_news news;

	told[0] = '\0';
	news = kw_slot_events_drain(events, remember, told);
	snprintf(text, sizeof(text), "%s%s%s", news.slots ? "s" : "", news.module ? "m" : "",
		 told);
	queue_clear();
	return text;
}

static void joins_a_module_that_is_there(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	assert_true(kw_slot_events_joined(events));
	assert_string_equal(kw_slot_events_reason(events), "");
	assert_int_equal(kernel.joined, 7);
	assert_string_equal(drain(events), "");
	queue_event(1);
	queue_event(-1);
	assert_string_equal(drain(events), "s+-");
}

/* By its name it would be loaded. */
static void does_not_load_the_module(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(0, 0, 0);

	(void)state;
	assert_false(kw_slot_events_joined(events));
	assert_string_equal(kw_slot_events_reason(events), "the module kvmward is not loaded");
	assert_int_equal(kernel.by_name, 0);
	assert_int_equal(kernel.lists, 1);
	assert_string_equal(drain(events), "");
}

static void says_why_it_is_not_in_the_group(void **state)
{
	static const struct {
		uint32_t group;
		int error;
		const char *reason;
	} cases[] = {
		{ 7, EPERM, "they are for root only (CAP_NET_ADMIN)" },
		{ 0, 0, "this version of the module kvmward has none" },
		{ 7, ENOMEM, "Cannot allocate memory" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events =
			open_with(30, cases[i].group, cases[i].error);

		assert_false(kw_slot_events_joined(events));
		assert_string_equal(kw_slot_events_reason(events), cases[i].reason);
		assert_string_equal(drain(events), "");
	}
	assert_false(kw_slot_events_joined(NULL));
	assert_true(*kw_slot_events_reason(NULL));
	kw_slot_events_close(NULL);
}

static void joins_anew_when_the_module_comes_back(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	queue_family(CTRL_CMD_DELFAMILY, "kvmward", 30, 0);
	assert_string_equal(drain(events), "m");
	assert_false(kw_slot_events_joined(events));
	assert_string_equal(kw_slot_events_reason(events), "the module kvmward is not loaded");
	queue_event(1);		/* of the family that is gone */
	assert_string_equal(drain(events), "");

	kernel.family = 31;
	kernel.group = 8;
	queue_family(CTRL_CMD_NEWFAMILY, "kvmward", 31, 8);
	queue_family(CTRL_CMD_NEWMCAST_GRP, "kvmward", 31, 8);
	assert_string_equal(drain(events), "m");
	assert_true(kw_slot_events_joined(events));
	assert_int_equal(kernel.joined, 8);
	queue_event(1);
	assert_string_equal(drain(events), "s+");
	assert_int_equal(kernel.joins, 2);
	assert_int_equal(kernel.by_name, 0);
}

static void other_families_are_no_news(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	queue_family(CTRL_CMD_NEWFAMILY, "nl80211", 40, 9);
	queue_family(CTRL_CMD_DELFAMILY, "nl80211", 40, 0);
	queue_family(CTRL_CMD_DELFAMILY, "kvmwardx", 99, 0);
	message_slot_event(&queue()->message, 40, KVMWARD_SLOT_POOL_SEV, 3, 1);
	assert_string_equal(drain(events), "");
	assert_true(kw_slot_events_joined(events));
	assert_int_equal(kernel.joins, 1);
}

static void lost_events_are_a_reason_to_look(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	queue_event(1);
	queue()->error = ENOBUFS;
	assert_string_equal(drain(events), "s+");
	assert_true(kw_slot_events_joined(events));
	assert_int_equal(kernel.lists, 2);

	/* The module was put in again, and the news of that are among what was lost. */
	kernel.family = 31;
	kernel.group = 8;
	queue()->error = ENOBUFS;
	assert_string_equal(drain(events), "sm");
	assert_int_equal(kernel.joined, 8);

	kernel.family = 0;
	queue()->error = ENOBUFS;
	assert_string_equal(drain(events), "sm");
	assert_false(kw_slot_events_joined(events));
}

/* The kernel makes one list at a time; what is lost meanwhile asks for another one. */
static void a_loss_during_a_list_asks_once_more(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	kernel.silent = true;
	queue()->error = ENOBUFS;
	queue()->error = ENOBUFS;
	assert_string_equal(drain(events), "s");
	assert_int_equal(kernel.lists, 2);
	kernel.family = 0;
	kernel.silent = false;
	queue_family(CTRL_CMD_NEWFAMILY, "kvmward", 30, 7);
	queue_end();
	assert_string_equal(drain(events), "m");
	assert_int_equal(kernel.lists, 3);
	assert_false(kw_slot_events_joined(events));
}

/* A hint needs no content. */
static void an_event_that_cannot_be_read_is_a_hint(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	message_begin_answer(&queue()->message, 30, KVMWARD_CMD_SLOT_NTF);
	assert_string_equal(drain(events), "s");
	queue()->error = EINTR;
	queue_event(-1);
	assert_string_equal(drain(events), "s-");
}

static void only_the_kernel_is_heard(void **state)
{
	_cleanup_(kw_slot_events_close_at) struct kw_slot_events *events = open_with(30, 7, 0);

	(void)state;
	queue_event(1);
	unread.datagrams[0].sender = 4711;
	queue_family(CTRL_CMD_DELFAMILY, "kvmward", 30, 0);
	unread.datagrams[1].sender = 4711;
	assert_string_equal(drain(events), "");
	assert_true(kw_slot_events_joined(events));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_a_module_that_is_there),
		cmocka_unit_test(does_not_load_the_module),
		cmocka_unit_test(says_why_it_is_not_in_the_group),
		cmocka_unit_test(joins_anew_when_the_module_comes_back),
		cmocka_unit_test(other_families_are_no_news),
		cmocka_unit_test(lost_events_are_a_reason_to_look),
		cmocka_unit_test(a_loss_during_a_list_asks_once_more),
		cmocka_unit_test(an_event_that_cannot_be_read_is_a_hint),
		cmocka_unit_test(only_the_kernel_is_heard),
	};

	return cmocka_run_group_tests_name("slot_events", tests, NULL, NULL);
}
