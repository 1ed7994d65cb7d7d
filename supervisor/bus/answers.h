/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_ANSWERS_H
#define KW_BUS_ANSWERS_H

#include <systemd/sd-bus.h>

#include "model/claim.h"
#include "model/config.h"

/*
 * Answers of kvmwardd, as names.h says they look. Each 0, or negative errno for
 * another form, with the output untouched. The caller frees ret_holds->holds.
 */
int kw_bus_read_holds(sd_bus_message *reply, struct kw_hold_list *ret_holds);
int kw_bus_read_config(sd_bus_message *reply, struct kw_config *ret_config);

#endif
