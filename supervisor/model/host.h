/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_HOST_H
#define KW_MODEL_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/known.h"

enum kw_vendor { KW_VENDOR_OTHER, KW_VENDOR_AMD, KW_VENDOR_HYGON, KW_VENDOR_INTEL, KW_VENDOR_POWER };
enum kw_facts_source { KW_FACTS_NONE, KW_FACTS_BTF };

/*
 * Facts about the host, as HOST_GET states them (uapi/kvmward.yaml documents
 * each). Strings are empty when absent.
 */
struct kw_host {
	struct kw_u32 vendor;			/* enum kw_vendor */
	struct kw_u32 virt_in_cpu, virt_firmware_disabled, virt_usable;
	struct kw_u32 sme_in_cpu, sme_enabled, smm_locked;
	struct kw_u32 sev_in_cpu, sev_enabled;
	struct kw_u32 sev_es_in_cpu, sev_es_enabled;
	struct kw_u32 snp_in_cpu, snp_rmp_reserved, snp_active, snp_enabled, vmpls;
	struct kw_u32 c_bit_position, phys_addr_reduction;
	struct kw_u32 max_asid, min_sev_asid;
	struct kw_u32 kvm_loaded, vhost_net_loaded;
	struct kw_u32 psp_state, psp_api_major, psp_api_minor, psp_build, psp_guest_count;
	struct kw_u32 facts_source;		/* enum kw_facts_source */
	struct kw_u32 slot_events;
	char kvm_vendor_module[32];
	char facts_reason[128];
	char slot_events_reason[128];
};

/* The names of the contract: "amd", "btf". A value that it does not know is "unknown". */
const char *kw_vendor_name(uint32_t vendor);
const char *kw_facts_source_name(uint32_t source);

#endif
