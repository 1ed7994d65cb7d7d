// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/kvmward.h>

#include "nl.h"

#define ATTR_DATA(attr) ((const char *)(attr) + NLA_HDRLEN)

size_t nl_put(void *buf, uint16_t type, const void *value, size_t len)
{
	struct nlattr attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	memset(buf, 0, NLA_ALIGN(attr.nla_len));
	memcpy(buf, &attr, sizeof(attr));
	memcpy((char *)buf + NLA_HDRLEN, value, len);
	return NLA_ALIGN(attr.nla_len);
}

size_t nl_request(struct nl *nl, void *buf, uint8_t cmd, uint16_t flags, const void *attrs,
		  size_t len)
{
	struct nlmsghdr hdr = {
		.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + len,
		.nlmsg_type = nl->family,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = ++nl->seq,
	};
	struct genlmsghdr genl = { .cmd = cmd, .version = KVMWARD_FAMILY_VERSION };

	memcpy(buf, &hdr, sizeof(hdr));
	memcpy((char *)buf + NLMSG_HDRLEN, &genl, sizeof(genl));
	if (len)
		memcpy((char *)buf + NLMSG_LENGTH(GENL_HDRLEN), attrs, len);
	return hdr.nlmsg_len;
}

int nl_send(struct nl *nl, const void *message, size_t len)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct sockaddr *to = nl->addressed ? (const void *)&kernel : NULL;

	return sendto(nl->fd, message, len, 0, to, to ? sizeof(kernel) : 0) < 0 ? -errno : 0;
}

static void attrs_parse(const char *data, size_t len, const struct nlattr **ret, size_t room)
{
	while (len >= NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)data;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len)
			return;
		if ((size_t)(attr->nla_type & NLA_TYPE_MASK) < room)
			ret[attr->nla_type & NLA_TYPE_MASK] = attr;
		data += step;
		len -= step < len ? step : len;
	}
}

/* What an error or the end of a dump says; its extack attributes. */
static int end_parse(struct nl *nl, const struct nlmsghdr *hdr)
{
	const struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1] = { NULL };
	const int *error = NLMSG_DATA(hdr);
	size_t skip = NLMSG_ALIGN(sizeof(*error));

	if (hdr->nlmsg_type == NLMSG_ERROR)
		skip = NLMSG_ALIGN(sizeof(struct nlmsgerr));
	if (hdr->nlmsg_flags & NLM_F_ACK_TLVS)
		attrs_parse((const char *)error + skip, hdr->nlmsg_len - NLMSG_HDRLEN - skip,
			    attrs, NLMSGERR_ATTR_MAX + 1);
	if (attrs[NLMSGERR_ATTR_MSG])
		snprintf(nl->error, sizeof(nl->error), "%s", ATTR_DATA(attrs[NLMSGERR_ATTR_MSG]));
	if (attrs[NLMSGERR_ATTR_OFFS])
		nl->bad_attr = *(const uint32_t *)ATTR_DATA(attrs[NLMSGERR_ATTR_OFFS]);
	if (attrs[NLMSGERR_ATTR_MISS_TYPE])
		nl->missing_attr = *(const uint32_t *)ATTR_DATA(attrs[NLMSGERR_ATTR_MISS_TYPE]);
	return *error;
}

/* One message. 1: more to come; 0 or negative errno: that was all. */
static int message_parse(struct nl *nl, const struct nlmsghdr *hdr, struct nl_answer *answer)
{
	struct nl_msg msg = { { NULL } };

	if (hdr->nlmsg_seq != nl->seq)
		return 1;
	if (hdr->nlmsg_type == NLMSG_ERROR || hdr->nlmsg_type == NLMSG_DONE)
		return end_parse(nl, hdr);
	attrs_parse((const char *)NLMSG_DATA(hdr) + GENL_HDRLEN,
		    hdr->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), msg.attr, NL_ATTRS);
	answer->msgs = realloc(answer->msgs, (answer->count + 1) * sizeof(msg));
	answer->msgs[answer->count++] = msg;
	return 1;
}

/* Keeps each datagram where it is: the parsed messages point into it. */
static char *datagram_keep(struct nl_answer *answer, const char *data, size_t len)
{
	char *copy = malloc(sizeof(char *) + len);

	memcpy(copy, &answer->data, sizeof(char *));
	memcpy(copy + sizeof(char *), data, len);
	answer->data = copy;
	answer->used += len;
	return copy + sizeof(char *);
}

int nl_receive(struct nl *nl, struct nl_answer *answer)
{
	static char buf[65536];
	int ret = 1;

	nl->error[0] = '\0';
	nl->bad_attr = -1;
	nl->missing_attr = -1;
	while (ret == 1) {
		ssize_t len = recv(nl->fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *hdr;

		if (len < 0)
			return -errno;
		hdr = (const void *)datagram_keep(answer, buf, len);
		for (; ret == 1 && NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len))
			ret = message_parse(nl, hdr, answer);
	}
	return ret;
}

void nl_answer_done(struct nl_answer *answer)
{
	while (answer->data) {
		char *next;

		memcpy(&next, answer->data, sizeof(next));
		free(answer->data);
		answer->data = next;
	}
	free(answer->msgs);
	memset(answer, 0, sizeof(*answer));
}

static int transact(struct nl *nl, uint8_t cmd, uint16_t flags, const void *attrs, size_t len,
		    struct nl_answer *answer)
{
	char buf[512];
	int ret;

	memset(answer, 0, sizeof(*answer));
	ret = nl_send(nl, buf, nl_request(nl, buf, cmd, flags, attrs, len));
	return ret ? ret : nl_receive(nl, answer);
}

/* The acknowledgement ends the answer: it comes after the message. */
int nl_do(struct nl *nl, uint8_t cmd, const void *attrs, size_t len, struct nl_answer *answer)
{
	return transact(nl, cmd, NLM_F_ACK, attrs, len, answer);
}

int nl_dump(struct nl *nl, uint8_t cmd, const void *attrs, size_t len, struct nl_answer *answer)
{
	return transact(nl, cmd, NLM_F_DUMP, attrs, len, answer);
}

static void nest_parse(const struct nlattr *nest, const struct nlattr **ret, size_t room)
{
	memset(ret, 0, room * sizeof(*ret));
	attrs_parse(ATTR_DATA(nest), nest->nla_len - NLA_HDRLEN, ret, room);
}

/* The number of the group of slot events in a list of groups; 0: it has none. */
static uint32_t group_of(const struct nlattr *list)
{
	const struct nlattr *groups[16], *group[CTRL_ATTR_MCAST_GRP_MAX + 1];
	unsigned int i;

	nest_parse(list, groups, 16);
	for (i = 0; i < 16; i++) {
		if (!groups[i])
			continue;
		nest_parse(groups[i], group, CTRL_ATTR_MCAST_GRP_MAX + 1);
		if (!strcmp(ATTR_DATA(group[CTRL_ATTR_MCAST_GRP_NAME]), KVMWARD_MCGRP_SLOTS))
			return *(const uint32_t *)ATTR_DATA(group[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

int nl_find(struct nl *nl)
{
	char name[64];
	struct nl_answer answer;
	size_t len = nl_put(name, CTRL_ATTR_FAMILY_NAME, KVMWARD_FAMILY_NAME,
			    sizeof(KVMWARD_FAMILY_NAME));
	const struct nlattr **attr;
	int ret;

	nl->family = GENL_ID_CTRL;
	ret = nl_do(nl, CTRL_CMD_GETFAMILY, name, len, &answer);
	if (!ret && answer.count) {
		attr = answer.msgs[0].attr;
		nl->family = *(const uint16_t *)ATTR_DATA(attr[CTRL_ATTR_FAMILY_ID]);
		nl->group = attr[CTRL_ATTR_MCAST_GROUPS] ? group_of(attr[CTRL_ATTR_MCAST_GROUPS]) : 0;
	}
	nl_answer_done(&answer);
	return ret;
}

int nl_socket(struct nl *nl)
{
	const struct timeval patience = { .tv_sec = 30 };
	const int on = 1;

	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

int nl_open(struct nl *nl)
{
	int ret;

	memset(nl, 0, sizeof(*nl));
	ret = nl_socket(nl);
	if (ret)
		return ret;
	ret = nl_find(nl);
	if (ret)
		nl_close(nl);
	return ret;
}

int nl_join(struct nl *nl)
{
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->group,
			  sizeof(nl->group)) < 0 ? -errno : 0;
}

int nl_event(struct nl *nl, bool wait, struct nl_answer *answer)
{
	static char buf[65536];
	ssize_t len = recv(nl->fd, buf, sizeof(buf), wait ? 0 : MSG_DONTWAIT);
	const struct nlmsghdr *hdr;

	memset(answer, 0, sizeof(*answer));
	if (len < 0)
		return -errno;
	nl->seq = 0;	/* as all events have */
	hdr = (const void *)datagram_keep(answer, buf, len);
	for (; NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len))
		message_parse(nl, hdr, answer);
	return 0;
}

void nl_close(struct nl *nl)
{
	close(nl->fd);
	nl->fd = -1;
}

bool nl_has(const struct nl_msg *msg, int attr)
{
	return msg->attr[attr];
}

static const char *value(const struct nl_msg *msg, int attr, size_t len)
{
	if (!msg->attr[attr] || msg->attr[attr]->nla_len < NLA_HDRLEN + len) {
		printf("Bail out! attribute %d is missing or too short\n", attr);
		exit(1);
	}
	return ATTR_DATA(msg->attr[attr]);
}

uint32_t nl_u32(const struct nl_msg *msg, int attr)
{
	uint32_t number;

	memcpy(&number, value(msg, attr, sizeof(number)), sizeof(number));
	return number;
}

uint64_t nl_u64(const struct nl_msg *msg, int attr)
{
	uint64_t number;

	memcpy(&number, value(msg, attr, sizeof(number)), sizeof(number));
	return number;
}

const char *nl_string(const struct nl_msg *msg, int attr)
{
	return value(msg, attr, 1);
}
