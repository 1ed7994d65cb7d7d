// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * degraded_test STATE GUESTS: what the answers hold, and what they leave out, on a
 * host of which not everything can be known. The caller (degraded/run) has made
 * the host so and holds GUESTS plain SEV guests. Unknown is never zero.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest.h"
#include "testing.h"

static const struct state {
	const char *name, *reason;	/* NULL: guest facts are known */
	const char *events_reason;	/* NULL: changes are told */
	bool kvm;
	bool vm;			/* struct kvm can be read */
	bool charged;			/* the kernel's own count can be */
} states[] = {
	{ "whole", NULL, NULL, true, true, true },
	{ "no-probes", NULL, "this kernel has no probes", true, true, true },
	{ "no-misc", NULL, "this kernel has no misc cgroup", true, true, false },
	{ "other-kvm", "struct kvm differs from the headers of this build", NULL, true, false, true },
	/* The kernel's own BTF has struct kvm, too, but nothing of kvm_amd's. */
	{ "no-kvm-btf", "there is no BTF of kvm_amd", NULL, true, true, true },
	{ "no-btf", "the kernel has no BTF", NULL, true, false, true },
	{ "no-kvm", "no KVM is loaded for this processor", NULL, false, false, true },
};

static const struct state *state;
static unsigned int guests_held;

/* The attribute is there exactly when it should be. */
static bool there(const struct nl_msg *msg, int attr, bool should)
{
	if (nl_has(msg, attr) == should)
		return true;
	ksft_print_msg("attribute %d is %sthere\n", attr, should ? "not " : "");
	return false;
}

static bool is(const struct nl_msg *msg, int attr, uint32_t expected)
{
	if (!there(msg, attr, true))
		return false;
	if (nl_u32(msg, attr) == expected)
		return true;
	ksft_print_msg("attribute %d is %u, not %u\n", attr, nl_u32(msg, attr), expected);
	return false;
}

static bool reason_is(const struct nl_msg *host, int attr, const char *reason)
{
	if (!there(host, attr, reason) || !reason)
		return !nl_has(host, attr) && !reason;
	if (!strcmp(nl_string(host, attr), reason))
		return true;
	ksft_print_msg("reason: %s\n", nl_string(host, attr));
	return false;
}

static void host_test(struct nl *nl)
{
	struct nl_answer answer;
	const struct nl_msg *host;

	test_host(nl, &answer);
	host = &answer.msgs[0];
	ksft_test_result(is(host, KVMWARD_A_HOST_FACTS_SOURCE, state->reason ?
			    KVMWARD_FACTS_SOURCE_NONE : KVMWARD_FACTS_SOURCE_BTF) &&
			 reason_is(host, KVMWARD_A_HOST_FACTS_REASON, state->reason) &&
			 is(host, KVMWARD_A_HOST_KVM_LOADED, state->kvm) &&
			 there(host, KVMWARD_A_HOST_KVM_VENDOR_MODULE, state->kvm) &&
			 is(host, KVMWARD_A_HOST_SEV_IN_CPU, 1) &&
			 is(host, KVMWARD_A_HOST_SLOT_EVENTS, !state->events_reason) &&
			 reason_is(host, KVMWARD_A_HOST_SLOT_EVENTS_REASON, state->events_reason) &&
			 is(host, KVMWARD_A_HOST_SEV_ENABLED, state->kvm),
			 "%s: HOST_GET says %s\n", state->name,
			 state->reason ? state->reason : "that guest facts are known");
	nl_answer_done(&answer);
}

/* The kernel's own count needs no guest facts. */
static bool slots_are(const struct nl_msg *slots, unsigned int taken)
{
	bool known = !state->reason;

	return there(slots, KVMWARD_A_SLOT_CAPACITY, true) &&
	       (nl_u32(slots, KVMWARD_A_SLOT_CAPACITY) > 0) == state->kvm &&
	       there(slots, KVMWARD_A_SLOT_FIRST_ASID, state->kvm) &&
	       there(slots, KVMWARD_A_SLOT_IN_USE, known) &&
	       there(slots, KVMWARD_A_SLOT_MIRRORS, known) &&
	       there(slots, KVMWARD_A_SLOT_CHARGED, state->charged) &&
	       (!state->charged || is(slots, KVMWARD_A_SLOT_CHARGED, taken)) &&
	       (!known || is(slots, KVMWARD_A_SLOT_IN_USE, taken));
}

static void slots_test(struct nl *nl)
{
	struct nl_answer answer;

	test_slots(nl, &answer);
	ksft_test_result(slots_are(&answer.msgs[KVMWARD_SLOT_POOL_SEV], guests_held) &&
			 slots_are(&answer.msgs[KVMWARD_SLOT_POOL_SEV_ES], 0),
			 "%s: SLOT_GET gives %s, and leaves out the rest\n", state->name,
			 state->reason ? "what needs no guest facts" : "the guests' slots");
	nl_answer_done(&answer);
}

static bool guest_is(const struct nl_msg *guest)
{
	static const int private[] = {
		KVMWARD_A_GUEST_TYPE, KVMWARD_A_GUEST_ASID, KVMWARD_A_GUEST_PINNED_BYTES,
		KVMWARD_A_GUEST_FLAGS,
	};
	static const int of_kvm[] = {
		KVMWARD_A_GUEST_MEMORY_BYTES, KVMWARD_A_GUEST_VCPUS,
		KVMWARD_A_GUEST_NESTED_VCPUS,
	};
	static const int open[] = {
		KVMWARD_A_GUEST_VM_FD, KVMWARD_A_GUEST_COMM, KVMWARD_A_GUEST_UID,
		KVMWARD_A_GUEST_START_TIME_NS, KVMWARD_A_GUEST_VHOST_NET_QUEUES,
	};
	unsigned int i;
	bool ok = true;

	for (i = 0; i < sizeof(private) / sizeof(*private); i++)
		ok &= there(guest, private[i], !state->reason);
	for (i = 0; i < sizeof(of_kvm) / sizeof(*of_kvm); i++)
		ok &= there(guest, of_kvm[i], state->vm);
	for (i = 0; i < sizeof(open) / sizeof(*open); i++)
		ok &= there(guest, open[i], true);
	if (!state->vm)
		ok &= there(guest, KVMWARD_A_GUEST_UNMOVABLE_BYTES, false);
	return ok;
}

static void guests_test(struct nl *nl)
{
	struct nl_answer answer;
	unsigned int i;
	bool ok;

	test_guests(nl, &answer);
	ok = answer.count == guests_held;
	if (!ok)
		ksft_print_msg("%u guests, not %u\n", answer.count, guests_held);
	for (i = 0; i < answer.count; i++)
		ok &= guest_is(&answer.msgs[i]);
	ksft_test_result(ok, "%s: GUEST_GET finds %u guests and says what it knows of them\n",
			 state->name, guests_held);
	nl_answer_done(&answer);
}

int main(int argc, char **argv)
{
	unsigned int i;
	struct nl nl;

	for (i = 0; argc == 3 && i < sizeof(states) / sizeof(*states); i++)
		if (!strcmp(states[i].name, argv[1]))
			state = &states[i];
	if (!state)
		ksft_exit_fail_msg("usage: degraded_test STATE GUESTS\n");
	guests_held = strtoul(argv[2], NULL, 10);
	test_open(&nl);
	ksft_set_plan(3);
	host_test(&nl);
	slots_test(&nl);
	guests_test(&nl);
	ksft_finished();
}
