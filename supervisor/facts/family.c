/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/family.h"

#include <errno.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/text.h"
#include "facts/attributes.h"

/* The number of the group in one entry of the list, 0 when it is another; or -EBADMSG. */
static int64_t group_in(struct nlattr *entry, const char *name)
{
	static const struct nla_policy policy[CTRL_ATTR_MCAST_GRP_MAX + 1] = {
		[CTRL_ATTR_MCAST_GRP_NAME] = { .type = NLA_STRING, .minlen = 1 },
		[CTRL_ATTR_MCAST_GRP_ID] = { .type = NLA_U32, .minlen = 4, .maxlen = 4 },
	};
	struct nlattr *attributes[CTRL_ATTR_MCAST_GRP_MAX + 1] = { 0 };

	if (kw_attributes_stream(nla_data(entry), nla_len(entry), attributes,
				 CTRL_ATTR_MCAST_GRP_MAX, policy) < 0 ||
	    !attributes[CTRL_ATTR_MCAST_GRP_NAME] || !attributes[CTRL_ATTR_MCAST_GRP_ID])
		return -EBADMSG;
	if (strcmp(nla_get_string(attributes[CTRL_ATTR_MCAST_GRP_NAME]), name))
		return 0;
	return nla_get_u32(attributes[CTRL_ATTR_MCAST_GRP_ID]);
}

static int find_group(struct nlattr *list, const char *name, uint32_t *ret_group)
{
	struct nlattr *entry;
	int rest;

	nla_for_each_nested(entry, list, rest) {
		int64_t group = group_in(entry, name);

		if (group < 0)
			return (int)group;
		if (group > 0)
			*ret_group = (uint32_t)group;
	}
	return rest ? -EBADMSG : 0;
}

static int read_family(const struct nlmsghdr *message, size_t length, uint8_t command,
		       const char *group, struct kw_family *family)
{
	static const struct nla_policy policy[CTRL_ATTR_MCAST_GROUPS + 1] = {
		[CTRL_ATTR_FAMILY_ID] = { .type = NLA_U16, .minlen = 2, .maxlen = 2 },
		[CTRL_ATTR_FAMILY_NAME] = { .type = NLA_STRING, .minlen = 1,
					    .maxlen = GENL_NAMSIZ },
		[CTRL_ATTR_MCAST_GROUPS] = { .type = NLA_NESTED },
	};
	struct nlattr *attributes[CTRL_ATTR_MCAST_GROUPS + 1] = { 0 };
	int error = kw_attributes_read(message, length, command, attributes,
				       CTRL_ATTR_MCAST_GROUPS, policy);

	if (error)
		return error;
	if (!attributes[CTRL_ATTR_FAMILY_NAME] || !attributes[CTRL_ATTR_FAMILY_ID])
		return -EBADMSG;
	kw_text_copy(family->name, sizeof(family->name),
		     nla_get_string(attributes[CTRL_ATTR_FAMILY_NAME]));
	family->id = nla_get_u16(attributes[CTRL_ATTR_FAMILY_ID]);
	if (!attributes[CTRL_ATTR_MCAST_GROUPS])
		return 0;
	return find_group(attributes[CTRL_ATTR_MCAST_GROUPS], group, &family->group);
}

int kw_family_decode(const struct nlmsghdr *message, size_t length, const char *group,
		     struct kw_family *ret_family)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message; /* libnl changes nothing */
	struct kw_family family = { 0 };
	uint8_t command;
	int error;

	if (length > INT_MAX || !nlmsg_ok(header, (int)length) || !genlmsg_valid_hdr(header, 0))
		return -EBADMSG;
	command = genlmsg_hdr(header)->cmd;
	if (command != CTRL_CMD_NEWFAMILY && command != CTRL_CMD_DELFAMILY)
		return -ENOENT;
	error = read_family(message, length, command, group, &family);
	if (error)
		return error;
	family.there = command == CTRL_CMD_NEWFAMILY;
	*ret_family = family;
	return 0;
}
