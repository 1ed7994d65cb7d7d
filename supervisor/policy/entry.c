/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/entry.h"

#include <string.h>

#include "policy/security.h"

static void set_leaving(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	const struct kw_mark *mark = &domain->mark;

	if (!strcmp(mark->job, KW_MARK_EVACUATED))
		kw_verdict_set(ret_verdict, KW_GUEST_MOVING,
			       "%s has taken this guest while this host was gone ('kvmward "
			       "evacuate'), and it runs there or may; 'virsh undefine %s' here, "
			       "once it is seen there", mark->peer, domain->name);
	else
		kw_verdict_set(ret_verdict, KW_GUEST_MOVING,
			       "move %s takes this guest to %s, and is not finished; 'kvmward job "
			       "resume %s' goes on with it, 'kvmward job undo %s' keeps the guest "
			       "here", mark->job, mark->peer, domain->name, domain->name);
}

static bool mark_admits(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	const struct kw_mark *mark = &domain->mark;

	switch (mark->kind) {
	case KW_MARK_NONE:
		return true;
	case KW_MARK_LEAVING:
		set_leaving(domain, ret_verdict);
		return false;
	case KW_MARK_ARRIVING:
		kw_verdict_set(ret_verdict, KW_GUEST_MOVING,
			       "move %s brings this guest from %s, and is not finished; on %s, "
			       "'kvmward job resume %s' goes on with it, 'kvmward job undo %s' keeps "
			       "the guest there", mark->job, mark->peer, mark->peer, domain->name,
			       domain->name);
		return false;
	case KW_MARK_UNKNOWN:
		break;
	}
	kw_verdict_set(ret_verdict, KW_GUEST_MOVING,
		       "line %d: the mark of a move in <metadata> is not understood, so neither is "
		       "whether this guest may start here; finish or undo the move with the kvmward "
		       "that began it", mark->line);
	return false;
}

void kw_entry_shut(struct kw_verdict *ret_verdict)
{
	kw_verdict_set(ret_verdict, KW_HOST_DRAINING,
		       "this host is being drained, and no guest starts on it; take another host, "
		       "or let guests in again with 'kvmward undrain'");
}

bool kw_entry_admits(const struct kw_domain *domain, bool draining, struct kw_verdict *ret_verdict)
{
	if (!mark_admits(domain, ret_verdict))
		return false;
	if (draining)
		kw_entry_shut(ret_verdict);
	return !draining;
}

/*
 * QEMU cannot save such a guest either, so a state of one comes from elsewhere or
 * from before it was encrypted; restored, it would die once it had its slot.
 */
bool kw_entry_restores(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (!kw_security_takes_slot(domain))
		return true;
	kw_verdict_set(ret_verdict, KW_NO_RESTORE,
		       "an encrypted guest cannot be restored from a saved state: the key of its "
		       "memory ended with it; drop the state with 'virsh managedsave-remove %s' and "
		       "start the guest anew", domain->name);
	return false;
}
