/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_MOVE_SIDE_H
#define KW_ACT_MOVE_SIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/mark.h"
#include "model/move_view.h"

/*
 * A guest on one of the two hosts of its move, through that host's libvirt.
 * The connection is made by the first call, and anew by the next one after it
 * broke. For one thread at a time.
 *
 * A libvirt that does not answer is waited for 30 s.
 *
 * All calls that can fail: 0; -ENOTCONN when libvirt there cannot be asked or
 * the connection broke meanwhile, so that what was asked for may be done or
 * not; -EIO when libvirt would not do it, and other negative errno. libvirt's
 * own words are in kw_move_side_error() then.
 */
struct kw_move_side;

/*
 * Lets libvirt find out within 20 s that the other end of a connection is gone:
 * a thread of its own, for good. Once, before anything else. 0 or negative errno
 * with text in error.
 */
int kw_move_sides_prepare(char *error, size_t error_size);

/* uri NULL: "qemu:///system". NULL without memory. Both texts are copied. */
struct kw_move_side *kw_move_side_create(const char *uri, const char *uuid);
void kw_move_side_free(struct kw_move_side *side);

/* Whether the last connection has not broken, as far as is known by now. */
bool kw_move_side_is_connected(struct kw_move_side *side);

/* Why the last call failed. Borrowed. */
const char *kw_move_side_error(const struct kw_move_side *side);

/*
 * Whether the guest runs here, and its persistent definition with all secrets,
 * NULL when it has none; the caller frees *ret_xml. That it is absent is no error.
 * Its definition is read before its state: a guest that is off and marked was
 * marked while off. -EAGAIN while it is being started: it may come up, or not.
 */
int kw_move_side_look(struct kw_move_side *side, enum kw_side_state *ret_state, char **ret_xml);

/* What a job has to know of the guest at its begin. The caller frees ret_about->xml. */
struct kw_move_about {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
	bool runs, persistent, autostart;
	bool managed_save;		/* a state is kept that the next start would go on with */
	char *xml;			/* the definition, of a transient guest as it runs */
};

/* text is the guest's name, or its UUID. -ENOENT when there is no such guest. */
int kw_move_side_about(struct kw_move_side *side, const char *text,
		       struct kw_move_about *ret_about);

/* Defines the guest; a definition of that UUID and name is replaced. */
int kw_move_side_define(struct kw_move_side *side, const char *xml);

/*
 * Sets the mark in the persistent definition, or removes it (KW_MARK_NONE),
 * which only a mark of the same job is. No mark of another job is touched:
 * -EPERM.
 */
int kw_move_side_mark(struct kw_move_side *side, const struct kw_mark *mark);

int kw_move_side_start(struct kw_move_side *side);
int kw_move_side_shut_down(struct kw_move_side *side);	/* asks agent or ACPI, and no more */
int kw_move_side_power_off(struct kw_move_side *side);
int kw_move_side_set_autostart(struct kw_move_side *side, bool on);

/* Whether its vCPUs run, which a guest has to that is to be shut down or was started. */
int kw_move_side_is_awake(struct kw_move_side *side, bool *ret_awake);

/*
 * Whether a state is kept that the next start would go on with, and with it the definition that
 * it was saved with: a mark of today is none of that one's. 0 also when there is no such guest.
 */
int kw_move_side_is_saved(struct kw_move_side *side, bool *ret_saved);

/* nvram: its firmware variables go as well. 0 also when there is no such guest. */
int kw_move_side_undefine(struct kw_move_side *side, bool nvram);

#endif
