/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_EVACUATION_H
#define KW_MODEL_EVACUATION_H

#include "model/kept.h"
#include "model/move_facts.h"
#include "model/move_view.h"

enum kw_lock { KW_LOCK_UNKNOWN, KW_LOCK_FREE, KW_LOCK_HELD };

/* What shows whether a host is gone. */
struct kw_gone_host {
	char name[KW_HOST_MAX];		/* as the operator gave it */
	char own_name[KW_HOST_MAX];	/* as its libvirt had it */
	bool is_this;			/* it is this one */
	struct kw_u32 answers;		/* over the network; not known: it cannot be asked */
	char words[256];		/* what answered, or why it cannot be asked */
	enum kw_lock keeps;		/* its lock on the storage that it keeps its definitions on */
};

/* A disk of the guest as this host sees it, of the same index as in struct kw_move_facts. */
struct kw_evacuee_disk {
	char missing[96];		/* why it cannot be opened here; "" it can, or is no file */
	enum kw_lock lock;		/* by a QEMU that may write to it, wherever that runs */
};

/* A guest of that host, from what was kept of it. */
struct kw_evacuee {
	struct kw_move_facts move;	/* as of one that is off and moves here, cold */
	struct kw_evacuee_disk *disks;
	bool starts;			/* it is to run here, and not be defined only */
	struct kw_u32 taken;		/* a host has begun to start it */
	bool ours;			/* which is this one */
	struct kw_taker taker;
	enum kw_side_state here;	/* what libvirt of this host has of its UUID */
	struct kw_mark mark_here;	/* in its definition here */
	bool arrives;			/* kw_evacuation_arrives() */
};

/* Frees what it owns and empties it; takes NULL. */
void kw_evacuee_done(struct kw_evacuee *evacuee);

#endif
