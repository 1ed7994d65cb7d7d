/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can the host run this kind of guest at all, with every slot free? */
#include "policy/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the host must offer for one kind of guest. */
struct offer {
	const char *title;
	const char *parameter; /* of kvm_amd */
	const char *needs;
	struct kw_u32 in_cpu, enabled;
};

static struct offer offer_of(const struct kw_host *host, enum kw_guest_type type)
{
	if (type == KW_GUEST_SNP)
		return (struct offer){"SEV-SNP", "sev_snp",
				      "; it needs Linux 6.11 or later and SNP with its RMP table "
				      "enabled in the BIOS", host->snp_in_cpu, host->snp_enabled};
	if (type == KW_GUEST_SEV_ES)
		return (struct offer){"SEV-ES", "sev_es", "", host->sev_es_in_cpu,
				      host->sev_es_enabled};
	return (struct offer){"SEV", "sev", "", host->sev_in_cpu, host->sev_enabled};
}

bool kw_refuse_unknown(const struct kw_facts *facts, const char *what,
		       struct kw_verdict *ret_verdict)
{
	const char *reason = facts->reason[0] ? facts->reason : facts->host.facts_reason;

	kw_verdict_set(ret_verdict, KW_FACTS_UNKNOWN, "%s is not known%s%s; see 'kvmward host'",
		       what, reason[0] ? ": " : "", reason);
	return false;
}

/* The firmware's split decides before KVM does: KVM offers no SEV-ES when its range is empty. */
static bool range_empty(const struct kw_host *host, enum kw_pool pool)
{
	if (pool != KW_POOL_SEV)
		return host->min_sev_asid.known && host->min_sev_asid.value <= 1;
	return host->min_sev_asid.known && host->max_asid.known &&
	       host->min_sev_asid.value > host->max_asid.value;
}

bool kw_refuse_slot_none(const struct kw_facts *facts, enum kw_pool pool,
			 struct kw_verdict *ret_verdict)
{
	const struct kw_host *host = &facts->host;
	char range[64] = "";

	if (host->min_sev_asid.known && host->max_asid.known)
		snprintf(range, sizeof(range), ": it is %" PRIu32 ", the highest ASID %" PRIu32,
			 host->min_sev_asid.value, host->max_asid.value);
	if (pool == KW_POOL_SEV)
		kw_verdict_set(ret_verdict, KW_SLOT_NONE,
			       "the host has no SEV slot: set BIOS \"minimum SEV ASID\" no higher "
			       "than the highest ASID%s",
			       range);
	else if (facts->slots.snp_apart && pool == KW_POOL_SEV_ES && !range_empty(host, pool))
		kw_verdict_set(ret_verdict, KW_SLOT_NONE,
			       "the host has no SEV-ES slot: ciphertext hiding gives all of them to "
			       "SEV-SNP; lower kvm_amd's parameter ciphertext_hiding_asids");
	else
		kw_verdict_set(ret_verdict, KW_SLOT_NONE,
			       "the host has no SEV-ES/SNP slot: set BIOS \"minimum SEV ASID\" "
			       "above 1%s",
			       range);
	return false;
}

static const char *cpu_obstacle(const struct kw_host *host, const struct offer *offer)
{
	if (kw_u32_no(offer->in_cpu))
		return "the processor does not have it";
	if (kw_u32_yes(host->virt_firmware_disabled))
		return "the BIOS has switched virtualisation (SVM) off";
	if (kw_u32_no(host->sme_enabled))
		return "the BIOS has not enabled memory encryption (SMEE, SYSCFG bit 23)";
	return NULL;
}

static bool offers_cpu(const struct kw_host *host, const struct offer *offer,
		       struct kw_verdict *ret_verdict)
{
	const char *obstacle = cpu_obstacle(host, offer);

	if (obstacle)
		kw_verdict_set(ret_verdict, KW_TYPE_UNAVAILABLE,
			       "the host does not offer %s guests: %s", offer->title, obstacle);
	return !obstacle;
}

static bool offers_kvm(const struct kw_facts *facts, const struct offer *offer,
		       struct kw_verdict *ret_verdict)
{
	const struct kw_host *host = &facts->host;
	char what[64];

	if (kw_u32_yes(offer->enabled))
		return true;
	if (strcmp(host->kvm_vendor_module, "kvm_amd")) {
		kw_verdict_set(ret_verdict, KW_TYPE_UNAVAILABLE,
			       "the host does not offer %s guests: kvm_amd is not loaded%s%s",
			       offer->title, host->kvm_vendor_module[0] ? ", but " : "",
			       host->kvm_vendor_module);
		return false;
	}
	if (offer->enabled.known) {
		kw_verdict_set(ret_verdict, KW_TYPE_UNAVAILABLE,
			       "the host does not offer %s guests: kvm_amd's parameter %s is N; "
			       "load kvm_amd with %s=1 and see 'dmesg' if it stays so%s",
			       offer->title, offer->parameter, offer->parameter, offer->needs);
		return false;
	}
	snprintf(what, sizeof(what), "whether KVM offers %s guests", offer->title);
	return kw_refuse_unknown(facts, what, ret_verdict);
}

bool kw_host_offers(const struct kw_facts *facts, enum kw_guest_type type, enum kw_pool pool,
		    struct kw_verdict *ret_verdict)
{
	const struct kw_host *host = &facts->host;
	struct offer offer = offer_of(host, type);

	if (!facts->host_known)
		return kw_refuse_unknown(facts, "what the host offers", ret_verdict);
	/* What KVM offers, works: the rest only explains what it does not. */
	if (!kw_u32_yes(offer.enabled) && !offers_cpu(host, &offer, ret_verdict))
		return false;
	if (range_empty(host, pool))
		return kw_refuse_slot_none(facts, pool, ret_verdict);
	return offers_kvm(facts, &offer, ret_verdict);
}
