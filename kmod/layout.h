/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_LAYOUT_H
#define KVMWARD_LAYOUT_H

#include "sev.h"
#include "vm.h"

struct module;

/* What of a VM can be read on the running kernel. */
struct kvmward_layout {
	bool vm;		/* struct kvm is as in the headers */
	bool sev;		/* sev_layout is filled in */
	bool amd;		/* kvm_amd drives the processor */
	const char *reason;	/* why sev is false; a constant */
	struct kvmward_sev_layout sev_layout;
	bool refs_read;		/* refs is what there is to know */
	struct kvmward_vm_refs refs;
};

/*
 * The layout for the KVM that is loaded now, worked out when first asked for
 * and again after KVM was loaded anew. *ret_vendor holds the module that drives
 * the processor, so that the answer stays true, until module_put(); NULL when
 * there is none or it is built in. May sleep; never fails.
 */
void kvmward_layout_get(struct kvmward_layout *ret_layout, struct module **ret_vendor);

#endif
