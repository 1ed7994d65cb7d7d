/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that a domain must keep to work encrypted at all, whatever the host.
 * Source: Nova's KVM guide and nova/virt/hardware.py; the launch policy from
 * AMD's SEV and SEV-SNP ABI specifications.
 */
#include "policy/rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* SEV guest policy: bits 6 to 15 are reserved, 16 to 23 are the firmware's major API version. */
#define SEV_POLICY_RESERVED 0xffffffff0000ffc0ull
#define SEV_POLICY_API_MAJOR(policy) ((unsigned int)((policy) >> 16) & 0xff)
#define SEV_API_MAJOR_MAX 1
/* SNP guest policy: bit 17 must be 1, bits above 25 must be 0. */
#define SNP_POLICY_RESERVED_1 (1ull << 17)
#define SNP_POLICY_RESERVED_0 (~0ull << 26)

/* Always false, so that a rule can end with it. */
__attribute__((format(printf, 4, 5))) static bool
refuse(struct kw_verdict *ret_verdict, enum kw_code code, int line, const char *format, ...)
{
	char text[sizeof(ret_verdict->sentence)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line > 0)
		kw_verdict_set(ret_verdict, code, "line %d: %s", line, text);
	else
		kw_verdict_set(ret_verdict, code, "%s", text);
	return false;
}

static int line_or(int line, int otherwise)
{
	return line ? line : otherwise;
}

/* A device that breaks a rule, or NULL. */
static const struct kw_device *find_device(const struct kw_domain *domain,
					   bool (*breaks)(const struct kw_device *))
{
	for (size_t i = 0; i < domain->device_count; i++)
		if (breaks(&domain->devices[i]))
			return &domain->devices[i];
	return NULL;
}

static bool security_known(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	enum kw_guest_type type;

	if (kw_domain_guest_type(domain, &type))
		return true;
	return refuse(ret_verdict, KW_UNKNOWN_SECURITY, domain->line_security,
		      "<launchSecurity type='%s'>: kvmward does not know this type; use type 'sev' "
		      "or 'sev-snp'",
		      domain->security_type);
}

static bool is_kvm(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (!strcmp(domain->virt_type, "kvm"))
		return true;
	return refuse(ret_verdict, KW_NOT_KVM, 0,
		      "<domain type='%s'>: only KVM runs an encrypted guest; set type='kvm'",
		      domain->virt_type);
}

/* A firmware for -bios says nowhere that it is UEFI, so its file name has to. */
static bool rom_is_uefi(const struct kw_domain *domain)
{
	return domain->loader_stateless || strcasestr(domain->loader_path, "ovmf") ||
	       strcasestr(domain->loader_path, "edk2");
}

static bool is_uefi(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (domain->firmware_efi)
		return true;
	if (!domain->loader)
		return refuse(ret_verdict, KW_NO_UEFI, domain->line_os,
			      "<os> names no UEFI firmware, which an encrypted guest needs; add "
			      "<loader readonly='yes' type='pflash'> and <nvram>, or set "
			      "firmware='efi'");
	if (!strcmp(domain->loader_type, "pflash") || rom_is_uefi(domain))
		return true;
	return refuse(ret_verdict, KW_NO_UEFI, domain->line_loader,
		      "<loader> is no UEFI firmware in flash, which an encrypted guest needs; name "
		      "an OVMF build and set readonly='yes' type='pflash'");
}

static bool is_q35(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	int line = line_or(domain->line_type, domain->line_os);

	if (strstr(domain->machine, "q35"))
		return true;
	if (!domain->machine[0])
		return refuse(ret_verdict, KW_NOT_Q35, line,
			      "<type> names no machine, which makes it 'pc': an encrypted guest "
			      "needs machine type q35; set machine='q35'");
	return refuse(ret_verdict, KW_NOT_Q35, line,
		      "<type machine='%s'>: an encrypted guest needs machine type q35; set "
		      "machine='q35'",
		      domain->machine);
}

/* A loader of type rom has nowhere to keep variables. */
static bool is_stateless(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (domain->security != KW_SECURITY_SNP || domain->loader_stateless ||
	    (domain->loader && !strcmp(domain->loader_type, "rom")))
		return true;
	return refuse(ret_verdict, KW_NOT_STATELESS, line_or(domain->line_loader, domain->line_os),
		      "<loader>: a SEV-SNP guest needs stateless firmware; set stateless='yes' and "
		      "remove <nvram>");
}

static bool no_secure_boot(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (domain->loader_secure)
		return refuse(
			ret_verdict, KW_SECURE_BOOT, domain->line_loader,
			"<loader secure='yes'>: Secure Boot needs SMM, which an encrypted guest "
			"cannot have; set secure='no'");
	if (domain->smm_on)
		return refuse(ret_verdict, KW_SECURE_BOOT, domain->line_smm,
			      "<smm>: an encrypted guest cannot have SMM; set state='off'");
	return true;
}

/*
 * USB and SCSI devices reach the guest through QEMU's own emulation. All other
 * kinds, and one that is not known here, are taken for devices that write into
 * the guest's memory themselves.
 */
static bool is_passed_through(const struct kw_device *device)
{
	if (device->kind == KW_DEVICE_INTERFACE)
		return !strcmp(device->type, "hostdev");
	return device->kind == KW_DEVICE_HOSTDEV && strcmp(device->model, "usb") &&
	       strcmp(device->model, "scsi") && strcmp(device->model, "scsi_host");
}

static bool no_passthrough(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	const struct kw_device *device = find_device(domain, is_passed_through);

	if (!device)
		return true;
	if (device->kind == KW_DEVICE_INTERFACE)
		return refuse(
			ret_verdict, KW_PASSTHROUGH, device->line,
			"<interface type='hostdev'>: a host device cannot reach the memory of "
			"an encrypted guest; use type='network' or 'bridge' with a virtio model");
	return refuse(ret_verdict, KW_PASSTHROUGH, device->line,
		      "<hostdev type='%s'>: a host device cannot reach the memory of an encrypted "
		      "guest; remove it",
		      device->model);
}

/* libvirt takes the bus from the name of the target when the file gives none. */
static bool is_ide(const struct kw_device *device)
{
	if (device->kind != KW_DEVICE_DISK)
		return false;
	return device->bus[0] ? !strcmp(device->bus, "ide") : kw_text_starts(device->target, "hd");
}

static bool no_ide(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	const struct kw_device *disk = find_device(domain, is_ide);

	if (!disk)
		return true;
	return refuse(ret_verdict, KW_IDE_DISK, disk->line,
		      "disk '%s' is on bus 'ide', which an encrypted guest cannot use; set "
		      "bus='virtio', 'scsi' (virtio-scsi) or 'sata' on <target>",
		      disk->target);
}

static bool no_vmcoreinfo(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (!domain->vmcoreinfo)
		return true;
	return refuse(
		ret_verdict, KW_VMCOREINFO, domain->line_vmcoreinfo,
		"<vmcoreinfo> does not work in an encrypted guest; remove it from <features>");
}

static bool boots_from_rom(const struct kw_device *device)
{
	return device->kind == KW_DEVICE_INTERFACE && device->boot && !device->rom_disabled;
}

static bool no_boot_rom(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	const struct kw_device *card = find_device(domain, boots_from_rom);

	if (!card)
		return true;
	return refuse(
		ret_verdict, KW_BOOT_ROM, card->line,
		"<interface>: its option ROM cannot boot an encrypted guest; remove <boot>, or "
		"add <rom enabled='no'/>");
}

static bool refuse_policy(const struct kw_domain *domain, const char *why,
			  struct kw_verdict *ret_verdict)
{
	return refuse(ret_verdict, KW_BAD_POLICY,
		      line_or(domain->line_policy, domain->line_security),
		      "<policy> 0x%" PRIx64 " %s; use %s", domain->policy.value, why,
		      domain->security == KW_SECURITY_SNP ? "0x00030000 for SEV-SNP"
							  : "0x0033 for SEV or 0x0037 for SEV-ES");
}

static bool sev_policy_fits(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	uint64_t policy = domain->policy.value;

	if (policy & SEV_POLICY_RESERVED)
		return refuse_policy(domain, "has bits that type 'sev' does not know", ret_verdict);
	if (SEV_POLICY_API_MAJOR(policy) > SEV_API_MAJOR_MAX)
		return refuse_policy(domain,
				     "asks for a version of the SEV firmware that does not exist "
				     "(it looks like a policy of SEV-SNP)",
				     ret_verdict);
	return true;
}

static bool snp_policy_fits(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	uint64_t policy = domain->policy.value;

	if (!(policy & SNP_POLICY_RESERVED_1))
		return refuse_policy(domain, "lacks bit 17, which SEV-SNP wants set", ret_verdict);
	if (policy & SNP_POLICY_RESERVED_0)
		return refuse_policy(domain, "has bits that SEV-SNP does not know", ret_verdict);
	return true;
}

static bool policy_fits(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	bool snp = domain->security == KW_SECURITY_SNP;

	if (!domain->policy.known)
		return refuse(ret_verdict, KW_BAD_POLICY, domain->line_security,
			      "<launchSecurity> gives no <policy>; add <policy>%s</policy>",
			      snp ? "0x00030000" : "0x0033");
	return snp ? snp_policy_fits(domain, ret_verdict) : sev_policy_fits(domain, ret_verdict);
}

/* In the order of a file read from its top, as far as the parts do not depend on each other. */
static bool (*const rules[])(const struct kw_domain *, struct kw_verdict *) = {
	security_known, is_kvm, is_uefi,       is_q35,	    is_stateless, no_secure_boot,
	no_passthrough, no_ide, no_vmcoreinfo, no_boot_rom, policy_fits,
};

size_t kw_rules_broken(const struct kw_domain *domain, struct kw_verdict *ret_verdicts, size_t max)
{
	size_t count = 0;

	if (domain->security == KW_SECURITY_NONE)
		return 0;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules) && count < max; i++)
		if (!rules[i](domain, &ret_verdicts[count]))
			count++;
	return count;
}

void kw_rules_check(const struct kw_domain *domain, struct kw_verdict *ret_verdict)
{
	if (domain->security == KW_SECURITY_NONE)
		kw_verdict_set(ret_verdict, KW_ADMITTED, "no rule binds a plain guest");
	else if (!kw_rules_broken(domain, ret_verdict, 1))
		kw_verdict_set(ret_verdict, KW_ADMITTED, "the domain can run encrypted");
}
