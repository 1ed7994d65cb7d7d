/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether both hosts see the guest's disks. */
#include "policy/move_judgement.h"

static const char *or_unknown(const char *text)
{
	return *text ? text : "something that is not known";
}

static void judge_local(struct kw_judgement *judgement, const struct kw_move_disk *disk)
{
	const char *overlay = disk->backing ? ", of which it is an overlay," : "";

	if (disk->read_only)
		kw_judge_bar(judgement, judgement->wish->copy_storage ? KW_LIVE : KW_ANY,
			     KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only, and read-only, which "
			     "libvirt does not copy; eject it, or put it on shared storage",
			     disk->target, disk->source, overlay, or_unknown(disk->where));
	else if (!judgement->wish->copy_storage)
		kw_judge_bar(judgement, KW_ANY, KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only; put it on storage that "
			     "both hosts have, or have it copied with --copy-storage",
			     disk->target, disk->source, overlay, or_unknown(disk->where));
}

static void judge_disk(struct kw_judgement *judgement, const struct kw_move_disk *disk)
{
	const char *there = judgement->facts->destination;

	switch (disk->reach) {
	case KW_DISK_HERE:
		judge_local(judgement, disk);
		break;
	case KW_DISK_SHARED:
		kw_judge_warn(judgement, KW_ANY, KW_DISK_UNSEEN,
			      "disk '%s': %s is on %s, which %s is taken to have in the same "
			      "place; no storage pool there shows it",
			      disk->target, disk->source, or_unknown(disk->where), there);
		break;
	case KW_DISK_UNKNOWN:
		kw_judge_bar(judgement, KW_ANY, KW_DISK_UNSEEN,
			     "disk '%s': %s is on %s, and whether %s has the same or another under "
			     "this name cannot be told; define a storage pool with it there",
			     disk->target, disk->source, or_unknown(disk->where), there);
		break;
	case KW_DISK_SEEN:
	case KW_DISK_NETWORK:
		break;
	}
}

void kw_judge_disks(struct kw_judgement *judgement)
{
	for (size_t i = 0; i < judgement->facts->disk_count; i++)
		judge_disk(judgement, &judgement->facts->disks[i]);
}
