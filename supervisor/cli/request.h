/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_REQUEST_H
#define KW_CLI_REQUEST_H

#include <stddef.h>

#include "act/domain.h"
#include "base/cleanup.h"
#include "model/claim.h"
#include "model/domain.h"
#include "model/verdict.h"

/* A domain XML that somebody wants to start, and what became known of it so far. */
struct kw_request {
	const char *path;		/* for messages; borrowed */
	char *xml;
	struct kw_domain domain;
	bool takes_slot;
	bool claimed;			/* claim is filled in */
	struct kw_claim claim;
	bool snp_apart;			/* of the host's slots; false when not known */
	struct kw_completion additions;	/* what the file leaves out; unknown = nothing */
	struct kw_verdict verdict;	/* admitted as long as nothing speaks against it */
};

void kw_request_done(struct kw_request *request);

/*
 * Reads a file, "-" being standard input, and what it claims. A file that is
 * no domain XML is a refusal. 0, or negative errno when it cannot be read. The
 * caller owns *ret_request.
 */
int kw_request_read(const char *path, struct kw_request *ret_request);

/*
 * Decides on what the file of an encrypted guest leaves out: a finite memory
 * lock that is enough, and the two numbers of the host where they are known.
 */
void kw_request_complete(struct kw_request *request, struct kw_u32 cbitpos,
			 struct kw_u32 reduced_phys_bits);

/*
 * A guest that waits is known by its UUID: decides on one when the file has
 * none, as libvirt would. 0 or negative errno.
 */
int kw_request_name(struct kw_request *request);

/* The rules that need no host: a broken one becomes the verdict, as "FILE:LINE: …". */
void kw_request_check(struct kw_request *request);

/*
 * Asks kvmwardd about the file with its additions. When kvmwardd cannot be
 * asked, kvmward.conf says what then.
 */
void kw_request_ask(struct kw_request *request);

/* The verdict when kvmwardd cannot be asked for this reason. */
void kw_request_unasked(struct kw_request *request, const char *reason);

/* The file with its additions. 0 or negative errno; the caller owns *ret_xml. */
int kw_request_xml(const struct kw_request *request, char **ret_xml);

#endif
