// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is said of guests under the KVM that is loaded now, against what we made:
 * each fact right, or not there where its place in memory is not known.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/kvmward.h>

#include "nl.h"
#include "options.h"
#include "vms.h"

#define GUESTS 4
#define MIB (1UL << 20)

static uint64_t first_asid, last_asid, vm_known = 1, sev_known = 1;

static const struct option_number options[] = {
	{ "first-asid", &first_asid, "lowest of the pool SEV" },
	{ "last-asid", &last_asid, "highest of it" },
	{ "vm-known", &vm_known, "1: this KVM has the struct kvm that kvmward was built for" },
	{ "sev-known", &sev_known, "1: its SEV fields can be found" },
	{ NULL, NULL, NULL },
};

static struct guest {
	enum vms_type type;
	unsigned int mem_mib, pin_mib, vcpus;
	int fd;
} guests[GUESTS] = {
	{ VMS_SEV, 3, 1, 1, -1 },
	{ VMS_SEV, 5, 2, 0, -1 },
	{ VMS_SEV_ES, 7, 3, 2, -1 },
	{ VMS_PLAIN, 9, 0, 1, -1 },
};

static unsigned int errors;

static void expect(bool ok, unsigned int guest, const char *what)
{
	if (ok)
		return;
	printf("# guest %u: %s\n", guest, what);
	errors++;
}

static int guest_make(struct guest *guest)
{
	unsigned int i;

	guest->fd = vms_create(guest->type);
	if (guest->fd < 0)
		return guest->fd;
	vms_set_memory(guest->fd, 1, guest->mem_mib * MIB);
	if (guest->pin_mib)
		vms_pin(guest->fd, guest->pin_mib * MIB);
	for (i = 0; i < guest->vcpus; i++)
		vms_add_vcpu(guest->fd, i);
	return 0;
}

static bool says_u32(const struct nl_msg *msg, int attr, bool known, uint32_t value)
{
	return nl_has(msg, attr) == known && (!known || nl_u32(msg, attr) == value);
}

static bool says_u64(const struct nl_msg *msg, int attr, bool known, uint64_t value)
{
	return nl_has(msg, attr) == known && (!known || nl_u64(msg, attr) == value);
}

static bool asid_ok(const struct nl_msg *msg, const struct guest *guest)
{
	uint32_t asid;

	if (!sev_known || guest->type == VMS_PLAIN)
		return !nl_has(msg, KVMWARD_A_GUEST_ASID);
	asid = nl_u32(msg, KVMWARD_A_GUEST_ASID);
	return guest->type == VMS_SEV ? asid >= first_asid && asid <= last_asid :
					asid >= 1 && asid < first_asid;
}

static void guest_check(const struct nl_msg *msg, unsigned int i)
{
	static const uint32_t types[] = {
		[VMS_PLAIN] = KVMWARD_GUEST_TYPE_PLAIN,
		[VMS_SEV] = KVMWARD_GUEST_TYPE_SEV,
		[VMS_SEV_ES] = KVMWARD_GUEST_TYPE_SEV_ES,
	};
	const struct guest *guest = &guests[i];

	expect(says_u32(msg, KVMWARD_A_GUEST_TYPE, sev_known, types[guest->type]), i, "type");
	expect(asid_ok(msg, guest), i, "ASID");
	expect(says_u64(msg, KVMWARD_A_GUEST_PINNED_BYTES, sev_known, guest->pin_mib * MIB), i,
	       "pinned bytes");
	expect(says_u64(msg, KVMWARD_A_GUEST_MEMORY_BYTES, vm_known, guest->mem_mib * MIB), i,
	       "memory");
	expect(says_u32(msg, KVMWARD_A_GUEST_VCPUS, vm_known, guest->vcpus), i, "vCPUs");
}

static void guests_check(struct nl *nl)
{
	struct nl_answer answer;
	unsigned int i, n, found = 0;
	int ret = nl_dump(nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &answer);

	for (n = 0; n < answer.count; n++)
		for (i = 0; i < GUESTS; i++)
			if (nl_u32(&answer.msgs[n], KVMWARD_A_GUEST_PID) == (uint32_t)getpid() &&
			    nl_u32(&answer.msgs[n], KVMWARD_A_GUEST_VM_FD) == (uint32_t)guests[i].fd) {
				guest_check(&answer.msgs[n], i);
				found++;
			}
	expect(!ret && found == GUESTS, GUESTS, "not all of them are in a dump");
	nl_answer_done(&answer);
}

static void host_check(struct nl *nl)
{
	uint32_t source = sev_known ? KVMWARD_FACTS_SOURCE_BTF : KVMWARD_FACTS_SOURCE_NONE;
	struct nl_answer answer;

	if (nl_do(nl, KVMWARD_CMD_HOST_GET, NULL, 0, &answer) || answer.count != 1) {
		puts("# HOST_GET fails");
		errors++;
		return;
	}
	if (!says_u32(&answer.msgs[0], KVMWARD_A_HOST_FACTS_SOURCE, true, source) ||
	    nl_has(&answer.msgs[0], KVMWARD_A_HOST_FACTS_REASON) == (bool)sev_known) {
		puts("# HOST_GET: the source of guest facts, or the reason that there is none");
		errors++;
	}
	if (!sev_known && nl_has(&answer.msgs[0], KVMWARD_A_HOST_FACTS_REASON))
		printf("# not known, because %s\n",
		       nl_string(&answer.msgs[0], KVMWARD_A_HOST_FACTS_REASON));
	nl_answer_done(&answer);
}

static void slots_check(struct nl *nl)
{
	struct nl_answer answer;
	bool ok = !nl_dump(nl, KVMWARD_CMD_SLOT_GET, NULL, 0, &answer) && answer.count == 2 &&
		  says_u32(&answer.msgs[0], KVMWARD_A_SLOT_FIRST_ASID, true, first_asid) &&
		  says_u32(&answer.msgs[0], KVMWARD_A_SLOT_LAST_ASID, true, last_asid) &&
		  says_u32(&answer.msgs[0], KVMWARD_A_SLOT_IN_USE, sev_known, 2) &&
		  says_u32(&answer.msgs[1], KVMWARD_A_SLOT_LAST_ASID, true, first_asid - 1) &&
		  says_u32(&answer.msgs[1], KVMWARD_A_SLOT_IN_USE, sev_known, 1);

	if (!ok) {
		puts("# SLOT_GET: the pools");
		errors++;
	}
	nl_answer_done(&answer);
}

int main(int argc, char **argv)
{
	struct nl nl;
	int i, ret;

	options_read(options, "layout [OPTION...]: check what kvmward says of the KVM loaded now",
		     argc, argv);
	for (i = 0; i < GUESTS; i++) {
		ret = guest_make(&guests[i]);
		if (ret) {
			printf("# guest %d cannot be made: %s\n", i, strerror(-ret));
			return 1;
		}
	}
	ret = nl_open(&nl);
	if (ret) {
		printf("# netlink: %s\n", strerror(-ret));
		return 1;
	}
	host_check(&nl);
	slots_check(&nl);
	guests_check(&nl);
	return !!errors;
}
