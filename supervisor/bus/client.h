/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_CLIENT_H
#define KW_BUS_CLIENT_H

#include <stdint.h>

#include "model/claim.h"
#include "model/config.h"
#include "model/verdict.h"

struct kw_bus;

/*
 * Connects to the system bus. All calls on it end by deadline_ns
 * (CLOCK_MONOTONIC); 0 for sd-bus's own time limit. 0 or negative errno.
 */
int kw_bus_open(uint64_t deadline_ns, struct kw_bus **ret_bus);
void kw_bus_close(struct kw_bus *bus);

/* What the last failed call was told, or "". Borrowed. */
const char *kw_bus_error(const struct kw_bus *bus);

/*
 * Each 0 or negative errno: -ENXIO kvmwardd is not there, -ETIMEDOUT, -EACCES.
 *
 * hook: one libvirt hook call, decided on by kvmwardd (root only).
 * plan: what hook "prepare" would say, with nothing held.
 * holds: every hold now; the caller frees holds->holds.
 * room: configuration in force (reserves, override), for tables.
 * reload: reads the configuration file again; the message of a bad file is in
 *         kw_bus_error() and -EINVAL is returned.
 */
int kw_bus_hook(struct kw_bus *bus, const char *name, const char *op, const char *subop,
		const char *extra, const char *xml, struct kw_verdict *ret_verdict);
int kw_bus_plan(struct kw_bus *bus, const char *xml, struct kw_verdict *ret_verdict);
int kw_bus_holds(struct kw_bus *bus, struct kw_hold_list *ret_holds);
int kw_bus_config(struct kw_bus *bus, struct kw_config *ret_config);
int kw_bus_reload(struct kw_bus *bus);

/*
 * The daemon's Changed signal, for 'kvmward watch': the fd to poll, and
 * kw_bus_changed() true when a signal came since the last call. The daemon need
 * not run yet.
 */
int kw_bus_subscribe(struct kw_bus *bus);
int kw_bus_fd(const struct kw_bus *bus);
bool kw_bus_changed(struct kw_bus *bus);

#endif
