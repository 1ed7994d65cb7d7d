/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/plan.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/judge.h"
#include "policy/claims.h"
#include "policy/classes.h"
#include "policy/rules.h"
#include "policy/security.h"

bool kw_plan_claim(struct kw_supervisor *supervisor, const char *xml, size_t length,
		   struct kw_claim *ret_claim, struct kw_verdict *ret_verdict)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};

	*ret_claim = (struct kw_claim){};
	if (!kw_judge_read(supervisor, xml, length, &domain, ret_verdict))
		return false;
	kw_text_copy(ret_claim->name, sizeof(ret_claim->name), domain.name);
	kw_text_copy(ret_claim->uuid, sizeof(ret_claim->uuid), domain.uuid);
	if (!kw_judge_entry(supervisor, &domain, ret_verdict))
		return false;
	if (!kw_claim_due(&domain)) {
		kw_verdict_set(ret_verdict, KW_ADMITTED, KW_NOTHING_COUNTED);
		return false;
	}
	kw_rules_check(&domain, ret_verdict);
	if (kw_verdict_admits(ret_verdict) && kw_claim_make(&domain, ret_claim) < 0)
		kw_judge_unknown(&domain, ret_verdict);
	else if (kw_verdict_admits(ret_verdict) && !ret_claim->uuid[0])
		kw_verdict_set(ret_verdict, KW_XML_INVALID, KW_NO_UUID);
	if (kw_verdict_admits(ret_verdict) &&
	    kw_class_assign(&supervisor->config, &domain, ret_claim, ret_verdict))
		kw_judge_memlock(supervisor, &domain, ret_claim, ret_verdict);
	return kw_verdict_admits(ret_verdict);
}

static void plan(struct kw_supervisor *supervisor, struct kw_hold_list *planned,
		 const char *xml, size_t length, struct kw_verdict *verdict)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	struct kw_hold hold = {};

	if (!kw_judge_read(supervisor, xml, length, &domain, verdict))
		return;
	if (kw_security_takes_slot(&domain)) {
		kw_rules_check(&domain, verdict);
		if (!kw_verdict_admits(verdict))
			return;
	}
	kw_judge(supervisor, planned, &domain, &hold.claim, verdict);
	if (kw_verdict_admits(verdict) && kw_claim_due(&domain) &&
	    kw_hold_list_add(planned, &hold) < 0)
		kw_verdict_set(verdict, KW_HOLD_UNSAVED, "no plan can be made: %s",
			       strerror(ENOMEM));
}

void kw_plan_one(struct kw_supervisor *supervisor, const char *xml, size_t length,
		 struct kw_verdict *ret_verdict)
{
	_cleanup_(kw_hold_list_done) struct kw_hold_list planned = {};

	plan(supervisor, &planned, xml, length, ret_verdict);
}

void kw_plan_all(struct kw_supervisor *supervisor, const struct kw_plan_text *texts,
		 size_t count, struct kw_verdict *ret_verdicts)
{
	_cleanup_(kw_hold_list_done) struct kw_hold_list planned = {};

	for (size_t i = 0; i < count; i++)
		plan(supervisor, &planned, texts[i].xml, texts[i].length, &ret_verdicts[i]);
}
