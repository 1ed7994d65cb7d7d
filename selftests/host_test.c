// SPDX-License-Identifier: GPL-2.0-or-later
/* HOST_GET against what the machine says by other ways. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/psp-sev.h>

#include "kselftest.h"
#include "testing.h"

static struct nl_answer answer;
static const struct nl_msg *host;

static bool is(int attr, uint32_t expected)
{
	bool same = nl_has(host, attr) && nl_u32(host, attr) == expected;

	if (!same)
		ksft_print_msg("attribute %d: %d, expected %u\n", attr,
			       nl_has(host, attr) ? (int)nl_u32(host, attr) : -1, expected);
	return same;
}

static bool cpuinfo_has(const char *key, const char *word)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, key, strlen(key)) && strstr(line, word);
	if (file)
		fclose(file);
	return found;
}

static void vendor_test(void)
{
	uint32_t vendor = cpuinfo_has("vendor_id", "AuthenticAMD") ? KVMWARD_VENDOR_AMD :
			  cpuinfo_has("vendor_id", "HygonGenuine") ? KVMWARD_VENDOR_HYGON :
			  cpuinfo_has("vendor_id", "GenuineIntel") ? KVMWARD_VENDOR_INTEL :
								     KVMWARD_VENDOR_OTHER;

	ksft_test_result(is(KVMWARD_A_HOST_VENDOR, vendor), "vendor is that of /proc/cpuinfo\n");
}

/* The kernel's flag is the feature less what firmware has switched off. */
static void virt_test(void)
{
	bool usable = cpuinfo_has("flags", " svm") || cpuinfo_has("flags", " vmx");

	ksft_test_result(is(KVMWARD_A_HOST_VIRT_USABLE, usable) &&
			 (!usable || is(KVMWARD_A_HOST_VIRT_IN_CPU, 1)),
			 "virtualisation is as in /proc/cpuinfo (%susable)\n", usable ? "" : "not ");
}

static void modules_test(void)
{
	const char *vendor = test_module_there("kvm_amd") ? "kvm_amd" :
			     test_module_there("kvm_intel") ? "kvm_intel" : NULL;
	bool vendor_ok;

	if (vendor)
		vendor_ok = nl_has(host, KVMWARD_A_HOST_KVM_VENDOR_MODULE) &&
			    !strcmp(nl_string(host, KVMWARD_A_HOST_KVM_VENDOR_MODULE), vendor);
	else
		vendor_ok = !nl_has(host, KVMWARD_A_HOST_KVM_VENDOR_MODULE);
	ksft_test_result(is(KVMWARD_A_HOST_KVM_LOADED, test_module_there("kvm")) && vendor_ok &&
			 is(KVMWARD_A_HOST_VHOST_NET_LOADED, test_module_there("vhost_net")),
			 "modules are those of /sys/module (%s)\n", vendor ? vendor : "no KVM");
}

static void enabled_test(void)
{
	ksft_test_result(is(KVMWARD_A_HOST_SEV_ENABLED,
			    test_param_is_yes("kvm_amd/parameters/sev")) &&
			 is(KVMWARD_A_HOST_SEV_ES_ENABLED,
			    test_param_is_yes("kvm_amd/parameters/sev_es")) &&
			 is(KVMWARD_A_HOST_SNP_ENABLED,
			    test_param_is_yes("kvm_amd/parameters/sev_snp")),
			 "SEV, SEV-ES, SNP are enabled as kvm_amd's parameters say\n");
}

static void cpuid_test(void)
{
	if (!test_module_there("psp_sim")) {
		ksft_test_result_skip("ASID range: no simulator to compare with\n");
		return;
	}
	ksft_test_result(is(KVMWARD_A_HOST_MAX_ASID,
			    test_file_number("/sys/module/psp_sim/parameters/max_asid")) &&
			 is(KVMWARD_A_HOST_MIN_SEV_ASID,
			    test_file_number("/sys/module/psp_sim/parameters/min_sev_asid")) &&
			 is(KVMWARD_A_HOST_C_BIT_POSITION,
			    test_file_number("/sys/module/psp_sim/parameters/cbit")) &&
			 is(KVMWARD_A_HOST_SEV_IN_CPU, 1) && is(KVMWARD_A_HOST_SEV_ES_IN_CPU, 1),
			 "ASID range and C-bit are the simulator's\n");
}

/* The maximum ASID means nothing where the processor has no SEV. */
static void no_sev_test(void)
{
	if (nl_u32(host, KVMWARD_A_HOST_SEV_IN_CPU)) {
		ksft_test_result_skip("no ASIDs without SEV: the processor has SEV\n");
		return;
	}
	ksft_test_result(!nl_has(host, KVMWARD_A_HOST_MAX_ASID) &&
			 !nl_has(host, KVMWARD_A_HOST_MIN_SEV_ASID) &&
			 is(KVMWARD_A_HOST_SEV_ENABLED, 0), "no ASIDs without SEV\n");
}

static bool platform_status(struct sev_user_data_status *status)
{
	struct sev_issue_cmd cmd = { .cmd = SEV_PLATFORM_STATUS, .data = (uintptr_t)status };
	int fd = open("/dev/sev", O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return false;
	ret = ioctl(fd, SEV_ISSUE_CMD, &cmd);
	close(fd);
	return !ret;
}

static void psp_test(void)
{
	struct sev_user_data_status status = { 0 };

	if (platform_status(&status))
		ksft_test_result(is(KVMWARD_A_HOST_PSP_STATE, status.state) &&
				 is(KVMWARD_A_HOST_PSP_API_MAJOR, status.api_major) &&
				 is(KVMWARD_A_HOST_PSP_API_MINOR, status.api_minor) &&
				 is(KVMWARD_A_HOST_PSP_BUILD, status.build) &&
				 is(KVMWARD_A_HOST_PSP_GUEST_COUNT, status.guest_count),
				 "firmware facts are those of /dev/sev\n");
	else
		ksft_test_result(!nl_has(host, KVMWARD_A_HOST_PSP_STATE) &&
				 !nl_has(host, KVMWARD_A_HOST_PSP_API_MAJOR) &&
				 !nl_has(host, KVMWARD_A_HOST_PSP_GUEST_COUNT),
				 "no firmware facts without /dev/sev\n");
}

static void source_test(void)
{
	bool btf = test_module_there("kvm_amd") && !access("/sys/kernel/btf/kvm_amd", F_OK);
	bool reason = nl_has(host, KVMWARD_A_HOST_FACTS_REASON);

	if (reason)
		ksft_print_msg("facts-reason: %s\n", nl_string(host, KVMWARD_A_HOST_FACTS_REASON));
	ksft_test_result(is(KVMWARD_A_HOST_FACTS_SOURCE, btf ? KVMWARD_FACTS_SOURCE_BTF :
							       KVMWARD_FACTS_SOURCE_NONE) &&
			 reason == !btf, "source of guest facts: %s\n", btf ? "btf" : "none, and why");
}

/* Anyone may ask. */
static void nobody_test(void)
{
	pid_t pid = fork();
	struct nl_answer own;
	struct nl nl;

	if (!pid) {
		test_become_nobody();
		if (nl_open(&nl))
			_exit(1);
		_exit(nl_do(&nl, KVMWARD_CMD_HOST_GET, NULL, 0, &own) || own.count != 1);
	}
	ksft_test_result(test_wait(pid) == 0, "a user without rights is answered\n");
}

int main(void)
{
	struct nl nl;

	test_open(&nl);
	ksft_set_plan(9);
	test_host(&nl, &answer);
	host = &answer.msgs[0];
	vendor_test();
	virt_test();
	modules_test();
	enabled_test();
	cpuid_test();
	no_sev_test();
	psp_test();
	source_test();
	nobody_test();
	ksft_finished();
}
