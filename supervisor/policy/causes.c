/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/causes.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY (-1000)

/* A message of QEMU or libvirt, by its words and the two numbers in it. */
struct sign {
	const char *words, *and_words;	/* on one line; and_words NULL for none */
	int ret, fw_error;
	const char *cause, *remedy;
};

#define INIT "failed to initialize"
#define SLOTS_REMEDY "see 'kvmward slots', and misc.max of the cgroups that guests run in"

/* From the particular to the general: the first that fits is told. */
static const struct sign signs[] = {
	{ "does not support virt type 'kvm'", NULL, ANY, ANY,
	  "KVM is not there: its modules are not loaded, or the BIOS has switched virtualisation off",
	  "see 'kvmward host'" },
	{ INIT, NULL, -16, ANY,
	  "KVM has no key slot left for it: all are taken, or the limit of a cgroup (misc.max) is "
	  "reached",
	  SLOTS_REMEDY },
	{ INIT, NULL, -25, ANY,
	  "KVM does not offer this kind of guest: it is switched off in kvm_amd, or its range of "
	  "key slots is empty",
	  "see 'kvmward host'" },
	{ INIT, NULL, -22, 0,
	  "KVM refuses the kind of guest that QEMU asks for: there are no slots for it at all, or "
	  "kernel and QEMU do not fit together",
	  "see 'kvmward host', and try the machine type and the QEMU that fit this kernel" },
	{ INIT, NULL, -12, ANY, "KVM has no memory to make the guest", "free memory of the host" },
	{ INIT, NULL, -19, ANY, "the SEV firmware is not there",
	  "see 'dmesg' for ccp: its firmware may be missing or have failed to start" },
	{ "LAUNCH_START", NULL, ANY, 21,
	  "the SEV firmware does not support this guest; with new firmware (CVE-2025-48514) it "
	  "starts no SEV-ES guest where SEV-SNP is initialised",
	  "make it a sev-snp guest, or load kvm_amd with sev_snp=0" },
	{ "register region", "Cannot allocate memory", ANY, ANY,
	  "the guest pins more memory than its memory lock lets it",
	  "remove <hard_limit> and let 'kvmward launch' add one, or raise it; 'kvmward plan "
	  "--explain' shows what is pinned" },
	{ "register region", "Invalid argument", ANY, ANY,
	  "KVM cannot pin a region of the guest's memory",
	  "see 'dmesg'; memory backed by a file or a device may be the reason" },
	{ "Failed to open /dev/sev", "Permission denied", ANY, ANY, "QEMU may not open /dev/sev",
	  "let libvirt's user have it: group and mode of /dev/sev, cgroup_device_acl in qemu.conf" },
	{ "Failed to open /dev/sev", NULL, ANY, ANY, "there is no /dev/sev that works",
	  "see 'kvmward host' and 'dmesg' for ccp" },
	{ "cbitpos check failed", NULL, ANY, ANY,
	  "the <cbitpos> of the domain is not this processor's",
	  "remove <cbitpos>: 'kvmward launch' and libvirt fill it in" },
	{ "reduced_phys_bits check failed", NULL, ANY, ANY,
	  "the <reducedPhysBits> of the domain is not this processor's",
	  "remove <reducedPhysBits>: 'kvmward launch' and libvirt fill it in" },
	{ "requires SEV-ES, but host SEV-ES support unavailable", NULL, ANY, ANY,
	  "the SEV firmware is not set up for SEV-ES", "see 'kvmward host' and 'dmesg' for ccp" },
	{ "failed to get platform status", NULL, ANY, ANY, "the SEV firmware does not answer",
	  "see 'dmesg' for ccp" },
};

/* Errors of the SEV firmware, by number. */
static const struct {
	const char *name, *meaning, *remedy;
} firmware_errors[] = {
	[1] = { "INVALID_PLATFORM_STATE", "it is not initialised, or busy with something else",
		"see 'dmesg' for ccp; reload kvm_amd and ccp when no encrypted guest runs" },
	[2] = { "INVALID_GUEST_STATE", "the guest is not as far as QEMU thinks",
		"try again; if it stays, update QEMU" },
	[3] = { "INVALID_CONFIG", "its configuration is wrong", "see 'dmesg' for ccp" },
	[4] = { "INVALID_LEN", "a buffer is too small", "update QEMU and the kernel" },
	[5] = { "ALREADY_OWNED", "the platform has an owner", "reset its keys with sevctl" },
	[6] = { "INVALID_CERTIFICATE", "the guest owner's certificate <dhCert> is wrong",
		"make <dhCert> and <session> anew for this host" },
	[7] = { "POLICY_FAILURE", "the guest's policy forbids this host",
		"see <policy>: it may want newer firmware or what the host does not offer" },
	[8] = { "INACTIVE", "the guest has no slot", "try again" },
	[9] = { "INVALID_ADDRESS", "an address is wrong", "see 'dmesg', and update the kernel" },
	[10] = { "BAD_SIGNATURE", "a signature is wrong",
		 "make <dhCert> and <session> anew for this host" },
	[11] = { "BAD_MEASUREMENT", "the session was not made for this host and policy",
		 "make <dhCert> and <session> anew for this host and this <policy>" },
	[12] = { "ASID_OWNED", "the slot belongs to another guest, so the kernel's count and the "
			       "firmware's differ",
		 "see 'kvmward guests'; a reboot sets it right" },
	[13] = { "INVALID_ASID", "the slot does not exist for this kind of guest",
		 "see 'kvmward slots' and BIOS \"minimum SEV ASID\"" },
	[14] = { "WBINVD_REQUIRED", "caches were not flushed", "update the kernel" },
	[15] = { "DFFLUSH_REQUIRED", "the data fabric was not flushed", "update the kernel" },
	[16] = { "INVALID_GUEST", "it does not know the guest", "try again; see 'dmesg'" },
	[17] = { "INVALID_COMMAND", "it does not know the command", "update the firmware" },
	[18] = { "ACTIVE", "the guest is active already", "try again; see 'dmesg'" },
	[19] = { "HWSEV_RET_PLATFORM", "the hardware has failed, but is safe to use",
		 "see 'dmesg'; update the firmware" },
	[20] = { "HWSEV_RET_UNSAFE", "the hardware has failed and is not safe to use",
		 "start no encrypted guest here; see 'dmesg'" },
	[21] = { "UNSUPPORTED", "it does not support this", "update the firmware" },
	[22] = { "INVALID_PARAM", "a parameter is wrong", "update QEMU and the kernel" },
	[23] = { "RESOURCE_LIMIT", "it has no room for another guest",
		 "stop an encrypted guest; see 'kvmward slots'" },
	[24] = { "SECURE_DATA_INVALID", "its own data is damaged", "reset its keys with sevctl" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The number behind a mark on this line; ANY when there is none. */
static int number_after(const char *line, size_t length, const char *mark)
{
	const char *at = memmem(line, length, mark, strlen(mark));
	char *end;
	long number;

	if (!at)
		return ANY;
	at += strlen(mark);
	at += *at == '\'';	/* "fw_error='7: …'" */
	number = strtol(at, &end, 10);
	return end == at || number < -999 || number > 999 ? ANY : (int)number;
}

static bool has(const char *line, size_t length, const char *words)
{
	return memmem(line, length, words, strlen(words)) != NULL;
}

static bool fits(const struct sign *sign, const char *line, size_t length)
{
	return has(line, length, sign->words) &&
	       (!sign->and_words || has(line, length, sign->and_words)) &&
	       (sign->ret == ANY || number_after(line, length, "ret=") == sign->ret) &&
	       (sign->fw_error == ANY ||
		number_after(line, length, "fw_error=") == sign->fw_error);
}

static bool read_sign(const char *line, size_t length, struct kw_cause *ret_cause)
{
	for (size_t i = 0; i < COUNT(signs); i++) {
		if (!fits(&signs[i], line, length))
			continue;
		snprintf(ret_cause->cause, sizeof(ret_cause->cause), "%s", signs[i].cause);
		ret_cause->remedy = signs[i].remedy;
		return true;
	}
	return false;
}

static bool read_firmware(const char *line, size_t length, struct kw_cause *ret_cause)
{
	int error = number_after(line, length, "fw_error=");

	if (error < 1 || error >= (int)COUNT(firmware_errors))
		return false;
	snprintf(ret_cause->cause, sizeof(ret_cause->cause),
		 "the SEV firmware refuses with error %d, %s: %s", error,
		 firmware_errors[error].name, firmware_errors[error].meaning);
	ret_cause->remedy = firmware_errors[error].remedy;
	return true;
}

bool kw_cause_find(const char *text, struct kw_cause *ret_cause)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (read_sign(text, length, ret_cause) || read_firmware(text, length, ret_cause))
			return true;
		text += length + (text[length] == '\n');
	}
	return false;
}
