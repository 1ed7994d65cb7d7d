/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_ANSWERS_H
#define KW_BUS_ANSWERS_H

#include <systemd/sd-bus.h>

#include "model/claim.h"
#include "model/class.h"
#include "model/config.h"
#include "model/hearing.h"
#include "model/verdict.h"
#include "model/waiting.h"
#include "model/walls.h"

/*
 * Answers and signals of kvmwardd, as names.h says they look. Each 0, or negative errno for
 * another form, with the output untouched. The caller frees ret_holds->holds
 * and ret_waiting->waiters.
 */
int kw_bus_read_holds(sd_bus_message *reply, struct kw_hold_list *ret_holds);
int kw_bus_read_config(sd_bus_message *reply, struct kw_config *ret_config);
int kw_bus_read_hearing(sd_bus_message *reply, struct kw_hearing_state *ret_hearing);
int kw_bus_read_verdict(sd_bus_message *reply, struct kw_verdict *ret_verdict);
int kw_bus_read_verdicts(sd_bus_message *reply, struct kw_verdict *ret_verdicts, size_t count);
int kw_bus_read_place(sd_bus_message *signal, struct kw_place *ret_place);
int kw_bus_read_classes(sd_bus_message *reply, struct kw_class_table *ret_table);
int kw_bus_read_waiting(sd_bus_message *reply, struct kw_waiter_list *ret_waiting);
int kw_bus_read_walls(sd_bus_message *reply, struct kw_walls_status *ret_walls);
int kw_bus_read_refusal(sd_bus_message *signal, struct kw_refusal *ret_refusal);

#endif
