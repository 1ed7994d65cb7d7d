/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_HOST_H
#define KVMWARD_HOST_H

#include "known.h"

/* Facts about the host, named as in uapi/kvmward.yaml, which documents each. */
struct kvmward_host {
	u32 vendor;				/* enum kvmward_vendor */
	struct kvmward_u32 virt_in_cpu, virt_firmware_disabled, virt_usable;
	struct kvmward_u32 sme_in_cpu, sme_enabled, smm_locked;
	struct kvmward_u32 sev_in_cpu, sev_enabled;
	struct kvmward_u32 sev_es_in_cpu, sev_es_enabled;
	struct kvmward_u32 snp_in_cpu, snp_rmp_reserved, snp_active, snp_enabled, vmpls;
	struct kvmward_u32 c_bit_position, phys_addr_reduction;
	struct kvmward_u32 max_asid, min_sev_asid;
	struct kvmward_u32 snp_asids;		/* that SNP has to itself, from 1 on; 0: none */
	u32 kvm_loaded, vhost_net_loaded;
	const char *kvm_vendor_module;		/* a constant; NULL: none */
	struct kvmward_u32 psp_state, psp_api_major, psp_api_minor;
	struct kvmward_u32 psp_build, psp_guest_count;
	u32 facts_source;			/* enum kvmward_facts_source */
	const char *facts_reason;		/* a constant; NULL: none */
	u32 slot_events;
	const char *slot_events_reason;		/* a constant; NULL: none */
};

/*
 * Facts of CPU, firmware and KVM, without those of the PSP and of events. May
 * sleep.
 */
void kvmward_host_read(struct kvmward_host *ret_host);

/* The part of it that differs by architecture: fills in what it knows. */
void kvmward_host_read_cpu(struct kvmward_host *host);

/* KVM's modules for the processors of this architecture; ends with NULL. */
extern const char *const kvmward_kvm_modules[];

/*
 * Adds what the SEV firmware says of itself, where a driver for it is loaded.
 * The firmware serves one command at a time, guests' launches too, so it is
 * asked ten times a second at most, and an answer may be 100 ms old. While it is
 * busy with something else nothing is added: it is waited for a quarter of a second.
 * May sleep.
 *
 * The second waits until the firmware is not being asked, when nobody will again.
 */
#ifdef CONFIG_CRYPTO_DEV_SP_PSP
void kvmward_host_read_psp(struct kvmward_host *host);
void kvmward_host_stop_psp(void);
#else
static inline void kvmward_host_read_psp(struct kvmward_host *host) { }
static inline void kvmward_host_stop_psp(void) { }
#endif

#endif
