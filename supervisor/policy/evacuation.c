/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/evacuation.h"

#include <string.h>

#include "policy/move_judgement.h"

struct judge {
	struct kw_judgement found;
	const struct kw_evacuee *evacuee;
	bool force;
};

void kw_evacuation_judge_host(const struct kw_gone_host *host, bool force,
			      struct kw_verdict *ret_verdict)
{
	if (host->is_this)
		kw_verdict_set(ret_verdict, KW_DEST_SAME, "%s is this host", host->name);
	else if (kw_u32_yes(host->answers))
		kw_verdict_set(ret_verdict, KW_HOST_ALIVE,
			       "%s is not gone: %s; move its guests with 'kvmward migrate' or "
			       "'kvmward drain', or switch it off", host->name, host->words);
	else if (host->keeps == KW_LOCK_HELD)
		kw_verdict_set(ret_verdict, KW_HOST_ALIVE,
			       "%s does not answer, but the storage shows its lock: it is cut off "
			       "from here and lives, or has not been gone for long; over NFSv4 a "
			       "lock ends with its lease, 90 s by default after the host's last "
			       "word; switch it off, and try again", host->name);
	else if (!host->answers.known && !force)
		kw_verdict_set(ret_verdict, KW_HOST_UNKNOWN,
			       "%s cannot be asked whether it is gone: %s; have this host resolve "
			       "its name, or make sure that it is off and say --force", host->name,
			       host->words);
	else
		kw_verdict_set(ret_verdict, KW_ADMITTED, "%s does not answer", host->name);
}

/* What force makes a warning. */
#define judge_doubt(judge, code, ...)                                                              \
	((judge)->force ? kw_judge_warn : kw_judge_bar)(&(judge)->found, KW_ANY, code, __VA_ARGS__)

static void judge_local(struct judge *judge, const struct kw_move_disk *disk)
{
	if (disk->read_only)
		kw_judge_warn(&judge->found, KW_ANY, KW_DISK_LOCAL,
			      "disk '%s': %s is on %s of this host only, and may be another than the "
			      "guest had; it is read-only", disk->target, disk->source, disk->where);
	else
		kw_judge_bar(&judge->found, KW_ANY, KW_DISK_LOCAL,
			     "disk '%s': %s is on %s of this host only, so it is not the one that "
			     "the guest had; that went with the other host", disk->target,
			     disk->source, disk->where);
}

static void judge_disk(struct judge *judge, const struct kw_move_disk *disk,
		       const struct kw_evacuee_disk *seen)
{
	if (*seen->missing)
		kw_judge_bar(&judge->found, KW_ANY, KW_DISK_MISSING,
			     "disk '%s': %s cannot be opened on this host: %s; mount its storage, or "
			     "take another host", disk->target, disk->source, seen->missing);
	else if (disk->reach == KW_DISK_HERE)
		judge_local(judge, disk);
	else if (disk->reach == KW_DISK_UNKNOWN)
		judge_doubt(judge, KW_DISK_UNSEEN,
			    "disk '%s': %s is on %s, and whether it is the one that the guest had "
			    "cannot be told; make sure that it is, and say --force", disk->target,
			    disk->source, *disk->where ? disk->where : "something that is not known");
	if (seen->lock == KW_LOCK_HELD)
		kw_judge_bar(&judge->found, KW_ANY, KW_DISK_LOCKED,
			     "disk '%s': a QEMU somewhere has %s open for writing, so the guest may "
			     "still run; over NFSv4 the lock of a host that is gone ends with its "
			     "lease, 90 s by default after its last word", disk->target,
			     disk->source);
}

/* One lock that is free is enough: the guest would have all of them. */
static void judge_disks(struct judge *judge)
{
	const struct kw_move_facts *facts = &judge->evacuee->move;
	bool proven = false;

	for (size_t i = 0; i < facts->disk_count; i++) {
		const struct kw_evacuee_disk *seen = &judge->evacuee->disks[i];

		judge_disk(judge, &facts->disks[i], seen);
		proven = proven || (facts->disks[i].reach == KW_DISK_SHARED &&
				    seen->lock == KW_LOCK_FREE);
	}
	if (!proven && judge->evacuee->starts && !kw_judge_has(&judge->found, KW_DISK_LOCKED))
		judge_doubt(judge, KW_NO_LOCK,
			    "the guest has no disk whose lock would tell whether it still runs "
			    "elsewhere: QEMU locks files that it writes to, on storage that knows "
			    "the locks of all hosts; make sure that its host is off, and say "
			    "--force");
}

static void judge_devices(struct judge *judge)
{
	const struct kw_domain *domain = &judge->evacuee->move.domain;

	for (size_t i = 0; i < domain->device_count; i++) {
		const struct kw_device *device = &domain->devices[i];
		const char *type = kw_device_of_host(device);

		if (*type)
			kw_judge_bar(&judge->found, KW_ANY, KW_HOST_DEVICE,
				     "a device of the host that is gone was passed to the guest "
				     "(type '%s'); define it here by hand, with another or without",
				     type);
		else if (device->kind == KW_DEVICE_TPM && !strcmp(device->type, "emulator"))
			kw_judge_bar(&judge->found, KW_ANY, KW_TPM_LOCAL,
				     "the state of the guest's TPM went with the host that is gone, "
				     "and it would find an empty one; define it here by hand");
	}
}

static void judge_taken(struct judge *judge)
{
	const struct kw_evacuee *evacuee = judge->evacuee;

	if (kw_u32_yes(evacuee->taken) && !evacuee->ours)
		kw_judge_bar(&judge->found, KW_ANY, KW_GUEST_TAKEN,
			     "%s has begun to start it; go on there with 'kvmward evacuate'",
			     evacuee->taker.host.name);
	else if (!evacuee->taken.known)
		kw_judge_bar(&judge->found, KW_ANY, KW_MOVE_UNKNOWN,
			     "whether another host has taken it cannot be told: what is kept about "
			     "that is damaged, or cannot be read");
}

bool kw_evacuation_arrives(const struct kw_gone_host *host, const struct kw_mark *kept,
			   const struct kw_mark *here)
{
	if (here->kind != KW_MARK_ARRIVING)
		return false;
	if (kept->kind == KW_MARK_LEAVING)
		return !strcmp(kept->job, here->job);
	return kept->kind == KW_MARK_NONE &&
	       (!strcmp(here->peer, host->own_name) || !strcmp(here->peer, host->name));
}

static void judge_leaving(struct judge *judge, const struct kw_mark *mark)
{
	const struct kw_evacuee *evacuee = judge->evacuee;
	const char *name = evacuee->move.domain.name;

	if (evacuee->here == KW_SIDE_RUNS)
		kw_judge_bar(&judge->found, KW_ANY, KW_GUEST_MOVING,
			     "its move has brought it here, where it runs");
	else if (evacuee->here == KW_SIDE_OFF && evacuee->mark_here.kind == KW_MARK_NONE)
		kw_judge_bar(&judge->found, KW_ANY, KW_GUEST_MOVING,
			     "its move has brought it here, where it is off: 'virsh start %s' starts "
			     "it", name);
	else
		kw_judge_bar(&judge->found, KW_ANY, KW_GUEST_MOVING,
			     "it was on its way to %s, and may run there; if it is only defined "
			     "there, 'kvmward evacuate' there has it start", mark->peer);
}

/* The other host of that move has it as well, or may have: what is kept does not say. */
static void judge_mark(struct judge *judge)
{
	const struct kw_mark *mark = &judge->evacuee->move.domain.mark;

	if (judge->evacuee->arrives)
		return;
	if (mark->kind == KW_MARK_UNKNOWN)
		kw_judge_bar(&judge->found, KW_ANY, KW_GUEST_MOVING,
			     "another host may have it, by the mark of a move in its definition, "
			     "which is not understood; see where it is, and start it there");
	else if (mark->kind == KW_MARK_ARRIVING)
		kw_judge_bar(&judge->found, KW_ANY, KW_GUEST_MOVING,
			     "it was on its way from %s, which has it still; on %s, 'kvmward job "
			     "undo %s' keeps it there", mark->peer, mark->peer,
			     judge->evacuee->move.domain.name);
	else if (mark->kind == KW_MARK_LEAVING)
		judge_leaving(judge, mark);
}

enum kw_evacuee_act kw_evacuation_judge(const struct kw_evacuee *evacuee, bool force,
					struct kw_move_plan *ret_plan)
{
	static const struct kw_move_wish wish = { .cold = true, .unguarded = true };
	struct judge judge = { .found = { .facts = &evacuee->move, .wish = &wish },
			       .evacuee = evacuee, .force = force };

	/* One that is ours and runs has been started before, and the locks are its own. */
	if (!evacuee->ours || evacuee->here != KW_SIDE_RUNS) {
		judge_taken(&judge);
		/* What has been taken by this host had no mark that barred it. */
		if (!evacuee->ours)
			judge_mark(&judge);
		judge_disks(&judge);
		judge_devices(&judge);
		kw_judge_destination(&judge.found);
	}
	*ret_plan = (struct kw_move_plan){ .kind = KW_MOVE_COLD, .copy_bytes = KW_U64(0) };
	kw_judgement_take(&judge.found, ret_plan);
	if (!ret_plan->possible)
		return KW_EVACUEE_STAYS;
	return evacuee->starts ? KW_EVACUEE_STARTS : KW_EVACUEE_DEFINED;
}

const char *kw_evacuee_act_name(enum kw_evacuee_act act)
{
	static const char *const names[] = {
		[KW_EVACUEE_STAYS] = "stays",
		[KW_EVACUEE_DEFINED] = "is defined",
		[KW_EVACUEE_STARTS] = "starts",
	};

	return names[act];
}
