/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_QEMU_H
#define KW_FACTS_QEMU_H

#include <stdbool.h>
#include <stddef.h>

#include "model/guest.h"

/*
 * True for a cgroup (unified hierarchy, initial cgroup namespace) in which only
 * the system's libvirt puts its guests, so that nobody without root can stand
 * there and pretend:
 *
 *	/machine.slice/machine-qemu\x2d3\x2dvault.scope/…	with machined
 *	/machine/qemu-3-vault.libvirt-qemu/…			without
 *	/system.slice/libvirtd.service, …/virtqemud.service	without cgroup controllers
 *
 * below slices or libvirt partitions of any name. Everything under user.slice,
 * and under a service or scope of another kind, may be delegated to a user or a
 * container, which can then choose names freely: never true there.
 */
bool kw_cgroup_is_libvirt(const char *cgroup);

/*
 * UUID and name that a QEMU command line (arguments, each ended by 0) gives:
 * -uuid X, -name guest=N,… or -name N,… where ",," stands for a comma. The
 * first of each counts, since libvirt's own come before <qemu:commandline>.
 * What is not given, or is no UUID, is "". Both outputs are fit to print;
 * ret_uuid has room for KW_UUID_LEN + 1 bytes, ret_name for KW_NAME_MAX.
 */
void kw_qemu_identity(const char *arguments, size_t length, char *ret_uuid, char *ret_name);

#endif
