/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_DOOR_ADDRESS_H
#define KW_BUS_DOOR_ADDRESS_H

#include <errno.h>
#include <stdio.h>
#include <sys/un.h>

/* The socket "door" in this directory. 0 or -ENAMETOOLONG. */
static inline int kw_door_address(const char *dir, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s/door", dir) <
			       (int)sizeof(ret_address->sun_path)
		       ? 0
		       : -ENAMETOOLONG;
}

#endif
