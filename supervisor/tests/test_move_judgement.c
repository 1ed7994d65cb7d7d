/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define GIB (1ull << 30)

static struct kw_device devices[2];
static struct kw_move_disk disks[2];

/* A plain guest that runs, on two equal hosts that see its disks: nothing speaks against it. */
static struct kw_move_facts fine(void)
{
	const struct kw_software software = { KW_U32(9000000), KW_U32(7002000) };

	return (struct kw_move_facts){
		.domain = { .name = "vault", .virt_type = "kvm", .machine = "pc-q35-7.2" },
		.cpu_mode = KW_CPU_CUSTOM,
		.run = KW_RUN_RUNS,
		.persistent = KW_U32(1),
		.unfinished = KW_U32(0),
		.managed_save = KW_U32(0),
		.snapshots = KW_U32(0),
		.checkpoints = KW_U32(0),
		.nested_vcpus = KW_U32(0),
		.downtime_ms = KW_U64(300),
		.here = { "h1", "11111111-1111-1111-1111-111111111111", "AMD", "EPYC", KW_U32(23),
			  KW_U32(49), KW_U32(0), KW_U32(0x830107b), "6.1.0", software },
		.there = { "h2", "22222222-2222-2222-2222-222222222222", "AMD", "EPYC", KW_U32(23),
			   KW_U32(49), KW_U32(0), KW_U32(0x830107b), "6.1.0", software },
		.destination = "h2",
		.reached = true,
		.defined_there = KW_U32(0),
		.machine_fits = KW_U32(1),
		.cpu_fits = KW_U32(1),
		.guarded = KW_U32(1),
	};
}

static void encrypt(struct kw_move_facts *facts)
{
	struct kw_domain *domain = &facts->domain;

	domain->security = KW_SECURITY_SEV;
	strcpy(domain->security_type, "sev");
	domain->policy = KW_U64(0x33);
	domain->firmware_efi = true;
}

static void on_ide(struct kw_move_facts *facts)
{
	encrypt(facts);
	devices[0] = (struct kw_device){ .kind = KW_DEVICE_DISK, .bus = "ide", .target = "hda" };
	facts->domain.devices = devices;
	facts->domain.device_count = 1;
}

static void on_ide_of_pc(struct kw_move_facts *facts)
{
	on_ide(facts);
	strcpy(facts->domain.machine, "pc");
}

static void told_by_the_plan_too(struct kw_move_facts *facts)
{
	on_ide(facts);
	kw_verdict_set(&facts->plan, KW_IDE_DISK, "the same again");
}

static void marked(struct kw_move_facts *facts)
{
	facts->domain.mark = (struct kw_mark){ KW_MARK_UNKNOWN, "", "", 4 };
}

static void unfinished(struct kw_move_facts *facts)
{
	facts->unfinished = KW_U32(1);
}

static void unfinished_and_marked(struct kw_move_facts *facts)
{
	unfinished(facts);
	marked(facts);
}

static void unfinished_unknown(struct kw_move_facts *facts)
{
	facts->unfinished.known = false;
}

static void off(struct kw_move_facts *facts)
{
	facts->run = KW_RUN_OFF;
}

static void off_and_encrypted(struct kw_move_facts *facts)
{
	off(facts);
	encrypt(facts);
}

static void paused(struct kw_move_facts *facts)
{
	facts->run = KW_RUN_PAUSED;
}

static void stopped(struct kw_move_facts *facts)
{
	facts->run = KW_RUN_STOPPED;
}

static void run_unknown(struct kw_move_facts *facts)
{
	facts->run = KW_RUN_UNKNOWN;
}

static void transient(struct kw_move_facts *facts)
{
	facts->persistent = KW_U32(0);
}

static void persistence_unknown(struct kw_move_facts *facts)
{
	facts->persistent.known = false;
}

static void transient_and_encrypted(struct kw_move_facts *facts)
{
	transient(facts);
	encrypt(facts);
}

static void saved(struct kw_move_facts *facts)
{
	facts->managed_save = KW_U32(1);
}

static void saved_unknown(struct kw_move_facts *facts)
{
	facts->managed_save.known = false;
}

static void snapshots(struct kw_move_facts *facts)
{
	facts->snapshots = KW_U32(2);
}

static void checkpoints(struct kw_move_facts *facts)
{
	facts->checkpoints = KW_U32(1);
}

static void checkpoints_unknown(struct kw_move_facts *facts)
{
	facts->checkpoints.known = false;
}

static void nested(struct kw_move_facts *facts)
{
	facts->nested_vcpus = KW_U32(3);
}

static void nested_unknown(struct kw_move_facts *facts)
{
	facts->nested_vcpus.known = false;
}

static void nested_when_off(struct kw_move_facts *facts)
{
	nested_unknown(facts);
	off(facts);
}

static void with_device(struct kw_move_facts *facts, enum kw_device_kind kind, const char *type,
			const char *model)
{
	devices[0] = (struct kw_device){ .kind = kind };
	strcpy(devices[0].type, type);
	strcpy(devices[0].model, model);
	facts->domain.devices = devices;
	facts->domain.device_count = 1;
}

static void pci(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_HOSTDEV, "subsystem", "pci");
}

/* What is attached to the definition alone comes with the next start. */
static void later(struct kw_move_facts *facts)
{
	facts->next = facts->domain;
	facts->domain.device_count = 0;
	if (facts->disk_count)
		disks[0].later = true;
}

static void pci_later(struct kw_move_facts *facts)
{
	pci(facts);
	later(facts);
}

static void pci_now_and_later(struct kw_move_facts *facts)
{
	pci(facts);
	facts->next = facts->domain;
}

static void mdev(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_HOSTDEV, "subsystem", "mdev");
}

static void virtual_function(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_INTERFACE, "hostdev", "");
}

static void bridged(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_INTERFACE, "bridge", "virtio");
}

static void real_tpm(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_TPM, "passthrough", "tpm-tis");
}

static void external_tpm(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_TPM, "external", "tpm-crb");
}

static void soft_tpm(struct kw_move_facts *facts)
{
	with_device(facts, KW_DEVICE_TPM, "emulator", "tpm-crb");
}

static void soft_tpm_later(struct kw_move_facts *facts)
{
	soft_tpm(facts);
	later(facts);
}

static void with_disk(struct kw_move_facts *facts, const char *where, enum kw_disk_reach reach)
{
	disks[0] = (struct kw_move_disk){ .target = "vda", .source = "/srv/vault.qcow2",
					  .bytes = KW_U64(2 * GIB), .reach = reach,
					  .copy = KW_COPY_FREE };
	strcpy(disks[0].where, where);
	facts->disks = disks;
	facts->disk_count = 1;
}

static void local(struct kw_move_facts *facts)
{
	with_disk(facts, "ext4", KW_DISK_HERE);
}

static void local_and_encrypted(struct kw_move_facts *facts)
{
	local(facts);
	encrypt(facts);
}

static void local_later(struct kw_move_facts *facts)
{
	local(facts);
	later(facts);
}

static void local_base(struct kw_move_facts *facts)
{
	local(facts);
	disks[0].backing = true;
}

static void local_cdrom(struct kw_move_facts *facts)
{
	local(facts);
	disks[0].read_only = true;
}

static void seen(struct kw_move_facts *facts)
{
	with_disk(facts, "nfs", KW_DISK_SEEN);
}

static void local_base_of_shared(struct kw_move_facts *facts)
{
	seen(facts);
	disks[1] = disks[0];
	disks[1].reach = KW_DISK_HERE;
	disks[1].backing = true;
	facts->disk_count = 2;
}

static void local_file_there(struct kw_move_facts *facts)
{
	local(facts);
	disks[0].copy = KW_COPY_TAKEN;
}

static void local_no_pool(struct kw_move_facts *facts)
{
	local(facts);
	disks[0].copy = KW_COPY_NO_POOL;
}

static void local_copy_unknown(struct kw_move_facts *facts)
{
	local(facts);
	disks[0].copy = KW_COPY_UNKNOWN;
}

static void shared(struct kw_move_facts *facts)
{
	with_disk(facts, "nfs", KW_DISK_SHARED);
}

static void network(struct kw_move_facts *facts)
{
	with_disk(facts, "rbd", KW_DISK_NETWORK);
}

static void device_unknown(struct kw_move_facts *facts)
{
	with_disk(facts, "block device", KW_DISK_UNKNOWN);
}

static void device_unknown_later(struct kw_move_facts *facts)
{
	device_unknown(facts);
	later(facts);
}

static void unreachable(struct kw_move_facts *facts)
{
	facts->reached = false;
	strcpy(facts->unreached, "No route to host");
	facts->guarded.known = facts->defined_there.known = facts->cpu_fits.known = false;
}

static void same_uuid(struct kw_move_facts *facts)
{
	facts->there = facts->here;
	strcpy(facts->there.name, "alias");
	facts->defined_there = KW_U32(1);
}

static void same_name(struct kw_move_facts *facts)
{
	strcpy(facts->there.name, "h1");
}

static void no_names(struct kw_move_facts *facts)
{
	*facts->here.uuid = *facts->there.uuid = *facts->here.name = *facts->there.name = '\0';
}

static void taken(struct kw_move_facts *facts)
{
	facts->defined_there = KW_U32(1);
}

static void taken_unknown(struct kw_move_facts *facts)
{
	facts->defined_there.known = false;
}

static void older_qemu(struct kw_move_facts *facts)
{
	facts->there.software.qemu.value = 6002001;
}

static void newer_qemu(struct kw_move_facts *facts)
{
	facts->there.software.qemu.value = 10000000;
}

static void qemu_unknown(struct kw_move_facts *facts)
{
	facts->there.software.qemu.known = false;
}

static void older_libvirt(struct kw_move_facts *facts)
{
	facts->there.software.libvirt.value = 8000000;
}

static void libvirt_unknown(struct kw_move_facts *facts)
{
	facts->there.software.libvirt = (struct kw_u32){ 0 };
}

static void too_old_for_snp(struct kw_move_facts *facts)
{
	encrypt(facts);
	facts->domain.security = KW_SECURITY_SNP;
	strcpy(facts->domain.security_type, "sev-snp");
	facts->domain.policy = KW_U64(0x30000);
	facts->domain.loader_stateless = true;
}

static void no_machine(struct kw_move_facts *facts)
{
	facts->machine_fits = KW_U32(0);
	strcpy(facts->machine_words, "unsupported machine");
}

static void passthrough(struct kw_move_facts *facts)
{
	facts->cpu_mode = KW_CPU_PASSTHROUGH;
	facts->cpu_fits.known = false; /* there is no model to compare */
}

static void other_kernel(struct kw_move_facts *facts)
{
	passthrough(facts);
	strcpy(facts->there.kernel, "6.12.0");
}

static void other_microcode(struct kw_move_facts *facts)
{
	passthrough(facts);
	facts->there.microcode.value++;
}

static void other_processor(struct kw_move_facts *facts)
{
	passthrough(facts);
	strcpy(facts->there.cpu_vendor, "Intel");
	strcpy(facts->there.cpu_model, "Skylake-Server");
	facts->there.cpu_family.value = 6;
	facts->there.cpu_stepping.value = 4;
	facts->there.cpu_number.value = 85;
}

static void kernel_unknown(struct kw_move_facts *facts)
{
	passthrough(facts);
	*facts->there.kernel = '\0';
	facts->here.microcode.known = false;
}

static void flags_lack(struct kw_move_facts *facts)
{
	facts->cpu_fits = KW_U32(0);
	strcpy(facts->cpu_words, "Host CPU does not provide required features: avx2, fma");
}

static void flags_lack_for_host_model(struct kw_move_facts *facts)
{
	flags_lack(facts);
	facts->cpu_mode = KW_CPU_HOST_MODEL;
}

static void flags_lack_here_too(struct kw_move_facts *facts)
{
	flags_lack(facts);
	facts->cpu_fits_here = KW_U32(0);
	strcpy(facts->cpu_words_here, facts->cpu_words);
}

static void flags_lack_here_too_when_off(struct kw_move_facts *facts)
{
	flags_lack_here_too(facts);
	off(facts);
}

static void more_flags_lack(struct kw_move_facts *facts)
{
	flags_lack_here_too(facts);
	strcat(facts->cpu_words, ", sse4a");
}

static void flags_unknown(struct kw_move_facts *facts)
{
	facts->cpu_fits.known = false;
	strcpy(facts->cpu_words, "not supported");
}

static void flags_lack_for_default(struct kw_move_facts *facts)
{
	flags_lack(facts);
	facts->cpu_mode = KW_CPU_DEFAULT;
}

static void mode_unknown(struct kw_move_facts *facts)
{
	facts->cpu_mode = KW_CPU_UNKNOWN;
}

static void unguarded(struct kw_move_facts *facts)
{
	facts->guarded = KW_U32(0);
	strcpy(facts->unguarded, "kvmwardd is not running");
}

static void guard_unknown(struct kw_move_facts *facts)
{
	facts->guarded.known = false;
}

static void full(struct kw_move_facts *facts)
{
	encrypt(facts);
	kw_verdict_set(&facts->plan, KW_SLOT_FULL, "no SEV slot is free: 3 of 3 in use");
}

static void short_of_memory(struct kw_move_facts *facts)
{
	kw_verdict_set(&facts->plan, KW_MEMORY_FULL, "1 GiB is left");
}

static void draining(struct kw_move_facts *facts)
{
	kw_verdict_set(&facts->plan, KW_HOST_DRAINING, "it is being drained");
}

#define LIVE KW_MOVE_LIVE
#define COLD KW_MOVE_COLD
#define BARS KW_OBSTACLE_BARS
#define NOT_LIVE KW_OBSTACLE_NOT_LIVE
#define WARNS KW_OBSTACLE_WARNS

/* What the guest or the hosts have, what is asked for: "lc-u" is live, cold, copying, unguarded. */
static const struct row {
	void (*set)(struct kw_move_facts *facts);
	const char *wish;
	enum kw_move_kind kind;
	bool possible;
	enum kw_code code;	/* KW_ADMITTED: there is no obstacle at all */
	enum kw_obstacle_weight weight;
	const char *part;	/* of its sentence */
} rows[] = {
	{ NULL, "", LIVE, true },
	{ NULL, "l", LIVE, true },
	{ NULL, "c", COLD, true },

	{ encrypt, "", COLD, true, KW_LIVE_ENCRYPTED, NOT_LIVE, "type='sev'" },
	{ encrypt, "l", LIVE, false, KW_LIVE_ENCRYPTED, BARS, "cold only" },
	{ encrypt, "c", COLD, true },
	{ on_ide, "", COLD, false, KW_IDE_DISK, BARS, "disk 'hda' is on bus 'ide'" },
	{ on_ide, "l", LIVE, false, KW_IDE_DISK, BARS, "disk 'hda'" },
	{ on_ide_of_pc, "c", COLD, false, KW_IDE_DISK, BARS, "disk 'hda'" },
	{ on_ide_of_pc, "c", COLD, false, KW_NOT_Q35, BARS, "<type machine='pc'>" },
	{ told_by_the_plan_too, "c", COLD, false, KW_IDE_DISK, BARS, "disk 'hda'" },

	{ marked, "", LIVE, false, KW_GUEST_MOVING, BARS, "the mark of a move" },
	{ unfinished, "", LIVE, false, KW_GUEST_MOVING, BARS, "kvmward job resume vault" },
	{ unfinished, "c", COLD, false, KW_GUEST_MOVING, BARS, "kvmward job undo vault" },
	{ unfinished_and_marked, "", LIVE, false, KW_GUEST_MOVING, BARS, "the mark of a move" },
	{ unfinished_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "earlier move" },
	{ off, "", COLD, true },
	{ off_and_encrypted, "", COLD, true },
	{ off, "l", LIVE, false, KW_LIVE_OFF, BARS, "is off" },
	{ paused, "", LIVE, true },
	{ paused, "c", COLD, false, KW_GUEST_STATE, BARS, "virsh resume" },
	{ stopped, "", LIVE, false, KW_GUEST_STATE, BARS, "crashed" },
	{ run_unknown, "", LIVE, false, KW_MOVE_UNKNOWN, BARS, "whether the guest runs" },
	{ transient, "", LIVE, true },
	{ transient, "c", COLD, false, KW_GUEST_TRANSIENT, BARS, "virsh define" },
	{ transient_and_encrypted, "", COLD, false, KW_GUEST_TRANSIENT, BARS, "is transient" },
	{ transient_and_encrypted, "", COLD, false, KW_LIVE_ENCRYPTED, NOT_LIVE, "cold only" },
	{ persistence_unknown, "", LIVE, true },
	{ persistence_unknown, "c", COLD, false, KW_MOVE_UNKNOWN, BARS, "defined for good" },
	{ saved, "", LIVE, false, KW_SAVED_STATE, BARS, "managedsave-remove" },
	{ saved_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "saved memory" },
	{ saved_unknown, "c", COLD, true, KW_MOVE_UNKNOWN, WARNS, "saved memory" },
	{ snapshots, "", LIVE, false, KW_SNAPSHOTS_KEPT, BARS, "2 snapshots" },
	{ snapshots, "c", COLD, false, KW_SNAPSHOTS_KEPT, BARS, "virsh snapshot-delete" },
	{ checkpoints, "", LIVE, false, KW_SNAPSHOTS_KEPT, BARS, "1 checkpoint of" },
	{ checkpoints_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "checkpoints" },
	{ checkpoints_unknown, "c", COLD, true, KW_MOVE_UNKNOWN, WARNS, "checkpoints" },

	{ nested, "", LIVE, false, KW_LIVE_NESTED, BARS, "3 of its vCPUs" },
	{ nested, "c", COLD, true },
	{ nested_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "modprobe kvmward" },
	{ nested_unknown, "c", COLD, true },
	{ nested_when_off, "c", COLD, true },

	{ pci, "", LIVE, false, KW_HOST_DEVICE, BARS, "type 'pci'" },
	{ pci, "c", COLD, false, KW_HOST_DEVICE, BARS, "virsh detach-device" },
	{ pci_later, "", LIVE, true },
	{ pci_later, "c", COLD, false, KW_HOST_DEVICE, BARS, "type 'pci'" },
	{ pci_now_and_later, "c", COLD, false, KW_HOST_DEVICE, BARS, "type 'pci'" },
	{ mdev, "", LIVE, false, KW_HOST_DEVICE, BARS, "type 'mdev'" },
	{ virtual_function, "", LIVE, false, KW_HOST_DEVICE, BARS, "type 'hostdev'" },
	{ bridged, "", LIVE, true },
	{ real_tpm, "", LIVE, false, KW_HOST_DEVICE, BARS, "type 'tpm'" },
	{ external_tpm, "c", COLD, true },
	{ soft_tpm, "", LIVE, true },
	{ soft_tpm, "c", COLD, false, KW_TPM_LOCAL, BARS, "TPM" },
	{ soft_tpm_later, "c", COLD, false, KW_TPM_LOCAL, BARS, "TPM" },

	{ local, "", LIVE, false, KW_DISK_LOCAL, BARS, "/srv/vault.qcow2 is on ext4" },
	{ local, "c", COLD, false, KW_DISK_LOCAL, BARS, "--copy-storage" },
	{ local, "-", LIVE, true },
	{ local, "c-", COLD, false, KW_DISK_LOCAL, BARS, "by a live move only" },
	{ local_and_encrypted, "-", COLD, false, KW_DISK_LOCAL, BARS, "by a live move only" },
	{ local_and_encrypted, "", COLD, false, KW_DISK_LOCAL, BARS, "disk 'vda'" },
	{ local_later, "", LIVE, true },
	{ local_later, "-", LIVE, true },
	{ local_later, "c", COLD, false, KW_DISK_LOCAL, BARS, "by a live move only" },
	{ local_base, "", LIVE, false, KW_DISK_LOCAL, BARS, "of which it is an overlay" },
	{ local_base_of_shared, "-", LIVE, false, KW_DISK_LOCAL, BARS, "the overlay is not" },
	{ local_file_there, "", LIVE, false, KW_DISK_LOCAL, BARS, "--copy-storage" },
	{ local_file_there, "-", LIVE, false, KW_DISK_COPY, BARS, "h2 has a file /srv/vault" },
	{ local_no_pool, "-", LIVE, false, KW_DISK_COPY, BARS, "no storage pool" },
	{ local_copy_unknown, "-", LIVE, false, KW_DISK_COPY, BARS, "cannot be told" },
	{ local_cdrom, "c-", COLD, false, KW_DISK_LOCAL, BARS, "eject it" },
	{ local_cdrom, "l", LIVE, false, KW_DISK_LOCAL, BARS, "eject it" },
	{ local_cdrom, "l-", LIVE, false, KW_DISK_LOCAL, BARS, "eject it" },
	{ local_cdrom, "c", COLD, false, KW_DISK_LOCAL, BARS, "eject it" },
	{ shared, "", LIVE, true, KW_DISK_UNSEEN, WARNS, "on nfs, which h2 is taken to have" },
	{ shared, "c", COLD, true, KW_DISK_UNSEEN, WARNS, "on nfs, which h2 is taken to have" },
	{ seen, "", LIVE, true },
	{ network, "", LIVE, true },
	{ device_unknown_later, "", LIVE, true },
	{ device_unknown_later, "c", COLD, false, KW_DISK_UNSEEN, BARS, "'vda'" },
	{ device_unknown, "", LIVE, false, KW_DISK_UNSEEN, BARS, "/dev/disk/by-id" },

	{ unreachable, "", LIVE, false, KW_DEST_UNREACHABLE, BARS, "No route to host" },
	{ same_uuid, "", LIVE, false, KW_DEST_SAME, BARS, "host UUID '1111" },
	{ same_name, "", LIVE, false, KW_DEST_SAME, BARS, "host name 'h1'" },
	{ no_names, "", LIVE, true },
	{ taken, "", LIVE, false, KW_DEST_TAKEN, BARS, "h2 has a guest" },
	{ taken, "c", COLD, false, KW_DEST_TAKEN, BARS, "would be replaced" },
	{ taken_unknown, "", LIVE, false, KW_MOVE_UNKNOWN, BARS, "name or UUID" },
	{ taken_unknown, "c", COLD, false, KW_MOVE_UNKNOWN, BARS, "name or UUID" },
	{ older_qemu, "", COLD, true, KW_DEST_OLDER, NOT_LIVE, "QEMU 6.2.1, this host 7.2.0" },
	{ older_qemu, "l", LIVE, false, KW_DEST_OLDER, BARS, "a later version" },
	{ newer_qemu, "", LIVE, true, KW_DEST_NEWER, WARNS, "cannot come back" },
	{ newer_qemu, "c", COLD, true },
	{ qemu_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "as new as this host's" },
	{ qemu_unknown, "c", COLD, true },
	{ older_libvirt, "", LIVE, true, KW_DEST_OLDER, WARNS, "libvirt 8.0.0" },
	{ older_libvirt, "c", COLD, true, KW_DEST_OLDER, WARNS, "libvirt 8.0.0" },
	{ libvirt_unknown, "", LIVE, true },
	{ too_old_for_snp, "l", LIVE, false, KW_SOFTWARE_OLD, BARS, "h2: libvirt 9.0" },
	{ too_old_for_snp, "c", COLD, false, KW_SOFTWARE_OLD, BARS, "h2: libvirt 9.0" },
	{ no_machine, "", LIVE, false, KW_DEST_MACHINE, BARS, "'pc-q35-7.2': unsupported machine" },

	{ passthrough, "", LIVE, true },
	{ other_kernel, "l", LIVE, false, KW_CPU_DIFFERS, BARS,
	  "these differ: kernel (6.1.0 here, 6.12.0 there)" },
	{ other_kernel, "", COLD, true, KW_CPU_DIFFERS, NOT_LIVE, "host-passthrough" },
	{ other_kernel, "c", COLD, true },
	{ other_microcode, "l", LIVE, false, KW_CPU_DIFFERS, BARS,
	  "these differ: microcode (0x830107b here, 0x830107c there)" },
	{ other_processor, "l", LIVE, false, KW_CPU_DIFFERS, BARS,
	  "vendor (AMD here, Intel there), CPU model (EPYC here, Skylake-Server there), family "
	  "(0x17 here, 0x6 there), model number (0x31 here, 0x55 there), stepping (0x0 here, 0x4 "
	  "there)" },
	{ kernel_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "not known: microcode, kernel" },
	{ kernel_unknown, "c", COLD, true },
	{ flags_lack, "", LIVE, false, KW_CPU_LACKS, BARS, "required features: avx2, fma" },
	{ flags_lack, "c", COLD, false, KW_CPU_LACKS, BARS, "avx2, fma" },
	{ flags_lack_for_host_model, "", COLD, true, KW_CPU_LACKS, NOT_LIVE, "avx2, fma" },
	{ flags_lack_for_host_model, "c", COLD, true },
	{ flags_lack_for_default, "", LIVE, true },
	{ flags_lack_here_too, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "the same of this host" },
	{ flags_lack_here_too_when_off, "", COLD, false, KW_CPU_LACKS, BARS, "avx2, fma" },
	{ more_flags_lack, "", LIVE, false, KW_CPU_LACKS, BARS, "avx2, fma, sse4a" },
	{ flags_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "not supported" },
	{ mode_unknown, "", LIVE, true, KW_MOVE_UNKNOWN, WARNS, "<cpu>" },
	{ mode_unknown, "c", COLD, true },

	{ unguarded, "", LIVE, false, KW_DEST_UNGUARDED, BARS, "kvmwardd is not running" },
	{ unguarded, "u", LIVE, true, KW_DEST_UNGUARDED, WARNS, "nothing is held" },
	{ unguarded, "cu", COLD, true, KW_DEST_UNGUARDED, WARNS, "nothing is held" },
	{ guard_unknown, "", LIVE, false, KW_DEST_UNGUARDED, BARS, "does not answer" },
	{ guard_unknown, "u", LIVE, true, KW_DEST_UNGUARDED, WARNS, "does not answer" },
	{ full, "", COLD, false, KW_SLOT_FULL, BARS, "h2: no SEV slot is free" },
	{ full, "u", COLD, false, KW_SLOT_FULL, BARS, "3 of 3" }, /* nothing overrules a no */
	{ short_of_memory, "", LIVE, false, KW_MEMORY_FULL, BARS, "h2: 1 GiB is left" },
	{ draining, "", LIVE, false, KW_HOST_DRAINING, BARS, "h2: it is being drained" },
};

static struct kw_move_plan judge(const struct kw_move_facts *facts, const char *wish)
{
	const struct kw_move_wish said = { strchr(wish, 'l'), strchr(wish, 'c'), strchr(wish, '-'),
					   strchr(wish, 'u') };
	struct kw_move_plan plan;

	memset(&plan, 0xa5, sizeof(plan));
	kw_move_judge(facts, &said, &plan);
	return plan;
}

/* How often the plan has that obstacle, of that weight and with that part of its sentence. */
static size_t count_of(const struct kw_move_plan *plan, const struct row *row)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->obstacles[i].verdict.code == row->code &&
			 plan->obstacles[i].weight == row->weight &&
			 strstr(plan->obstacles[i].verdict.sentence, row->part);
	return count;
}

static void check(const struct row *row)
{
	struct kw_move_facts facts = fine();
	struct kw_move_plan plan;
	bool right;

	if (row->set)
		row->set(&facts);
	plan = judge(&facts, row->wish);
	right = plan.kind == row->kind && plan.possible == row->possible &&
		!kw_move_bar(&plan) == plan.possible &&
		(row->part ? count_of(&plan, row) == 1 : plan.count == 0);
	if (right)
		return;
	for (size_t i = 0; i < plan.count; i++)
		print_error("%s: %s: %s\n", kw_obstacle_weight_name(plan.obstacles[i].weight),
			    kw_code_name(plan.obstacles[i].verdict.code),
			    plan.obstacles[i].verdict.sentence);
	fail_msg("row %zu (wish \"%s\"): %s, %spossible, %zu obstacles", (size_t)(row - rows),
		 row->wish, kw_move_kind_name(plan.kind), plan.possible ? "" : "im",
		 plan.count);
}

static void every_row_has_its_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* The destination is the same host, or is not there: what it has is not complained of. */
static void only_the_first_of_what_follows_is_said(void **state)
{
	struct kw_move_facts facts = fine();

	(void)state;
	same_uuid(&facts);
	assert_int_equal(judge(&facts, "").count, 1);
	facts = fine();
	unreachable(&facts);
	assert_int_equal(judge(&facts, "").count, 1);
	facts = fine();
	told_by_the_plan_too(&facts);
	assert_int_equal(judge(&facts, "c").count, 1);
	facts = fine();
	unfinished_and_marked(&facts);
	assert_int_equal(judge(&facts, "c").count, 1);
}

static void a_guest_that_is_off_is_not_stopped(void **state)
{
	struct kw_move_facts facts = fine();

	(void)state;
	assert_true(judge(&facts, "c").stops);
	assert_false(judge(&facts, "l").stops);
	assert_int_equal(judge(&facts, "l").downtime_ms.value, 300);
	assert_false(judge(&facts, "c").downtime_ms.known);
	off(&facts);
	assert_false(judge(&facts, "c").stops);
}

/* A file below two overlays is copied once. */
static void what_is_copied_is_added_up(void **state)
{
	struct kw_move_facts facts = fine();

	(void)state;
	assert_int_equal(judge(&facts, "-").copy_bytes.value, 0);
	local(&facts);
	disks[1] = disks[0];
	facts.disk_count = 2;
	assert_int_equal(judge(&facts, "-").copy_bytes.value, 2 * GIB);
	strcpy(disks[1].source, "/srv/other.raw");
	assert_int_equal(judge(&facts, "-").copy_bytes.value, 4 * GIB);
	assert_int_equal(judge(&facts, "").copy_bytes.value, 0);
	assert_int_equal(judge(&facts, "c-").copy_bytes.value, 0);
	disks[1].bytes.known = false;
	assert_false(judge(&facts, "-").copy_bytes.known);
	disks[1].reach = KW_DISK_SEEN;
	assert_int_equal(judge(&facts, "-").copy_bytes.value, 2 * GIB);
}

/* libvirt is to copy the local disk, and neither the other nor what it is an overlay of. */
static void local_disks_alone_are_copied(void **state)
{
	struct kw_move_facts facts = fine();
	struct kw_move_plan plan;

	(void)state;
	local(&facts);
	disks[1] = disks[0];
	disks[1].reach = KW_DISK_SHARED;
	facts.disk_count = 2;
	plan = judge(&facts, "-");
	assert_true(plan.possible);
	assert_true(kw_move_copies(&plan, &disks[0]));
	assert_false(kw_move_copies(&plan, &disks[1]));
	disks[0].backing = true;
	assert_false(kw_move_copies(&plan, &disks[0]));
	disks[0].backing = false;
	disks[0].later = true;
	assert_false(kw_move_copies(&plan, &disks[0]));
	assert_int_equal(judge(&facts, "-").copy_bytes.value, 0);
	disks[0].later = false;
	plan = judge(&facts, "");
	assert_false(kw_move_copies(&plan, &disks[0]));
	plan = judge(&facts, "c-");
	assert_false(kw_move_copies(&plan, &disks[0]));
}

static void warnings_give_way_to_what_bars(void **state)
{
	struct kw_move_disk many[KW_OBSTACLES_MAX + 8];
	struct kw_move_facts facts = fine();
	struct kw_move_plan plan;

	(void)state;
	shared(&facts);
	for (size_t i = 0; i < KW_OBSTACLES_MAX + 8; i++)
		many[i] = disks[0];
	facts.disks = many;
	facts.disk_count = KW_OBSTACLES_MAX + 8;
	plan = judge(&facts, "");
	assert_int_equal(plan.count, KW_OBSTACLES_MAX);
	assert_true(plan.possible);
	unreachable(&facts);
	plan = judge(&facts, "");
	assert_int_equal(plan.count, KW_OBSTACLES_MAX);
	assert_non_null(kw_move_bar(&plan));
	assert_int_equal(kw_move_bar(&plan)->verdict.code, KW_DEST_UNREACHABLE);
	for (size_t i = 0; i < KW_OBSTACLES_MAX + 8; i++)
		many[i].reach = KW_DISK_HERE;
	assert_false(judge(&facts, "").possible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_its_sentence),
		cmocka_unit_test(only_the_first_of_what_follows_is_said),
		cmocka_unit_test(a_guest_that_is_off_is_not_stopped),
		cmocka_unit_test(what_is_copied_is_added_up),
		cmocka_unit_test(local_disks_alone_are_copied),
		cmocka_unit_test(warnings_give_way_to_what_bars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
