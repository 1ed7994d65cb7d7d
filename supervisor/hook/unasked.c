/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/unasked.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "facts/config_file.h"
#include "facts/domain_xml.h"
#include "ledger/drain.h"
#include "ledger/taken.h"
#include "policy/entry.h"
#include "policy/security.h"

/* What every mark of a move has in it. */
#define MARK "urn:kvmward:move:"

/* Of a file that cannot be read nothing is known but that it may be a moving guest's. */
static void bar_unread(const char *xml, const char *error, bool draining,
		       struct kw_verdict *verdict)
{
	if (strstr(xml, MARK))
		kw_verdict_set(verdict, KW_GUEST_MOVING,
			       "the domain XML cannot be read (%s), and may say that a move of this "
			       "guest is not finished", error);
	else if (draining)
		kw_entry_shut(verdict);
}

void kw_unasked_read(const struct kw_hook_place *place, const struct kw_attempt *attempt,
		     struct kw_unasked *ret_unasked)
{
	const char *xml = attempt->xml ?: "";
	bool draining = kw_drain_is_on(place->kept_dir);
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	struct kw_unasked unasked = { .encrypted = true, .barred.code = KW_ADMITTED };
	struct kw_config config;
	char error[256];

	if (kw_domain_xml_parse(xml, strlen(xml), &domain, error, sizeof(error)) >= 0) {
		unasked.encrypted = kw_security_takes_slot(&domain);
		kw_text_copy(unasked.uuid, sizeof(unasked.uuid), domain.uuid);
		kw_taken_mark(place->kept_dir, &domain);
		draining = draining && !kw_drain_spares(place->kept_dir, domain.uuid);
		if (kw_entry_admits(&domain, draining, &unasked.barred) &&
		    attempt->kind == KW_HOOK_RESTORE)
			kw_entry_restores(&domain, &unasked.barred);
	} else {
		bar_unread(xml, error, draining, &unasked.barred);
	}
	if (kw_config_file_read(place->config_path, &config, error, sizeof(error)) < 0)
		kw_config_defaults(&config);
	unasked.admit = unasked.encrypted ? config.admit_encrypted_unasked :
					    config.admit_plain_unasked;
	*ret_unasked = unasked;
}
