/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_MEMORY_H
#define KW_BUS_MEMORY_H

#include <systemd/sd-bus.h>

#include "model/room.h"

/*
 * The properties Memory and Hugepages, as kvmwardd tells them and as clients read
 * them: 0 or more, or negative errno, outputs untouched then.
 */
int kw_bus_append_room(sd_bus_message *reply, const struct kw_memory_room *room);
int kw_bus_append_pools(sd_bus_message *reply, const struct kw_huge_room *pools, size_t count);
int kw_bus_read_memory(sd_bus_message *memory, sd_bus_message *hugepages,
		       struct kw_memory_status *ret_memory);

#endif
