/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bare KVM VMs of this process, straight through /dev/kvm. None of them ever runs. */
#ifndef VMS_H
#define VMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vms_type { VMS_PLAIN, VMS_SEV, VMS_SEV_ES, VMS_SNP, VMS_TYPES };

/* Is there a /dev/kvm; can a VM of that type be made now? */
bool vms_there(void);
bool vms_offered(enum vms_type type);

/* A VM's file, or negative errno. An encrypted one has its slot, or, when begun, none yet. */
int vms_create(enum vms_type type);
int vms_begin(enum vms_type type);

/* Each 0 or negative errno. */
int vms_encrypt(int vm, enum vms_type type);	/* of the type it was made for; it then has its slot */
int vms_mirror(int vm, int owner);	/* vm then shares the owner's slot */
int vms_move(int vm, int source);	/* intra-host migration */
int vms_pin(int vm, size_t bytes);
int vms_unpin(int vm);		/* what was pinned last, of whichever VM */

/*
 * Guest memory: slots as KVM numbers them, with the address space in the upper
 * half. 0 bytes: the slot goes. Nothing is behind it: none of these VMs runs.
 */
int vms_set_memory(int vm, unsigned int slot, uint64_t bytes);

/* What the firmware calls the guest, or negative errno. */
long vms_handle(int vm);

/* Takes pages of a private memory slot for an SNP guest: 0 or negative errno. */
int vms_snp_populate(int vm, unsigned long address, size_t bytes);

/* A vCPU's file, or negative errno. */
int vms_add_vcpu(int vm, unsigned int id);

/*
 * Puts a vCPU into, or out of, a nested guest, as if it had been migrated here in
 * the midst of it. 0 or negative errno; -EOPNOTSUPP where this is not SVM, or it
 * does not nest.
 */
int vms_nest(int vcpu, bool inside);

#endif
