/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_CLIENT_H
#define KW_BUS_CLIENT_H

#include <stdint.h>

#include "model/claim.h"
#include "model/class.h"
#include "model/config.h"
#include "model/hearing.h"
#include "model/verdict.h"
#include "model/room.h"
#include "model/waiting.h"
#include "model/walls.h"

struct kw_bus;

/*
 * Connects to the system bus. All calls on it end by deadline_ns
 * (CLOCK_MONOTONIC); 0 for sd-bus's own time limit. 0 or negative errno.
 */
int kw_bus_open(uint64_t deadline_ns, struct kw_bus **ret_bus);

/*
 * Connects to kvmwardd itself, through the door in its state directory (root
 * only), where kw_bus_hook() is answered and nothing else. As above; -ENOENT or
 * -ECONNREFUSED when it is not there.
 */
int kw_bus_open_door(const char *dir, uint64_t deadline_ns, struct kw_bus **ret_bus);

/*
 * The same to the system bus of another host, through ssh, which is started and
 * not waited for: that the host cannot be reached is what the first call says.
 * host is [user@]host[:port] as in a URI, an IPv6 address in brackets. ssh asks
 * nobody for anything. -ENOENT: there is no ssh.
 */
int kw_bus_open_remote(const char *host, uint64_t deadline_ns, struct kw_bus **ret_bus);
void kw_bus_close(struct kw_bus *bus);

/* What the last failed call was told, or "". Borrowed. */
const char *kw_bus_error(const struct kw_bus *bus);

/*
 * Each 0 or negative errno: -ENXIO kvmwardd is not there, -ETIMEDOUT, -EACCES,
 * -EHOSTUNREACH ssh to the other host has ended, with its reason in
 * kw_bus_error().
 *
 * hook: one libvirt hook call, decided on by kvmwardd (root only).
 * plan: what hook "prepare" would say, with nothing held.
 * plan_all: what "prepare" would say of each, as if those before it that are
 *	admitted had started; ret_verdicts has room for count, at most
 *	KW_BUS_PLANS_MAX.
 * holds: every hold now; the caller frees holds->holds.
 * differing: those of them whose guest pins otherwise than claimed; likewise.
 * waiting: everybody in line; the caller frees waiting->waiters.
 * classes: what each class has; empty when none is configured.
 * config: the configuration in force (reserves, override), for tables.
 * hearing: how kvmwardd learns of changes.
 * walls: the limits that kvmwardd keeps around guests.
 * memory: the host's memory and hugepages, and what guests leave of them.
 * draining: whether the host is being drained.
 * drain: sets that, on disk when this returns (root only).
 * reload: reads the configuration file again; the message of a bad file is in
 *         kw_bus_error() and -EINVAL is returned.
 */
int kw_bus_hook(struct kw_bus *bus, const char *name, const char *op, const char *subop,
		const char *extra, const char *xml, struct kw_verdict *ret_verdict);
int kw_bus_plan(struct kw_bus *bus, const char *xml, struct kw_verdict *ret_verdict);
int kw_bus_plan_all(struct kw_bus *bus, const char *const *xmls, size_t count,
		    struct kw_verdict *ret_verdicts);
int kw_bus_holds(struct kw_bus *bus, struct kw_hold_list *ret_holds);
int kw_bus_differing(struct kw_bus *bus, struct kw_hold_list *ret_holds);
int kw_bus_waiting(struct kw_bus *bus, struct kw_waiter_list *ret_waiting);
int kw_bus_classes(struct kw_bus *bus, struct kw_class_table *ret_table);
int kw_bus_config(struct kw_bus *bus, struct kw_config *ret_config);
int kw_bus_hearing(struct kw_bus *bus, struct kw_hearing_state *ret_hearing);
int kw_bus_walls(struct kw_bus *bus, struct kw_walls_status *ret_walls);
int kw_bus_memory(struct kw_bus *bus, struct kw_memory_status *ret_memory);
int kw_bus_draining(struct kw_bus *bus, bool *ret_draining);
int kw_bus_drain(struct kw_bus *bus, bool on);
int kw_bus_reload(struct kw_bus *bus);

/*
 * The release of the kernel that runs on the bus's host, "6.12.43-amd64", from its
 * hostnamed; as above.
 */
int kw_bus_kernel(struct kw_bus *bus, char *ret_release, size_t size);

/*
 * Puts the guest of this XML in line and waits for the answer, until the bus's
 * deadline, or for ever if it has none; told() hears of its place. An admitted
 * guest's hold is there until a hook asks for it, the bus is closed or kvmwardd
 * ends; to close it also takes a guest that waits out of the line. As above, and -ECANCELED when
 * cancel_fd became readable. Root only.
 *
 * await: until kvmwardd comes or goes, with the same limits.
 */
int kw_bus_wait(struct kw_bus *bus, const char *xml, int cancel_fd,
		void (*told)(const struct kw_place *place, void *data), void *data,
		struct kw_verdict *ret_verdict);
int kw_bus_await(struct kw_bus *bus, int cancel_fd);

/*
 * Whether a hold that kw_bus_wait() got has not ended with the connection, or
 * with kvmwardd, as far as is known by now.
 */
bool kw_bus_keeps(struct kw_bus *bus);

/*
 * The daemon's signals, for 'kvmward watch': the fd to poll, and kw_bus_changed()
 * true when Changed came since the last call, or the daemon itself came or went. refused(refusal, data) is called
 * by it for each Refused, of which only root and the group libvirt are told.
 * The daemon need not run yet.
 */
int kw_bus_subscribe(struct kw_bus *bus,
		     void (*refused)(const struct kw_refusal *refusal, void *data), void *data);
int kw_bus_fd(const struct kw_bus *bus);
bool kw_bus_changed(struct kw_bus *bus);

#endif
