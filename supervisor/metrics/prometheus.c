/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/prometheus.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/utf8.h"

struct number {
	const char *name, *help;
	size_t offset;		/* of a kw_u32 or kw_u64 */
};

#define HOST(field, help) { "kvmward_host_" #field, help, offsetof(struct kw_host, field) }

static const struct number host_numbers[] = {
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

static const struct number slot_numbers[] = {
	SLOTS(first_asid, "Lowest ASID of the pool."),
	SLOTS(last_asid, "Highest ASID of the pool."),
	SLOTS(capacity, "Slots that the kernel gives out."),
	SLOTS(charged, "Slots taken by the kernel's own count, leaked ones included."),
	SLOTS(in_use, "Slots held by guests that were seen."),
	SLOTS(mirrors, "Mirror guests seen, which take no slot."),
};

#define ADDED(field, help) \
	{ "kvmward_slots_" #field, help, offsetof(struct kw_metrics_pool, field) }

static const struct number added_numbers[] = {
	ADDED(held, "Slots admitted by kvmwardd and not yet taken."),
	ADDED(reserved, "Slots that the operator keeps back."),
	ADDED(free, "Slots that kvmwardd would still give out."),
	ADDED(waiting, "Guests that wait for a slot of the pool, or for memory."),
};

#define GUEST(field, help) { "kvmward_guest_" #field, help, offsetof(struct kw_guest, field) }

static const struct number guest_numbers[] = {
	GUEST(asid, "ASID of an encrypted guest."),
	GUEST(vcpus, "Virtual CPUs created."),
	GUEST(nested_vcpus, "Virtual CPUs that run a nested guest."),
	GUEST(vhost_net_queues, "vhost-net files open in the guest's process."),
	GUEST(tap_queues, "Tap or tun queues open in the guest's process."),
};

static const struct number guest_bytes[] = {
	GUEST(pinned_bytes, "Memory that SEV has pinned, which /proc does not show."),
	GUEST(unmovable_bytes, "Memory that is pinned or that guest_memfd holds for the guest."),
	GUEST(claimed_pinned_bytes, "What kvmwardd expected the guest to pin, where it pins otherwise."),
	GUEST(memory_bytes, "Memory that the guest sees."),
	GUEST(mm_locked_bytes, "VmLck of the guest's process."),
	GUEST(mm_pinned_bytes, "VmPin of the guest's process."),
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct kw_u32 u32_at(const void *object, size_t offset)
{
	return *(const struct kw_u32 *)((const char *)object + offset);
}

static struct kw_u64 u64_at(const void *object, size_t offset)
{
	return *(const struct kw_u64 *)((const char *)object + offset);
}

static void family(FILE *to, const char *name, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void single(FILE *to, const char *name, const char *help, uint64_t value)
{
	family(to, name, help);
	fprintf(to, "%s %" PRIu64 "\n", name, value);
}

/* A label that terminals can show too: control characters become U+FFFD. */
static int label(FILE *to, char before, const char *name, const char *value)
{
	_cleanup_free_ char *text = kw_utf8_repair(value);

	if (!text)
		return -ENOMEM;
	fprintf(to, "%c%s=\"", before, name);
	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			fputs("\\n", to);
		else if (*at == '"' || *at == '\\')
			fprintf(to, "\\%c", *at);
		else if ((unsigned char)*at < ' ' || *at == 0x7f)
			fputs("\xef\xbf\xbd", to);
		else
			fputc(*at, to);
	}
	fputc('"', to);
	return 0;
}

static void number_label(FILE *to, const char *name, struct kw_u32 number)
{
	if (number.known)
		fprintf(to, ",%s=\"%" PRIu32 "\"", name, number.value);
}

static int write_host_info(const struct kw_host *host, FILE *to)
{
	int error;

	family(to, "kvmward_host_info", "What the host is; always 1.");
	fputs("kvmward_host_info", to);
	error = label(to, '{', "vendor",
		      host->vendor.known ? kw_vendor_name(host->vendor.value) : "");
	if (!error)
		error = label(to, ',', "kvm_vendor_module", host->kvm_vendor_module);
	if (!error)
		error = label(to, ',', "facts_source",
			      host->facts_source.known
				      ? kw_facts_source_name(host->facts_source.value)
				      : "");
	if (!error)
		error = label(to, ',', "facts_reason", host->facts_reason);
	if (!error)
		error = label(to, ',', "slot_events_reason", host->slot_events_reason);
	number_label(to, "psp_api_major", host->psp_api_major);
	number_label(to, "psp_api_minor", host->psp_api_minor);
	number_label(to, "psp_build", host->psp_build);
	fputs("} 1\n", to);
	return error;
}

static int write_host(const struct kw_host *host, FILE *to)
{
	for (size_t i = 0; i < COUNT(host_numbers); i++) {
		struct kw_u32 value = u32_at(host, host_numbers[i].offset);

		if (value.known)
			single(to, host_numbers[i].name, host_numbers[i].help, value.value);
	}
	return write_host_info(host, to);
}

/* One family over all pools; objects[pool] holds the field. */
static void write_pools(const struct number *number, const void *const objects[KW_POOL_COUNT],
			FILE *to)
{
	bool begun = false;

	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++) {
		struct kw_u32 value = u32_at(objects[pool], number->offset);

		if (!value.known)
			continue;
		if (!begun)
			family(to, number->name, number->help);
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
			family(to, of->name, of->help);
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

/* The labels that every series of a guest has; pid and vm_fd make them unique. */
static int guest_labels(const struct kw_guest *guest, FILE *to)
{
	int error = label(to, '{', "name", kw_guest_title(guest));

	if (!error)
		error = label(to, ',', "uuid", guest->uuid);
	fprintf(to, ",pid=\"%d\"", (int)guest->pid);
	number_label(to, "vm_fd", guest->vm_fd);
	if (guest->type.known)
		fprintf(to, ",type=\"%s\"", kw_guest_type_name(guest->type.value));
	return error;
}

static int write_guest_value(const struct number *number, const struct kw_guest *guest,
			     uint64_t value, FILE *to)
{
	int error;

	fputs(number->name, to);
	error = guest_labels(guest, to);
	fprintf(to, "} %" PRIu64 "\n", value);
	return error;
}

static int write_guest_family(const struct number *number, bool wide,
			      const struct kw_guest_list *list, FILE *to)
{
	bool begun = false;
	int error = 0;

	for (size_t i = 0; i < list->count && !error; i++) {
		const struct kw_guest *guest = &list->guests[i];
		struct kw_u32 narrow = { 0 };
		struct kw_u64 value = { 0 };

		if (wide) {
			value = u64_at(guest, number->offset);
		} else {
			narrow = u32_at(guest, number->offset);
			value = (struct kw_u64){ narrow.known, narrow.value };
		}
		if (!value.known)
			continue;
		if (!begun)
			family(to, number->name, number->help);
		begun = true;
		error = write_guest_value(number, guest, value.value, to);
	}
	return error;
}

static int write_guest_start(const struct kw_guest_list *list, FILE *to)
{
	const char *name = "kvmward_guest_start_after_boot_seconds";
	bool begun = false;
	int error = 0;

	for (size_t i = 0; i < list->count && !error; i++) {
		struct kw_u64 start = list->guests[i].start_time_ns;

		if (!start.known)
			continue;
		if (!begun)
			family(to, name, "When the guest's process started, counted from boot.");
		begun = true;
		fputs(name, to);
		error = guest_labels(&list->guests[i], to);
		fprintf(to, "} %.3f\n", (double)start.value / 1e9);
	}
	return error;
}

/* An empty label is one that is not there. */
static const char *flag_word(const struct kw_guest *guest, bool set)
{
	if (!guest->flags_known)
		return "";
	return set ? "yes" : "no";
}

static int write_guest_info(const struct kw_guest *guest, FILE *to)
{
	int error;

	fputs("kvmward_guest_info", to);
	error = guest_labels(guest, to);
	if (!error)
		error = label(to, ',', "comm", guest->comm);
	if (!error)
		error = label(to, ',', "cgroup", guest->cgroup);
	number_label(to, "uid", guest->uid);
	fprintf(to, ",libvirt=\"%s\",mirror=\"%s\",orphan=\"%s\"} 1\n",
		guest->libvirt ? "yes" : "no", flag_word(guest, guest->mirror),
		flag_word(guest, guest->orphan));
	return error;
}

static int write_guests(const struct kw_guest_list *list, FILE *to)
{
	int error = 0;

	single(to, "kvmward_guests", "KVM guests seen, whoever made them.", list->count);
	if (list->count)
		family(to, "kvmward_guest_info", "What a guest is; always 1.");
	for (size_t i = 0; i < list->count && !error; i++)
		error = write_guest_info(&list->guests[i], to);
	if (!error)
		error = write_guest_start(list, to);
	for (size_t i = 0; i < COUNT(guest_numbers) && !error; i++)
		error = write_guest_family(&guest_numbers[i], false, list, to);
	for (size_t i = 0; i < COUNT(guest_bytes) && !error; i++)
		error = write_guest_family(&guest_bytes[i], true, list, to);
	return error;
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
			family(to, "kvmward_wall_up", "The kernel holds this limit around guests.");
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
		single(to, "kvmward_wall_memory_bytes", "Memory that guests have at most.",
		       walls->wall[KW_WALL_MEMORY].limit.value);
	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++) {
		if (!stands(walls, kw_wall_of(key)))
			continue;
		if (!begun)
			family(to, "kvmward_wall_slots", "Slots that guests have at most.");
		begun = true;
		fprintf(to, "kvmward_wall_slots{key=\"%s\"} %" PRIu64 "\n", kw_misc_name(key),
			walls->wall[kw_wall_of(key)].limit.value);
	}
}

int kw_prometheus_write(const struct kw_metrics *metrics, FILE *to)
{
	const struct kw_facts *facts = metrics->facts;
	int error = 0;

	single(to, "kvmward_module_up", "The kernel module has answered.", facts->host_known);
	single(to, "kvmward_daemon_up", "kvmwardd has answered.", metrics->daemon_reachable);
	if (metrics->daemon_reachable)
		single(to, "kvmward_draining", "The host is being drained: no guest is let in.",
		       metrics->draining);
	single(to, "kvmward_guests_known", "The kernel module has listed the guests.",
	       facts->guests.known);
	if (facts->memory_total_bytes.known)
		single(to, "kvmward_host_memory_bytes", "MemTotal of the host.",
		       facts->memory_total_bytes.value);
	if (facts->host_known)
		error = write_host(&facts->host, to);
	write_slots(metrics, to);
	write_classes(metrics->classes, to);
	write_walls(&metrics->walls, to);
	write_wall_limits(&metrics->walls, to);
	if (!error && facts->guests.known)
		error = write_guests(&facts->guests, to);
	return error;
}
