/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/pinned.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "daemon/log.h"
#include "policy/pinned.h"

static bool note(struct kw_supervisor *supervisor, const struct kw_hold *hold)
{
	int r = kw_ledger_note(supervisor->ledger, hold);

	if (r < 0 && r != -ENOENT)
		kw_log_guest(LOG_ERR, hold->claim.uuid, "cannot save the ledger: %s; it will be "
			     "tried again", strerror(-r));
	return r >= 0;
}

void kw_pinned_started(struct kw_supervisor *supervisor, const char *uuid)
{
	const struct kw_hold *found = kw_supervisor_hold(supervisor, uuid);
	struct kw_hold hold;

	if (!found || !found->claim.pinned_bytes)
		return;
	hold = *found;
	hold.started = true;
	note(supervisor, &hold);
}

static const struct kw_guest *guest_of(const struct kw_supervisor *supervisor,
				       const struct kw_hold *hold)
{
	const struct kw_guest_list *list = &supervisor->facts.guests;

	for (size_t i = 0; hold->pid && i < list->count; i++)
		if (list->guests[i].pid == hold->pid && !list->guests[i].mirror &&
		    !strcasecmp(list->guests[i].uuid, hold->claim.uuid))
			return &list->guests[i];
	return NULL;
}

static void tell(const struct kw_claim *claim, const struct kw_guest *guest, enum kw_pinned how)
{
	char pinned[32], claimed[32];

	kw_log_guest(LOG_WARNING, claim->uuid,
		     "%s has pinned %s, and %s was claimed for it: %s; please report its domain XML",
		     claim->name, kw_text_bytes(pinned, sizeof(pinned), guest->pinned_bytes.value),
		     kw_text_bytes(claimed, sizeof(claimed), claim->pinned_bytes),
		     how == KW_PINNED_MORE ? "its memory lock and the host may turn out too small"
					   : "other guests may be refused for want of that memory");
}

void kw_pinned_check(struct kw_supervisor *supervisor)
{
	const struct kw_hold_list *list = kw_ledger_holds(supervisor->ledger);

	for (size_t i = 0; i < list->count; i++) {
		struct kw_hold hold = list->holds[i];
		const struct kw_guest *guest = hold.differs || !hold.claim.pinned_bytes ? NULL
					     : guest_of(supervisor, &hold);
		enum kw_pinned how = guest ? kw_pinned_compare(&hold, guest) : KW_PINNED_AS_CLAIMED;

		if (how == KW_PINNED_AS_CLAIMED)
			continue;
		hold.differs = true;
		if (note(supervisor, &hold))
			tell(&hold.claim, guest, how);
	}
}
