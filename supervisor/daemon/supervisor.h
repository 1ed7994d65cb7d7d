/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_SUPERVISOR_H
#define KW_DAEMON_SUPERVISOR_H

#include "daemon/waiting.h"
#include "facts/netlink.h"
#include "ledger/ledger.h"
#include "model/config.h"
#include "model/facts.h"
#include "model/room.h"
#include "model/verdict.h"

/*
 * All that kvmwardd knows: the configuration, the holds, who waits, and the
 * facts of the last look. Only the ledger and whether the host is being drained
 * are state; the rest is read again, and who waits asks again.
 */
struct kw_supervisor {
	const char *config_path, *kept_dir;	/* borrowed */
	struct kw_config config;
	struct kw_ledger *ledger;
	bool draining;			/* no guest is admitted; kept in kept_dir */
	struct kw_netlink *netlink;	/* NULL while the module is not there */
	struct kw_waiting waiting;
	struct kw_facts facts;
	bool in_round, looked;		/* calls are answered that share a look; it was taken */
	bool memlock_read;		/* in this round */
	struct kw_u64 memlock_bytes;
	bool fresh;			/* looked since those who wait were served */
	char *picture;			/* what clients see, as text, to tell a change */
	char slots_line[160];		/* "SEV 3 of 10, SEV-ES/SNP 0 of 5 slots taken" */
	bool changed;			/* since kw_supervisor_take_changed() */
	bool refused;			/* since kw_supervisor_take_refusal() */
	struct kw_refusal refusal;
};

/*
 * Reads the configuration, opens the ledger in dir, and sees in kept_dir
 * whether the host is being drained. 0 or negative errno,
 * with one line for people in error: -EINVAL the configuration is wrong, -EBUSY
 * another kvmwardd has the ledger.
 */
int kw_supervisor_init(struct kw_supervisor *supervisor, const char *config_path, const char *dir,
		       const char *kept_dir, char *error, size_t error_size);
void kw_supervisor_done(struct kw_supervisor *supervisor);

/*
 * Reads the configuration again. On error the old one stays in force, and
 * error has the reason.
 */
int kw_supervisor_reload(struct kw_supervisor *supervisor, char *error, size_t error_size);

/* Has it saved before it holds. 0 or negative errno, and nothing has changed. */
int kw_supervisor_drain(struct kw_supervisor *supervisor, bool on);

/* False for a guest that a move takes away and may have to bring back. */
bool kw_supervisor_drains(const struct kw_supervisor *supervisor, const char *uuid);

/*
 * Takes the release notes, reads the facts and brings the ledger in line with
 * them; logs what came of it. Every decision is made after a look that was taken
 * when its call was there: calls that had all arrived before a round share one,
 * which the first that needs it takes.
 */
void kw_supervisor_look(struct kw_supervisor *supervisor);
void kw_supervisor_begin_round(struct kw_supervisor *supervisor);
void kw_supervisor_end_round(struct kw_supervisor *supervisor);

/*
 * The memory lock that QEMU inherits of libvirt's daemon. To find it is a walk over
 * all processes: calls of one round share that, too.
 */
struct kw_u64 kw_supervisor_memlock_bytes(struct kw_supervisor *supervisor);

/*
 * Ends the hold of that UUID. What it was held for may be on the host by now and
 * is not seen in the last look: nobody decides on that any more.
 */
int kw_supervisor_release(struct kw_supervisor *supervisor, const char *uuid);

/* The same when nobody has asked: a module that was taken out stays out. */
void kw_supervisor_watch(struct kw_supervisor *supervisor);

/* Something that clients see changed since the last call. */
bool kw_supervisor_take_changed(struct kw_supervisor *supervisor);

/* Puts down that a guest was refused, and takes that note back: false when there is none. */
void kw_supervisor_refuse(struct kw_supervisor *supervisor, const char *name, const char *uuid,
			  const struct kw_verdict *verdict);
bool kw_supervisor_take_refusal(struct kw_supervisor *supervisor, struct kw_refusal *ret_refusal);

/* What the last look has left of the host's memory, those who wait counted. */
void kw_supervisor_memory(const struct kw_supervisor *supervisor,
			  struct kw_memory_status *ret_status);

/* Holds that the kernel does not show yet. */
size_t kw_supervisor_pending_count(const struct kw_supervisor *supervisor);

/* The hold of that UUID, NULL when there is none. Borrowed until the ledger changes. */
const struct kw_hold *kw_supervisor_hold(const struct kw_supervisor *supervisor, const char *uuid);

#endif
