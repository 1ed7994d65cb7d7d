/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/checks.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

enum rung {
	VIRT_IN_CPU, VIRT_FIRMWARE, KVM, KVM_VENDOR, DEV_KVM, KVM_GROUP,
	VHOST_NET, DEV_VHOST_NET, DEV_TUN,
	SME_IN_CPU, SME_ENABLED, SEV_IN_CPU, SMM_LOCKED, SEV_ENABLED, SEV_ASIDS,
	SEV_ES_IN_CPU, SEV_ES_ENABLED, SEV_ES_ASIDS,
	SNP_IN_CPU, SNP_RMP_RESERVED, SNP_ACTIVE, SNP_ENABLED,
	C_BIT, PSP, DEV_SEV, GUEST_FACTS, SLOT_EVENTS, DAEMON, ADMITS, HEARING, HOOK,
	WALL_MEMORY, WALL_SEV, WALL_SEV_ES,
	RUNG_COUNT,
	GROUND = RUNG_COUNT,
};

#define SLOT_WALL_REMEDY                                                                           \
	"The hook still keeps the slots, the kernel does not. Mend what stands beside it (a "      \
	"kernel with CONFIG_CGROUP_MISC, cgroup v2, 'systemctl start machine.slice'); kvmwardd "   \
	"builds the wall when that is done."

static const struct {
	const char *key, *what;
	enum rung stands_on;
	const char *remedy;
} rungs[] = {
	[VIRT_IN_CPU] = { "virt_in_cpu", "virtualisation in the processor", GROUND,
		"This processor cannot run KVM guests (or this is a virtual machine without nested "
		"virtualisation)." },
	[VIRT_FIRMWARE] = { "virt_firmware", "virtualisation left on by firmware", VIRT_IN_CPU,
		"Switch SVM (AMD) or VT-x (Intel) on in the BIOS, then power off and on." },
	[KVM] = { "kvm_loaded", "module kvm", VIRT_IN_CPU,
		"Load it with 'modprobe kvm_amd' (or kvm_intel, kvm_hv)." },
	[KVM_VENDOR] = { "kvm_vendor_module", "module of KVM for this processor", KVM,
		"Load it with 'modprobe kvm_amd' (or kvm_intel, kvm_hv); 'dmesg' says why it did not load." },
	[DEV_KVM] = { "dev_kvm", "/dev/kvm", KVM_VENDOR,
		"Run 'udevadm trigger'; in a container, pass the device in." },
	[KVM_GROUP] = { "dev_kvm_group", "/dev/kvm open to group kvm", DEV_KVM,
		"Run 'udevadm trigger': its rules for /dev/kvm came after KVM was loaded. QEMU's user "
		"has to be in the group." },
	[VHOST_NET] = { "vhost_net_loaded", "module vhost_net", GROUND,
		"Load it with 'modprobe vhost_net': without it guest networks are slow." },
	[DEV_VHOST_NET] = { "dev_vhost_net", "/dev/vhost-net", VHOST_NET,
		"Run 'udevadm trigger'; in a container, pass the device in." },
	[DEV_TUN] = { "dev_tun", "/dev/net/tun", GROUND, "Load it with 'modprobe tun'." },
	[SME_IN_CPU] = { "sme_in_cpu", "SME in the processor", VIRT_IN_CPU,
		"Nothing: only AMD EPYC and Hygon processors encrypt memory for SEV." },
	[SME_ENABLED] = { "sme_enabled", "memory encryption enabled by firmware", SME_IN_CPU,
		"Enable SMEE (\"secure memory encryption\") in the BIOS." },
	[SEV_IN_CPU] = { "sev_in_cpu", "SEV in the processor", SME_IN_CPU,
		"Nothing: the processor has no SEV (AMD EPYC from the first generation on has it)." },
	[SMM_LOCKED] = { "smm_locked", "SMM locked by firmware", SEV_IN_CPU,
		"Enable \"SMM lock\" in the BIOS, or update it: without it the kernel switches SEV off." },
	[SEV_ENABLED] = { "sev_enabled", "SEV offered by KVM", SMM_LOCKED,
		"Enable SEV in the BIOS, set 'options kvm_amd sev=1' in /etc/modprobe.d and load kvm_amd again; "
		"'dmesg | grep -i sev' names the obstacle." },
	[SEV_ASIDS] = { "sev_asids", "slots (ASIDs) for SEV", SEV_IN_CPU,
		"Lower the BIOS setting \"minimum SEV (non-ES) ASID\": it leaves none for SEV." },
	[SEV_ES_IN_CPU] = { "sev_es_in_cpu", "SEV-ES in the processor", SEV_IN_CPU,
		"Nothing: the processor has no SEV-ES (AMD EPYC 7002 and later have it)." },
	[SEV_ES_ENABLED] = { "sev_es_enabled", "SEV-ES offered by KVM", SEV_ES_IN_CPU,
		"Set 'options kvm_amd sev_es=1' in /etc/modprobe.d and load kvm_amd again; it also needs "
		"slots, see the next line." },
	[SEV_ES_ASIDS] = { "sev_es_asids", "slots (ASIDs) for SEV-ES and SEV-SNP", SEV_ES_IN_CPU,
		"Raise the BIOS setting \"minimum SEV (non-ES) ASID\" above 1: the ASIDs below it are for "
		"SEV-ES and SEV-SNP." },
	[SNP_IN_CPU] = { "snp_in_cpu", "SEV-SNP in the processor", SEV_ES_IN_CPU,
		"Nothing: the processor has no SEV-SNP (AMD EPYC 7003 and later have it)." },
	[SNP_RMP_RESERVED] = { "snp_rmp_reserved", "RMP table reserved by firmware", SNP_IN_CPU,
		"Enable SEV-SNP and \"RMP coverage for 64 bit MMIO\" or \"SNP memory (RMP table) coverage\" in the "
		"BIOS." },
	[SNP_ACTIVE] = { "snp_active", "SEV-SNP switched on at boot", SNP_RMP_RESERVED,
		"It needs Linux 6.11 or later with the IOMMU enabled, in the BIOS and on the kernel's command "
		"line; 'dmesg | grep -i -e snp -e rmp' names the obstacle." },
	[SNP_ENABLED] = { "snp_enabled", "SEV-SNP offered by KVM", SNP_ACTIVE,
		"Set 'options kvm_amd sev_snp=1' in /etc/modprobe.d and load kvm_amd again; it also needs "
		"SEV-ES, and SEV firmware 1.51 or later." },
	[C_BIT] = { "c_bit", "C-bit", SME_IN_CPU,
		"The processor does not tell where it is; update the BIOS." },
	[PSP] = { "psp", "SEV firmware (PSP)", SEV_IN_CPU,
		"Load its driver with 'modprobe ccp'; 'dmesg | grep -i ccp' names the obstacle." },
	[DEV_SEV] = { "dev_sev", "/dev/sev", PSP,
		"Load its driver with 'modprobe ccp'; in a container, pass the device in." },
	[GUEST_FACTS] = { "guest_facts", "type, ASID and pinned bytes of guests", SEV_IN_CPU,
		"Load kvm_amd; if struct kvm differs, build kvmward for the running kernel ('make dkms'); if "
		"BTF is missing, take a kernel with CONFIG_DEBUG_INFO_BTF_MODULES. Until then no encrypted "
		"guest is admitted while other guests run." },
	[SLOT_EVENTS] = { "slot_events", "news of slots from the module", GROUND,
		"It needs a kernel with kprobes (CONFIG_KPROBES) and the misc cgroup controller: without "
		"it changes are learnt from KVM's uevents and a slow timer, somewhat later." },
	[DAEMON] = { "daemon", "kvmwardd answers", GROUND,
		"Start it with 'systemctl enable --now kvmwardd'." },
	[ADMITS] = { "admits_guests", "guests are let in", DAEMON,
		"This host is being drained, and no guest starts on it. 'kvmward undrain' lets guests in "
		"again." },
	[HEARING] = { "hearing", "kvmwardd learns of changes at once", DAEMON,
		"'journalctl -u kvmwardd' says why; decisions are right all the same, since kvmwardd "
		"looks at the host for each." },
	[HOOK] = { "hook", "libvirt's hook is installed", GROUND,
		"Install kvmward-hook as /etc/libvirt/hooks/qemu.d/10-kvmward and restart libvirtd (or "
		"virtqemud)." },
	[WALL_MEMORY] = { "wall_memory_max", "memory wall around guests", DAEMON,
		"Without it guests can take the memory that is reserved for the host. Mend what stands "
		"beside it, or leave guests less with reserved_host_memory_mb in kvmward.conf; kvmwardd "
		"builds it when that is done." },
	[WALL_SEV] = { "wall_misc_max_sev", "wall around SEV slots", DAEMON, SLOT_WALL_REMEDY },
	[WALL_SEV_ES] = { "wall_misc_max_sev_es", "wall around SEV-ES/SNP slots", WALL_SEV,
		SLOT_WALL_REMEDY },
};

static enum kw_check_state state_of(struct kw_u32 fact)
{
	if (!fact.known)
		return KW_CHECK_UNKNOWN;
	return fact.value ? KW_CHECK_OK : KW_CHECK_NO;
}

static struct kw_u32 not(struct kw_u32 fact)
{
	return (struct kw_u32){ fact.known, !fact.value };
}

/*
 * The driver of the PSP has answered, whatever state the firmware is in. That it has
 * not says little where the driver's device is there: the firmware may be busy.
 */
static struct kw_u32 psp_answers(const struct kw_host *host, const struct kw_host_around *around)
{
	if (host->psp_state.known || host->psp_api_major.known)
		return KW_U32(1);
	return kw_u32_yes(around->dev_sev) ? (struct kw_u32){} : KW_U32(0);
}

/* CPUID Fn8000_001F: SEV has [EDX .. ECX]. */
static struct kw_u32 sev_asids(const struct kw_host *host)
{
	if (!host->max_asid.known || !host->min_sev_asid.known)
		return (struct kw_u32){};
	return KW_U32(host->min_sev_asid.value <= host->max_asid.value);
}

/* CPUID Fn8000_001F: SEV-ES and SEV-SNP have [1 .. EDX-1]. */
static struct kw_u32 sev_es_asids(const struct kw_host *host)
{
	if (!host->min_sev_asid.known)
		return (struct kw_u32){};
	return KW_U32(host->min_sev_asid.value > 1);
}

/* The module knows whether it is loaded, but no name without one. */
static struct kw_u32 vendor_module(const struct kw_host *host)
{
	if (*host->kvm_vendor_module)
		return KW_U32(1);
	return host->kvm_loaded.known ? KW_U32(0) : (struct kw_u32){};
}

static const struct kw_wall_status *wall_of(enum rung rung, const struct kw_host_around *around)
{
	enum kw_wall wall = rung == WALL_MEMORY ? KW_WALL_MEMORY
			    : rung == WALL_SEV	? KW_WALL_SEV
						: KW_WALL_SEV_ES;

	return &around->walls.wall[wall];
}

static bool is_wall(enum rung rung)
{
	return rung == WALL_MEMORY || rung == WALL_SEV || rung == WALL_SEV_ES;
}

static enum kw_check_state wall_state(enum rung rung, const struct kw_host_around *around)
{
	static const enum kw_check_state states[] = {
		[KW_WALL_OK] = KW_CHECK_OK,
		[KW_WALL_OFF] = KW_CHECK_OFF,
		[KW_WALL_MISSING] = KW_CHECK_NO,
	};

	return around->walls.known ? states[wall_of(rung, around)->state] : KW_CHECK_UNKNOWN;
}

static struct kw_u32 fact_of(enum rung rung, const struct kw_host *host,
			     const struct kw_host_around *around)
{
	switch (rung) {
	case VIRT_IN_CPU: return host->virt_in_cpu;
	case VIRT_FIRMWARE: return not(host->virt_firmware_disabled);
	case KVM: return host->kvm_loaded;
	case KVM_VENDOR: return vendor_module(host);
	case DEV_KVM: return around->dev_kvm;
	case KVM_GROUP: return around->kvm_group;
	case VHOST_NET: return host->vhost_net_loaded;
	case DEV_VHOST_NET: return around->dev_vhost_net;
	case DEV_TUN: return around->dev_tun;
	case SME_IN_CPU: return host->sme_in_cpu;
	case SME_ENABLED: return host->sme_enabled;
	case SEV_IN_CPU: return host->sev_in_cpu;
	case SMM_LOCKED: return host->smm_locked;
	case SEV_ENABLED: return host->sev_enabled;
	case SEV_ASIDS: return sev_asids(host);
	case SEV_ES_IN_CPU: return host->sev_es_in_cpu;
	case SEV_ES_ENABLED: return host->sev_es_enabled;
	case SEV_ES_ASIDS: return sev_es_asids(host);
	case SNP_IN_CPU: return host->snp_in_cpu;
	case SNP_RMP_RESERVED: return host->snp_rmp_reserved;
	case SNP_ACTIVE: return host->snp_active;
	case SNP_ENABLED: return host->snp_enabled;
	case C_BIT: return (struct kw_u32){ host->c_bit_position.known, 1 };
	case PSP: return psp_answers(host, around);
	case DEV_SEV: return around->dev_sev;
	case GUEST_FACTS:
		return (struct kw_u32){ host->facts_source.known,
					host->facts_source.value != KW_FACTS_NONE };
	case SLOT_EVENTS: return host->slot_events;
	case DAEMON: return around->daemon;
	case ADMITS: return around->admits;
	case HEARING:
		return (struct kw_u32){ around->hearing_known,
					around->hearing.from == KW_HEARING_SLOTS };
	case HOOK: return around->hook;
	case WALL_MEMORY:
	case WALL_SEV:
	case WALL_SEV_ES:
	case RUNG_COUNT: break;
	}
	return (struct kw_u32){};
}

static const char *plural(uint32_t number)
{
	return number == 1 ? "" : "s";
}

static const char *psp_state_name(struct kw_u32 state)
{
	static const char *const names[] = { "uninitialised", "initialised", "working" };

	return state.known && state.value < 3 ? names[state.value] : "state not known";
}

static void tell_psp(const struct kw_host *host, char *to, size_t size)
{
	int used = snprintf(to, size, "%s", psp_state_name(host->psp_state));

	if (host->psp_api_major.known && host->psp_api_minor.known)
		used += snprintf(to + used, size - used, ", API %" PRIu32 ".%" PRIu32,
				 host->psp_api_major.value, host->psp_api_minor.value);
	if (host->psp_build.known)
		used += snprintf(to + used, size - used, ", build %" PRIu32, host->psp_build.value);
	if (host->psp_guest_count.known)
		snprintf(to + used, size - used, ", %" PRIu32 " guest%s",
			 host->psp_guest_count.value, plural(host->psp_guest_count.value));
}

static void tell_c_bit(const struct kw_host *host, char *to, size_t size)
{
	int used = snprintf(to, size, "bit %" PRIu32, host->c_bit_position.value);

	if (host->phys_addr_reduction.known)
		snprintf(to + used, size - used, ", %" PRIu32 " address bit%s fewer",
			 host->phys_addr_reduction.value, plural(host->phys_addr_reduction.value));
}

static void tell_asids(uint32_t first, uint32_t last, char *to, size_t size)
{
	snprintf(to, size, "%" PRIu32 " to %" PRIu32 ": %" PRIu32, first, last, last - first + 1);
}

/* CPUID may name a lowest SEV ASID beyond the highest there is. */
static uint32_t last_sev_es_asid(const struct kw_host *host)
{
	uint32_t last = host->min_sev_asid.value - 1;

	return host->max_asid.known && last > host->max_asid.value ? host->max_asid.value : last;
}

static void tell_hearing(const struct kw_hearing_state *hearing, char *to, size_t size)
{
	int used = snprintf(to, size, "from %s", kw_hearing_title(hearing->from));

	if (*hearing->reason)
		snprintf(to + used, size - used, ": %.100s", hearing->reason);
}

static void tell_wall(enum rung rung, const struct kw_wall_status *wall, char *to, size_t size)
{
	char bytes[32];

	if (wall->state != KW_WALL_OK)
		snprintf(to, size, "%s", wall->reason);
	else if (rung == WALL_MEMORY)
		snprintf(to, size, "guests have at most %s",
			 kw_text_bytes(bytes, sizeof(bytes), wall->limit.value));
	else
		snprintf(to, size, "guests have at most %" PRIu64 " slot%s", wall->limit.value,
			 wall->limit.value == 1 ? "" : "s");
}

static void tell(enum rung rung, enum kw_check_state state, const struct kw_host *host,
		 const struct kw_host_around *around, char *to, size_t size)
{
	if (rung == GUEST_FACTS && state != KW_CHECK_OK)
		snprintf(to, size, "%s", host->facts_reason);
	if (rung == SLOT_EVENTS && state != KW_CHECK_OK)
		snprintf(to, size, "%s", host->slot_events_reason);
	if (rung == HEARING && state != KW_CHECK_UNKNOWN)
		tell_hearing(&around->hearing, to, size);
	if (is_wall(rung) && state != KW_CHECK_UNKNOWN)
		tell_wall(rung, wall_of(rung, around), to, size);
	if (state != KW_CHECK_OK)
		return;
	if (rung == VIRT_IN_CPU && host->vendor.known)
		snprintf(to, size, "%s", kw_vendor_name(host->vendor.value));
	if (rung == KVM_VENDOR)
		snprintf(to, size, "%s", host->kvm_vendor_module);
	if (rung == VHOST_NET && around->vhost_net_queues.known)
		snprintf(to, size, "%" PRIu32 " queue%s in use by guests",
			 around->vhost_net_queues.value, plural(around->vhost_net_queues.value));
	if (rung == SEV_ASIDS)
		tell_asids(host->min_sev_asid.value, host->max_asid.value, to, size);
	if (rung == SEV_ES_ASIDS)
		tell_asids(1, last_sev_es_asid(host), to, size);
	if (rung == SNP_IN_CPU && host->vmpls.known)
		snprintf(to, size, "%" PRIu32 " VMPLs", host->vmpls.value);
	if (rung == C_BIT)
		tell_c_bit(host, to, size);
	if (rung == PSP)
		tell_psp(host, to, size);
	if (rung == GUEST_FACTS)
		snprintf(to, size, "%s", kw_facts_source_name(host->facts_source.value));
}

/* True where a rung below has failed already: that one says what to do. */
static bool failed_below(enum rung rung, const struct kw_check *checks)
{
	while ((rung = rungs[rung].stands_on) != GROUND)
		if (checks[rung].state == KW_CHECK_NO)
			return true;
	return false;
}

size_t kw_checks_make(const struct kw_host *host, const struct kw_host_around *around,
		      struct kw_check ret_checks[KW_CHECK_MAX])
{
	for (enum rung i = 0; i < RUNG_COUNT; i++) {
		struct kw_check *check = &ret_checks[i];

		*check = (struct kw_check){ .key = rungs[i].key, .what = rungs[i].what };
		check->state = is_wall(i) ? wall_state(i, around)
					  : state_of(fact_of(i, host, around));
		tell(i, check->state, host, around, check->detail, sizeof(check->detail));
		if (check->state == KW_CHECK_NO && !failed_below(i, ret_checks))
			check->remedy = rungs[i].remedy;
	}
	return RUNG_COUNT;
}

const char *kw_check_state_name(enum kw_check_state state)
{
	static const char *const names[] = { "ok", "no", "not known", "off" };

	return names[state];
}
