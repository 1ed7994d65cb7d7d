/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/judge.h"

#include <string.h>

#include "base/cleanup.h"
#include "daemon/files.h"
#include "facts/domain_xml.h"
#include "ledger/taken.h"
#include "policy/admit.h"
#include "policy/claims.h"
#include "policy/classes.h"
#include "policy/entry.h"
#include "policy/memlock.h"

bool kw_judge_read(const struct kw_supervisor *supervisor, const char *xml, size_t length,
		   struct kw_domain *ret_domain, struct kw_verdict *verdict)
{
	char error[256] = "";

	if (kw_domain_xml_parse(xml, length, ret_domain, error, sizeof(error)) >= 0) {
		kw_files_look(xml, length, ret_domain);
		kw_taken_mark(supervisor->kept_dir, ret_domain);
		return true;
	}
	kw_verdict_set(verdict, KW_XML_INVALID, "the domain XML cannot be read: %s", error);
	return false;
}

bool kw_judge_entry(const struct kw_supervisor *supervisor, const struct kw_domain *domain,
		   struct kw_verdict *verdict)
{
	return kw_entry_admits(domain, kw_supervisor_drains(supervisor, domain->uuid), verdict);
}

/* libvirt's own limit is only looked for where it matters. */
void kw_judge_memlock(struct kw_supervisor *supervisor, const struct kw_domain *domain,
		      const struct kw_claim *claim, struct kw_verdict *verdict)
{
	struct kw_u64 inherited = {};

	if (supervisor->config.admit_small_memlock)
		return;
	if (kw_memlock_is_inherited(domain, claim))
		inherited = kw_supervisor_memlock_bytes(supervisor);
	kw_memlock_suffices(domain, claim, inherited, verdict);
}

void kw_judge_unknown(const struct kw_domain *domain, struct kw_verdict *verdict)
{
	kw_verdict_set(verdict, KW_UNKNOWN_SECURITY,
		       "line %d: <launchSecurity type='%s'> is not known to kvmward, so neither is "
		       "what it takes",
		       domain->line_security, domain->security_type);
}

/* Those who wait came first: what they wait for is not there for others. Nor is what is planned. */
static void admit(struct kw_supervisor *supervisor, const struct kw_hold_list *planned,
		  const struct kw_claim *claim, struct kw_verdict *verdict)
{
	_cleanup_(kw_hold_list_done) struct kw_hold_list holds = {};
	int r = kw_waiting_promises(&supervisor->waiting, kw_ledger_holds(supervisor->ledger),
				    claim->uuid, &holds);

	for (size_t i = 0; r >= 0 && planned && i < planned->count; i++)
		r = kw_hold_list_add(&holds, &planned->holds[i]);
	if (r < 0) {
		kw_verdict_set(verdict, KW_HOLD_UNSAVED, "no hold can be made: %s", strerror(-r));
		return;
	}
	kw_admit(&supervisor->facts, &holds, &supervisor->config, claim, verdict);
}

void kw_judge(struct kw_supervisor *supervisor, const struct kw_hold_list *planned,
	      const struct kw_domain *domain, struct kw_claim *ret_claim,
	      struct kw_verdict *verdict)
{
	if (!kw_judge_entry(supervisor, domain, verdict))
		return;
	if (!kw_claim_due(domain)) {
		kw_verdict_set(verdict, KW_ADMITTED, KW_NOTHING_COUNTED);
		return;
	}
	if (kw_claim_make(domain, ret_claim) < 0) {
		kw_judge_unknown(domain, verdict);
		return;
	}
	if (!kw_class_assign(&supervisor->config, domain, ret_claim, verdict))
		return;
	kw_supervisor_look(supervisor);
	admit(supervisor, planned, ret_claim, verdict);
	if (kw_verdict_admits(verdict))
		kw_judge_memlock(supervisor, domain, ret_claim, verdict);
}
