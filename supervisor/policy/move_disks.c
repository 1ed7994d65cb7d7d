/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether both hosts see the guest's disks. */
#include "policy/move_judgement.h"

static const char *or_unknown(const char *text)
{
	return *text ? text : "something that is not known";
}

/* A cold move copies no disks: started there, the guest would find none, or another's. */
static void judge_local(struct kw_judgement *judgement, const struct kw_move_disk *disk)
{
	const char *overlay = disk->backing ? ", of which it is an overlay," : "";
	const char *where = or_unknown(disk->where);

	if (disk->read_only)
		kw_judge_bar(judgement, KW_ANY, KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only, and read-only, so that it "
			     "is not copied; eject it, or put it on storage that both hosts have",
			     disk->target, disk->source, overlay, where);
	else if (judgement->wish->copy_storage)
		kw_judge_bar(judgement, KW_COLD, KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only, and disks are copied by a "
			     "live move only; put it on storage that both hosts have",
			     disk->target, disk->source, overlay, where);
	else
		kw_judge_bar(judgement, KW_ANY, KW_DISK_LOCAL,
			     "disk '%s': %s%s is on %s of this host only; put it on storage that "
			     "both hosts have, or have it copied live with --copy-storage",
			     disk->target, disk->source, overlay, where);
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
