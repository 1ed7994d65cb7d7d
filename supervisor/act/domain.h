/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_DOMAIN_H
#define KW_ACT_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/guest.h"
#include "model/known.h"
#include "model/software.h"

/* What an encrypted guest needs and its file may leave out; unknown = leave alone. */
struct kw_completion {
	struct kw_u32 cbitpos, reduced_phys_bits;
	struct kw_u64 hard_limit_bytes;
	char uuid[KW_UUID_LEN + 1];	/* "": leave alone */
};

/*
 * Writes the completion into a domain XML wherever the element is missing, and
 * drops <memoryBacking><locked/> in favour of the finite limit; what the file
 * says itself is kept, and a plain guest gets the UUID only. 0 and the new text, owned by the caller; -EBADMSG when
 * the text is not a domain.
 */
int kw_domain_complete(const char *xml, const struct kw_completion *completion, char **ret_xml);

struct kw_libvirt;

/*
 * Connects to libvirt. uri NULL: "qemu:///system". 0 or negative errno with
 * libvirt's own text in error.
 */
int kw_libvirt_open(const char *uri, struct kw_libvirt **ret_libvirt, char *error, size_t error_size);
void kw_libvirt_close(struct kw_libvirt *libvirt);

/* cbitpos and reducedPhysBits of the host's domain capabilities; unknown where it names none. */
int kw_libvirt_sev_caps(struct kw_libvirt *libvirt, struct kw_u32 *ret_cbitpos,
			struct kw_u32 *ret_reduced_phys_bits, char *error, size_t error_size);

/* Versions of libvirt and of what it drives, QEMU; unknown where it does not tell. */
void kw_libvirt_software(struct kw_libvirt *libvirt, struct kw_software *ret_software);

/* How a domain is started. */
struct kw_start {
	bool define;	/* keep it defined in libvirt */
	bool paused;	/* leave its vCPUs stopped: it has its slot and memory all the same */
};

/*
 * Starts the domain. Blocks until QEMU is up or has failed. 0 or negative errno
 * with libvirt's own text in error. ret_uuid: at least KW_UUID_LEN + 1 bytes.
 */
int kw_libvirt_start(struct kw_libvirt *libvirt, const char *xml, struct kw_start how,
		     char *ret_uuid, char *error, size_t error_size);

#endif
