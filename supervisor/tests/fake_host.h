/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host for tests: the facts that kvmwardd reads come from a page that the
 * test shares with it, also across fork(). A test program that includes this
 * defines the functions of facts/ itself, so the real ones are not linked.
 */
#ifndef KW_TESTS_FAKE_HOST_H
#define KW_TESTS_FAKE_HOST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/text.h"
#include "facts/limits.h"
#include "facts/process.h"
#include "facts/slot_events.h"
#include "facts/snapshot.h"
#include "facts/watch.h"

#define FAKE_GUESTS 24

struct fake_host {
	bool known;
	bool snp_apart;			/* the kernel counts SEV-ES and SNP as one, so neither */
	uint32_t capacity[KW_POOL_COUNT];
	struct kw_guest guests[FAKE_GUESTS];
	size_t guest_count;
	struct kw_huge_pools huge;
	uint64_t memory_bytes;		/* MemTotal */
	struct kw_u64 libvirt_memlock_bytes;
	unsigned int memlock_looks;	/* how often kvmwardd has looked for that */
	char forked[FAKE_GUESTS][KW_UUID_LEN + 1];	/* processes that have no VM yet */
	size_t forked_count;
	unsigned int looks;		/* how often kvmwardd has looked */
	void (*meanwhile)(void);	/* what happens while kvmwardd looks; NULL: nothing */
};

static struct fake_host *fake;

static inline void fake_host_open(void)
{
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* An AMD host with sev SEV slots and es SEV-ES slots, and no guest. */
static inline void fake_host_reset(uint32_t sev, uint32_t es)
{
	memset(fake, 0, sizeof(*fake));
	fake->known = true;
	fake->capacity[KW_POOL_SEV] = sev;
	fake->capacity[KW_POOL_SEV_ES] = es;
	fake->memory_bytes = 64 * KW_GIB;
	fake->libvirt_memlock_bytes = KW_U64(64 * KW_MIB); /* as systemd starts it */
}

static inline void fake_guest_add(const char *uuid, enum kw_guest_type type, pid_t pid)
{
	struct kw_guest *guest = &fake->guests[fake->guest_count];

	memset(guest, 0, sizeof(*guest));
	guest->pid = pid;
	guest->start_time_ns = KW_U64(kw_clock_boottime_ns());
	guest->type = KW_U32(type);
	guest->asid = (struct kw_u32){ type != KW_GUEST_PLAIN, (uint32_t)pid };
	guest->memory_bytes = KW_U64(256 * KW_MIB);
	guest->pinned_bytes = KW_U64(256 * KW_MIB);
	guest->vcpus = KW_U32(1);
	kw_text_copy(guest->uuid, sizeof(guest->uuid), uuid);
	guest->libvirt = true;
	fake->guest_count++;
}

/* Slots that are charged, with_asid: those of them whose ASID was found. */
static inline uint32_t fake_taken(enum kw_pool pool, bool with_asid)
{
	uint32_t count = 0;
	enum kw_pool of;

	for (size_t i = 0; i < fake->guest_count; i++) {
		const struct kw_guest *guest = &fake->guests[i];

		if (kw_guest_type_pool(guest->type.value, fake->snp_apart, &of) && of == pool)
			count += !with_asid || guest->asid.known;
	}
	return count;
}

static inline struct kw_host fake_host_facts(void)
{
	struct kw_host host = {
		.vendor = KW_U32(KW_VENDOR_AMD),
		.virt_in_cpu = KW_U32(1), .virt_firmware_disabled = KW_U32(0),
		.virt_usable = KW_U32(1), .sme_in_cpu = KW_U32(1), .sme_enabled = KW_U32(1),
		.sev_in_cpu = KW_U32(1), .sev_enabled = KW_U32(1),
		.sev_es_in_cpu = KW_U32(1), .sev_es_enabled = KW_U32(1),
		.snp_in_cpu = KW_U32(0), .snp_enabled = KW_U32(0),
		.max_asid = KW_U32(fake->capacity[0] + fake->capacity[1]),
		.min_sev_asid = KW_U32(fake->capacity[1] + 1),
		.kvm_loaded = KW_U32(1), .facts_source = KW_U32(KW_FACTS_BTF),
		.kvm_vendor_module = "kvm_amd",
	};

	return host;
}

static inline void fake_host_goes_on(void)
{
	if (fake->meanwhile)
		fake->meanwhile();
}

/* Guests first, then slots, as facts/snapshot.c leaves them when the two never agree. */
void kw_snapshot_read(struct kw_netlink **netlink, const struct kw_guest_list *before,
		      struct kw_facts *ret_facts)
{
	struct kw_facts facts = { .memory_total_bytes = KW_U64(fake->memory_bytes),
				  .hugetlb_bytes = KW_U64(0), .huge = fake->huge };

	(void)netlink, (void)before;
	fake->looks++;
	if (!fake->known) {
		kw_text_copy(facts.reason, sizeof(facts.reason), "the module is not loaded");
		*ret_facts = facts;
		return;
	}
	facts.host_known = true;
	facts.host = fake_host_facts();
	facts.guests.known = true;
	facts.guests.count = fake->guest_count;
	facts.guests.guests = calloc(fake->guest_count + 1, sizeof(struct kw_guest));
	memcpy(facts.guests.guests, fake->guests, fake->guest_count * sizeof(struct kw_guest));
	fake_host_goes_on();
	facts.slots.known = true;
	facts.slots.snp_apart = fake->snp_apart;
	for (int pool = 0; pool < KW_POOL_COUNT; pool++) {
		facts.slots.pool[pool].capacity = KW_U32(fake->capacity[pool]);
		if (!fake->snp_apart || pool == KW_POOL_SEV)
			facts.slots.pool[pool].charged = KW_U32(fake_taken(pool, false));
		facts.slots.pool[pool].in_use = KW_U32(fake_taken(pool, true));
	}
	fake_host_goes_on();
	*ret_facts = facts;
}

void kw_snapshot_watch(struct kw_netlink **netlink, const struct kw_guest_list *before,
		       struct kw_facts *ret_facts)
{
	kw_snapshot_read(netlink, before, ret_facts);
}

struct kw_u64 kw_limits_libvirt_memlock_bytes(const char *proc)
{
	(void)proc;
	fake->memlock_looks++;
	return fake->libvirt_memlock_bytes;
}

int kw_process_uuids(const char *proc, struct kw_uuid_list *ret_list)
{
	struct kw_uuid_list list = { .uuids = calloc(2 * FAKE_GUESTS, sizeof(*list.uuids)) };

	(void)proc;
	for (size_t i = 0; i < fake->guest_count; i++)
		memcpy(list.uuids[list.count++], fake->guests[i].uuid, KW_UUID_LEN + 1);
	for (size_t i = 0; i < fake->forked_count; i++)
		memcpy(list.uuids[list.count++], fake->forked[i], KW_UUID_LEN + 1);
	*ret_list = list;
	return 0;
}

void kw_process_name_guests(const char *proc, struct kw_guest_list *list)
{
	(void)proc, (void)list;
}

int kw_watch_open(void)
{
	return -EPERM; /* nothing is heard: what is tested must not depend on it */
}

bool kw_watch_drain(int fd)
{
	(void)fd;
	return false;
}

/* Likewise: the refresh does without. */
int kw_slot_events_open(struct kw_slot_events **ret_events)
{
	(void)ret_events;
	return -EPERM;
}

void kw_slot_events_close(struct kw_slot_events *events)
{
	(void)events;
}

int kw_slot_events_fd(const struct kw_slot_events *events)
{
	(void)events;
	return -1;
}

struct kw_slot_news kw_slot_events_drain(struct kw_slot_events *events,
					 void (*tell)(const struct kw_slot_event *event,
						      void *data),
					 void *data)
{
	(void)events, (void)tell, (void)data;
	return (struct kw_slot_news){ false };
}

bool kw_slot_events_joined(const struct kw_slot_events *events)
{
	return events != NULL;
}

const char *kw_slot_events_reason(const struct kw_slot_events *events)
{
	(void)events;
	return "not on this host";
}

void kw_netlink_close(struct kw_netlink *netlink)
{
	(void)netlink;
}

/* A domain of 256 MiB that keeps all rules; security is its <launchSecurity> or "". Borrowed. */
static inline const char *fake_domain(const char *name, const char *uuid, const char *security)
{
	static char xml[4096];

	snprintf(xml, sizeof(xml),
		 "<domain type='kvm'>\n<name>%s</name>\n<uuid>%s</uuid>\n"
		 "<memory unit='MiB'>256</memory>\n<vcpu>1</vcpu>\n"
		 "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune>\n"
		 "<os><type arch='x86_64' machine='q35'>hvm</type>\n"
		 "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>\n"
		 "<nvram>/nonexistent/nvram.fd</nvram></os>\n%s</domain>\n",
		 name, uuid, security);
	return xml;
}

#define FAKE_SEV "<launchSecurity type='sev'><policy>0x0033</policy></launchSecurity>\n"
#define FAKE_SEV_ES "<launchSecurity type='sev'><policy>0x0037</policy></launchSecurity>\n"

/* What a move writes into the definitions on both sides; goes where <launchSecurity> does. */
#define FAKE_MARK(word) "<metadata><kvmward:move xmlns:kvmward='urn:kvmward:move:1' job='m7' " \
			"peer='h2'>" word "</kvmward:move></metadata>\n"

#define UUID_A "aaaaaaaa-0000-4000-8000-000000000001"
#define UUID_B "bbbbbbbb-0000-4000-8000-000000000002"
#define UUID_C "cccccccc-0000-4000-8000-000000000003"

#endif
