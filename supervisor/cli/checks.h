/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_CHECKS_H
#define KW_CLI_CHECKS_H

#include <stddef.h>

#include "model/hearing.h"
#include "model/host.h"
#include "model/walls.h"

enum kw_check_state { KW_CHECK_OK, KW_CHECK_NO, KW_CHECK_UNKNOWN, KW_CHECK_OFF };

/* What is found outside HOST_GET: 1 there, 0 not. */
struct kw_host_around {
	struct kw_u32 dev_kvm, dev_sev, dev_tun, dev_vhost_net, daemon, hook;
	struct kw_u32 kvm_group;		/* group kvm, or everybody, may use /dev/kvm */
	struct kw_u32 admits;		/* kvmwardd lets guests in: the host is not being drained */
	struct kw_u32 vhost_net_queues;	/* that guests have open */
	bool hearing_known;			/* of kvmwardd */
	struct kw_hearing_state hearing;
	struct kw_walls_status walls;		/* likewise */
};

struct kw_check {
	const char *key;	/* stable, for programs */
	const char *what;	/* for people */
	enum kw_check_state state;
	char detail[192];	/* figures and reasons; "" for none */
	const char *remedy;	/* what to do next; NULL when nothing or said earlier */
};

#define KW_CHECK_MAX 40

/*
 * Judges a host check by check, from the processor up to the hook, in the
 * spirit of virt-host-validate. Where a check fails because an earlier one did,
 * only the earlier one has a remedy. Returns how many checks were made.
 */
size_t kw_checks_make(const struct kw_host *host, const struct kw_host_around *around,
		      struct kw_check ret_checks[KW_CHECK_MAX]);

/* "ok", "no", "not known" or "off": nobody wants it. */
const char *kw_check_state_name(enum kw_check_state state);

#endif
