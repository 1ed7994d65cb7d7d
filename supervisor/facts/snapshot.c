/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "facts/cgroups.h"
#include "facts/hugepages.h"
#include "facts/meminfo.h"
#include "facts/nodes.h"
#include "facts/process.h"

#define PROC "/proc"
#define ROUNDS 5

/* The first reason stays: what fails later mostly fails because of it. */
static void explain(struct kw_facts *facts, const char *what, const char *why)
{
	if (facts->reason[0])
		return;
	if (snprintf(facts->reason, sizeof(facts->reason), "%s%s%s", what, *why ? ": " : "",
		     why) >= (int)sizeof(facts->reason))
		kw_text_copy(facts->reason, sizeof(facts->reason), what);
}

static void explain_open(struct kw_facts *facts, int error)
{
	if (error == -ENOENT)
		explain(facts, "the module kvmward is not loaded", "modprobe kvmward");
	else
		explain(facts, "the module kvmward cannot be reached by netlink",
			strerror(-error));
}

static void explain_answer(struct kw_facts *facts, const struct kw_netlink *netlink,
			   const char *what, int error)
{
	const char *words = kw_netlink_error(netlink);

	switch (error) {
	case -EPERM:
		explain(facts, what, "only root may see them (CAP_NET_ADMIN)");
		break;
	case -ETIMEDOUT:
		explain(facts, what, "the module kvmward does not answer; see dmesg");
		break;
	case -EBADMSG:
		explain(facts, what, "the module kvmward answers what this version cannot read");
		break;
	default:
		explain(facts, what, *words ? words : strerror(-error));
	}
}

static bool same_u32(struct kw_u32 a, struct kw_u32 b)
{
	return a.known == b.known && (!a.known || a.value == b.value);
}

static bool same_slots(const struct kw_slot_table *a, const struct kw_slot_table *b)
{
	if (a->snp_apart != b->snp_apart)
		return false;
	for (int i = 0; i < KW_POOL_COUNT; i++) {
		const struct kw_slots *x = &a->pool[i], *y = &b->pool[i];

		if (!same_u32(x->capacity, y->capacity) || !same_u32(x->charged, y->charged) ||
		    !same_u32(x->in_use, y->in_use) || !same_u32(x->mirrors, y->mirrors))
			return false;
	}
	return true;
}

static int read_host(struct kw_netlink *netlink, struct kw_facts *facts)
{
	int error = kw_netlink_host(netlink, false, &facts->host);

	facts->host_known = !error;
	if (error)
		explain_answer(facts, netlink, "facts of the host are not known", error);
	return error;
}

static int read_slots(struct kw_netlink *netlink, struct kw_facts *facts)
{
	struct kw_slot_table slots;
	int error = kw_netlink_slots(netlink, &slots);

	if (error) {
		facts->slots.known = false;
		explain_answer(facts, netlink, "slots are not known", error);
		return error;
	}
	facts->slots = slots;
	return 0;
}

static int read_guests(struct kw_netlink *netlink, struct kw_facts *facts)
{
	int error;

	kw_guest_list_done(&facts->guests);
	error = kw_netlink_guests(netlink, &facts->guests);
	if (error)
		explain_answer(facts, netlink, "guests are not known", error);
	return error;
}

/*
 * The slots kept are those read after the guests: should the two never agree,
 * every guest of the list then has its slot in the count.
 */
static int read_slots_and_guests(struct kw_netlink *netlink, struct kw_facts *facts)
{
	int error = read_slots(netlink, facts);

	for (int round = 0; !error && round < ROUNDS; round++) {
		struct kw_slot_table before = facts->slots;

		error = read_guests(netlink, facts);
		if (!error)
			error = read_slots(netlink, facts);
		if (!error && same_slots(&before, &facts->slots))
			break;
	}
	return error;
}

static void explain_source(struct kw_facts *facts)
{
	if (facts->host_known && facts->host.facts_source.known &&
	    facts->host.facts_source.value == KW_FACTS_NONE)
		explain(facts, "types, ASIDs and pinned memory of guests are not known",
			facts->host.facts_reason);
}

/* -ENOENT when the module is not there, or went away underway; what was read is to be dropped. */
static int read_kernel(struct kw_netlink **netlink, bool load, struct kw_facts *facts)
{
	int host_error, error = 0;

	if (!*netlink)
		error = (load ? kw_netlink_open : kw_netlink_open_loaded)(netlink);
	if (error) {
		explain_open(facts, error);
		return error;
	}
	host_error = read_host(*netlink, facts);
	error = host_error == -ENOENT ? host_error : read_slots_and_guests(*netlink, facts);
	if (error == -ENOENT) {
		kw_netlink_close(*netlink);
		*netlink = NULL;
		kw_facts_done(facts);
		explain_open(facts, error);
		return error;
	}
	explain_source(facts);
	return 0;
}

/* A module that was taken out and put in again has another family number: open once more. */
static void read_all(struct kw_netlink **netlink, bool load, const struct kw_guest_list *before,
		     struct kw_facts *ret_facts)
{
	struct kw_facts facts = { 0 };
	struct kw_u64 counts[KW_MISC_COUNT];
	bool was_open = *netlink;

	kw_cgroups_counts(KW_CGROUP_ROOT, counts);
	if (read_kernel(netlink, load, &facts) == -ENOENT && was_open) {
		kw_facts_done(&facts);
		read_kernel(netlink, load, &facts);
	}
	if (before)
		kw_process_keep_names(before, &facts.guests);
	kw_process_name_guests(PROC, &facts.guests);
	kw_cgroups_read(KW_CGROUP_ROOT, &facts.cgroups);
	kw_cgroups_settle(counts, &facts.cgroups);
	facts.memory_total_bytes = kw_meminfo_total_bytes(PROC);
	facts.hugetlb_bytes = kw_meminfo_hugetlb_bytes(PROC);
	kw_nodes_read(KW_NODES_ROOT, &facts.nodes);
	if (facts.hugetlb_bytes.value) /* without pools nobody can have any: spares a file a guest */
		kw_hugepages_of_guests(PROC, &facts.guests);
	/* last: what a guest gets in between is missed twice rather than by nobody */
	kw_hugepages_read(KW_HUGEPAGES_ROOT, PROC, &facts.huge);
	if (!facts.memory_total_bytes.known)
		explain(&facts, "the memory of the host is not known", "no MemTotal in " PROC
			"/meminfo");
	*ret_facts = facts;
}

void kw_snapshot_read(struct kw_netlink **netlink, const struct kw_guest_list *before,
		      struct kw_facts *ret_facts)
{
	read_all(netlink, true, before, ret_facts);
}

void kw_snapshot_watch(struct kw_netlink **netlink, const struct kw_guest_list *before,
		       struct kw_facts *ret_facts)
{
	read_all(netlink, false, before, ret_facts);
}
