/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_MOVE_H
#define KW_MODEL_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/guest.h"
#include "model/mark.h"
#include "model/move_view.h"
#include "model/verdict.h"

#define KW_MOVE_URI_MAX 512	/* with the final 0 */
#define KW_MOVE_STEP_MAX 32
#define KW_MOVE_ERROR_MAX 1024
#define KW_MOVE_SHUTDOWN_S 120	/* unless the operator gives another limit */

enum kw_move_kind { KW_MOVE_LIVE, KW_MOVE_COLD };

/* What the operator said. */
struct kw_move_options {
	bool force;			/* a guest that does not shut down is powered off */
	bool unguarded;			/* the destination need not have a kvmwardd */
	uint32_t timeout_s;		/* live: gives up after so long; 0 never */
	uint32_t shutdown_timeout_s;	/* cold: how long the guest may take to shut down */
};

/* The job of one move: what has to be known to finish it or take it back, whatever has crashed. */
struct kw_move {
	char id[KW_MARK_JOB_MAX];	/* of the job, as in the marks */
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
	char source[KW_MARK_PEER_MAX];	/* this host, by the name that the destination is told */
	char uri[KW_MOVE_URI_MAX];	/* the destination's libvirt */
	char host[KW_MARK_PEER_MAX];	/* its [user@]host[:port], as in the URI */
	enum kw_move_kind kind;
	struct kw_move_options options;
	bool persistent, autostart;	/* as they were here */
	bool nvram_new;			/* there was no such file there before this move */
	struct kw_move_memory memory;
	char step[KW_MOVE_STEP_MAX];	/* the last that was begun; "" none yet */
	char error[KW_MOVE_ERROR_MAX];	/* why it stopped or is taken back; "" */
	struct kw_verdict verdict;	/* a refusal that made it so; KW_ADMITTED for none */
	uint64_t begun_ms;		/* of the real-time clock, likewise below */
	uint64_t off_ms, on_ms;		/* the guest went off here, came on there; 0 not yet */
	char *copy_disks;		/* "vda,vdb": what is copied; owned or NULL */
	char *xml;			/* the definition here as it was, with its secrets; owned */
};

/* How far a move is, and once it is over how it went. */
enum kw_move_state {
	KW_MOVE_RUNNING,
	KW_MOVE_MOVED,			/* it is there, and only there */
	KW_MOVE_STAYED,			/* it is here, and only here */
	KW_MOVE_STOPPED,		/* neither: to be resumed or undone */
};

struct kw_move_progress {
	char id[KW_MARK_JOB_MAX];
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
	char host[KW_MARK_PEER_MAX];
	enum kw_move_kind kind;
	enum kw_move_state state;
	bool undo;
	char step[KW_MOVE_STEP_MAX];
	char error[KW_MOVE_ERROR_MAX];	/* "" */
	struct kw_verdict verdict;	/* as above */
	bool runs;			/* it ran where it is when it was last seen */
	struct kw_u64 total_bytes, moved_bytes, remaining_bytes, bytes_per_s;
	struct kw_u64 downtime_ms;	/* expected while it is RUNNING, then measured */
	struct kw_u64 total_ms;		/* since the job began */
};

/* Frees what the move owns and empties it; takes NULL. */
void kw_move_done(struct kw_move *move);

/* "live" or "cold"; "running", "moved", "stayed", "stopped". */
const char *kw_move_kind_name(enum kw_move_kind kind);
const char *kw_move_state_name(enum kw_move_state state);

/* 0, or -ENOENT with the output untouched. */
int kw_move_kind_find(const char *name, enum kw_move_kind *ret_kind);
int kw_move_state_find(const char *name, enum kw_move_state *ret_state);

/*
 * [user@]host[:port] of a libvirt URI, with the brackets of an IPv6 address: "root@h2" of
 * "qemu+ssh://root@h2/system". 0; -EINVAL when the URI names no host, -ENAMETOOLONG.
 */
int kw_move_host(const char *uri, char *ret_host, size_t size);

/* What all progress of a move has in common with its job. */
void kw_move_begin_progress(const struct kw_move *move, struct kw_move_progress *ret_progress);

#endif
