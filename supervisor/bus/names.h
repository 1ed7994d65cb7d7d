/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_NAMES_H
#define KW_BUS_NAMES_H

#define KW_BUS_NAME "org.kvmward1"
#define KW_BUS_PATH "/org/kvmward1"
#define KW_BUS_INTERFACE "org.kvmward1.Manager"

#endif
