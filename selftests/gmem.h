/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that only the guest can reach (guest_memfd), as SEV-SNP guests have it. */
#ifndef GMEM_H
#define GMEM_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kvm_uapi.h"

/* A guest_memfd, of which no page is taken yet, or negative errno. */
static inline int gmem_create(int vm, size_t bytes)
{
	struct kvm_create_guest_memfd create = { .size = bytes };
	int fd = ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create);

	return fd < 0 ? -errno : fd;
}

/*
 * Makes a part of it a memory slot of its VM, until it is closed. What is shared
 * with the host is at that address of this process. 0 or negative errno.
 */
static inline int gmem_slot(int vm, unsigned int slot, uint64_t address, size_t bytes, int fd,
			    uint64_t offset, uintptr_t shared)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = address,
		.memory_size = bytes,
		.userspace_addr = shared,
		.guest_memfd_offset = offset,
		.guest_memfd = fd,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region) < 0 ? -errno : 0;
}

/*
 * The same, private to the guest. The part that is shared has to be there too; it
 * is never touched.
 */
static inline int gmem_bind(int vm, unsigned int slot, uint64_t address, size_t bytes, int fd,
			    uint64_t offset)
{
	void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct kvm_memory_attributes attributes = {
		.address = address,
		.size = bytes,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	int ret;

	if (shared == MAP_FAILED)
		return -errno;
	ret = gmem_slot(vm, slot, address, bytes, fd, offset, (uintptr_t)shared);
	if (!ret && ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes))
		ret = -errno;
	return ret;
}

#endif
