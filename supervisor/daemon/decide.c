/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/decide.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/judge.h"
#include "daemon/log.h"
#include "daemon/pinned.h"
#include "facts/domain_xml.h"
#include "policy/claims.h"
#include "policy/entry.h"

/* The hold of one who had waited is libvirt's from now on, and outlives its client. */
static void take_up(struct kw_supervisor *supervisor, const char *uuid)
{
	struct kw_ticket *ticket = kw_waiting_find_uuid(&supervisor->waiting, uuid);

	if (ticket && ticket->admitted)
		kw_waiting_remove(&supervisor->waiting, ticket);
}

/* Not so where the guest is gone and that could not be saved. */
static bool has_its_hold(const struct kw_supervisor *supervisor, const char *uuid)
{
	const struct kw_guest *guest = kw_guest_list_find(&supervisor->facts.guests, uuid);
	const struct kw_hold *held = kw_supervisor_hold(supervisor, uuid);

	return guest && held && held->pid == guest->pid;
}

/*
 * To a plain guest that runs libvirt may call "migrate", or "prepare" when it has
 * forgotten it, and nothing starts: its hold has its class and its NUMA nodes.
 */
static void hold(struct kw_supervisor *supervisor, const struct kw_claim *claim,
		 struct kw_verdict *verdict)
{
	int r;

	if (claim->type == KW_GUEST_PLAIN && has_its_hold(supervisor, claim->uuid))
		return;
	r = kw_ledger_take(supervisor->ledger, claim, kw_clock_boottime_ns());
	if (r < 0 && claim->type == KW_GUEST_PLAIN && supervisor->config.admit_plain_unasked) {
		kw_verdict_set(verdict, KW_ADMITTED,
			       "plain guests are admitted where no hold can be saved: %s",
			       strerror(-r));
		return;
	}
	if (r < 0) {
		kw_verdict_set(verdict, KW_HOLD_UNSAVED, "the hold cannot be saved: %s", strerror(-r));
		return;
	}
	supervisor->changed = true;
	take_up(supervisor, claim->uuid);
}

static void tell_verdict(struct kw_supervisor *supervisor, const struct kw_hook_call *call,
			 const struct kw_domain *domain, const struct kw_verdict *verdict)
{
	int priority = kw_verdict_admits(verdict) ? LOG_INFO : LOG_WARNING;

	if (kw_verdict_admits(verdict) && domain->security == KW_SECURITY_NONE)
		priority = LOG_DEBUG;
	kw_log_verdict(priority, domain->uuid, verdict->code, "%s %s: %s: %s", call->op, call->name,
		       kw_code_name(verdict->code), verdict->sentence);
	if (!kw_verdict_admits(verdict))
		kw_supervisor_refuse(supervisor, call->name, domain->uuid, verdict);
}

/*
 * A libvirtd that is killed as it starts a guest forgets that guest's QEMU, and
 * would start another. That one's slot is not the first one's.
 */
static bool runs_already(const struct kw_supervisor *supervisor, const struct kw_claim *claim,
			 struct kw_verdict *verdict)
{
	const struct kw_guest *guest = kw_guest_list_find(&supervisor->facts.guests, claim->uuid);

	if (!guest || claim->type == KW_GUEST_PLAIN)
		return false;
	kw_verdict_set(verdict, KW_UUID_TAKEN,
		       "a guest of UUID %s runs already, as process %d; if libvirt knows nothing "
		       "of it, end that process",
		       claim->uuid, (int)guest->pid);
	return true;
}

static void decide_domain(struct kw_supervisor *supervisor, const struct kw_domain *domain,
			  struct kw_verdict *verdict)
{
	struct kw_claim claim;

	kw_judge(supervisor, NULL, domain, &claim, verdict);
	if (!kw_verdict_admits(verdict) || !kw_claim_due(domain))
		return;
	/* while guests are not seen nothing would ever confirm it */
	if (claim.type == KW_GUEST_PLAIN && !supervisor->facts.guests.known)
		return;
	if (runs_already(supervisor, &claim, verdict))
		return;
	if (claim.uuid[0])
		hold(supervisor, &claim, verdict);
	else if (claim.type != KW_GUEST_PLAIN)
		kw_verdict_set(verdict, KW_XML_INVALID, KW_NO_UUID);
}

static void decide_prepare(struct kw_supervisor *supervisor, const struct kw_hook_call *call,
			   struct kw_verdict *verdict)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};

	if (kw_judge_read(supervisor, call->xml, call->xml_length, &domain, verdict))
		decide_domain(supervisor, &domain, verdict);
	tell_verdict(supervisor, call, &domain, verdict);
}

static void decide_restore(struct kw_supervisor *supervisor, const struct kw_hook_call *call,
			   struct kw_verdict *verdict)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};

	if (kw_judge_read(supervisor, call->xml, call->xml_length, &domain, verdict) &&
	    kw_entry_restores(&domain, verdict))
		decide_domain(supervisor, &domain, verdict);
	tell_verdict(supervisor, call, &domain, verdict);
}

/*
 * A pending hold is as good as a decision, and its time begins anew: what is left
 * of it may be less than QEMU needs to appear. False when there is none.
 */
static bool renew_hold(struct kw_supervisor *supervisor, const char *uuid,
		       struct kw_verdict *verdict)
{
	const struct kw_hold *found = kw_supervisor_hold(supervisor, uuid);
	struct kw_claim claim;

	if (!found || found->pid)
		return false;
	claim = found->claim;
	kw_verdict_set(verdict, KW_ADMITTED, "what it takes is held");
	hold(supervisor, &claim, verdict);
	return true;
}

static void decide_start(struct kw_supervisor *supervisor, const struct kw_hook_call *call,
			 struct kw_verdict *verdict)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};

	if (kw_judge_read(supervisor, call->xml, call->xml_length, &domain, verdict) &&
	    kw_judge_entry(supervisor, &domain, verdict)) {
		kw_supervisor_look(supervisor);
		if (!renew_hold(supervisor, domain.uuid, verdict))
			decide_domain(supervisor, &domain, verdict);
	}
	tell_verdict(supervisor, call, &domain, verdict);
}

/* libvirt runs no two guests of one name, so the name will do where the XML is unreadable. */
static void find_uuid(const struct kw_supervisor *supervisor, const struct kw_hook_call *call,
		      char uuid[KW_UUID_LEN + 1])
{
	const struct kw_hold_list *list = kw_ledger_holds(supervisor->ledger);
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	char error[256], name[KW_NAME_MAX];

	uuid[0] = '\0';
	if (kw_domain_xml_parse(call->xml, call->xml_length, &domain, error, sizeof(error)) >= 0) {
		kw_text_copy(uuid, KW_UUID_LEN + 1, domain.uuid);
		return;
	}
	kw_text_copy(name, sizeof(name), call->name);
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->holds[i].claim.name, name))
			kw_text_copy(uuid, KW_UUID_LEN + 1, list->holds[i].claim.uuid);
}

/* Of a start that was refused, while the one who waited has still to make its own. */
static bool is_kept_for(const struct kw_supervisor *supervisor, const char *uuid)
{
	const struct kw_ticket *ticket = kw_waiting_find_uuid(&supervisor->waiting, uuid);

	return ticket && ticket->admitted;
}

/*
 * Of one for whom nothing is held, refused ones above all, there is nothing to look
 * for. libvirt may tell of a start that was refused because the guest runs: a hold
 * that a guest has ends with that guest.
 */
static void end_hold(struct kw_supervisor *supervisor, const struct kw_hook_call *call)
{
	const struct kw_hold *found;
	char uuid[KW_UUID_LEN + 1];
	int r;

	find_uuid(supervisor, call, uuid);
	found = kw_supervisor_hold(supervisor, uuid);
	if (!found || is_kept_for(supervisor, uuid))
		return;
	if (found->pid) {
		kw_supervisor_look(supervisor);
		if (supervisor->facts.guests.known)
			return;
	}
	r = kw_supervisor_release(supervisor, uuid);
	if (r < 0)
		kw_log_verdict(LOG_ERR, uuid, KW_HOLD_UNSAVED,
			       "%s %s: the hold cannot be ended: %s; it ends when the guest is gone",
			       call->op, call->name, strerror(-r));
	else
		kw_log_verdict(LOG_INFO, uuid, KW_ADMITTED, "%s %s: the hold ended", call->op,
			       call->name);
	kw_supervisor_look(supervisor);
}

static void note_started(struct kw_supervisor *supervisor, const struct kw_hook_call *call)
{
	char uuid[KW_UUID_LEN + 1];

	find_uuid(supervisor, call, uuid);
	kw_pinned_started(supervisor, uuid);
}

void kw_decide_hook(struct kw_supervisor *supervisor, const struct kw_hook_call *call,
		    struct kw_verdict *ret_verdict)
{
	kw_verdict_set(ret_verdict, KW_ADMITTED, "nothing to decide");
	switch (kw_hook_kind_of(call->op)) {
	case KW_HOOK_PREPARE:
		decide_prepare(supervisor, call, ret_verdict);
		break;
	case KW_HOOK_RESTORE:
		decide_restore(supervisor, call, ret_verdict);
		break;
	case KW_HOOK_START:
		decide_start(supervisor, call, ret_verdict);
		break;
	case KW_HOOK_ENDED:
		end_hold(supervisor, call);
		break;
	case KW_HOOK_STARTED:
	case KW_HOOK_RECONNECT:
		note_started(supervisor, call);
		kw_supervisor_look(supervisor);
		break;
	case KW_HOOK_OTHER:
		kw_log(LOG_NOTICE, "hook operation \"%s %s\" of %s is not known; nothing was done",
		       call->op, call->subop, call->name);
		break;
	}
}
