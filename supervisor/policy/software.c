/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oldest libvirt and QEMU that start each kind of guest, by the release notes
 * of both.
 */
#include "policy/software.h"

#include <inttypes.h>
#include <stddef.h>

struct least {
	const char *title;
	uint32_t libvirt, qemu;
};

static const struct least *least_of(enum kw_guest_type type)
{
	static const struct least sev = { "SEV", KW_VERSION_OF(4, 5), KW_VERSION_OF(2, 12) };
	static const struct least sev_es = { "SEV-ES", KW_VERSION_OF(4, 5), KW_VERSION_OF(6, 0) };
	static const struct least snp = { "SEV-SNP", KW_VERSION_OF(10, 5), KW_VERSION_OF(9, 1) };

	switch (type) {
	case KW_GUEST_SEV:
		return &sev;
	case KW_GUEST_SEV_ES:
		return &sev_es;
	case KW_GUEST_SNP:
		return &snp;
	default:
		return NULL;
	}
}

static uint32_t major_of(uint32_t version)
{
	return version / 1000000;
}

static uint32_t minor_of(uint32_t version)
{
	return version / 1000 % 1000;
}

static bool fits(const char *what, struct kw_u32 version, uint32_t least, const char *title,
		 struct kw_verdict *ret_verdict)
{
	if (!version.known || version.value >= least)
		return true;
	kw_verdict_set(ret_verdict, KW_SOFTWARE_OLD,
		       "%s %" PRIu32 ".%" PRIu32 " does not start %s guests: it has to be %" PRIu32
		       ".%" PRIu32 " or later",
		       what, major_of(version.value), minor_of(version.value), title,
		       major_of(least), minor_of(least));
	return false;
}

bool kw_software_fits(const struct kw_software *software, enum kw_guest_type type,
		      struct kw_verdict *ret_verdict)
{
	const struct least *least = least_of(type);

	return !least ||
	       (fits("libvirt", software->libvirt, least->libvirt, least->title, ret_verdict) &&
		fits("QEMU", software->qemu, least->qemu, least->title, ret_verdict));
}
