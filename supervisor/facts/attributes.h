/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_ATTRIBUTES_H
#define KW_FACTS_ATTRIBUTES_H

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Netlink attributes by their number, attributes[0..max], as policy wants them;
 * those beyond max are left out. 0, or -EBADMSG for one that is not as policy
 * says, or that is cut off.
 *
 * read: of a generic netlink message of that command, of which length bytes are
 * readable, whatever it claims itself. stream: of the attributes alone.
 */
int kw_attributes_read(const struct nlmsghdr *message, size_t length, uint8_t command,
		       struct nlattr **attributes, int max, const struct nla_policy *policy);
int kw_attributes_stream(struct nlattr *head, int length, struct nlattr **attributes, int max,
			 const struct nla_policy *policy);

#endif
