/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/look.h"
#include "facts/config_file.h"
#include "facts/domain_files.h"
#include "facts/domain_xml.h"
#include "ledger/drain.h"
#include "ledger/taken.h"
#include "policy/claims.h"
#include "policy/entry.h"
#include "policy/rules.h"
#include "policy/security.h"

void kw_request_done(struct kw_request *request)
{
	kw_domain_done(&request->domain);
	free(request->xml);
	request->xml = NULL;
}

/* "line 7: text" becomes "FILE:7: text", which editors jump to. */
static void name_file(struct kw_request *request)
{
	struct kw_verdict old = request->verdict;
	int line, used = 0;

	if (sscanf(old.sentence, "line %d: %n", &line, &used) == 1 && used)
		kw_verdict_set(&request->verdict, old.code, "%s:%d: %s", request->path, line,
			       old.sentence + used);
	else
		kw_verdict_set(&request->verdict, old.code, "%s: %s", request->path, old.sentence);
}

static void parse(struct kw_request *request, size_t length)
{
	char error[256] = "";

	if (kw_domain_xml_parse(request->xml, length, &request->domain, error, sizeof(error))) {
		kw_verdict_set(&request->verdict, KW_XML_INVALID, "%s", error);
		name_file(request);
		return;
	}
	kw_domain_files_look(&request->domain);
	kw_taken_mark(KW_KEPT_DIR, &request->domain);
	request->takes_slot = kw_security_takes_slot(&request->domain);
	request->claimed = !kw_claim_make(&request->domain, &request->claim);
}

int kw_request_read(const char *path, struct kw_request *ret_request)
{
	bool standard_input = !strcmp(path, "-");
	struct kw_request request = { .path = standard_input ? "standard input" : path };
	size_t length;
	int error;

	error = standard_input
			? kw_file_read_fd(STDIN_FILENO, KW_DOMAIN_XML_MAX, &request.xml, &length)
			: kw_file_read(path, KW_DOMAIN_XML_MAX, &request.xml, &length);
	if (error == -EFBIG)
		kw_verdict_set(&request.verdict, KW_XML_INVALID,
			       "%s: larger than %u MiB, so no domain XML", request.path,
			       KW_DOMAIN_XML_MAX >> 20);
	else if (error)
		return error;
	else
		parse(&request, length);
	*ret_request = request;
	return 0;
}

static uint64_t enough_bytes(const struct kw_claim *claim)
{
	return claim->memlock_bytes > claim->ceiling_bytes ? claim->memlock_bytes
							   : claim->ceiling_bytes;
}

void kw_request_complete(struct kw_request *request, struct kw_u32 cbitpos,
			 struct kw_u32 reduced_phys_bits)
{
	struct kw_domain *domain = &request->domain;

	if (!request->takes_slot || !request->claimed)
		return;
	if (!domain->cbitpos.known)
		request->additions.cbitpos = cbitpos;
	if (!domain->reduced_phys_bits.known)
		request->additions.reduced_phys_bits = reduced_phys_bits;
	if (!domain->hard_limit_bytes.known)
		request->additions.hard_limit_bytes = KW_U64(enough_bytes(&request->claim));
}

int kw_request_name(struct kw_request *request)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int error;

	if (!kw_claim_due(&request->domain) || request->domain.uuid[0])
		return 0;
	error = kw_file_read("/proc/sys/kernel/random/uuid", KW_UUID_LEN + 1, &text, &length);
	if (error)
		return error;
	text[strcspn(text, "\n")] = '\0';
	return kw_text_uuid(text, request->additions.uuid);
}

/* The domain as it will be with the additions; it borrows from the request's. */
static struct kw_domain completed_domain(const struct kw_request *request)
{
	struct kw_domain domain = request->domain;

	if (request->additions.hard_limit_bytes.known) {
		domain.hard_limit_bytes = request->additions.hard_limit_bytes;
		domain.memory_locked = false;
	}
	return domain;
}

void kw_request_check(struct kw_request *request)
{
	struct kw_domain domain = completed_domain(request);

	if (!kw_verdict_admits(&request->verdict) || !request->takes_slot)
		return;
	kw_rules_check(&domain, &request->verdict);
	if (!kw_verdict_admits(&request->verdict))
		name_file(request);
	else if (!request->claimed)
		kw_verdict_set(&request->verdict, KW_UNKNOWN_SECURITY,
			       "%s:%d: what a guest of <launchSecurity type='%s'> takes is not known",
			       request->path, domain.line_security, domain.security_type);
}

int kw_request_xml(const struct kw_request *request, char **ret_xml)
{
	return kw_domain_complete(request->xml, &request->additions, ret_xml);
}

static bool drains(const struct kw_domain *domain)
{
	return kw_drain_is_on(KW_KEPT_DIR) && !kw_drain_spares(KW_KEPT_DIR, domain->uuid);
}

void kw_request_unasked(struct kw_request *request, const char *reason)
{
	const char *kind = request->takes_slot ? "encrypted" : "plain";
	struct kw_config config;
	char error[256];

	if (!kw_entry_admits(&request->domain, drains(&request->domain), &request->verdict))
		return;
	if (kw_config_file_read(KW_CONFIG_FILE, &config, error, sizeof(error)))
		kw_config_defaults(&config);
	if (request->takes_slot ? config.admit_encrypted_unasked : config.admit_plain_unasked)
		kw_verdict_set(&request->verdict, KW_ADMITTED,
			       "kvmwardd cannot be asked (%s), and %s guests are admitted then",
			       reason, kind);
	else
		kw_verdict_set(&request->verdict, KW_DAEMON_UNREACHABLE,
			       "kvmwardd cannot be asked (%s), and %s guests are refused then; "
			       "start it with 'systemctl start kvmwardd'",
			       reason, kind);
}

void kw_request_ask(struct kw_request *request)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	_cleanup_free_ char *xml = NULL;
	int error;

	if (!kw_verdict_admits(&request->verdict))
		return;
	error = kw_request_xml(request, &xml);
	if (!error)
		error = kw_daemon_connect(&bus);
	if (!error)
		error = kw_bus_plan(bus, xml, &request->verdict);
	if (!error)
		return;
	kw_request_unasked(request, kw_daemon_reason(bus, error));
}
