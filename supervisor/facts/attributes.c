/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/attributes.h"

#include <errno.h>
#include <limits.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdbool.h>

/* What nla_parse() leaves over without a word is the sign of a message that was cut. */
static bool stream_is_whole(const struct nlattr *head, int length)
{
	const struct nlattr *attribute = head;

	while (nla_ok(attribute, length))
		attribute = nla_next(attribute, &length);
	return length <= 0;
}

int kw_attributes_stream(struct nlattr *head, int length, struct nlattr **attributes, int max,
			 const struct nla_policy *policy)
{
	if (!stream_is_whole(head, length) ||
	    nla_parse(attributes, max, head, length, policy) < 0)
		return -EBADMSG;
	return 0;
}

/* libnl's readers change nothing, although their arguments are not const. */
int kw_attributes_read(const struct nlmsghdr *message, size_t length, uint8_t command,
		       struct nlattr **attributes, int max, const struct nla_policy *policy)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message;
	struct genlmsghdr *generic;

	if (length > INT_MAX || !nlmsg_ok(header, (int)length) || !genlmsg_valid_hdr(header, 0))
		return -EBADMSG;
	generic = genlmsg_hdr(header);
	if (generic->cmd != command)
		return -EBADMSG;
	return kw_attributes_stream(genlmsg_attrdata(generic, 0), genlmsg_attrlen(generic, 0),
				    attributes, max, policy);
}
