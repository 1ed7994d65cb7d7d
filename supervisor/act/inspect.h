/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_INSPECT_H
#define KW_ACT_INSPECT_H

#include "act/domain.h"
#include "model/move_facts.h"

/* Looks at guests and hosts, of which none changes anything. All block, and may do so for ever. */

/* A guest as libvirt has it. */
struct kw_guest_look {
	char name[KW_NAME_MAX];
	char uuid[KW_UUID_LEN + 1];
	char *xml;			/* as it runs; of a guest that is off its definition */
	char *definition;		/* with its secrets; NULL when it has none */
	enum kw_run_state run;
	struct kw_u32 persistent, autostart, managed_save, snapshots, checkpoints;
	struct kw_u64 downtime_ms;	/* that QEMU aims at when it moves live */
};

/*
 * guest is a UUID or a name. 0, -ENOENT when there is none, -EIO, each with
 * libvirt's own text in error; what else it does not tell is not known. The
 * caller owns *ret_look.
 */
int kw_libvirt_look(struct kw_libvirt *libvirt, const char *guest, struct kw_guest_look *ret_look,
		    char *error, size_t error_size);

/* Frees what the look owns and empties it; takes NULL. */
void kw_guest_look_done(struct kw_guest_look *look);

/* Whether there is a guest of that UUID or that name, off or not. */
struct kw_u32 kw_libvirt_has_guest(struct kw_libvirt *libvirt, const char *name, const char *uuid);

/* The name of the host that libvirt runs on, "" when it does not tell. */
void kw_libvirt_host_name(struct kw_libvirt *libvirt, char *ret_name, size_t size);

/* Its capabilities as XML; NULL when it does not tell. The caller frees it. */
char *kw_libvirt_capabilities(struct kw_libvirt *libvirt);

/* Whether there is a QEMU for the domain's machine type; words has libvirt's reason if not. */
struct kw_u32 kw_libvirt_machine_fits(struct kw_libvirt *libvirt, const struct kw_domain *domain,
				      char *words, size_t size);

/*
 * Whether the host can give a guest this <cpu>, by its QEMU's and KVM's own
 * account; words says what lacks, or why that is not known.
 */
struct kw_u32 kw_libvirt_cpu_fits(struct kw_libvirt *libvirt, const struct kw_domain *domain,
				  const char *cpu, char *words, size_t size);

/* The length of the file that is a volume of a storage pool; unknown when it is in none. */
struct kw_u64 kw_libvirt_volume_bytes(struct kw_libvirt *libvirt, const char *path);

/* Whether libvirt would make a file of that path when a disk is copied to it. */
enum kw_copy_place kw_libvirt_copy_place(struct kw_libvirt *libvirt, const char *path);

#endif
