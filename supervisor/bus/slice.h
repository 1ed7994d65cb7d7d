/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_SLICE_H
#define KW_BUS_SLICE_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

struct kw_slice_call;

/*
 * Asks systemd to limit the memory of machine.slice, KW_NO_LIMIT for none, and
 * does not wait. systemd keeps the limit in /run: over daemon-reload and over
 * the end of the slice, until the host restarts. done(userdata, error, text)
 * is told once: 0, or negative errno with systemd's own words, borrowed. The
 * caller ends the call, before done() to hear nothing of it. 0 or negative
 * errno.
 */
int kw_slice_limit_memory(sd_bus *bus, uint64_t bytes,
			  void (*done)(void *userdata, int error, const char *text),
			  void *userdata, struct kw_slice_call **ret_call);
void kw_slice_call_end(struct kw_slice_call *call);

/* The same on a connection of its own, until it is done. 0 or negative errno with text in error. */
int kw_slice_limit_memory_now(uint64_t bytes, char *error, size_t error_size);

#endif
