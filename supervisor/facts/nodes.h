/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_NODES_H
#define KW_FACTS_NODES_H

#include "model/nodes.h"

#define KW_NODES_ROOT "/sys/devices/system/node"

/*
 * Reads the memory of each NUMA node below root and what of it is in hugepages. A
 * node of which one of the two cannot be read is not known. Source:
 * Documentation/ABI/stable/sysfs-devices-node.
 */
void kw_nodes_read(const char *root, struct kw_nodes *ret_nodes);

#endif
