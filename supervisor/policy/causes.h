/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_POLICY_CAUSES_H
#define KW_POLICY_CAUSES_H

#include <stdbool.h>

/* Why a guest could not be started, and what to do. Sentences without a final stop. */
struct kw_cause {
	char cause[320];
	const char *remedy;	/* borrowed; for ever */
};

/*
 * Finds the cause in what libvirt tells of a start that failed: its own words, and
 * of a QEMU that has ended the errno of KVM ("ret=-16") and the error of the SEV
 * firmware ("fw_error=21"). False, with the cause untouched, when nothing in it is
 * known. Sources: messages of libvirt 9.0 and of QEMU 7.2 to 11.1, target/i386/sev.c;
 * error codes of the SEV API, <linux/psp-sev.h>; errnos of arch/x86/kvm/svm/sev.c.
 */
bool kw_cause_find(const char *text, struct kw_cause *ret_cause);

#endif
