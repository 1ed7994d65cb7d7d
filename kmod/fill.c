// SPDX-License-Identifier: GPL-2.0
/* Facts as attributes: one function for each object, whatever message it goes into. */
#include <net/netlink.h>
#include <linux/kvmward.h>

#include "fill.h"
#include "guest.h"
#include "host.h"
#include "notify.h"
#include "slots.h"

/*
 * What nla_put() does, without four calls for each of the many numbers of a
 * guest. They are of 4 or 8 bytes, so that nothing is left between attributes.
 * Readers must not rely on the alignment of those of 8, as ever with YNL.
 */
static __always_inline int put_number(struct sk_buff *skb, int attr, const void *number, int size)
{
	struct nlattr *nla;

	if (unlikely(skb_tailroom(skb) < nla_attr_size(size)))
		return -EMSGSIZE;
	nla = __skb_put(skb, nla_attr_size(size));
	nla->nla_type = attr;
	nla->nla_len = nla_attr_size(size);
	memcpy(nla_data(nla), number, size);
	return 0;
}

static int put_u32(struct sk_buff *skb, int attr, struct kvmward_u32 number)
{
	return number.known ? put_number(skb, attr, &number.value, sizeof(number.value)) : 0;
}

static int put_u64(struct sk_buff *skb, int attr, struct kvmward_u64 number)
{
	return number.known ? put_number(skb, attr, &number.value, sizeof(number.value)) : 0;
}

static int put_string(struct sk_buff *skb, int attr, const char *string)
{
	return string && *string ? nla_put_string(skb, attr, string) : 0;
}

static int fill_cpu(struct sk_buff *skb, const struct kvmward_host *host)
{
	return nla_put_u32(skb, KVMWARD_A_HOST_VENDOR, host->vendor) ||
	       put_u32(skb, KVMWARD_A_HOST_VIRT_IN_CPU, host->virt_in_cpu) ||
	       put_u32(skb, KVMWARD_A_HOST_VIRT_FIRMWARE_DISABLED,
		       host->virt_firmware_disabled) ||
	       put_u32(skb, KVMWARD_A_HOST_VIRT_USABLE, host->virt_usable) ||
	       put_u32(skb, KVMWARD_A_HOST_SME_IN_CPU, host->sme_in_cpu) ||
	       put_u32(skb, KVMWARD_A_HOST_SME_ENABLED, host->sme_enabled) ||
	       put_u32(skb, KVMWARD_A_HOST_SEV_IN_CPU, host->sev_in_cpu) ||
	       put_u32(skb, KVMWARD_A_HOST_SEV_ENABLED, host->sev_enabled) ||
	       put_u32(skb, KVMWARD_A_HOST_SEV_ES_IN_CPU, host->sev_es_in_cpu) ||
	       put_u32(skb, KVMWARD_A_HOST_SEV_ES_ENABLED, host->sev_es_enabled) ||
	       put_u32(skb, KVMWARD_A_HOST_SNP_IN_CPU, host->snp_in_cpu) ||
	       put_u32(skb, KVMWARD_A_HOST_SNP_ENABLED, host->snp_enabled) ||
	       put_u32(skb, KVMWARD_A_HOST_C_BIT_POSITION, host->c_bit_position) ||
	       put_u32(skb, KVMWARD_A_HOST_PHYS_ADDR_REDUCTION, host->phys_addr_reduction) ||
	       put_u32(skb, KVMWARD_A_HOST_MAX_ASID, host->max_asid) ||
	       put_u32(skb, KVMWARD_A_HOST_MIN_SEV_ASID, host->min_sev_asid) ||
	       put_u32(skb, KVMWARD_A_HOST_SMM_LOCKED, host->smm_locked) ||
	       put_u32(skb, KVMWARD_A_HOST_SNP_RMP_RESERVED, host->snp_rmp_reserved) ||
	       put_u32(skb, KVMWARD_A_HOST_SNP_ACTIVE, host->snp_active) ||
	       put_u32(skb, KVMWARD_A_HOST_VMPLS, host->vmpls);
}

int kvmward_fill_host(struct sk_buff *skb, const struct kvmward_host *host)
{
	if (fill_cpu(skb, host) ||
	    nla_put_u32(skb, KVMWARD_A_HOST_KVM_LOADED, host->kvm_loaded) ||
	    put_string(skb, KVMWARD_A_HOST_KVM_VENDOR_MODULE, host->kvm_vendor_module) ||
	    nla_put_u32(skb, KVMWARD_A_HOST_VHOST_NET_LOADED, host->vhost_net_loaded) ||
	    put_u32(skb, KVMWARD_A_HOST_PSP_STATE, host->psp_state) ||
	    put_u32(skb, KVMWARD_A_HOST_PSP_API_MAJOR, host->psp_api_major) ||
	    put_u32(skb, KVMWARD_A_HOST_PSP_API_MINOR, host->psp_api_minor) ||
	    put_u32(skb, KVMWARD_A_HOST_PSP_BUILD, host->psp_build) ||
	    put_u32(skb, KVMWARD_A_HOST_PSP_GUEST_COUNT, host->psp_guest_count) ||
	    nla_put_u32(skb, KVMWARD_A_HOST_FACTS_SOURCE, host->facts_source) ||
	    put_string(skb, KVMWARD_A_HOST_FACTS_REASON, host->facts_reason) ||
	    nla_put_u32(skb, KVMWARD_A_HOST_SLOT_EVENTS, host->slot_events) ||
	    put_string(skb, KVMWARD_A_HOST_SLOT_EVENTS_REASON, host->slot_events_reason))
		return -EMSGSIZE;
	return 0;
}

int kvmward_fill_slots(struct sk_buff *skb, u32 pool, const struct kvmward_slots *slots)
{
	if (nla_put_u32(skb, KVMWARD_A_SLOT_POOL, pool) ||
	    put_u32(skb, KVMWARD_A_SLOT_FIRST_ASID, slots->first_asid) ||
	    put_u32(skb, KVMWARD_A_SLOT_LAST_ASID, slots->last_asid) ||
	    put_u32(skb, KVMWARD_A_SLOT_CAPACITY, slots->capacity) ||
	    put_u32(skb, KVMWARD_A_SLOT_CHARGED, slots->charged) ||
	    put_u32(skb, KVMWARD_A_SLOT_IN_USE, slots->in_use) ||
	    put_u32(skb, KVMWARD_A_SLOT_MIRRORS, slots->mirrors))
		return -EMSGSIZE;
	return 0;
}

int kvmward_fill_event(struct sk_buff *skb, const struct kvmward_event *event,
		       const struct kvmward_slots *slots)
{
	if ((slots && kvmward_fill_slots(skb, event->pool, slots)) ||
	    nla_put_s32(skb, KVMWARD_A_SLOT_CHANGE, event->change) ||
	    put_u32(skb, KVMWARD_A_SLOT_PID, event->maker.pid) ||
	    put_u64(skb, KVMWARD_A_SLOT_START_TIME_NS, event->maker.start_time_ns))
		return -EMSGSIZE;
	return 0;
}

static int fill_holder(struct sk_buff *skb, const struct kvmward_holder *holder)
{
	return put_u64(skb, KVMWARD_A_GUEST_START_TIME_NS, kvmward_u64(holder->start_time_ns)) ||
	       put_string(skb, KVMWARD_A_GUEST_COMM, holder->comm) ||
	       put_u32(skb, KVMWARD_A_GUEST_UID, kvmward_u32(holder->uid)) ||
	       put_string(skb, KVMWARD_A_GUEST_CGROUP, holder->cgroup) ||
	       put_u32(skb, KVMWARD_A_GUEST_VHOST_NET_QUEUES,
		       kvmward_u32(holder->vhost_net_queues)) ||
	       put_u32(skb, KVMWARD_A_GUEST_TAP_QUEUES, kvmward_u32(holder->tap_queues)) ||
	       put_u64(skb, KVMWARD_A_GUEST_MM_LOCKED_BYTES, holder->mm_locked_bytes) ||
	       put_u64(skb, KVMWARD_A_GUEST_MM_PINNED_BYTES, holder->mm_pinned_bytes);
}

int kvmward_fill_guest(struct sk_buff *skb, const struct kvmward_snapshot *snapshot,
		       const struct kvmward_guest *guest)
{
	const struct kvmward_holder *holder = &snapshot->holders[guest->holder];
	u32 flags = (guest->mirror ? KVMWARD_GUEST_FLAGS_MIRROR : 0) |
		    (guest->orphan ? KVMWARD_GUEST_FLAGS_ORPHAN : 0);

	if (put_u32(skb, KVMWARD_A_GUEST_PID, kvmward_u32(holder->pid)) ||
	    fill_holder(skb, holder) ||
	    put_u32(skb, KVMWARD_A_GUEST_VM_FD, guest->vm_fd) ||
	    put_u32(skb, KVMWARD_A_GUEST_TYPE, guest->type) ||
	    put_u32(skb, KVMWARD_A_GUEST_ASID, guest->asid) ||
	    put_u64(skb, KVMWARD_A_GUEST_PINNED_BYTES, guest->pinned_bytes) ||
	    put_u64(skb, KVMWARD_A_GUEST_MEMORY_BYTES, guest->memory_bytes) ||
	    put_u32(skb, KVMWARD_A_GUEST_VCPUS, guest->vcpus) ||
	    put_u32(skb, KVMWARD_A_GUEST_NESTED_VCPUS, guest->nested_vcpus) ||
	    put_u64(skb, KVMWARD_A_GUEST_UNMOVABLE_BYTES, guest->unmovable_bytes) ||
	    (snapshot->flags_known && put_u32(skb, KVMWARD_A_GUEST_FLAGS, kvmward_u32(flags))))
		return -EMSGSIZE;
	return 0;
}
