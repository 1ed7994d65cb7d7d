/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_DOMAIN_PLACE_H
#define KW_FACTS_DOMAIN_PLACE_H

#include "model/move_facts.h"

/*
 * What ties a domain to its host: where its disks lie and which processor it
 * has. Of a guest that is off, the XML does not say what a disk is an overlay
 * of, and neither is that looked for.
 */
struct kw_domain_place {
	struct kw_move_disk *disks;	/* each with what it is an overlay of behind it */
	size_t disk_count;
	enum kw_cpu_mode cpu_mode;
	char *cpu;			/* the element <cpu>; NULL when there is none */
};

/*
 * Reads that from a domain XML, and looks at the files that it names, on this
 * host: what reach becomes is HERE, SHARED, NETWORK or UNKNOWN. Blocks for as
 * long as a file system does not answer. 0, -EBADMSG with "line N: what is
 * wrong" in error, or -ENOMEM. The caller owns *ret_place.
 */
int kw_domain_place_read(const char *xml, struct kw_domain_place *ret_place, char *error,
			 size_t error_size);

/* Adds, as later, the disks that the guest's definition has and place has not. 0 or -ENOMEM. */
int kw_domain_place_add_later(struct kw_domain_place *place, const struct kw_domain_place *defined);

/* Frees what the place owns and empties it; takes NULL. */
void kw_domain_place_done(struct kw_domain_place *place);

#endif
