/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_CGROUPS_H
#define KW_MODEL_CGROUPS_H

#include "model/known.h"

/* Keys of the misc controller: SEV-ES and SEV-SNP guests are charged to the same. */
enum kw_misc_key { KW_MISC_SEV, KW_MISC_SEV_ES, KW_MISC_COUNT };

/* "max" of a cgroup file, and systemd's infinity. */
#define KW_NO_LIMIT UINT64_MAX

/* The slice that libvirt's guests run in, and systemd's unit of that name. */
#define KW_GUEST_SLICE "machine.slice"

struct kw_misc {
	struct kw_u64 max;		/* KW_NO_LIMIT for "max"; unknown: no such key here */
	struct kw_u64 current;
};

/* What the cgroups of guests are limited to, and what they use. */
struct kw_cgroups {
	bool unified;			/* cgroup v2 is mounted */
	bool misc_offered;		/* the kernel has the misc controller */
	bool misc_enabled;		/* cgroups below the root have it */
	bool slice;			/* there is a machine.slice */
	struct kw_u64 memory_max_bytes;	/* KW_NO_LIMIT for "max" */
	struct kw_misc misc[KW_MISC_COUNT];
};

/* "sev" or "sev_es": the name in the files of the misc controller. */
const char *kw_misc_name(enum kw_misc_key key);

#endif
