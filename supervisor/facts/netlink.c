/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/netlink.h"

#include <errno.h>
#include <linux/kvmward.h>
#include <netlink/errno.h>
#include <netlink/cache.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "facts/decode.h"

#define TIMEOUT_S 5
#define ATTEMPTS 3

/* The kernel fills up to 32 KiB at a time for readers that can take as much. */
#define MESSAGE_BYTES (64 * 1024)
#define QUEUE_BYTES (1024 * 1024)

struct kw_netlink {
	struct nl_sock *socket;		/* NULL after a failure: opened anew by the next question */
	int family;
	char error[256];
};

KW_CLEANUP_OF(struct nl_sock, nl_socket_free);
KW_CLEANUP_OF(struct nl_msg, nlmsg_free);
KW_CLEANUP_OF(struct nl_cb, nl_cb_put);
KW_CLEANUP_OF(struct nl_cache, nl_cache_free);
KW_CLEANUP_OF(struct kw_netlink, kw_netlink_close);

/* One question and how its answers are taken. */
struct question {
	uint8_t command;
	int flags;
	int attribute;			/* a flag that is set, 0 for none */
	int (*take)(const struct nlmsghdr *message, size_t length, void *result);
	void (*clear)(void *result);	/* before each attempt */
	void *result;
};

/* What the callbacks of one attempt know. */
struct exchange {
	struct kw_netlink *netlink;
	const struct question *question;
	bool done, interrupted;
	int error;
};

/* libnl folds many errno into few codes; those that we tell apart survive it. */
static int errno_of(int libnl_error)
{
	switch (-libnl_error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_AGAIN:
		return -ETIMEDOUT;
	case NLE_NOMEM:
		return -ENOBUFS;	/* or no memory: libnl has one code for both */
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
		return -EPERM;
	case NLE_NOACCESS:
		return -EACCES;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	case NLE_MSG_TRUNC:
	case NLE_MSG_TOOSHORT:
	case NLE_SEQ_MISMATCH:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

/* Kernels without an option do without it, except for the time limit. */
static int set_options(struct nl_sock *socket)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	const int on = 1;
	int fd = nl_socket_get_fd(socket);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof(on));
	nl_socket_set_buffer_size(socket, QUEUE_BYTES, 0);
	nl_socket_set_msg_buf_size(socket, MESSAGE_BYTES);
	nl_socket_disable_msg_peek(socket);
	return 0;
}

static int socket_open(struct nl_sock **ret_socket)
{
	_cleanup_(nl_socket_free_at) struct nl_sock *socket = nl_socket_alloc();
	int error;

	if (!socket)
		return -ENOMEM;
	error = genl_connect(socket);
	if (error < 0)
		return errno_of(error);
	error = set_options(socket);
	if (error)
		return error;
	*ret_socket = KW_STEAL(socket);
	return 0;
}

static void socket_drop(struct kw_netlink *netlink)
{
	nl_socket_free(netlink->socket);
	netlink->socket = NULL;
}

/* To ask for a family by its name makes the kernel load the module; to list them all does not. */
static int find_listed(struct nl_sock *socket)
{
	_cleanup_(nl_cache_free_at) struct nl_cache *families = NULL;
	struct genl_family *family;
	int id, error = genl_ctrl_alloc_cache(socket, &families);

	if (error < 0)
		return error;
	family = genl_ctrl_search_by_name(families, KVMWARD_FAMILY_NAME);
	if (!family)
		return -NLE_OBJ_NOTFOUND;
	id = (int)genl_family_get_id(family);
	genl_family_put(family);
	return id;
}

static int open_family(bool load, struct kw_netlink **ret_netlink)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = calloc(1, sizeof(*netlink));
	int error;

	if (!netlink)
		return -ENOMEM;
	error = socket_open(&netlink->socket);
	if (error)
		return error;
	netlink->family = load ? genl_ctrl_resolve(netlink->socket, KVMWARD_FAMILY_NAME)
			       : find_listed(netlink->socket);
	if (netlink->family < 0)
		return errno_of(netlink->family);
	*ret_netlink = KW_STEAL(netlink);
	return 0;
}

int kw_netlink_open(struct kw_netlink **ret_netlink)
{
	return open_family(true, ret_netlink);
}

int kw_netlink_open_loaded(struct kw_netlink **ret_netlink)
{
	return open_family(false, ret_netlink);
}

void kw_netlink_close(struct kw_netlink *netlink)
{
	if (!netlink)
		return;
	socket_drop(netlink);
	free(netlink);
}

const char *kw_netlink_error(const struct kw_netlink *netlink)
{
	return netlink->error;
}

/* Another process could send to our port as well: only the kernel's is port 0. */
static int on_any(struct nl_msg *message, void *arg)
{
	(void)arg;
	return nlmsg_get_src(message)->nl_pid == 0 ? NL_OK : NL_SKIP;
}

static int finish(struct exchange *exchange, int error)
{
	exchange->done = true;
	exchange->error = error;
	return NL_STOP;
}

static int on_answer(struct nl_msg *message, void *arg)
{
	struct exchange *exchange = arg;
	const struct nlmsghdr *header = nlmsg_hdr(message);
	int error = -EBADMSG;

	if (header->nlmsg_type == exchange->netlink->family)
		error = exchange->question->take(header, header->nlmsg_len,
						 exchange->question->result);
	return error ? finish(exchange, error) : NL_OK;
}

/* The end of a dump carries the error of a dump that broke off; libnl does not look at it. */
static int on_result(struct nl_msg *message, void *arg)
{
	struct exchange *exchange = arg;
	const struct nlmsghdr *header = nlmsg_hdr(message);
	int error, bad = kw_decode_result(header, header->nlmsg_len, &error,
					  exchange->netlink->error,
					  sizeof(exchange->netlink->error));

	return finish(exchange, bad ? bad : error);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *quoted, void *arg)
{
	struct exchange *exchange = arg;
	const struct nlmsghdr *header = (struct nlmsghdr *)((char *)quoted - NLMSG_HDRLEN);
	int error, bad = kw_decode_result(header, header->nlmsg_len, &error,
					  exchange->netlink->error,
					  sizeof(exchange->netlink->error));

	(void)from;
	return finish(exchange, bad ? bad : error);
}

static int on_interrupted(struct nl_msg *message, void *arg)
{
	struct exchange *exchange = arg;

	(void)message;
	exchange->interrupted = true;
	return NL_OK;
}

static struct nl_cb *callbacks_create(struct exchange *exchange)
{
	struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);

	if (!callbacks)
		return NULL;
	nl_cb_set(callbacks, NL_CB_MSG_IN, NL_CB_CUSTOM, on_any, exchange);
	nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_answer, exchange);
	nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_result, exchange);
	nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_result, exchange);
	nl_cb_set(callbacks, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, exchange);
	nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, exchange);
	return callbacks;
}

static int send_question(struct kw_netlink *netlink, const struct question *question)
{
	_cleanup_(nlmsg_free_at) struct nl_msg *message = nlmsg_alloc();
	int error;

	if (!message || !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, netlink->family, 0,
				     question->flags, question->command, KVMWARD_FAMILY_VERSION))
		return -ENOMEM;
	if (question->attribute && nla_put_flag(message, question->attribute))
		return -ENOMEM;
	error = nl_send_auto(netlink->socket, message);
	return error < 0 ? errno_of(error) : 0;
}

static int receive_answers(struct kw_netlink *netlink, struct exchange *exchange)
{
	_cleanup_(nl_cb_put_at) struct nl_cb *callbacks = callbacks_create(exchange);
	uint64_t end_ns = kw_clock_monotonic_ns() + TIMEOUT_S * KW_NS_PER_S;

	if (!callbacks)
		return -ENOMEM;
	while (!exchange->done) {
		int error = nl_recvmsgs(netlink->socket, callbacks);

		if (exchange->done)
			break;
		if (error < 0)
			return errno_of(error);
		if (kw_clock_monotonic_ns() >= end_ns)
			return -ETIMEDOUT;
	}
	if (exchange->error)
		return exchange->error;
	return exchange->interrupted ? -EAGAIN : 0;
}

/* After any failure answers may still be on their way: a fresh socket never sees them. */
static int ask_once(struct kw_netlink *netlink, const struct question *question)
{
	struct exchange exchange = { .netlink = netlink, .question = question };
	int error = netlink->socket ? 0 : socket_open(&netlink->socket);

	if (error)
		return error;
	error = send_question(netlink, question);
	if (!error)
		error = receive_answers(netlink, &exchange);
	if (error)
		socket_drop(netlink);
	return error;
}

/* Again when the kernel says that the dump changed underway, or that messages were lost. */
static int ask(struct kw_netlink *netlink, const struct question *question)
{
	int error = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && (error == -EAGAIN || error == -ENOBUFS); i++) {
		netlink->error[0] = '\0';
		question->clear(question->result);
		error = ask_once(netlink, question);
	}
	return error;
}

struct host_answer {
	struct kw_host host;
	bool given;
};

static int take_host(const struct nlmsghdr *message, size_t length, void *result)
{
	struct host_answer *answer = result;
	int error = kw_decode_host(message, length, &answer->host);

	if (!error)
		answer->given = true;
	return error;
}

static void clear_host(void *result)
{
	memset(result, 0, sizeof(struct host_answer));
}

int kw_netlink_host(struct kw_netlink *netlink, bool psp, struct kw_host *ret_host)
{
	struct host_answer answer;
	const struct question question = { KVMWARD_CMD_HOST_GET, 0,
					   psp ? 0 : KVMWARD_A_HOST_WITHOUT_PSP, take_host,
					   clear_host, &answer };
	int error = ask(netlink, &question);

	if (error)
		return error;
	if (!answer.given)
		return -EBADMSG;
	*ret_host = answer.host;
	return 0;
}

static int take_slots(const struct nlmsghdr *message, size_t length, void *result)
{
	return kw_decode_slots(message, length, result);
}

static void clear_slots(void *result)
{
	memset(result, 0, sizeof(struct kw_slot_table));
}

int kw_netlink_slots(struct kw_netlink *netlink, struct kw_slot_table *ret_slots)
{
	struct kw_slot_table table;
	const struct question question = { KVMWARD_CMD_SLOT_GET, NLM_F_DUMP, 0, take_slots,
					   clear_slots, &table };
	int error = ask(netlink, &question);

	if (error)
		return error;
	table.known = true;
	*ret_slots = table;
	return 0;
}

struct guest_answers {
	struct kw_guest_list list;
	size_t room;
};

static int grow(struct guest_answers *answers)
{
	size_t room = answers->room ? answers->room * 2 : 64;
	struct kw_guest *guests = reallocarray(answers->list.guests, room, sizeof(*guests));

	if (!guests)
		return -ENOMEM;
	answers->list.guests = guests;
	answers->room = room;
	return 0;
}

static int take_guest(const struct nlmsghdr *message, size_t length, void *result)
{
	struct guest_answers *answers = result;
	int error = answers->list.count < answers->room ? 0 : grow(answers);

	if (!error)
		error = kw_decode_guest(message, length,
					&answers->list.guests[answers->list.count]);
	if (!error)
		answers->list.count++;
	return error;
}

static void clear_guests(void *result)
{
	struct guest_answers *answers = result;

	kw_guest_list_done(&answers->list);
	answers->room = 0;
}

int kw_netlink_guests(struct kw_netlink *netlink, struct kw_guest_list *ret_list)
{
	_cleanup_(clear_guests) struct guest_answers answers = { 0 };
	const struct question question = { KVMWARD_CMD_GUEST_GET, NLM_F_DUMP, 0, take_guest,
					   clear_guests, &answers };
	int error = ask(netlink, &question);

	if (error)
		return error;
	*ret_list = answers.list;
	ret_list->known = true;
	answers.list = (struct kw_guest_list){ 0 };
	return 0;
}
