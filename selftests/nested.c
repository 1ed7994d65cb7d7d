// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vms_nest(). A vCPU that is migrated while it runs a nested guest has that state
 * set by KVM_SET_NESTED_STATE; so it can be had without running anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>

#include "vms.h"

#ifdef __x86_64__

#define EFER_SVME (1ULL << 12)
#define CR0_PE_PG 0x80000001ULL
#define CPUID_ENTRIES 256

/* The VMCB: AMD APM volume 2, appendix B. */
#define VMCB_BYTES 4096
#define VMCB_INTERCEPTS_SVM 0x10	/* bit 0: VMRUN, always to be intercepted */
#define VMCB_ASID 0x58
#define VMCB_EFER 0x4d0
#define VMCB_CR0 0x558
#define VMCB_DR7 0x560
#define VMCB_DR6 0x568
#define VMCB_RFLAGS 0x570

/* The vCPU may have all that KVM can give it, SVM among it. */
static int cpuid_set(int vcpu)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), ret = 0;

	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) || ioctl(vcpu, KVM_SET_CPUID2, cpuid))
		ret = -errno;
	close(kvm);
	free(cpuid);
	return ret;
}

static int svm_enable(int vcpu)
{
	struct kvm_sregs sregs;
	int ret = cpuid_set(vcpu);

	if (ret)
		return ret;
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.efer |= EFER_SVME;
	/* KVM of another kind, or told not to nest, knows no such bit. */
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return errno == EINVAL ? -EOPNOTSUPP : -errno;
	return 0;
}

static void field_set(unsigned char *vmcb, size_t offset, uint64_t value)
{
	memcpy(vmcb + offset, &value, sizeof(value));
}

/* The least that KVM takes for the state of a guest. */
static void vmcb_fill(unsigned char *vmcb)
{
	vmcb[VMCB_INTERCEPTS_SVM] = 1;
	vmcb[VMCB_ASID] = 1;
	field_set(vmcb, VMCB_EFER, EFER_SVME);
	field_set(vmcb, VMCB_CR0, CR0_PE_PG);
	field_set(vmcb, VMCB_DR7, 0x400);
	field_set(vmcb, VMCB_DR6, 0xffff0ff0);
	field_set(vmcb, VMCB_RFLAGS, 2);
}

int vms_nest(int vcpu, bool inside)
{
	struct kvm_nested_state *state = calloc(1, sizeof(*state) + VMCB_BYTES);
	int ret = inside ? svm_enable(vcpu) : 0;

	if (!state)
		return -ENOMEM;
	state->format = KVM_STATE_NESTED_FORMAT_SVM;
	state->flags = KVM_STATE_NESTED_GIF_SET | (inside ? KVM_STATE_NESTED_GUEST_MODE : 0);
	state->size = sizeof(*state) + VMCB_BYTES;
	state->hdr.svm.vmcb_pa = 0x1000;
	vmcb_fill((unsigned char *)state + sizeof(*state));
	if (!ret && ioctl(vcpu, KVM_SET_NESTED_STATE, state))
		ret = -errno;
	free(state);
	return ret;
}

#else

int vms_nest(int vcpu, bool inside)
{
	return -EOPNOTSUPP;
}

#endif
