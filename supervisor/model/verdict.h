/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_VERDICT_H
#define KW_MODEL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/guest.h"

/*
 * Every verdict has a stable code, documented in kvmward-verdicts(7): X(symbol,
 * "code", "what it means", "what to do").
 */
#define KW_VERDICTS(X)                                                                             \
	X(ADMITTED, "admitted", "The host can hold this guest.", "Nothing.")                       \
	X(SLOT_FULL, "slot-full", "Every slot that may be given out is taken.",                    \
	  "Stop a guest, or move the ASID split (BIOS \"minimum SEV ASID\").")                     \
	X(SLOT_RESERVED, "slot-reserved", "Only slots that the operator keeps in reserve are free.", \
	  "Stop a guest, or lower the reserve of the pool in kvmward.conf.")                       \
	X(SLOT_NONE, "slot-none", "The host has no slot of this pool at all.",                     \
	  "Set BIOS \"minimum SEV ASID\" above 1 for SEV-ES and SEV-SNP, and at most the highest ASID for SEV.") \
	X(TYPE_UNAVAILABLE, "type-unavailable", "The host does not offer this kind of encryption.", \
	  "Enable it in the BIOS and in kvm_amd; see 'kvmward host'.")                             \
	X(MEMORY_FULL, "memory-full", "The host's memory cannot hold this guest beside the others.", \
	  "Stop a guest, give this one less memory, lower the host reserve, or raise ram_allocation_ratio.") \
	X(CLASS_FULL, "class-full", "The class of this guest has all that it may have.",           \
	  "Stop a guest of the class, or raise the limit of its section in kvmward.conf.")         \
	X(CLASS_RESERVED, "class-reserved", "What is left is set aside for other classes, or waited for.", \
	  "Stop a guest, or lower the reserve of a class in kvmward.conf.")                        \
	X(CLASS_UNKNOWN, "class-unknown", "This host has no such class.",                          \
	  "Add [class NAME] to kvmward.conf, or change <class> in <metadata>.")                    \
	X(FACTS_UNKNOWN, "facts-unknown", "What the host has left is not known.",                  \
	  "Load the module with 'modprobe kvmward' and read 'kvmward host'.")                      \
	X(DAEMON_UNREACHABLE, "daemon-unreachable", "kvmwardd cannot be asked.",                   \
	  "Start it with 'systemctl start kvmwardd'.")                                             \
	X(XML_INVALID, "xml-invalid", "The domain XML cannot be read.", "Mend the line that is named.") \
	X(NO_UEFI, "no-uefi", "An encrypted guest needs UEFI firmware.",                           \
	  "Add a pflash <loader> and an <nvram> below <os>.")                                      \
	X(NOT_Q35, "not-q35", "An encrypted guest needs machine type q35.",                        \
	  "Set machine='q35' on <type> below <os>.")                                               \
	X(NOT_STATELESS, "not-stateless", "SEV-SNP needs stateless firmware.",                     \
	  "Set stateless='yes' on <loader>.")                                                      \
	X(SECURE_BOOT, "secure-boot", "Secure Boot needs SMM, which an encrypted guest cannot have.", \
	  "Remove secure='yes' from <loader> and <smm> from <features>.")                          \
	X(PASSTHROUGH, "passthrough", "Host devices cannot be passed to an encrypted guest.",      \
	  "Remove the <hostdev>, or the <interface type='hostdev'>.")                              \
	X(IDE_DISK, "ide-disk", "An encrypted guest cannot use an IDE disk.",                      \
	  "Use bus='virtio', 'scsi' (virtio-scsi) or 'sata'.")                                     \
	X(VMCOREINFO, "vmcoreinfo", "vmcoreinfo does not work in an encrypted guest.",             \
	  "Remove <vmcoreinfo> from <features>.")                                                  \
	X(BOOT_ROM, "boot-rom", "A network card's option ROM cannot boot an encrypted guest.",     \
	  "Remove <boot> from the <interface>, or set <rom enabled='no'/>.")                       \
	X(BAD_POLICY, "bad-policy", "The <policy> does not fit the type of <launchSecurity>.",     \
	  "Use 0x0033 for SEV, 0x0037 for SEV-ES, 0x00030000 for SEV-SNP.")                        \
	X(UNKNOWN_SECURITY, "unknown-security", "This <launchSecurity> type is not known here.",   \
	  "Use type 'sev' or 'sev-snp'.")                                                          \
	X(SOFTWARE_OLD, "software-old", "libvirt or QEMU is too old for this kind of guest.",      \
	  "Upgrade it: SEV-SNP needs libvirt 10.5, QEMU 9.1 and Linux 6.11.")                      \
	X(NOT_KVM, "not-kvm", "An encrypted guest needs KVM.", "Set type='kvm' on <domain>.")       \
	X(MEMLOCK_SMALL, "memlock-small", "The guest's memory lock is smaller than what it pins.", \
	  "Add or raise <hard_limit> below <memtune>.")                                                   \
	X(NO_RESTORE, "no-restore", "An encrypted guest cannot be restored from a saved state.", \
	  "Drop the state with 'virsh managedsave-remove', and start the guest anew.")               \
	X(HOOK_USAGE, "hook-usage", "The hook was not called as libvirt calls it.",                \
	  "See https://libvirt.org/hooks.html.")                                                   \
	X(UUID_TAKEN, "uuid-taken", "A guest of this UUID runs, is starting or waits already.",    \
	  "Stop that one, or give this one another <uuid>.")                                       \
	X(GUEST_MOVING, "guest-moving", "A move of this guest to or from another host is not finished.", \
	  "Finish it with 'kvmward job resume', or take it back with 'kvmward job undo'.")         \
	X(HOST_DRAINING, "host-draining", "This host is being drained, and no guest starts on it.",   \
	  "Start the guest on another host, or let guests in again with 'kvmward undrain'.")       \
	X(LIVE_ENCRYPTED, "live-encrypted", "An encrypted guest cannot move while it runs.",        \
	  "Move it cold: 'kvmward migrate --cold'.")                                               \
	X(LIVE_NESTED, "live-nested", "Nested guests run inside this guest.",                      \
	  "Wait until they have ended, or move it cold.")                                          \
	X(LIVE_OFF, "live-off", "Only a guest that runs can move live.", "Move it cold, or start it.") \
	X(GUEST_STATE, "guest-state", "The guest is in a state in which it does not move.",        \
	  "Resume it with 'virsh resume', or stop it.")                                            \
	X(GUEST_TRANSIENT, "guest-transient", "A guest without a persistent definition ends with its QEMU.", \
	  "Define it ('virsh define'), or move it live.")                                          \
	X(SAVED_STATE, "saved-state", "libvirt keeps a saved memory of this guest, which stays on its host.", \
	  "Start the guest from it, or drop it with 'virsh managedsave-remove'.")                  \
	X(SNAPSHOTS_KEPT, "snapshots-kept", "libvirt keeps snapshots or checkpoints of this guest, which do not move.", \
	  "Delete them with 'virsh snapshot-delete' or 'checkpoint-delete'.")                      \
	X(CPU_DIFFERS, "cpu-differs", "The guest has its host's own processor, and the other host's is another.", \
	  "Take an equal host, move it cold, or give it a CPU model (mode='custom').")             \
	X(CPU_LACKS, "cpu-lacks", "The other host's processor lacks what the guest was given.",    \
	  "Take another host, or give the guest a CPU model that both have.")                      \
	X(HOST_DEVICE, "host-device", "The guest has a device of this host.",                      \
	  "Detach it with 'virsh detach-device' first.")                                           \
	X(DISK_LOCAL, "disk-local", "A disk of the guest is on this host only.",                   \
	  "Put it on shared storage, or have a live move copy it: --copy-storage.")                \
	X(DISK_UNSEEN, "disk-unseen", "Whether the other host has a disk of the guest is not known.", \
	  "Put it on a network file system, or name a block device by its /dev/disk/by-id.") \
	X(DISK_COPY, "disk-copy", "A disk of the guest cannot be copied to the other host.",       \
	  "Move away what has its path there, or start a storage pool of its directory.")          \
	X(TPM_LOCAL, "tpm-local", "The state of the guest's TPM is on this host only.",            \
	  "Move the guest live, or remove the <tpm>.")                                             \
	X(DEST_UNREACHABLE, "dest-unreachable", "libvirt of the other host cannot be asked.",      \
	  "Try 'virsh -c URI version'.")                                                           \
	X(DEST_SAME, "dest-same", "The other host is this one.", "Name another host.")             \
	X(DEST_TAKEN, "dest-taken", "The other host has a guest of this name or UUID.",            \
	  "Rename one of them, or undefine the one that is not wanted.")                           \
	X(DEST_UNGUARDED, "dest-unguarded", "No kvmwardd of the other host can be asked.",         \
	  "Start it there, or say --unguarded and take the risk.")                                 \
	X(DEST_OLDER, "dest-older", "libvirt or QEMU of the other host is older.",                 \
	  "Upgrade that host, or move the guest cold.")                                            \
	X(DEST_NEWER, "dest-newer", "QEMU of the other host is newer: no way back while it runs.", \
	  "Upgrade this host too, or have the guest come back cold.")                              \
	X(DEST_MACHINE, "dest-machine", "QEMU of the other host lacks the guest's machine type.",  \
	  "Take another host, or change machine= on <type>.")                                      \
	X(MOVE_UNKNOWN, "move-unknown", "Something that the move depends on is not known.",        \
	  "The sentence says what, and why.")                                                      \
	X(HOST_ALIVE, "host-alive", "The host whose guests are to be evacuated is not gone.",       \
	  "Move its guests with 'kvmward migrate' or 'drain', or switch it off.")                  \
	X(HOST_UNKNOWN, "host-unknown", "Whether the host is gone cannot be told.",                \
	  "Have its name resolve, or make sure that it is off and say --force.")                   \
	X(GUEST_TAKEN, "guest-taken", "Another host has taken this guest.",                        \
	  "See whether it runs there.")                                                            \
	X(DISK_MISSING, "disk-missing", "A disk of the guest cannot be opened on this host.",      \
	  "Mount the storage, or take another host.")                                              \
	X(DISK_LOCKED, "disk-locked", "A QEMU somewhere has a disk of the guest open for writing.", \
	  "Wait until the lock of a host that is gone ends, or stop the guest that has it.")       \
	X(NO_LOCK, "no-lock", "No lock tells whether the guest still runs elsewhere.",             \
	  "Make sure that its host is off, and say --force.")                                      \
	X(QUEUE_FULL, "queue-full", "Too many guests wait already.",                               \
	  "Try again when fewer do; 'kvmward slots' shows how many.")                              \
	X(HOLD_UNSAVED, "hold-unsaved", "The slot could not be put down as held.",                 \
	  "See 'journalctl -u kvmwardd'; /run/kvmward must be writable and /run not full.")

enum kw_code {
#define X(symbol, code, meaning, remedy) KW_##symbol,
	KW_VERDICTS(X)
#undef X
	KW_CODE_COUNT
};

struct kw_verdict {
	enum kw_code code;
	char sentence[512];	/* one sentence for people, with the numbers; no final newline */
};

/* A guest that was kept from starting. */
struct kw_refusal {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];	/* "" when the domain XML does not tell */
	struct kw_verdict verdict;
};

static inline bool kw_verdict_admits(const struct kw_verdict *verdict)
{
	return verdict->code == KW_ADMITTED;
}

/*
 * Sets code and sentence. What does not fit is cut at a character; control
 * characters, which a hostile domain XML may bring along, become "?".
 */
void kw_verdict_set(struct kw_verdict *ret_verdict, enum kw_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The stable code ("slot-full"), what it means, what to do. Never NULL. */
const char *kw_code_name(enum kw_code code);
const char *kw_code_meaning(enum kw_code code);
const char *kw_code_remedy(enum kw_code code);

/* The code of that name; 0, or -ENOENT with *ret_code untouched. */
int kw_code_find(const char *name, enum kw_code *ret_code);

#endif
