/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_DOMAIN_FILES_H
#define KW_FACTS_DOMAIN_FILES_H

#include "model/domain.h"

/*
 * Fills in the sizes of the files that become memory of an encrypted guest:
 * firmware, its variables, ROMs. What is no regular file stays unknown. Nothing
 * is looked at for a plain guest, of which no such memory counts. Blocks for as
 * long as a file system does not answer, and allocates nothing.
 */
void kw_domain_files_look(struct kw_domain *domain);

#endif
