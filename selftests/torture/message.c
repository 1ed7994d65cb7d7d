// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/kvmward.h>

#include "message.h"

#define HEADERS NLMSG_LENGTH(GENL_HDRLEN)
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct nlmsghdr *header(struct message *message)
{
	return (struct nlmsghdr *)message->data;
}

static struct genlmsghdr *genl_header(struct message *message)
{
	return NLMSG_DATA(message->data);
}

static void length_tell(struct message *message)
{
	header(message)->nlmsg_len = message->len;
}

/* Room behind the message, zeroed; NULL when there is none. */
static void *grow(struct message *message, size_t len)
{
	void *tail = message->data + message->len;

	if (message->len + len > MESSAGE_MAX)
		return NULL;
	memset(tail, 0, len);
	message->len += len;
	return tail;
}

static void attr_append(struct message *message, uint16_t type, const void *value, size_t len)
{
	struct nlattr *attr = grow(message, NLA_ALIGN(NLA_HDRLEN + len));

	if (!attr)
		return;
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy(attr + 1, value, len);
	length_tell(message);
}

static void begin(struct message *message, struct rng *rng, uint16_t type, uint8_t cmd,
		  uint16_t flags)
{
	message->len = 0;
	grow(message, HEADERS);
	*header(message) = (struct nlmsghdr){
		.nlmsg_len = HEADERS,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = rng_next(rng),
	};
	genl_header(message)->cmd = cmd;
	genl_header(message)->version = 1;
}

/* About us, to the kernel's own family; policies are dumped from our tables. */
static void control_make(struct message *message, struct rng *rng, uint16_t family)
{
	static const uint8_t cmds[] = { CTRL_CMD_GETFAMILY, CTRL_CMD_GETPOLICY };
	uint8_t cmd = cmds[rng_below(rng, ARRAY_LENGTH(cmds))];
	bool dump = cmd == CTRL_CMD_GETPOLICY || rng_once_in(rng, 8);
	uint32_t op = rng_below(rng, 5);

	begin(message, rng, GENL_ID_CTRL, cmd, dump ? NLM_F_DUMP : NLM_F_ACK);
	if (rng_once_in(rng, 2))
		attr_append(message, CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	else
		attr_append(message, CTRL_ATTR_FAMILY_NAME, KVMWARD_FAMILY_NAME,
			    sizeof(KVMWARD_FAMILY_NAME));
	if (cmd == CTRL_CMD_GETPOLICY && rng_once_in(rng, 2))
		attr_append(message, CTRL_ATTR_OP, &op, sizeof(op));
}

void message_make(struct message *message, struct rng *rng, uint16_t family, uint32_t pid)
{
	uint16_t ack = rng_once_in(rng, 2) ? NLM_F_ACK : 0;

	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
		begin(message, rng, family, KVMWARD_CMD_HOST_GET, ack);
		if (rng_once_in(rng, 2))
			attr_append(message, KVMWARD_A_HOST_WITHOUT_PSP, "", 0);
		break;
	case 2:
	case 3:
		begin(message, rng, family, KVMWARD_CMD_SLOT_GET, NLM_F_DUMP);
		break;
	case 4:
	case 5:
		begin(message, rng, family, KVMWARD_CMD_GUEST_GET, ack);
		attr_append(message, KVMWARD_A_GUEST_PID, &pid, sizeof(pid));
		break;
	case 6:
		begin(message, rng, family, KVMWARD_CMD_GUEST_GET, NLM_F_DUMP);
		break;
	default:
		control_make(message, rng, family);
	}
}

/* Numbers at which something tends to end. */
static uint32_t number_odd(struct rng *rng)
{
	static const uint32_t odd[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 19, 20, 21, 0x7f, 0xff, 0x100, 0x7fff, 0x8000,
		0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff,
	};

	if (rng_once_in(rng, 4))
		return rng_next(rng);
	return odd[rng_below(rng, ARRAY_LENGTH(odd))];
}

/* One of its attributes, as far as they can be followed; NULL if there is none. */
static struct nlattr *attr_pick(struct message *message, struct rng *rng)
{
	struct nlattr *picked = NULL;
	size_t at = HEADERS;
	uint32_t n = 0;

	while (at + NLA_HDRLEN <= message->len) {
		struct nlattr *attr = (struct nlattr *)(message->data + at);

		if (attr->nla_len < NLA_HDRLEN || at + attr->nla_len > message->len)
			break;
		if (rng_once_in(rng, ++n))
			picked = attr;
		at += NLA_ALIGN(attr->nla_len);
	}
	return picked;
}

static void mutate_length(struct message *message, struct rng *rng)
{
	uint32_t near = message->len + rng_below(rng, 9) - 4;

	header(message)->nlmsg_len = rng_once_in(rng, 2) ? near : number_odd(rng);
}

/* Not to another family, at least not on purpose: that would be another test. */
static void mutate_type(struct message *message, struct rng *rng)
{
	const uint16_t types[] = { NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN, 0, 0xffff };

	header(message)->nlmsg_type = types[rng_below(rng, ARRAY_LENGTH(types))];
}

static void mutate_flags(struct message *message, struct rng *rng)
{
	if (rng_once_in(rng, 2))
		header(message)->nlmsg_flags ^= 1 << rng_below(rng, 16);
	else
		header(message)->nlmsg_flags = rng_next(rng);
}

static void mutate_sender(struct message *message, struct rng *rng)
{
	header(message)->nlmsg_seq = number_odd(rng);
	header(message)->nlmsg_pid = number_odd(rng);
}

static void mutate_command(struct message *message, struct rng *rng)
{
	genl_header(message)->cmd = rng_once_in(rng, 2) ? rng_below(rng, 6) : rng_next(rng);
}

static void mutate_version(struct message *message, struct rng *rng)
{
	genl_header(message)->version = rng_next(rng);
	genl_header(message)->reserved = rng_once_in(rng, 2) ? 0 : rng_next(rng);
}

static void mutate_attr_length(struct message *message, struct rng *rng)
{
	struct nlattr *attr = attr_pick(message, rng);

	if (attr)
		attr->nla_len = rng_once_in(rng, 2) ? attr->nla_len + rng_below(rng, 9) - 4 :
						      number_odd(rng);
}

static void mutate_attr_type(struct message *message, struct rng *rng)
{
	static const uint16_t flags[] = { 0, 0, NLA_F_NESTED, NLA_F_NET_BYTEORDER,
					  NLA_F_NESTED | NLA_F_NET_BYTEORDER };
	struct nlattr *attr = attr_pick(message, rng);

	if (attr)
		attr->nla_type = (rng_once_in(rng, 4) ? rng_next(rng) : rng_below(rng, 40)) |
				 flags[rng_below(rng, ARRAY_LENGTH(flags))];
}

static void mutate_attr_value(struct message *message, struct rng *rng)
{
	struct nlattr *attr = attr_pick(message, rng);
	uint32_t value = number_odd(rng);
	size_t len;

	if (!attr)
		return;
	len = attr->nla_len - NLA_HDRLEN;
	memcpy(attr + 1, &value, len < sizeof(value) ? len : sizeof(value));
}

static void mutate_attr_add(struct message *message, struct rng *rng)
{
	static const unsigned char zeroes[64];
	uint32_t value = number_odd(rng);

	if (rng_once_in(rng, 2))
		attr_append(message, rng_below(rng, 40), &value, sizeof(value));
	else
		attr_append(message, rng_below(rng, 40), zeroes, rng_below(rng, sizeof(zeroes)));
}

/* As large as an attribute can say that it is, more or less. */
static void mutate_attr_huge(struct message *message, struct rng *rng)
{
	static const unsigned char zeroes[UINT16_MAX];

	attr_append(message, rng_below(rng, 20), zeroes,
		    UINT16_MAX - NLA_HDRLEN - rng_below(rng, 3 * 4096));
}

/* One in the other, deeper than any parser's stack should bear. */
static void mutate_attr_nest(struct message *message, struct rng *rng)
{
	uint32_t depth = 1 + rng_below(rng, rng_once_in(rng, 8) ? 4096 : 16);
	struct nlattr *attr = grow(message, depth * NLA_HDRLEN);
	uint32_t i;

	if (!attr)
		return;
	for (i = 0; i < depth; i++) {
		attr[i].nla_type = rng_below(rng, 20) | NLA_F_NESTED;
		attr[i].nla_len = (depth - i) * NLA_HDRLEN;
	}
	length_tell(message);
}

static void mutate_attr_repeat(struct message *message, struct rng *rng)
{
	const struct nlattr *attr = attr_pick(message, rng);
	struct nlattr copy;
	uint32_t times = 1 + rng_below(rng, rng_once_in(rng, 8) ? 1000 : 3);
	const unsigned char *value;

	if (!attr)
		return;
	copy = *attr;
	value = (const unsigned char *)(attr + 1);
	while (times--)
		attr_append(message, copy.nla_type, value, copy.nla_len - NLA_HDRLEN);
}

static void mutate_bits(struct message *message, struct rng *rng)
{
	uint32_t times = 1 + rng_below(rng, 8);
	/* The type stays: see mutate_type(). */
	const size_t from = offsetof(struct nlmsghdr, nlmsg_flags);

	while (times-- && message->len > from)
		message->data[from + rng_below(rng, message->len - from)] ^=
			1 << rng_below(rng, 8);
}

static void mutate_cut(struct message *message, struct rng *rng)
{
	message->len = rng_below(rng, message->len + 1);
	if (message->len >= NLMSG_HDRLEN && rng_once_in(rng, 2))
		length_tell(message);
}

static void mutate_tail(struct message *message, struct rng *rng)
{
	unsigned char *tail = grow(message, 1 + rng_below(rng, 12));

	if (tail && rng_once_in(rng, 2))
		*tail = rng_next(rng);
	if (tail && rng_once_in(rng, 2))
		length_tell(message);
}

/* Several requests in one datagram. */
static void mutate_repeat(struct message *message, struct rng *rng)
{
	uint32_t times = 1 + rng_below(rng, rng_once_in(rng, 8) ? 50 : 3);
	size_t len = message->len;

	while (times--) {
		void *tail = grow(message, NLMSG_ALIGN(len));

		if (tail)
			memcpy(tail, message->data, len);
	}
}

static bool is_same(const struct message *a, const struct message *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

void message_mutate(struct message *message, struct rng *rng)
{
	static void (*const mutators[])(struct message *message, struct rng *rng) = {
		mutate_length, mutate_type, mutate_flags, mutate_flags, mutate_sender,
		mutate_command, mutate_version, mutate_attr_length, mutate_attr_type,
		mutate_attr_value, mutate_attr_add, mutate_attr_add, mutate_attr_huge,
		mutate_attr_nest, mutate_attr_repeat, mutate_bits, mutate_bits, mutate_cut,
		mutate_tail, mutate_repeat,
	};
	static struct message intact;
	uint32_t times;

	memcpy(intact.data, message->data, message->len);
	intact.len = message->len;
	do {
		for (times = 1 + rng_below(rng, 5); times && message->len >= HEADERS; times--)
			mutators[rng_below(rng, ARRAY_LENGTH(mutators))](message, rng);
	} while (is_same(message, &intact));
}
