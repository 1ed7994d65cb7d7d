/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_MARK_H
#define KW_MODEL_MARK_H

#include "model/guest.h"

#define KW_MARK_JOB_MAX 64	/* with the final 0 */
#define KW_MARK_PEER_MAX 256

/*
 * What a move in parts (a cold one) writes into the <metadata> of a guest's
 * definition, on both hosts: a guest that is marked may not start there, so
 * that of the two at most one can, whoever tries.
 */
enum kw_mark_kind {
	KW_MARK_NONE,
	KW_MARK_LEAVING,	/* the guest goes to the peer */
	KW_MARK_ARRIVING,	/* the guest comes from the peer, where the job is */
	KW_MARK_UNKNOWN,	/* there is a mark that this version does not understand */
};

struct kw_mark {
	enum kw_mark_kind kind;
	char job[KW_MARK_JOB_MAX], peer[KW_MARK_PEER_MAX]; /* "" where they cannot be told */
	int line;		/* of the domain XML; 0 when there is no mark */
};

/* The XML namespace of the element <move job='…' peer='…'>leaving</move>. */
#define KW_MARK_NAMESPACE "urn:kvmward:move:1"

/* The job of a mark on a host whose guest another host has taken: 'kvmward evacuate', no move. */
#define KW_MARK_EVACUATED "evacuated"

/* "leaving" or "arriving", as in the element; "none" or "unknown" otherwise. */
const char *kw_mark_name(enum kw_mark_kind kind);

/* KW_MARK_UNKNOWN for any other word than "leaving" and "arriving". */
enum kw_mark_kind kw_mark_kind_of(const char *word);

#endif
