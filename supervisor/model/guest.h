/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_GUEST_H
#define KW_MODEL_GUEST_H

#include <stddef.h>
#include <sys/types.h>

#include "model/known.h"
#include "model/slots.h"

enum kw_guest_type { KW_GUEST_PLAIN, KW_GUEST_SEV, KW_GUEST_SEV_ES, KW_GUEST_SNP };

#define KW_UUID_LEN 36		/* without the final 0 */
#define KW_NAME_MAX 256		/* with the final 0; a longer name is cut */

/*
 * One KVM guest. The first part is what GUEST_GET states; the second is what
 * /proc says of its process, found without asking libvirt; the third is
 * kvmwardd's.
 */
struct kw_guest {
	pid_t pid;
	struct kw_u64 start_time_ns;
	struct kw_u32 vm_fd, uid;
	struct kw_u32 type;			/* enum kw_guest_type */
	struct kw_u32 asid;
	struct kw_u64 pinned_bytes, memory_bytes;
	struct kw_u64 unmovable_bytes;		/* pinned, or in guest_memfd */
	struct kw_u32 vcpus, nested_vcpus;
	struct kw_u32 vhost_net_queues, tap_queues;
	struct kw_u64 mm_locked_bytes, mm_pinned_bytes;
	bool flags_known;			/* else both below are false */
	bool mirror, orphan;
	char comm[16];
	char cgroup[512];			/* "" when not known */

	char uuid[KW_UUID_LEN + 1];		/* "" when the process gives none */
	char name[KW_NAME_MAX];			/* likewise */
	bool libvirt;				/* libvirt started it */
	struct kw_u64 hugetlb_bytes;		/* of the process, in hugepages of all sizes */

	struct kw_u64 claimed_pinned_bytes;	/* known where kvmwardd found it to pin otherwise */
};

/* What one dump gave; known is false where the kernel gave no answer. */
struct kw_guest_list {
	bool known;
	struct kw_guest *guests;
	size_t count;
};

/* Frees what the list owns and empties it; takes NULL. */
void kw_guest_list_done(struct kw_guest_list *list);

/* The first guest of that UUID, or NULL. Borrowed from the list. */
const struct kw_guest *kw_guest_list_find(const struct kw_guest_list *list, const char *uuid);

/* The name for people: libvirt's or, where it gave none, the command's. Borrowed. */
static inline const char *kw_guest_title(const struct kw_guest *guest)
{
	return *guest->name ? guest->name : guest->comm;
}

/* "plain", "sev", "sev-es" or "snp". */
const char *kw_guest_type_name(enum kw_guest_type type);

/* True when such a guest needs a slot; *ret_pool says of which pool. snp_apart: of the slots. */
bool kw_guest_type_pool(enum kw_guest_type type, bool snp_apart, enum kw_pool *ret_pool);

#endif
