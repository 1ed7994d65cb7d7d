/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_FAMILY_H
#define KW_FACTS_FAMILY_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the generic netlink controller says of one family. */
struct kw_family {
	char name[16];		/* GENL_NAMSIZ */
	bool there;		/* false: it has just gone */
	uint16_t id;
	uint32_t group;		/* number of the group that was asked for; 0: it has none such */
};

/*
 * A message of the controller (nlctrl): the answer to a question about families
 * or its own notification. 0; -ENOENT when it does not say that a family is
 * there or gone; -EBADMSG when it is malformed. Outputs are untouched then.
 */
int kw_family_decode(const struct nlmsghdr *message, size_t length, const char *group,
		     struct kw_family *ret_family);

#endif
