/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the guest would find the same processor on the other host. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/move_judgement.h"

/* What differs, and what is not known, as enumerations: "kernel (6.1 here, 6.12 there)". */
struct comparison {
	char differs[320], unknown[160];
};

__attribute__((format(printf, 3, 4)))
static void append(char *to, size_t size, const char *format, ...)
{
	size_t used = strlen(to);
	va_list args;

	if (used)
		used += (size_t)snprintf(to + used, size - used, ", ");
	if (used >= size)
		return;
	va_start(args, format);
	vsnprintf(to + used, size - used, format, args);
	va_end(args);
}

static void compare_text(struct comparison *comparison, const char *what, const char *here,
			 const char *there)
{
	if (!*here || !*there)
		append(comparison->unknown, sizeof(comparison->unknown), "%s", what);
	else if (strcmp(here, there) != 0)
		append(comparison->differs, sizeof(comparison->differs), "%s (%s here, %s there)",
		       what, here, there);
}

static void compare_number(struct comparison *comparison, const char *what, struct kw_u32 here,
			   struct kw_u32 there)
{
	if (!here.known || !there.known)
		append(comparison->unknown, sizeof(comparison->unknown), "%s", what);
	else if (here.value != there.value)
		append(comparison->differs, sizeof(comparison->differs),
		       "%s (0x%" PRIx32 " here, 0x%" PRIx32 " there)", what, here.value,
		       there.value);
}

static void compare(const struct kw_move_host *here, const struct kw_move_host *there,
		    struct comparison *comparison)
{
	*comparison = (struct comparison){ 0 };
	compare_text(comparison, "vendor", here->cpu_vendor, there->cpu_vendor);
	compare_text(comparison, "CPU model", here->cpu_model, there->cpu_model);
	compare_number(comparison, "family", here->cpu_family, there->cpu_family);
	compare_number(comparison, "model number", here->cpu_number, there->cpu_number);
	compare_number(comparison, "stepping", here->cpu_stepping, there->cpu_stepping);
	compare_number(comparison, "microcode", here->microcode, there->microcode);
	compare_text(comparison, "kernel", here->kernel, there->kernel);
}

/* Source: Nova's KVM guide, "Host pass through". */
static void judge_passthrough(struct kw_judgement *judgement)
{
	const struct kw_move_facts *facts = judgement->facts;
	struct comparison comparison;

	compare(&facts->here, &facts->there, &comparison);
	if (*comparison.differs)
		kw_judge_bar(judgement, KW_LIVE, KW_CPU_DIFFERS,
			     "the guest has this host's own processor (host-passthrough), so CPU, "
			     "microcode and kernel of %s must be the same, and these differ: %s",
			     facts->destination, comparison.differs);
	if (*comparison.unknown)
		kw_judge_warn(judgement, KW_LIVE, KW_MOVE_UNKNOWN,
			      "the guest has this host's own processor (host-passthrough), and "
			      "whether %s has the same is not known: %s",
			      facts->destination, comparison.unknown);
}

/* What the comparison misses on this host too, it cannot see: the guest runs here, and has it. */
static bool runs_so_here(const struct kw_move_facts *facts)
{
	return facts->run != KW_RUN_OFF && kw_u32_no(facts->cpu_fits_here) &&
	       !strcmp(facts->cpu_words, facts->cpu_words_here);
}

/* A host-model is made anew at the next start; what a definition names has to be there. */
static void judge_model(struct kw_judgement *judgement, unsigned int kinds)
{
	const struct kw_move_facts *facts = judgement->facts;

	if (kw_u32_no(facts->cpu_fits) && runs_so_here(facts))
		kw_judge_warn(judgement, kinds, KW_MOVE_UNKNOWN,
			      "whether the processor of %s has all of the guest's CPU is not "
			      "known, since libvirt says the same of this host, where it runs: %s",
			      facts->destination, facts->cpu_words);
	else if (kw_u32_no(facts->cpu_fits))
		kw_judge_bar(judgement, kinds, KW_CPU_LACKS,
			     "the processor of %s, as KVM there offers it, lacks something of the "
			     "guest's CPU: %s",
			     facts->destination, facts->cpu_words);
	else if (!facts->cpu_fits.known)
		kw_judge_warn(judgement, kinds, KW_MOVE_UNKNOWN,
			      "whether the processor of %s has all of the guest's CPU is not "
			      "known: %s",
			      facts->destination, facts->cpu_words);
}

void kw_judge_cpu(struct kw_judgement *judgement)
{
	switch (judgement->facts->cpu_mode) {
	case KW_CPU_PASSTHROUGH:
		judge_passthrough(judgement);
		break;
	case KW_CPU_HOST_MODEL:
		judge_model(judgement, KW_LIVE);
		break;
	case KW_CPU_CUSTOM:
		judge_model(judgement, KW_ANY);
		break;
	case KW_CPU_DEFAULT:
		break;
	case KW_CPU_UNKNOWN:
		kw_judge_warn(judgement, KW_LIVE, KW_MOVE_UNKNOWN,
			      "the mode of the guest's <cpu> is not known here, so neither is "
			      "whether the processor of %s fits",
			      judgement->facts->destination);
	}
}
