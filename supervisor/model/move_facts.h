/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_MOVE_FACTS_H
#define KW_MODEL_MOVE_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/domain.h"
#include "model/software.h"
#include "model/verdict.h"

#define KW_WORDS_MAX 512	/* of a library or another host about one failure; more is cut */

/*
 * What a move of a guest to another host is judged on. Everything may be
 * unknown: a text is "" then, a number not known.
 */

/* How <cpu mode=…> makes a guest depend on the processor. */
enum kw_cpu_mode {
	KW_CPU_UNKNOWN,		/* also a mode that is not known here */
	KW_CPU_DEFAULT,		/* no <cpu>, or one with a topology only: QEMU's own model */
	KW_CPU_CUSTOM,
	KW_CPU_HOST_MODEL,
	KW_CPU_PASSTHROUGH,	/* host-passthrough, and maximum, which on KVM is the same */
};

/* One of the two hosts, as its libvirt and its hostnamed tell. */
struct kw_move_host {
	char name[256];			/* host name */
	char uuid[KW_UUID_LEN + 1];	/* by which libvirt tells hosts apart */
	char cpu_vendor[32], cpu_model[64]; /* libvirt's names */
	struct kw_u32 cpu_family, cpu_number, cpu_stepping; /* decimal, of CPUID's signature */
	struct kw_u32 microcode;
	char kernel[128];		/* uname -r */
	struct kw_software software;
};

enum kw_disk_reach {
	KW_DISK_UNKNOWN,	/* whether the destination has it cannot be told */
	KW_DISK_HERE,		/* on a file system of this host only */
	KW_DISK_SHARED,		/* by the kind of what it lies on; not looked at from there */
	KW_DISK_SEEN,		/* the destination's libvirt shows the same volume */
	KW_DISK_NETWORK,	/* QEMU fetches it itself, from the same address everywhere */
};

/* Whether the destination can take a copy of a disk, at the same path. */
enum kw_copy_place {
	KW_COPY_UNKNOWN,
	KW_COPY_FREE,
	KW_COPY_TAKEN,		/* there is a file, which the copy would be written over */
	KW_COPY_NO_POOL,	/* of its directory, and libvirt makes files in pools only */
};

/* A file or device that the guest's disk is, or is an overlay of. */
struct kw_move_disk {
	char target[32];		/* "vda" */
	char source[512];		/* path, or the name on the network */
	char where[32];			/* "ext4", "nfs", "block device", "rbd"; "" not known */
	bool backing;			/* the disk is an overlay of it */
	bool read_only;			/* CD-ROM and the like */
	bool later;			/* defined, and not a part of the guest that runs yet */
	struct kw_u64 bytes;		/* to copy: what it takes up now */
	struct kw_u64 length_bytes;	/* of a file */
	enum kw_disk_reach reach;
	enum kw_copy_place copy;	/* of a disk that is HERE, when it is to be copied */
};

enum kw_run_state { KW_RUN_UNKNOWN, KW_RUN_OFF, KW_RUN_RUNS, KW_RUN_PAUSED, KW_RUN_STOPPED };

struct kw_move_facts {
	struct kw_domain domain;	/* as it runs, or as it is defined when it is off */
	struct kw_domain next;		/* as it is defined; empty when it has no definition */
	enum kw_cpu_mode cpu_mode;	/* as it is defined */
	enum kw_run_state run;		/* PAUSED: by somebody; STOPPED: crashed, suspended, saving … */
	struct kw_u32 persistent;	/* 0: its definition ends with it */
	struct kw_u32 unfinished;	/* it has a job of a move already */
	struct kw_u32 managed_save, snapshots, checkpoints;
	struct kw_u32 nested_vcpus;	/* in a nested guest at this moment; the kernel's */
	struct kw_u64 downtime_ms;	/* that QEMU aims at when it moves live */
	struct kw_move_disk *disks;	/* as it runs, and behind them those of later */
	size_t disk_count;

	struct kw_move_host here, there;
	char destination[256];		/* its name, for sentences */
	bool reached;			/* libvirt there answers */
	char unreached[KW_WORDS_MAX];	/* why not */
	struct kw_u32 defined_there;	/* a guest of this UUID or name is */
	struct kw_u32 machine_fits;	/* QEMU there has the machine type */
	char machine_words[KW_WORDS_MAX];
	struct kw_u32 cpu_fits;		/* libvirt's hypervisor CPU comparison */
	char cpu_words[KW_WORDS_MAX];	/* what lacks, or why they were not compared */
	struct kw_u32 cpu_fits_here;	/* the same of this host, while the guest runs on it */
	char cpu_words_here[KW_WORDS_MAX];

	struct kw_u32 guarded;		/* a kvmwardd answers there; 0: there is none */
	char unguarded[KW_WORDS_MAX];	/* why there is none, or why that is not known */
	struct kw_verdict plan;		/* its answer; to be looked at only when guarded is 1 */
};

/* Frees what the facts own and empties them; takes NULL. */
void kw_move_facts_done(struct kw_move_facts *facts);

#endif
