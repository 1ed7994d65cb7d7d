/* SPDX-License-Identifier: GPL-2.0 */
/* The reverse map table, as the firmware uses it. */
#ifndef RMP_H
#define RMP_H

#include <linux/types.h>

/* Of a page.  The host's to change: HYPERVISOR, RECLAIM, GUEST_OWNED. */
enum page_state { HYPERVISOR, RECLAIM, FIRMWARE, CONTEXT, PRE_GUEST, GUEST_OWNED };

/*
 * Moves the page at a physical address, if it is in state @from and the guest's of
 * @asid.  A code of the firmware's.
 */
int psp_sim_rmp_move(u64 address, u32 asid, enum page_state from, enum page_state to);
/* Makes a page that the firmware holds one that the host may have again. */
int psp_sim_rmp_reclaim(u64 address);

/* What the driver does with pages that it lends to the firmware; 0 or negative errno. */
int psp_sim_rmp_to_firmware(u64 address);
int psp_sim_rmp_to_host(u64 address);

int psp_sim_rmp_init(void);
void psp_sim_rmp_exit(void);

#endif
