/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU needs a memory lock as large as what SEV pins, and dies without it of
 * "ENOMEM" in the middle of its start. The element to add is known before.
 */
#include "policy/memlock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool is_vdpa(const struct kw_device *device)
{
	return device->kind == KW_DEVICE_INTERFACE && !strcmp(device->type, "vdpa");
}

static bool is_vfio(const struct kw_device *device)
{
	switch (device->kind) {
	case KW_DEVICE_INTERFACE:
		return !strcmp(device->type, "hostdev");
	case KW_DEVICE_HOSTDEV:
		return !strcmp(device->model, "pci") || !strcmp(device->model, "mdev");
	case KW_DEVICE_DISK:
		return device->nvme;
	default:
		return false;
	}
}

/*
 * What libvirt raises the limit to for devices that pin the guest's memory
 * themselves; 0 without any. With a virtual IOMMU it is more.
 */
static uint64_t raised_bytes(const struct kw_domain *domain)
{
	uint64_t vdpa = 0, vfio = 0;

	for (size_t i = 0; i < domain->device_count; i++) {
		vdpa += is_vdpa(&domain->devices[i]);
		vfio |= is_vfio(&domain->devices[i]);
	}
	return vdpa || vfio ? (vdpa + vfio) * domain->memory_bytes + KW_GIB : 0;
}

bool kw_memlock_is_inherited(const struct kw_domain *domain, const struct kw_claim *claim)
{
	return claim->memlock_bytes && !domain->hard_limit_bytes.known && !domain->memory_locked &&
	       raised_bytes(domain) < claim->memlock_bytes;
}

static uint64_t whole_kib(uint64_t bytes)
{
	return bytes / (uint64_t)KW_KIB + (bytes % (uint64_t)KW_KIB != 0);
}

/* One figure for both: hard_limit is QEMU's memory lock and its cgroup's limit at once. */
static uint64_t enough_kib(const struct kw_claim *claim)
{
	return whole_kib(claim->ceiling_bytes > claim->memlock_bytes ? claim->ceiling_bytes
								     : claim->memlock_bytes);
}

static bool refuse_limit(const struct kw_domain *domain, const struct kw_claim *claim,
			 struct kw_verdict *ret_verdict)
{
	char line[24] = "";

	if (domain->line_hard_limit > 0)
		snprintf(line, sizeof(line), "line %d: ", domain->line_hard_limit);
	kw_verdict_set(ret_verdict, KW_MEMLOCK_SMALL,
		       "%s<hard_limit> is %" PRIu64 " KiB and the guest needs %" PRIu64
		       " KiB locked; set at least <hard_limit unit='KiB'>%" PRIu64
		       "</hard_limit>, or remove it and let 'kvmward launch' add one",
		       line, domain->hard_limit_bytes.value / (uint64_t)KW_KIB,
		       whole_kib(claim->memlock_bytes), enough_kib(claim));
	return false;
}

static bool refuse_inherited(const struct kw_domain *domain, const struct kw_claim *claim,
			     struct kw_u64 inherited_bytes, struct kw_verdict *ret_verdict)
{
	uint64_t raised = raised_bytes(domain);
	char has[64] = "is not known";

	if (raised && (!inherited_bytes.known || inherited_bytes.value < raised))
		snprintf(has, sizeof(has), "is raised to %" PRIu64 " KiB for its devices",
			 raised / (uint64_t)KW_KIB);
	else if (inherited_bytes.known)
		snprintf(has, sizeof(has), "is %" PRIu64 " KiB",
			 inherited_bytes.value / (uint64_t)KW_KIB);
	kw_verdict_set(ret_verdict, KW_MEMLOCK_SMALL,
		       "without <hard_limit> QEMU gets the memory lock of libvirt's daemon, which "
		       "%s, and the guest needs %" PRIu64
		       " KiB locked; add <memtune><hard_limit unit='KiB'>%" PRIu64
		       "</hard_limit></memtune>, or start it with 'kvmward launch'",
		       has, whole_kib(claim->memlock_bytes), enough_kib(claim));
	return false;
}

bool kw_memlock_suffices(const struct kw_domain *domain, const struct kw_claim *claim,
			 struct kw_u64 inherited_bytes, struct kw_verdict *ret_verdict)
{
	if (domain->hard_limit_bytes.known)
		return domain->hard_limit_bytes.value >= claim->memlock_bytes ||
		       refuse_limit(domain, claim, ret_verdict);
	if (!kw_memlock_is_inherited(domain, claim) ||
	    (inherited_bytes.known && inherited_bytes.value >= claim->memlock_bytes))
		return true;
	return refuse_inherited(domain, claim, inherited_bytes, ret_verdict);
}
