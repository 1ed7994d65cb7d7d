/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_CONFIG_H
#define KW_MODEL_CONFIG_H

#include <stddef.h>

#include "model/class.h"
#include "model/known.h"
#include "model/slots.h"

#define KW_CONFIG_TEXT_MAX 160	/* with the final 0; a line of the file is not longer */

/* What /etc/kvmward/kvmward.conf says; kvmward.conf(5) documents each key. */
struct kw_config {
	/* [slots] */
	uint32_t reserve[KW_POOL_COUNT]; /* sev_reserve, sev_es_reserve, snp_reserve: never given out */
	struct kw_u32 num_memory_encrypted_guests; /* operator's override: at most so many at once */
	/* [memory] */
	uint64_t reserved_host_memory_bytes;	/* reserved_host_memory_mb */
	uint32_t ram_allocation_thousandths;	/* ram_allocation_ratio, 1500 being 1.5; never 0 */
	/* [hook] */
	bool admit_encrypted_unasked;	/* encrypted_when_unreachable = admit | refuse */
	bool admit_plain_unasked;	/* plain_when_unreachable = admit | refuse */
	bool admit_small_memlock;	/* small_memory_lock = admit | refuse */
	/* [walls] */
	bool memory_max_wall, misc_max_wall;	/* memory_max, misc_max = yes | no */
	/* [daemon] */
	uint32_t hold_timeout_s;	/* hold_timeout: a hold without a process ends after it */
	/* [evacuation] */
	char definitions[KW_CONFIG_TEXT_MAX];	/* directory, of shared storage; "" none */
	/* [class NAME], in the order of the file */
	struct kw_class classes[KW_CLASS_MAX];
	size_t class_count;
};

/* What is in force where the file says nothing. */
void kw_config_defaults(struct kw_config *ret_config);

#endif
