/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_HOOK_H
#define KW_MODEL_HOOK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What an operation of libvirt's qemu hook means to kvmward. Source: libvirt
 * docs/hooks.rst. The sub-operation changes nothing: where libvirt calls an
 * operation more than once, to decide on it again is harmless.
 */
enum kw_hook_kind {
	KW_HOOK_PREPARE,	/* prepare, migrate: decide and hold */
	KW_HOOK_RESTORE,	/* restore: the same, but nothing brings an encrypted guest back */
	KW_HOOK_START,		/* start: a hold must be there, or decide now */
	KW_HOOK_STARTED,	/* started: QEMU is up, nothing to refuse any more */
	KW_HOOK_ENDED,		/* stopped, release: the hold ends */
	KW_HOOK_RECONNECT,	/* reconnect: the guest runs; a refusal would kill it */
	KW_HOOK_OTHER,		/* attach, and what libvirt may add */
};

/* One call, as libvirt makes it. Borrowed strings; the XML need not end with a 0. */
struct kw_hook_call {
	const char *name, *op, *subop, *extra;
	const char *xml;
	size_t xml_length;
};

/* A domain XML to plan with. Borrowed; it need not end with a 0. */
struct kw_plan_text {
	const char *xml;
	size_t length;
};

/* KW_HOOK_OTHER for an operation that is not known. */
enum kw_hook_kind kw_hook_kind_of(const char *op);

/* True when a non-zero exit keeps a guest from starting, and does no other harm. */
bool kw_hook_may_refuse(enum kw_hook_kind kind);

#endif
