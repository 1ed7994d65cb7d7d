/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What about the guest itself speaks against a move, whatever the destination. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "policy/entry.h"
#include "policy/move_judgement.h"
#include "policy/rules.h"

/* There is no file whose lines could be meant. */
static const char *without_line(const char *sentence)
{
	const char *colon = strstr(sentence, ": ");

	return kw_text_starts(sentence, "line ") && colon ? colon + 2 : sentence;
}

static void judge_mark(struct kw_judgement *judgement)
{
	struct kw_verdict verdict;

	if (!kw_entry_admits(&judgement->facts->domain, false, &verdict))
		kw_judge_bar(judgement, KW_ANY, verdict.code, "%s",
			     without_line(verdict.sentence));
}

/* One that is under way, too. What its mark says is more, so that it is not said twice. */
static void judge_unfinished(struct kw_judgement *judgement)
{
	const char *name = judgement->facts->domain.name;
	struct kw_u32 unfinished = judgement->facts->unfinished;

	if (kw_u32_yes(unfinished) && !kw_judge_has(judgement, KW_GUEST_MOVING))
		kw_judge_bar(judgement, KW_ANY, KW_GUEST_MOVING,
			     "a move of this guest is not finished; 'kvmward job' shows it, "
			     "'kvmward job resume %s' goes on with it, 'kvmward job undo %s' takes "
			     "it back",
			     name, name);
	else if (!unfinished.known)
		kw_judge_warn(judgement, KW_ANY, KW_MOVE_UNKNOWN,
			      "whether an earlier move of the guest is not finished is not known, "
			      "since its job can be seen by root only");
}

/* Source: Nova's KVM guide; QEMU has no migration of SEV guests. */
static void judge_encryption(struct kw_judgement *judgement)
{
	const struct kw_domain *domain = &judgement->facts->domain;
	struct kw_verdict broken[16];
	size_t count = kw_rules_broken(domain, broken, 16);

	if (domain->security == KW_SECURITY_NONE)
		return;
	kw_judge_bar(judgement, KW_LIVE, KW_LIVE_ENCRYPTED,
		     "the guest is encrypted (<launchSecurity type='%s'>), and the key of its "
		     "memory does not leave this host's processor: it moves cold only",
		     domain->security_type);
	for (size_t i = 0; i < count; i++)
		kw_judge_bar(judgement, KW_ANY, broken[i].code, "%s",
			     without_line(broken[i].sentence));
}

static void judge_run(struct kw_judgement *judgement)
{
	switch (judgement->facts->run) {
	case KW_RUN_OFF:
		kw_judge_bar(judgement, KW_LIVE, KW_LIVE_OFF,
			     "the guest is off, and only one that runs can move live");
		break;
	case KW_RUN_RUNS:
		break;
	case KW_RUN_PAUSED:
		kw_judge_bar(judgement, KW_COLD, KW_GUEST_STATE,
			     "the guest is paused, and so it cannot shut down; resume it with "
			     "'virsh resume'");
		break;
	case KW_RUN_STOPPED:
		kw_judge_bar(judgement, KW_ANY, KW_GUEST_STATE,
			     "the guest has crashed, is suspended, or is about to go on or off; "
			     "see 'virsh domstate --reason', and wake it or stop it");
		break;
	case KW_RUN_UNKNOWN:
		kw_judge_bar(judgement, KW_ANY, KW_MOVE_UNKNOWN,
			     "libvirt does not tell whether the guest runs");
	}
}

static void judge_definition(struct kw_judgement *judgement)
{
	struct kw_u32 persistent = judgement->facts->persistent;

	if (kw_u32_no(persistent))
		kw_judge_bar(judgement, KW_COLD, KW_GUEST_TRANSIENT,
			     "the guest is transient: shut down it would be gone, with nothing to "
			     "start it from; define it with 'virsh define', or move it live");
	else if (!persistent.known)
		kw_judge_bar(judgement, KW_COLD, KW_MOVE_UNKNOWN,
			     "libvirt does not tell whether the guest is defined for good");
}

static void judge_saved_state(struct kw_judgement *judgement)
{
	struct kw_u32 saved = judgement->facts->managed_save;

	if (kw_u32_yes(saved))
		kw_judge_bar(judgement, KW_ANY, KW_SAVED_STATE,
			     "libvirt keeps a saved memory of the guest (managed save), which "
			     "belongs to the disks as they are and does not go along; start the "
			     "guest, or drop it with 'virsh managedsave-remove'");
	else if (!saved.known)
		kw_judge_warn(judgement, KW_ANY, KW_MOVE_UNKNOWN,
			      "libvirt does not tell whether it keeps a saved memory of the guest");
}

static void judge_kept(struct kw_judgement *judgement, struct kw_u32 kept, const char *what)
{
	if (kw_u32_yes(kept))
		kw_judge_bar(judgement, KW_ANY, KW_SNAPSHOTS_KEPT,
			     "libvirt keeps %" PRIu32 " %s%s of the guest, which it does not hand "
			     "on; delete what is not needed any more with 'virsh %s-delete'",
			     kept.value, what, kept.value == 1 ? "" : "s", what);
	else if (!kept.known)
		kw_judge_warn(judgement, KW_ANY, KW_MOVE_UNKNOWN,
			      "libvirt does not tell whether it keeps %ss of the guest", what);
}

static void judge_nested(struct kw_judgement *judgement)
{
	struct kw_u32 nested = judgement->facts->nested_vcpus;

	if (judgement->facts->run == KW_RUN_OFF)
		return;
	if (kw_u32_yes(nested))
		kw_judge_passing(judgement, KW_LIVE_NESTED,
				 "guests run inside this guest: the kernel counts %" PRIu32 " of "
				 "its vCPUs in nested guest mode (nested-vcpus), whose state may "
				 "not survive a live move; wait until they have ended, or move it "
				 "cold",
				 nested.value);
	else if (!nested.known)
		kw_judge_warn(judgement, KW_LIVE, KW_MOVE_UNKNOWN,
			      "whether guests run inside this guest is not known, since the kernel "
			      "module does not tell; 'modprobe kvmward', and see 'kvmward guests'");
}

const char *kw_device_of_host(const struct kw_device *device)
{
	if (device->kind == KW_DEVICE_HOSTDEV)
		return device->model;
	if (device->kind == KW_DEVICE_TPM)
		return !strcmp(device->type, "passthrough") ? "tpm" : "";
	if (device->kind == KW_DEVICE_INTERFACE &&
	    (!strcmp(device->type, "hostdev") || !strcmp(device->type, "vdpa")))
		return device->type;
	return "";
}

static void judge_device(struct kw_judgement *judgement, const struct kw_device *device,
			 unsigned int kinds)
{
	const char *type = kw_device_of_host(device);

	if (*type)
		kw_judge_bar(judgement, kinds, KW_HOST_DEVICE,
			     "a device of this host is passed to the guest (type '%s'), and stays "
			     "when the guest goes; detach it first with 'virsh detach-device'",
			     type);
	if (device->kind == KW_DEVICE_TPM && !strcmp(device->type, "emulator"))
		kw_judge_bar(judgement, KW_COLD, KW_TPM_LOCAL,
			     "the guest has a TPM whose state libvirt keeps on this host, and "
			     "would find an empty one there; move it live, or remove <tpm>");
}

/* The same would be said of both. */
static bool has_like(const struct kw_domain *domain, const struct kw_device *device)
{
	for (size_t i = 0; i < domain->device_count; i++) {
		const struct kw_device *other = &domain->devices[i];

		if (other->kind == device->kind && !strcmp(other->type, device->type) &&
		    !strcmp(kw_device_of_host(other), kw_device_of_host(device)))
			return true;
	}
	return false;
}

/* A cold move starts what is defined, which need not be what runs. */
static void judge_devices(struct kw_judgement *judgement)
{
	const struct kw_domain *domain = &judgement->facts->domain;
	const struct kw_domain *next = &judgement->facts->next;

	for (size_t i = 0; i < domain->device_count; i++)
		judge_device(judgement, &domain->devices[i], KW_ANY);
	for (size_t i = 0; i < next->device_count; i++)
		if (!has_like(domain, &next->devices[i]))
			judge_device(judgement, &next->devices[i], KW_COLD);
}

void kw_judge_guest(struct kw_judgement *judgement)
{
	judge_mark(judgement);
	judge_unfinished(judgement);
	judge_run(judgement);
	judge_definition(judgement);
	judge_encryption(judgement);
	judge_nested(judgement);
	judge_saved_state(judgement);
	judge_kept(judgement, judgement->facts->snapshots, "snapshot");
	judge_kept(judgement, judgement->facts->checkpoints, "checkpoint");
	judge_devices(judgement);
}
