/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_UEVENT_H
#define KW_FACTS_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True when a kernel uevent ("action@path", then KEY=value strings, each ended
 * by 0) says that KVM made or ended a guest, or that /dev/kvm came or went.
 * Source: kvm_uevent_notify_change() in virt/kvm/kvm_main.c.
 */
bool kw_uevent_is_kvm(const char *text, size_t length);

#endif
