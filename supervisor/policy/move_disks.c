/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether both hosts see the guest's disks. */
#include "policy/move_judgement.h"

/* Only what is started anew gets what is defined for later. */
static unsigned int kinds_of(const struct kw_move_disk *disk)
{
	return disk->later ? KW_COLD : KW_ANY;
}

static const char *or_unknown(const char *text)
{
	return *text ? text : "something that is not known";
}

/* libvirt makes the file in a storage pool only, and writes over one that is there. */
static void judge_place(struct kw_judgement *judgement, const struct kw_move_disk *disk)
{
	const char *there = judgement->facts->destination;

	switch (disk->copy) {
	case KW_COPY_FREE:
		break;
	case KW_COPY_TAKEN:
		kw_judge_bar(judgement, KW_ANY, KW_DISK_COPY,
			     "disk '%s': %s has a file %s already, which the copy would be written "
			     "over; move it away, or delete it if it is what an earlier move that "
			     "was not finished has left",
			     disk->target, there, disk->source);
		break;
	case KW_COPY_NO_POOL:
		kw_judge_bar(judgement, KW_ANY, KW_DISK_COPY,
			     "disk '%s': no storage pool that is active on %s is of the directory "
			     "of %s, and libvirt makes the copy in a pool only; define one there",
			     disk->target, there, disk->source);
		break;
	case KW_COPY_UNKNOWN:
		kw_judge_bar(judgement, KW_ANY, KW_DISK_COPY,
			     "disk '%s': whether %s has a file %s already, which the copy would be "
			     "written over, cannot be told; see 'virsh pool-refresh' there",
			     disk->target, there, disk->source);
		break;
	}
}

/* A cold move copies no disks: started there, the guest would find none, or another's. */
static void judge_copy(struct kw_judgement *judgement, const struct kw_move_disk *disk,
		       const char *overlay)
{
	kw_judge_bar(judgement, KW_COLD, KW_DISK_LOCAL,
		     "disk '%s': %s%s is on %s of this host only, and disks are copied by a live "
		     "move only; put it on storage that both hosts have",
		     disk->target, disk->source, overlay, or_unknown(disk->where));
	if (judgement->facts->reached && !disk->backing && !disk->later)
		judge_place(judgement, disk);
}

static void judge_local(struct kw_judgement *judgement, const struct kw_move_disk *disk,
			const struct kw_move_disk *top)
{
	const char *overlay = disk->backing ? ", of which it is an overlay," : "";
	const char *where = or_unknown(disk->where);

	if (disk->read_only)
		kw_judge_bar(judgement, kinds_of(disk), KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only, and read-only, so that it "
			     "is not copied; eject it, or put it on storage that both hosts have",
			     disk->target, disk->source, overlay, where);
	else if (!judgement->wish->copy_storage && !disk->later)
		kw_judge_bar(judgement, KW_ANY, KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only; put it on storage that "
			     "both hosts have, or have it copied live with --copy-storage",
			     disk->target, disk->source, overlay, where);
	else if (top->reach != KW_DISK_HERE)
		kw_judge_bar(judgement, kinds_of(disk), KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only, and the overlay is not, "
			     "so that it is not copied; put both on storage that both hosts have",
			     disk->target, disk->source, overlay, where);
	else
		judge_copy(judgement, disk, overlay);
}

static void judge_disk(struct kw_judgement *judgement, const struct kw_move_disk *disk,
		       const struct kw_move_disk *top)
{
	const char *there = judgement->facts->destination;

	switch (disk->reach) {
	case KW_DISK_HERE:
		judge_local(judgement, disk, top);
		break;
	case KW_DISK_SHARED:
		kw_judge_warn(judgement, kinds_of(disk), KW_DISK_UNSEEN,
			      "disk '%s': %s is on %s, which %s is taken to have in the same "
			      "place; no storage pool there shows it",
			      disk->target, disk->source, or_unknown(disk->where), there);
		break;
	case KW_DISK_UNKNOWN:
		kw_judge_bar(judgement, kinds_of(disk), KW_DISK_UNSEEN,
			     "disk '%s': %s is on %s, and whether %s has the same or another under "
			     "this name cannot be told; put it on a network file system, or name "
			     "a block device by its /dev/disk/by-id",
			     disk->target, disk->source, or_unknown(disk->where), there);
		break;
	case KW_DISK_SEEN:
	case KW_DISK_NETWORK:
		break;
	}
}

void kw_judge_disks(struct kw_judgement *judgement)
{
	const struct kw_move_disk *top = judgement->facts->disks;

	for (size_t i = 0; i < judgement->facts->disk_count; i++) {
		const struct kw_move_disk *disk = &judgement->facts->disks[i];

		if (!disk->backing)
			top = disk;
		judge_disk(judgement, disk, top);
	}
}
