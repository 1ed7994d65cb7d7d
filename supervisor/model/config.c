/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/config.h"

#include "base/text.h"

void kw_config_defaults(struct kw_config *ret_config)
{
	*ret_config = (struct kw_config){
		.reserved_host_memory_bytes = 512 * KW_MIB, /* as Nova's reserved_host_memory_mb */
		.ram_allocation_thousandths = 1000, /* and its initial_ram_allocation_ratio */
		.admit_encrypted_unasked = false,
		.admit_plain_unasked = true,
		.admit_small_memlock = false,
		.memory_max_wall = true,
		.misc_max_wall = true,
		.hold_timeout_s = 60,
	};
}
