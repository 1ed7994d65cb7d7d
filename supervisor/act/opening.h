/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_OPENING_H
#define KW_ACT_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/libvirt_load.h"

/*
 * A connection to libvirt that is being opened, in a thread of its own: virConnectOpen()
 * has no limit, and a libvirt that is frozen lets it wait for ever.
 */
struct kw_opening;

/* NULL without memory or a thread. */
struct kw_opening *kw_opening_begin(const char *uri);

/* Whether it is over within that time. */
bool kw_opening_wait(struct kw_opening *opening, unsigned int limit_ms);

/* Of one that is over: the connection, the caller's; or NULL with libvirt's words in error. */
virConnectPtr kw_opening_take(struct kw_opening *opening, char *error, size_t error_size);

/* When it was begun, on the monotonic clock. */
uint64_t kw_opening_begun_ns(const struct kw_opening *opening);

/* Frees it, which one that is not over does once it is; takes NULL. */
void kw_opening_leave(struct kw_opening *opening);

#endif
