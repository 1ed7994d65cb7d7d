// SPDX-License-Identifier: GPL-2.0-or-later
/* Our own way: one dump, read with as large a buffer as the kernel makes use of. */
#include <errno.h>
#include <sys/socket.h>
#include <linux/kvmward.h>

#include "method.h"
#include "../nl.h"

static struct nl nl;

static int setup(void)
{
	return nl.family ? 0 : nl_open(&nl);
}

/* One datagram. 1: more to come; 0 or negative errno: that was the end. */
static int messages_count(const char *data, int len, struct method_result *result)
{
	const struct nlmsghdr *hdr = (const void *)data;

	for (; NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len)) {
		if (hdr->nlmsg_type == NLMSG_DONE || hdr->nlmsg_type == NLMSG_ERROR)
			return *(const int *)NLMSG_DATA(hdr);
		result->guests++;
		result->bytes += hdr->nlmsg_len;
	}
	return 1;
}

static int dump(uint8_t cmd, struct method_result *result)
{
	static char buf[65536];
	int ret = nl_send(&nl, buf, nl_request(&nl, buf, cmd, NLM_F_DUMP, NULL, 0));

	result->calls++;
	if (ret)
		return ret;
	do {
		ssize_t len = recv(nl.fd, buf, sizeof(buf), 0);

		result->calls++;
		ret = len < 0 ? -errno : messages_count(buf, len, result);
	} while (ret > 0);
	return ret;
}

static int run_guests(struct method_result *ret_result)
{
	*ret_result = (struct method_result){ 0 };
	return dump(KVMWARD_CMD_GUEST_GET, ret_result);
}

static int run_slots(struct method_result *ret_result)
{
	int ret;

	*ret_result = (struct method_result){ 0 };
	ret = dump(KVMWARD_CMD_SLOT_GET, ret_result);
	ret_result->guests = METHOD_UNKNOWN;
	return ret;
}

const struct method method_dump = { "dump", setup, run_guests };
const struct method method_slots = { "slots", setup, run_slots };
