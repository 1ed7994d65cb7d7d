// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HOST_GET while the host changes: modules that come and go, firmware that gets
 * guests or fails; and what is said to be enabled against what KVM then does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define SIMULATOR "/sys/kernel/debug/psp_sim/"
#define PSP_AGE_US 250000	/* what the firmware has said may be 100 ms old */

static struct nl nl;

/* A number of HOST_GET's; -1: not known. */
static long fact(int attr)
{
	struct nl_answer answer;
	long value;

	test_host(&nl, &answer);
	value = nl_has(&answer.msgs[0], attr) ? (long)nl_u32(&answer.msgs[0], attr) : -1;
	nl_answer_done(&answer);
	return value;
}

static bool fact_is(int attr, long expected)
{
	long value = fact(attr);

	if (value != expected)
		ksft_print_msg("attribute %d: %ld, expected %ld\n", attr, value, expected);
	return value == expected;
}

/* A text of HOST_GET's has these words in it; NULL: it is not there. */
static bool text_is(int attr, const char *words)
{
	struct nl_answer answer;
	const struct nl_msg *msg;
	bool same;

	test_host(&nl, &answer);
	msg = &answer.msgs[0];
	if (nl_has(msg, attr))
		same = words && strstr(nl_string(msg, attr), words);
	else
		same = !words;
	if (!same)
		ksft_print_msg("attribute %d: '%s', expected '%s'\n", attr,
			       nl_has(msg, attr) ? nl_string(msg, attr) : "-", words ? words : "-");
	nl_answer_done(&answer);
	return same;
}

static bool module_remove(const char *name)
{
	return !syscall(SYS_delete_module, name, O_NONBLOCK);
}

/* Is such a guest to be had, or would it be but for the slots that others have? */
static bool taken_by_kvm(enum vms_type type)
{
	int ret = vms_create(type);

	if (ret >= 0)
		close(ret);
	return ret >= 0 || ret == -EBUSY;
}

static void enabled_test(void)
{
	ksft_test_result(fact_is(KVMWARD_A_HOST_SEV_ENABLED, taken_by_kvm(VMS_SEV)) &&
			 fact_is(KVMWARD_A_HOST_SEV_ES_ENABLED, taken_by_kvm(VMS_SEV_ES)) &&
			 fact_is(KVMWARD_A_HOST_SNP_ENABLED, taken_by_kvm(VMS_SNP)),
			 "what is enabled are the guests that KVM takes\n");
}

static void vhost_net_test(void)
{
	bool loaded = test_module_there("vhost_net");
	bool gone, back;

	if (!test_module_load("vhost_net") || !module_remove("vhost_net")) {
		ksft_test_result_skip("vhost_net comes and goes: it cannot, %s\n", strerror(errno));
		return;
	}
	gone = fact_is(KVMWARD_A_HOST_VHOST_NET_LOADED, 0);
	back = test_module_load("vhost_net") && fact_is(KVMWARD_A_HOST_VHOST_NET_LOADED, 1);
	if (!loaded)
		module_remove("vhost_net");
	ksft_test_result(gone && back, "vhost_net comes and goes\n");
}

static bool without_kvm_amd(void)
{
	return fact_is(KVMWARD_A_HOST_SEV_ENABLED, 0) &&
	       fact_is(KVMWARD_A_HOST_SEV_ES_ENABLED, 0) &&
	       fact_is(KVMWARD_A_HOST_SNP_ENABLED, 0) &&
	       fact_is(KVMWARD_A_HOST_FACTS_SOURCE, KVMWARD_FACTS_SOURCE_NONE) &&
	       text_is(KVMWARD_A_HOST_FACTS_REASON, "loaded") &&
	       text_is(KVMWARD_A_HOST_KVM_VENDOR_MODULE, NULL) &&
	       fact_is(KVMWARD_A_HOST_KVM_LOADED, test_module_there("kvm"));
}

static void kvm_amd_test(void)
{
	long source = fact(KVMWARD_A_HOST_FACTS_SOURCE), sev = fact(KVMWARD_A_HOST_SEV_ENABLED);
	bool gone, back;

	if (!test_module_there("kvm_amd") || !module_remove("kvm_amd")) {
		ksft_test_result_skip("kvm_amd comes and goes: it is not there, or in use\n");
		return;
	}
	gone = without_kvm_amd();
	back = test_module_load("kvm_amd") && fact_is(KVMWARD_A_HOST_FACTS_SOURCE, source) &&
	       fact_is(KVMWARD_A_HOST_SEV_ENABLED, sev) &&
	       text_is(KVMWARD_A_HOST_KVM_VENDOR_MODULE, "kvm_amd");
	ksft_test_result(gone && back, "kvm_amd comes and goes: nothing is claimed without it\n");
}

static long firmware_guests(void)
{
	FILE *file = fopen(SIMULATOR "guests", "re");
	char line[256];
	long count = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		count++;
	fclose(file);
	return count;
}

static bool firmware_count_is(long expected)
{
	usleep(PSP_AGE_US);
	return firmware_guests() == expected &&
	       fact_is(KVMWARD_A_HOST_PSP_GUEST_COUNT, expected);
}

static void guest_count_test(void)
{
	long before = firmware_guests();
	int vms[2];
	bool more;

	if (before < 0 || !vms_offered(VMS_SEV)) {
		ksft_test_result_skip("the firmware's guests: no simulator, or no SEV\n");
		return;
	}
	vms[0] = vms_create(VMS_SEV);
	vms[1] = vms_create(VMS_SEV);
	more = firmware_count_is(before + 2);
	close(vms[0]);
	close(vms[1]);
	ksft_test_result(more && firmware_count_is(before),
			 "the firmware's guests are those that the firmware has\n");
}

static bool firmware_fail(const char *text)
{
	int fd = open(SIMULATOR "fail", O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	usleep(PSP_AGE_US);
	return ok;
}

static void firmware_test(void)
{
	long major = fact(KVMWARD_A_HOST_PSP_API_MAJOR);
	bool unknown;

	if (!firmware_fail("PLATFORM_STATUS 3 1000000")) {
		ksft_test_result_skip("firmware that fails: no simulator\n");
		return;
	}
	unknown = fact_is(KVMWARD_A_HOST_PSP_STATE, -1) &&
		  fact_is(KVMWARD_A_HOST_PSP_API_MAJOR, -1) &&
		  fact_is(KVMWARD_A_HOST_PSP_GUEST_COUNT, -1);
	ksft_test_result(firmware_fail("PLATFORM_STATUS 0 0") && unknown && major > 0 &&
			 fact_is(KVMWARD_A_HOST_PSP_API_MAJOR, major),
			 "firmware that fails: its facts are not known, and then they are\n");
}

int main(void)
{
	test_open(&nl);
	ksft_set_plan(5);
	enabled_test();
	vhost_net_test();
	guest_count_test();
	firmware_test();
	kvm_amd_test();
	ksft_finished();
}
