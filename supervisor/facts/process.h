/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_PROCESS_H
#define KW_FACTS_PROCESS_H

#include "model/guest.h"
#include "model/uuids.h"

/*
 * Fills uuid, name and libvirt of every guest from the command line and the
 * cgroup of its process below proc ("/proc", or a recorded tree in tests), and
 * the cgroup where the kernel gave none. A process that is gone leaves them
 * empty: that is no error. Only of a process that libvirt started, as its cgroup
 * shows, is the command line read.
 */
void kw_process_name_guests(const char *proc, struct kw_guest_list *list);

/*
 * Takes uuid and name of guests from an earlier list, where they are libvirt's
 * and their process, its start and its cgroup are the same: these two cannot have
 * changed. The others are left to kw_process_name_guests(), which leaves those
 * that have a UUID alone.
 */
void kw_process_keep_names(const struct kw_guest_list *before, struct kw_guest_list *list);

/*
 * UUIDs of all QEMU processes of libvirt there are now, whether the kernel
 * already shows their guest or not. 0 or negative errno; the caller frees with
 * kw_uuid_list_done().
 */
int kw_process_uuids(const char *proc, struct kw_uuid_list *ret_list);

#endif
