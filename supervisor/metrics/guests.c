/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of each guest, as series with its labels. */
#include "metrics/guests.h"

#include <inttypes.h>

#include "metrics/text.h"

#define GUEST(field, help) { "kvmward_guest_" #field, help, offsetof(struct kw_guest, field) }

static const struct kw_metric guest_numbers[] = {
	GUEST(asid, "ASID of an encrypted guest."),
	GUEST(vcpus, "Virtual CPUs created."),
	GUEST(nested_vcpus, "Virtual CPUs that run a nested guest."),
	GUEST(vhost_net_queues, "vhost-net files open in the guest's process."),
	GUEST(tap_queues, "Tap or tun queues open in the guest's process."),
};

static const struct kw_metric guest_bytes[] = {
	GUEST(pinned_bytes, "Memory that SEV has pinned, which /proc does not show."),
	GUEST(unmovable_bytes, "Memory that is pinned or that guest_memfd holds for the guest."),
	GUEST(claimed_pinned_bytes, "What kvmwardd expected the guest to pin, where it pins otherwise."),
	GUEST(memory_bytes, "Memory that the guest sees."),
	GUEST(mm_locked_bytes, "VmLck of the guest's process."),
	GUEST(mm_pinned_bytes, "VmPin of the guest's process."),
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The labels that every series of a guest has; pid and vm_fd make them unique. */
static int guest_labels(const struct kw_guest *guest, FILE *to)
{
	int error = kw_metric_label(to, '{', "name", kw_guest_title(guest));

	if (!error)
		error = kw_metric_label(to, ',', "uuid", guest->uuid);
	fprintf(to, ",pid=\"%d\"", (int)guest->pid);
	kw_metric_number_label(to, "vm_fd", guest->vm_fd);
	if (guest->type.known)
		fprintf(to, ",type=\"%s\"", kw_guest_type_name(guest->type.value));
	return error;
}

static int write_guest_value(const struct kw_metric *number, const struct kw_guest *guest,
			     uint64_t value, FILE *to)
{
	int error;

	fputs(number->name, to);
	error = guest_labels(guest, to);
	fprintf(to, "} %" PRIu64 "\n", value);
	return error;
}

static int write_guest_family(const struct kw_metric *number, bool wide,
			      const struct kw_guest_list *list, FILE *to)
{
	bool begun = false;
	int error = 0;

	for (size_t i = 0; i < list->count && !error; i++) {
		const struct kw_guest *guest = &list->guests[i];
		struct kw_u32 narrow = { 0 };
		struct kw_u64 value = { 0 };

		if (wide) {
			value = kw_metric_u64(guest, number->offset);
		} else {
			narrow = kw_metric_u32(guest, number->offset);
			value = (struct kw_u64){ narrow.known, narrow.value };
		}
		if (!value.known)
			continue;
		if (!begun)
			kw_metric_family(to, number->name, number->help);
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
			kw_metric_family(to, name,
					 "When the guest's process started, counted from boot.");
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
		error = kw_metric_label(to, ',', "comm", guest->comm);
	if (!error)
		error = kw_metric_label(to, ',', "cgroup", guest->cgroup);
	kw_metric_number_label(to, "uid", guest->uid);
	fprintf(to, ",libvirt=\"%s\",mirror=\"%s\",orphan=\"%s\"} 1\n",
		guest->libvirt ? "yes" : "no", flag_word(guest, guest->mirror),
		flag_word(guest, guest->orphan));
	return error;
}

int kw_prometheus_guests(const struct kw_guest_list *list, FILE *to)
{
	int error = 0;

	kw_metric_single(to, "kvmward_guests", "KVM guests seen, whoever made them.", list->count);
	if (list->count)
		kw_metric_family(to, "kvmward_guest_info", "What a guest is; always 1.");
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
