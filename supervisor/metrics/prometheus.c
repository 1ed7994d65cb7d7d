/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/prometheus.h"

#include <inttypes.h>
#include <stddef.h>

#include "metrics/guests.h"
#include "metrics/text.h"

#define HOST(field, help) { "kvmward_host_" #field, help, offsetof(struct kw_host, field) }

static const struct kw_metric host_numbers[] = {
	HOST(virt_in_cpu, "The processor has hardware virtualisation."),
	HOST(virt_firmware_disabled, "Firmware has switched virtualisation off."),
	HOST(virt_usable, "Virtualisation is in the processor and not switched off."),
	HOST(sme_in_cpu, "The processor has SME."),
	HOST(sme_enabled, "Firmware has enabled memory encryption."),
	HOST(smm_locked, "Firmware has locked system management mode, as SEV needs it."),
	HOST(sev_in_cpu, "The processor has SEV."),
	HOST(sev_enabled, "KVM offers SEV guests."),
	HOST(sev_es_in_cpu, "The processor has SEV-ES."),
	HOST(sev_es_enabled, "KVM offers SEV-ES guests."),
	HOST(snp_in_cpu, "The processor has SEV-SNP."),
	HOST(snp_rmp_reserved, "Firmware has set memory aside for SEV-SNP's RMP table."),
	HOST(snp_active, "SEV-SNP is switched on in the processor."),
	HOST(snp_enabled, "KVM offers SEV-SNP guests."),
	HOST(vmpls, "VM permission levels of a SEV-SNP guest."),
	HOST(c_bit_position, "Page-table bit that marks a page encrypted."),
	HOST(phys_addr_reduction, "Physical address bits lost to encryption."),
	HOST(max_asid, "Highest ASID of the processor."),
	HOST(min_sev_asid, "Lowest ASID that a SEV (not ES) guest may take."),
	HOST(kvm_loaded, "The module kvm is loaded or built in."),
	HOST(vhost_net_loaded, "The module vhost_net is loaded or built in."),
	HOST(slot_events, "The module tells of slots that change hands."),
	HOST(psp_state, "SEV firmware: 0 uninitialised, 1 initialised, 2 working."),
	/* Not its field's name: Prometheus keeps "_count" for histograms. */
	{ "kvmward_host_psp_guests", "SEV and SEV-ES guests that the firmware holds keys for.",
	  offsetof(struct kw_host, psp_guest_count) },
};

#define SLOTS(field, help) { "kvmward_slots_" #field, help, offsetof(struct kw_slots, field) }

static const struct kw_metric slot_numbers[] = {
	SLOTS(first_asid, "Lowest ASID of the pool."),
	SLOTS(last_asid, "Highest ASID of the pool."),
	SLOTS(capacity, "Slots that the kernel gives out."),
	SLOTS(charged, "Slots taken by the kernel's own count, leaked ones included."),
	SLOTS(in_use, "Slots held by guests that were seen."),
	SLOTS(mirrors, "Mirror guests seen, which take no slot."),
};

#define ADDED(field, help) \
	{ "kvmward_slots_" #field, help, offsetof(struct kw_metrics_pool, field) }

static const struct kw_metric added_numbers[] = {
	ADDED(held, "Slots admitted by kvmwardd and not yet taken."),
	ADDED(reserved, "Slots that the operator keeps back."),
	ADDED(free, "Slots that kvmwardd would still give out."),
	ADDED(waiting, "Guests that wait for a slot of the pool, or for memory."),
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int write_host_info(const struct kw_host *host, FILE *to)
{
	int error;

	kw_metric_family(to, "kvmward_host_info", "What the host is; always 1.");
	fputs("kvmward_host_info", to);
	error = kw_metric_label(to, '{', "vendor",
				host->vendor.known ? kw_vendor_name(host->vendor.value) : "");
	if (!error)
		error = kw_metric_label(to, ',', "kvm_vendor_module", host->kvm_vendor_module);
	if (!error)
		error = kw_metric_label(to, ',', "facts_source",
					host->facts_source.known
						? kw_facts_source_name(host->facts_source.value)
						: "");
	if (!error)
		error = kw_metric_label(to, ',', "facts_reason", host->facts_reason);
	if (!error)
		error = kw_metric_label(to, ',', "slot_events_reason", host->slot_events_reason);
	kw_metric_number_label(to, "psp_api_major", host->psp_api_major);
	kw_metric_number_label(to, "psp_api_minor", host->psp_api_minor);
	kw_metric_number_label(to, "psp_build", host->psp_build);
	fputs("} 1\n", to);
	return error;
}

static int write_host(const struct kw_host *host, FILE *to)
{
	for (size_t i = 0; i < COUNT(host_numbers); i++) {
		struct kw_u32 value = kw_metric_u32(host, host_numbers[i].offset);

		if (value.known)
			kw_metric_single(to, host_numbers[i].name, host_numbers[i].help,
					 value.value);
	}
	return write_host_info(host, to);
}

/* One family over all pools; objects[pool] holds the field. */
static void write_pools(const struct kw_metric *number, const void *const objects[KW_POOL_COUNT],
			FILE *to)
{
	bool begun = false;

	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		struct kw_u32 value = kw_metric_u32(objects[pool], number->offset);

		if (!value.known)
			continue;
		if (!begun)
			kw_metric_family(to, number->name, number->help);
		begun = true;
		fprintf(to, "%s{pool=\"%s\"} %" PRIu32 "\n", number->name, kw_pool_name(pool),
			value.value);
	}
}

static void write_slots(const struct kw_metrics *metrics, FILE *to)
{
	const struct kw_slots *slots = metrics->facts->slots.pool;
	const void *kernel[KW_POOL_COUNT], *added[KW_POOL_COUNT];

	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		kernel[pool] = &slots[pool];
		added[pool] = &metrics->pools[pool];
	}

	for (size_t i = 0; metrics->facts->slots.known && i < COUNT(slot_numbers); i++)
		write_pools(&slot_numbers[i], kernel, to);
	for (size_t i = 0; i < COUNT(added_numbers); i++)
		write_pools(&added_numbers[i], added, to);
}

static const struct class_family {
	const char *name, *help;
	enum kw_class_thing thing;
	size_t offset;		/* of a uint64_t, or of the kw_u64 limit */
} class_families[] = {
	{ "kvmward_class_slots_used", "Slots that guests of the class have or are promised.",
	  KW_CLASS_SLOTS, offsetof(struct kw_class_use, used) },
	{ "kvmward_class_slots_reserve", "Slots that are set aside for the class.",
	  KW_CLASS_SLOTS, offsetof(struct kw_class_use, reserve) },
	{ "kvmward_class_slots_limit", "The most slots that the class may have.",
	  KW_CLASS_SLOTS, offsetof(struct kw_class_use, limit) },
	{ "kvmward_class_memory_used_bytes", "Memory that guests of the class have or are promised.",
	  KW_CLASS_MEMORY, offsetof(struct kw_class_use, used) },
	{ "kvmward_class_memory_reserve_bytes", "Memory that is set aside for the class.",
	  KW_CLASS_MEMORY, offsetof(struct kw_class_use, reserve) },
	{ "kvmward_class_memory_limit_bytes", "The most memory that the class may have.",
	  KW_CLASS_MEMORY, offsetof(struct kw_class_use, limit) },
};

static struct kw_u64 class_value(const struct class_family *of, const struct kw_class_use *use)
{
	if (of->thing != use->thing)
		return (struct kw_u64){ 0 };
	if (of->offset == offsetof(struct kw_class_use, limit))
		return use->limit;
	return KW_U64(*(const uint64_t *)((const char *)use + of->offset));
}

/* Names of classes are letters and digits: nothing to escape. The default class has none. */
static void write_class_family(const struct class_family *of, const struct kw_class_table *table,
			       FILE *to)
{
	bool begun = false;

	for (size_t i = 0; i < table->count; i++) {
		const struct kw_class_use *use = &table->uses[i];
		struct kw_u64 value = class_value(of, use);

		if (!value.known)
			continue;
		if (!begun)
			kw_metric_family(to, of->name, of->help);
		begun = true;
		fprintf(to, "%s{class=\"%s\"", of->name, use->class_name);
		if (of->thing == KW_CLASS_SLOTS)
			fprintf(to, ",pool=\"%s\"", kw_pool_name(use->pool));
		fprintf(to, "} %" PRIu64 "\n", value.value);
	}
}

static void write_classes(const struct kw_class_table *table, FILE *to)
{
	for (size_t i = 0; table && i < COUNT(class_families); i++)
		write_class_family(&class_families[i], table, to);
}

/* One that is switched off is left out: nothing is wrong with it. */
static void write_walls(const struct kw_walls_status *walls, FILE *to)
{
	bool begun = false;

	for (enum kw_wall wall = 0; walls->known && wall < KW_WALL_COUNT; wall++) {
		const struct kw_wall_status *status = &walls->wall[wall];

		if (status->state == KW_WALL_OFF)
			continue;
		if (!begun)
			kw_metric_family(to, "kvmward_wall_up",
					 "The kernel holds this limit around guests.");
		begun = true;
		fprintf(to, "kvmward_wall_up{wall=\"%s\"} %d\n", kw_wall_name(wall),
			status->state == KW_WALL_OK);
	}
}

static bool stands(const struct kw_walls_status *walls, enum kw_wall wall)
{
	return walls->known && walls->wall[wall].state == KW_WALL_OK &&
	       walls->wall[wall].limit.known;
}

static void write_wall_limits(const struct kw_walls_status *walls, FILE *to)
{
	bool begun = false;

	if (stands(walls, KW_WALL_MEMORY))
		kw_metric_single(to, "kvmward_wall_memory_bytes",
				 "Memory that guests have at most.",
				 walls->wall[KW_WALL_MEMORY].limit.value);
	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++) {
		if (!stands(walls, kw_wall_of(key)))
			continue;
		if (!begun)
			kw_metric_family(to, "kvmward_wall_slots",
					 "Slots that guests have at most.");
		begun = true;
		fprintf(to, "kvmward_wall_slots{key=\"%s\"} %" PRIu64 "\n", kw_misc_name(key),
			walls->wall[kw_wall_of(key)].limit.value);
	}
}

int kw_prometheus_write(const struct kw_metrics *metrics, FILE *to)
{
	const struct kw_facts *facts = metrics->facts;
	int error = 0;

	kw_metric_single(to, "kvmward_module_up", "The kernel module has answered.",
			 facts->host_known);
	kw_metric_single(to, "kvmward_daemon_up", "kvmwardd has answered.",
			 metrics->daemon_reachable);
	if (metrics->daemon_reachable)
		kw_metric_single(to, "kvmward_draining",
				 "The host is being drained: no guest is let in.",
				 metrics->draining);
	kw_metric_single(to, "kvmward_guests_known", "The kernel module has listed the guests.",
			 facts->guests.known);
	if (facts->memory_total_bytes.known)
		kw_metric_single(to, "kvmward_host_memory_bytes", "MemTotal of the host.",
				 facts->memory_total_bytes.value);
	if (facts->host_known)
		error = write_host(&facts->host, to);
	write_slots(metrics, to);
	write_classes(metrics->classes, to);
	write_walls(&metrics->walls, to);
	write_wall_limits(&metrics->walls, to);
	if (!error && facts->guests.known)
		error = kw_prometheus_guests(&facts->guests, to);
	return error;
}
