/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_HUGEPAGES_H
#define KW_FACTS_HUGEPAGES_H

#include "model/guest.h"
#include "model/hugepages.h"

/* Where the kernel has a directory for each page size. */
#define KW_HUGEPAGES_ROOT "/sys/kernel/mm/hugepages"

/*
 * Reads the pools below root and the default page size of the meminfo below
 * proc. A kernel without hugepages has no pools, and that is known. Source:
 * Documentation/admin-guide/mm/hugetlbpage.rst.
 */
void kw_hugepages_read(const char *root, const char *proc, struct kw_huge_pools *ret_pools);

/* The page size of a pool's directory, such as "hugepages-2048kB"; false for other names. */
bool kw_hugepages_size(const char *name, uint64_t *ret_bytes);

/* Fills in how much of each guest's process is in hugepages; unknown where it is gone. */
void kw_hugepages_of_guests(const char *proc, struct kw_guest_list *list);

#endif
