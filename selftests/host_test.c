// SPDX-License-Identifier: GPL-2.0-or-later
/* HOST_GET against what the machine says by other ways. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/psp-sev.h>

#include "kselftest.h"
#include "testing.h"

#define SIMULATOR "/sys/kernel/debug/psp_sim/"
#define PSP_PATIENCE 60		/* seconds, twice: far less than "settings" allows a test */

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

/* The kernel's drivers cpuid and msr: other code than the module's. */
static bool cpu_read(const char *device, uint32_t where, void *value, size_t size)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = pread(fd, value, size, where);
	close(fd);
	return got == (ssize_t)size;
}

static bool cpuid_read(uint32_t leaf, uint32_t regs[4])
{
	return cpu_read("/dev/cpu/0/cpuid", leaf, regs, 4 * sizeof(*regs));
}

static bool msr_read(uint32_t msr, uint64_t *value)
{
	return cpu_read("/dev/cpu/0/msr", msr, value, sizeof(*value));
}

/* The attribute is as given, or not there. */
static bool is_if(bool known, int attr, uint32_t expected)
{
	if (known)
		return is(attr, expected);
	if (nl_has(host, attr))
		ksft_print_msg("attribute %d is there\n", attr);
	return !nl_has(host, attr);
}

/* AMD APM volume 3, Fn8000_001F; all 0 where the processor has no such leaf. */
static bool encryption_leaf(uint32_t regs[4])
{
	uint32_t highest[4];

	memset(regs, 0, 4 * sizeof(*regs));
	if (!cpuid_read(0x80000000, highest))
		return false;
	return highest[0] < 0x8000001f || cpuid_read(0x8000001f, regs);
}

static void cpuid_test(void)
{
	uint32_t regs[4];
	bool any, sev, snp;

	if (!encryption_leaf(regs)) {
		ksft_test_result_skip("CPUID: no /dev/cpu/0/cpuid to compare with\n");
		return;
	}
	any = regs[0] & 3;
	sev = regs[0] >> 1 & 1;
	snp = regs[0] >> 4 & 1;
	ksft_test_result(is(KVMWARD_A_HOST_SME_IN_CPU, regs[0] & 1) &&
			 is(KVMWARD_A_HOST_SEV_IN_CPU, sev) &&
			 is(KVMWARD_A_HOST_SEV_ES_IN_CPU, regs[0] >> 3 & 1) &&
			 is(KVMWARD_A_HOST_SNP_IN_CPU, snp) &&
			 is_if(any, KVMWARD_A_HOST_C_BIT_POSITION, regs[1] & 0x3f) &&
			 is_if(any, KVMWARD_A_HOST_PHYS_ADDR_REDUCTION, regs[1] >> 6 & 0x3f) &&
			 is_if(snp, KVMWARD_A_HOST_VMPLS, regs[1] >> 12 & 0xf) &&
			 is_if(sev, KVMWARD_A_HOST_MAX_ASID, regs[2]) &&
			 is_if(sev, KVMWARD_A_HOST_MIN_SEV_ASID, regs[3]),
			 "encryption is as /dev/cpu/0/cpuid says (EAX 0x%x EBX 0x%x)\n", regs[0],
			 regs[1]);
}

/* One bit of a register; absent where it is not to be read or means nothing. */
static bool bit_is(bool asked, int attr, uint32_t msr, unsigned int bit)
{
	uint64_t value = 0;
	bool known = asked && msr_read(msr, &value);

	return is_if(known, attr, value >> bit & 1);
}

/* AMD APM volume 2, 15.36.4: a table in segments, if there may be one, has no end. */
static bool rmp_is(bool asked, bool may_be_segmented)
{
	uint64_t base = 0, end = 0, config = 0;
	bool known = asked && msr_read(0xc0010132, &base) && msr_read(0xc0010133, &end) &&
		     (!may_be_segmented || msr_read(0xc0010136, &config));

	return is_if(known, KVMWARD_A_HOST_SNP_RMP_RESERVED,
		     config & 1 ? base != 0 : base && end > base);
}

/* VM_CR.SVMDIS or, of Intel's IA32_FEATURE_CONTROL, locked without VMX. */
static bool switch_off_is(void)
{
	bool in_cpu = nl_u32(host, KVMWARD_A_HOST_VIRT_IN_CPU);
	uint32_t vendor = nl_u32(host, KVMWARD_A_HOST_VENDOR);
	uint64_t value = 0;

	if (vendor == KVMWARD_VENDOR_AMD || vendor == KVMWARD_VENDOR_HYGON)
		return bit_is(in_cpu, KVMWARD_A_HOST_VIRT_FIRMWARE_DISABLED, 0xc0010114, 4);
	in_cpu = in_cpu && msr_read(0x3a, &value);
	return is_if(in_cpu, KVMWARD_A_HOST_VIRT_FIRMWARE_DISABLED, (value & 5) == 1);
}

static void msr_test(void)
{
	uint32_t regs[4];
	uint64_t tsc;
	bool any, snp;

	if (!msr_read(0x10, &tsc) || !encryption_leaf(regs)) {
		ksft_test_result_skip("firmware: no /dev/cpu/0/msr to compare with\n");
		return;
	}
	any = regs[0] & 3;
	snp = regs[0] >> 4 & 1;
	ksft_test_result(switch_off_is() && rmp_is(snp, regs[0] >> 23 & 1) &&
			 bit_is(any, KVMWARD_A_HOST_SME_ENABLED, 0xc0010010, 23) &&
			 bit_is(snp, KVMWARD_A_HOST_SNP_ACTIVE, 0xc0010010, 24) &&
			 bit_is(any, KVMWARD_A_HOST_SMM_LOCKED, 0xc0010015, 0),
			 "what firmware has set is as /dev/cpu/0/msr says\n");
}

static bool is_intel(void)
{
	return cpuinfo_has("vendor_id", "GenuineIntel");
}

static void simulator_test(void)
{
	if (!test_module_there("psp_sim") || is_intel()) {
		ksft_test_result_skip("ASID range: no simulated SEV to compare with\n");
		return;
	}
	ksft_test_result(is(KVMWARD_A_HOST_MAX_ASID,
			    test_file_number("/sys/module/psp_sim/parameters/max_asid")) &&
			 is(KVMWARD_A_HOST_MIN_SEV_ASID,
			    test_file_number("/sys/module/psp_sim/parameters/min_sev_asid")) &&
			 is(KVMWARD_A_HOST_C_BIT_POSITION,
			    test_file_number("/sys/module/psp_sim/parameters/cbit")) &&
			 is(KVMWARD_A_HOST_SMM_LOCKED, 1) && is(KVMWARD_A_HOST_SME_ENABLED, 1),
			 "ASID range, C-bit and firmware are the simulator's\n");
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

/* Firmware facts are left out while the firmware is busy: asks until they are there. */
static void psp_await(struct nl *nl)
{
	time_t end = time(NULL) + PSP_PATIENCE;

	while (time(NULL) < end && !nl_has(host, KVMWARD_A_HOST_PSP_STATE)) {
		usleep(100000);
		nl_answer_done(&answer);
		test_host(nl, &answer);
		host = &answer.msgs[0];
	}
}

static bool psp_is_absent(void)
{
	return !nl_has(host, KVMWARD_A_HOST_PSP_STATE) &&
	       !nl_has(host, KVMWARD_A_HOST_PSP_API_MAJOR) &&
	       !nl_has(host, KVMWARD_A_HOST_PSP_API_MINOR) &&
	       !nl_has(host, KVMWARD_A_HOST_PSP_BUILD) &&
	       !nl_has(host, KVMWARD_A_HOST_PSP_GUEST_COUNT);
}

static void psp_test(struct nl *nl)
{
	struct sev_user_data_status status = { 0 };
	bool there = platform_status(&status);

	if (there)
		psp_await(nl);
	if (there)
		ksft_test_result(is(KVMWARD_A_HOST_PSP_STATE, status.state) &&
				 is(KVMWARD_A_HOST_PSP_API_MAJOR, status.api_major) &&
				 is(KVMWARD_A_HOST_PSP_API_MINOR, status.api_minor) &&
				 is(KVMWARD_A_HOST_PSP_BUILD, status.build) &&
				 is(KVMWARD_A_HOST_PSP_GUEST_COUNT, status.guest_count),
				 "firmware facts are those of /dev/sev\n");
	else
		ksft_test_result(psp_is_absent(), "no firmware facts without /dev/sev\n");
}

static void ask_without_psp(struct nl *nl, struct nl_answer *ret_answer)
{
	char attr[NLA_HDRLEN];
	size_t len = nl_put(attr, KVMWARD_A_HOST_WITHOUT_PSP, "", 0);
	int ret = nl_do(nl, KVMWARD_CMD_HOST_GET, attr, len, ret_answer);

	if (ret || ret_answer->count != 1)
		ksft_exit_fail_msg("without-psp: %s: %s\n", strerror(-ret), nl->error);
}

/* Bits that firmware sets, and the facts that turn with each: 0, none. */
static const struct bit {
	const char *name, *reg;
	uint32_t msr;
	unsigned int bit;
	int fact, follows;
	bool intel, snp;
} bits[] = {
	{ "VM_CR.SVMDIS", "VM_CR", 0xc0010114, 4,
	  KVMWARD_A_HOST_VIRT_FIRMWARE_DISABLED, KVMWARD_A_HOST_VIRT_USABLE, false, false },
	{ "VM_CR.LOCK", "VM_CR", 0xc0010114, 3, 0, 0, false, false },
	{ "SYSCFG.MemEncryptionModEn", "SYSCFG", 0xc0010010, 23,
	  KVMWARD_A_HOST_SME_ENABLED, 0, false, false },
	{ "HWCR.SmmLock", "HWCR", 0xc0010015, 0, KVMWARD_A_HOST_SMM_LOCKED, 0, false, false },
	{ "SYSCFG.SecureNestedPagingEn", "SYSCFG", 0xc0010010, 24,
	  KVMWARD_A_HOST_SNP_ACTIVE, 0, false, true },
	{ "the only bit of RMP_BASE", "RMP_BASE", 0xc0010132, 30,
	  KVMWARD_A_HOST_SNP_RMP_RESERVED, 0, false, true },
	{ "RMP_END's bit above RMP_BASE", "RMP_END", 0xc0010133, 30,
	  KVMWARD_A_HOST_SNP_RMP_RESERVED, 0, false, true },
	{ "RMP_CFG.SegmentedRmpEn", "RMP_CFG", 0xc0010136, 0, 0, 0, false, true },
	{ "FEATURE_CONTROL's VMX outside SMX", "FEATURE_CONTROL", 0x3a, 2,
	  KVMWARD_A_HOST_VIRT_FIRMWARE_DISABLED, KVMWARD_A_HOST_VIRT_USABLE, true, false },
	{ "FEATURE_CONTROL's VMX in SMX", "FEATURE_CONTROL", 0x3a, 1, 0, 0, true, false },
	{ "FEATURE_CONTROL's lock", "FEATURE_CONTROL", 0x3a, 0, 0, 0, true, false },
};

/* The same outside SMX where nothing is locked: the kernel may still choose. */
static const struct bit unlocked = {
	"FEATURE_CONTROL's VMX outside SMX, not locked", "FEATURE_CONTROL", 0x3a, 2, 0, 0, true, false,
};

/* RMP_END's once more where the table is in segments. */
static const struct bit segmented = {
	"RMP_END's bit above RMP_BASE, in segments", "RMP_END", 0xc0010133, 30, 0, 0, false, true,
};

#define BITS (sizeof(bits) / sizeof(*bits))

static bool bit_set(const struct bit *bit, unsigned int value)
{
	char command[64];

	snprintf(command, sizeof(command), "%s %u %u", bit->reg, bit->bit, value);
	return test_file_write(SIMULATOR "msr", command);
}

/* Those facts are the other way round, and all others are as they were. */
static bool turned(const struct nl_msg *before, const struct nl_msg *after, const struct bit *bit)
{
	bool ok = true;
	int attr;

	for (attr = 1; attr < NL_ATTRS; attr++) {
		const struct nlattr *was = before->attr[attr], *now = after->attr[attr];
		bool turns = attr == bit->fact || attr == bit->follows, good;

		if (turns)
			good = was && now && nl_u32(before, attr) == !nl_u32(after, attr);
		else
			good = !was == !now && (!was || (was->nla_len == now->nla_len &&
							 !memcmp(was, now, was->nla_len)));
		if (!good)
			ksft_print_msg("attribute %d has %schanged\n", attr, turns ? "not " : "");
		ok &= good;
	}
	return ok;
}

/* There and back, each seen by /dev/cpu/0/msr, too. */
static bool bit_turns(struct nl *nl, const struct bit *bit)
{
	static const struct bit none;
	struct nl_answer before, there, back;
	uint64_t was = 0, turned_value = 0, value = 0;
	bool ok;

	ask_without_psp(nl, &before);
	ok = msr_read(bit->msr, &was) && bit_set(bit, !(was >> bit->bit & 1)) &&
	     msr_read(bit->msr, &turned_value) && turned_value == (was ^ 1ULL << bit->bit);
	ask_without_psp(nl, &there);
	ok &= bit_set(bit, was >> bit->bit & 1) && msr_read(bit->msr, &value) && value == was;
	ask_without_psp(nl, &back);
	ok = ok && turned(&before.msgs[0], &there.msgs[0], bit);
	ok = ok && turned(&before.msgs[0], &back.msgs[0], &none);
	if (value != was)
		ksft_print_msg("0x%x: 0x%llx, then 0x%llx\n", bit->msr, (unsigned long long)was,
			       (unsigned long long)value);
	nl_answer_done(&before);
	nl_answer_done(&there);
	nl_answer_done(&back);
	return ok;
}

static const char *bit_is_not_there(const struct bit *bit)
{
	uint32_t regs[4];
	uint64_t tsc;

	if (access(SIMULATOR "msr", F_OK))
		return "no simulator";
	if (!msr_read(0x10, &tsc) || !encryption_leaf(regs))
		return "no /dev/cpu/0/msr";
	if (bit->intel != is_intel())
		return "the processor is another vendor's";
	return bit->snp && !(regs[0] >> 4 & 1) ? "the processor has no SEV-SNP" : NULL;
}

static void bit_test(struct nl *nl, const struct bit *bit)
{
	const char *missing = bit_is_not_there(bit);

	if (missing)
		ksft_test_result_skip("%s: %s\n", bit->name, missing);
	else
		ksft_test_result(bit_turns(nl, bit), "%s: turns there and back %s\n", bit->name,
				 bit->fact ? "what it is about, and nothing else" : "no fact");
}

static void bit_test_between(struct nl *nl, const struct bit *bit, const char *before,
			     const char *after)
{
	bool steered = !bit_is_not_there(bit);

	if (steered)
		test_file_write(SIMULATOR "msr", before);
	bit_test(nl, bit);
	if (steered)
		test_file_write(SIMULATOR "msr", after);
}

static void bits_test(struct nl *nl)
{
	unsigned int i;

	for (i = 0; i < BITS; i++)
		bit_test(nl, &bits[i]);
	bit_test_between(nl, &unlocked, "FEATURE_CONTROL 0 0", "FEATURE_CONTROL 0 1");
	bit_test_between(nl, &segmented, "RMP_CFG 0 1", "RMP_CFG 0 0");
}

/*
 * The answer does not wait for the firmware, and lacks what it would have said. Who
 * does not want to know does not even ask it: it is slow to who asks next.
 */
static void psp_slow_test(struct nl *nl)
{
	bool left_out, unasked;

	usleep(300000);		/* What it said last is too old by then. */
	if (!test_file_write(SIMULATOR "slow", "PLATFORM_STATUS 8000 1")) {
		ksft_test_result_skip("slow firmware: no simulator\n");
		ksft_test_result_skip("without its facts: no simulator\n");
		ksft_test_result_skip("and later: no simulator\n");
		return;
	}
	nl_answer_done(&answer);
	ask_without_psp(nl, &answer);
	host = &answer.msgs[0];
	unasked = psp_is_absent();
	nl_answer_done(&answer);
	test_host(nl, &answer);
	host = &answer.msgs[0];
	left_out = psp_is_absent();
	ksft_test_result(left_out && unasked,
			 "asked to leave out its facts: done, and the firmware was not asked\n");
	ksft_test_result(left_out && is(KVMWARD_A_HOST_KVM_LOADED, test_module_there("kvm")),
			 "slow firmware: answered without its facts\n");
	psp_await(nl);
	ksft_test_result(nl_has(host, KVMWARD_A_HOST_PSP_STATE), "and with them later\n");
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
	test_module_load("cpuid");
	test_module_load("msr");
	ksft_set_plan(14 + BITS + 2);
	test_host(&nl, &answer);
	host = &answer.msgs[0];
	vendor_test();
	virt_test();
	modules_test();
	enabled_test();
	cpuid_test();
	msr_test();
	simulator_test();
	no_sev_test();
	psp_test(&nl);
	psp_slow_test(&nl);
	bits_test(&nl);
	source_test();
	nobody_test();
	ksft_finished();
}
