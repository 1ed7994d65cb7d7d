/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What about the other host speaks against a move. */
#include <inttypes.h>
#include <string.h>

#include "policy/move_judgement.h"
#include "policy/software.h"

struct version {
	uint32_t major, minor, micro;
};

static struct version version_of(uint32_t number)
{
	return (struct version){ number / 1000000, number / 1000 % 1000, number % 1000 };
}

/* One of the two sentences about versions; %s there, name there version, here version. */
#define VERSIONS "%s has %s %" PRIu32 ".%" PRIu32 ".%" PRIu32 ", this host %" PRIu32 ".%" PRIu32   \
		 ".%" PRIu32
#define VERSION_ARGS(to, name, there, here)                                                        \
	to, name, there.major, there.minor, there.micro, here.major, here.minor, here.micro

/* QEMU reads the state of its own and of earlier versions, by the machine type's compatibility. */
static void judge_qemu(struct kw_judgement *judgement, uint32_t here, uint32_t there)
{
	struct version ours = version_of(here), theirs = version_of(there);
	const char *to = judgement->facts->destination;

	if (there < here)
		kw_judge_bar(judgement, KW_LIVE, KW_DEST_OLDER,
			     VERSIONS ": a guest that runs moves to its own or a later version "
			     "only",
			     VERSION_ARGS(to, "QEMU", theirs, ours));
	else if (there > here)
		kw_judge_warn(judgement, KW_LIVE, KW_DEST_NEWER,
			      VERSIONS ": the guest cannot come back while it runs",
			      VERSION_ARGS(to, "QEMU", theirs, ours));
}

static void judge_libvirt(struct kw_judgement *judgement, uint32_t here, uint32_t there)
{
	struct version ours = version_of(here), theirs = version_of(there);

	if (there < here)
		kw_judge_warn(judgement, KW_ANY, KW_DEST_OLDER,
			      VERSIONS ": what it does not know of the definition is refused "
			      "there, or lost",
			      VERSION_ARGS(judgement->facts->destination, "libvirt", theirs, ours));
}

static void judge_software(struct kw_judgement *judgement)
{
	const struct kw_move_facts *facts = judgement->facts;
	const struct kw_software *here = &facts->here.software, *there = &facts->there.software;
	struct kw_verdict verdict;
	enum kw_guest_type type;

	if (here->qemu.known && there->qemu.known)
		judge_qemu(judgement, here->qemu.value, there->qemu.value);
	else
		kw_judge_warn(judgement, KW_LIVE, KW_MOVE_UNKNOWN,
			      "whether QEMU of %s is as new as this host's is not known, since "
			      "libvirt of one of them does not tell its version",
			      facts->destination);
	if (here->libvirt.known && there->libvirt.known)
		judge_libvirt(judgement, here->libvirt.value, there->libvirt.value);
	if (kw_domain_guest_type(&facts->domain, &type) &&
	    !kw_software_fits(there, type, &verdict))
		kw_judge_bar(judgement, KW_ANY, verdict.code, "%s: %s", facts->destination,
			     verdict.sentence);
	if (kw_u32_no(facts->machine_fits))
		kw_judge_bar(judgement, KW_ANY, KW_DEST_MACHINE,
			     "%s has no QEMU for machine type '%s': %s", facts->destination,
			     facts->domain.machine, facts->machine_words);
}

static void judge_taken(struct kw_judgement *judgement)
{
	const struct kw_move_facts *facts = judgement->facts;

	if (kw_u32_yes(facts->defined_there))
		kw_judge_bar(judgement, KW_ANY, KW_DEST_TAKEN,
			     "%s has a guest of this name or UUID already, which would be "
			     "replaced; rename one of them, or undefine the one that is not "
			     "wanted",
			     facts->destination);
	else if (!facts->defined_there.known)
		kw_judge_bar(judgement, KW_ANY, KW_MOVE_UNKNOWN,
			     "whether %s has a guest of this name or UUID cannot be told",
			     facts->destination);
}

/* A rule that the guest breaks itself has been told already. */
static void judge_plan(struct kw_judgement *judgement)
{
	const struct kw_move_facts *facts = judgement->facts;

	if (!kw_verdict_admits(&facts->plan) && !kw_judge_has(judgement, facts->plan.code))
		kw_judge_bar(judgement, KW_ANY, facts->plan.code, "%s: %s", facts->destination,
			     facts->plan.sentence);
}

static void judge_guard(struct kw_judgement *judgement)
{
	const struct kw_move_facts *facts = judgement->facts;
	const char *why = *facts->unguarded ? facts->unguarded : "it does not answer";

	if (kw_u32_yes(facts->guarded))
		judge_plan(judgement);
	else if (judgement->wish->unguarded)
		kw_judge_warn(judgement, KW_ANY, KW_DEST_UNGUARDED,
			      "kvmwardd of %s cannot be asked (%s): whether there is a slot and "
			      "the memory is not known, and nothing is held",
			      facts->destination, why);
	else
		kw_judge_bar(judgement, KW_ANY, KW_DEST_UNGUARDED,
			     "kvmwardd of %s cannot be asked (%s), so neither whether there is a "
			     "slot and the memory; start it there, or say --unguarded and take "
			     "the risk",
			     facts->destination, why);
}

static bool is_same(const char *a, const char *b)
{
	return *a && !strcmp(a, b);
}

void kw_judge_destination(struct kw_judgement *judgement)
{
	const struct kw_move_facts *facts = judgement->facts;

	if (!facts->reached) {
		kw_judge_bar(judgement, KW_ANY, KW_DEST_UNREACHABLE,
			     "libvirt of %s cannot be reached: %s", facts->destination,
			     facts->unreached);
		return;
	}
	if (is_same(facts->here.uuid, facts->there.uuid) ||
	    is_same(facts->here.name, facts->there.name)) {
		kw_judge_bar(judgement, KW_ANY, KW_DEST_SAME,
			     "%s is this host: %s '%s' is the same", facts->destination,
			     is_same(facts->here.uuid, facts->there.uuid) ? "libvirt's host UUID"
									  : "the host name",
			     is_same(facts->here.uuid, facts->there.uuid) ? facts->here.uuid
									  : facts->here.name);
		return;
	}
	judge_taken(judgement);
	judge_software(judgement);
	kw_judge_cpu(judgement);
	judge_guard(judgement);
}
