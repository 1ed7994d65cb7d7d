/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this module is built for. The only
 * place that looks at the version; a feature that can be asked for by name is.
 */
#ifndef KVMWARD_COMPAT_H
#define KVMWARD_COMPAT_H

#include <linux/version.h>

/* 6.16 gave CPUID's helpers a header of their own, which not all others include. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#include <asm/processor.h>
#else
#include <asm/cpuid/api.h>
#endif

/* 6.6 gave a dump the same struct genl_info that a do has. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define kvmward_dump_attrs(cb) (genl_dumpit_info(cb)->attrs)
#else
#define kvmward_dump_attrs(cb) (genl_info_dump(cb)->attrs)
#endif

/* 6.16 renamed the 64-bit MSR helpers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define kvmward_rdmsr_safe(msr, value) rdmsrl_safe(msr, value)
#else
#define kvmward_rdmsr_safe(msr, value) rdmsrq_safe(msr, value)
#endif

/* Memory slots can have a guest_memfd since 6.8; 6.18 gave the option another name. */
#if defined(CONFIG_KVM_PRIVATE_MEM) || defined(CONFIG_KVM_GUEST_MEMFD)
#define KVMWARD_HAVE_GUEST_MEMFD
#endif

/* Since 6.5, and 6.1.43, a file of KVM's statistics holds its VM, and can be followed to it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 43) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#define KVMWARD_STATS_HOLD_VM
#endif

/*
 * Who may join a multicast group can be said since 6.7, and in the stable series
 * that have taken it over: where it cannot, there is no group.
 */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define kvmward_groups_guarded true
#else
#define kvmward_groups_guarded false
#define GENL_MCAST_CAP_NET_ADMIN 0
#endif

#endif
