/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_LEDGER_LEDGER_H
#define KW_LEDGER_LEDGER_H

#include "model/claim.h"
#include "model/guest.h"
#include "model/uuids.h"

#define KW_LEDGER_DIR "/run/kvmward"

struct kw_ledger;

/*
 * Opens the ledger in a directory (made when it is not there) and reads what
 * an earlier process left. A file that cannot be understood is set aside as
 * ledger.bad and the ledger starts empty: *ret_damaged says so. One process at
 * a time (-EBUSY). 0 or negative errno.
 */
int kw_ledger_open(const char *dir, struct kw_ledger **ret_ledger, bool *ret_damaged);
void kw_ledger_close(struct kw_ledger *ledger);

/* The holds, borrowed until the next call that changes the ledger. */
const struct kw_hold_list *kw_ledger_holds(const struct kw_ledger *ledger);

/*
 * Takes a hold for the claim's UUID in place of the one that may be there: its
 * time begins anew, and a confirmed one is pending again, since the guest starts
 * once more. A release note of that UUID goes first: it is of the last run.
 * now_ns is CLOCK_BOOTTIME. Saved before it returns. 0 or negative errno
 * (-EINVAL: no UUID), the ledger unchanged.
 */
int kw_ledger_take(struct kw_ledger *ledger, const struct kw_claim *claim, uint64_t now_ns);

/* The same for a client that keeps the hold itself until libvirt's hook takes it. */
int kw_ledger_lend(struct kw_ledger *ledger, const struct kw_claim *claim, uint64_t now_ns);

/*
 * Puts down what became known of a hold: started and differs of this copy of it.
 * Saved before it returns, if that changes anything. 0, -ENOENT when there is no
 * such hold (any more), or negative errno, the ledger unchanged.
 */
int kw_ledger_note(struct kw_ledger *ledger, const struct kw_hold *hold);

/* Ends the hold of that UUID, if there is one; saved before it returns. */
int kw_ledger_release(struct kw_ledger *ledger, const char *uuid);

/*
 * Brings the ledger in line with the world: a pending hold whose guest the
 * kernel shows with a slot (or, when plain, at all) is confirmed; a confirmed
 * one whose process is gone ends; a pending one older than timeout_ns ends
 * when no process of its UUID is running that may become its guest (running, a
 * UUID for each process; NULL: not known, none ends so). A guest older than the
 * hold neither confirms it nor keeps it: that is a last run that has not ended,
 * or one that ran while the same guest was to arrive once more. Guests not
 * known: nothing changes. *ret_changed says whether anything did; saved when
 * so. 0 or negative errno, the ledger unchanged.
 */
int kw_ledger_reconcile(struct kw_ledger *ledger, const struct kw_guest_list *guests,
			const struct kw_uuid_list *running, uint64_t now_ns, uint64_t timeout_ns,
			bool *ret_changed);

/*
 * Is a pending hold older than timeout_ns? Only then does it matter to a
 * reconcile what is running.
 */
bool kw_ledger_overdue(const struct kw_ledger *ledger, uint64_t now_ns, uint64_t timeout_ns);

/*
 * Releases that could not be told to the daemon: the hook leaves one file per
 * UUID in dir/released/, the daemon takes them all before it decides anything.
 * A confirmed hold stays: it is for the reconcile that follows to end it.
 */
int kw_release_note_leave(const char *dir, const char *uuid);
int kw_ledger_take_release_notes(struct kw_ledger *ledger);

#endif
