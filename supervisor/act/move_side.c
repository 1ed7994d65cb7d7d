/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/move_side.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "act/move_connection.h"
#include "act/move_mark.h"
#include "base/text.h"

/* A guest that goes while it is asked about is no error: the next look tells. */
int kw_move_side_find(struct kw_move_side *side, virDomainPtr *ret_domain)
{
	int error = kw_move_side_connect(side);
	virDomainPtr domain;

	if (error)
		return error;
	domain = vir.DomainLookupByUUIDString(side->connection, side->uuid);
	if (!domain)
		return kw_move_side_fail(side);
	*ret_domain = domain;
	return 0;
}

static int definition_of(struct kw_move_side *side, virDomainPtr domain, char **ret_xml)
{
	int persistent = vir.DomainIsPersistent(domain);

	if (persistent == 0)
		*ret_xml = NULL;
	else if (persistent == 1)
		*ret_xml = vir.DomainGetXMLDesc(domain,
						VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	return persistent < 0 || (persistent && !*ret_xml) ? kw_move_side_fail(side) : 0;
}

/* -EAGAIN while QEMU is being started: libvirt has it for one that is active already. */
static int run_state(struct kw_move_side *side, virDomainPtr domain, enum kw_side_state *ret_state)
{
	int state, reason, active = vir.DomainIsActive(domain);

	if (active < 0 || (active && vir.DomainGetState(domain, &state, &reason, 0)))
		return kw_move_side_fail(side);
	if (active && state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_STARTING_UP) {
		kw_text_copy(side->error, sizeof(side->error), "it is only just being started");
		return -EAGAIN;
	}
	*ret_state = active ? KW_SIDE_RUNS : KW_SIDE_OFF;
	return 0;
}

int kw_move_side_look(struct kw_move_side *side, enum kw_side_state *ret_state, char **ret_xml)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	_cleanup_free_ char *xml = NULL;
	int error = kw_move_side_find(side, &domain);

	if (error == -ENOENT) {
		*ret_state = KW_SIDE_ABSENT;
		*ret_xml = NULL;
		return 0;
	}
	if (!error)
		error = definition_of(side, domain, &xml);
	if (!error)
		error = run_state(side, domain, ret_state);
	if (error)
		return error;
	*ret_xml = KW_STEAL(xml);
	return 0;
}

static virDomainPtr find_by_text(struct kw_move_side *side, const char *text)
{
	char uuid[KW_UUID_LEN + 1];
	virDomainPtr domain = vir.DomainLookupByName(side->connection, text);

	if (!domain && !kw_text_uuid(text, uuid))
		domain = vir.DomainLookupByUUIDString(side->connection, uuid);
	return domain;
}

static int tell_about(struct kw_move_side *side, virDomainPtr domain,
		      struct kw_move_about *ret_about)
{
	struct kw_move_about about = {};
	int active = vir.DomainIsActive(domain), persistent = vir.DomainIsPersistent(domain);
	int saved = vir.DomainHasManagedSaveImage(domain, 0), autostart = 0;

	if (active < 0 || persistent < 0 || saved < 0 ||
	    (persistent && vir.DomainGetAutostart(domain, &autostart)) ||
	    vir.DomainGetUUIDString(domain, about.uuid))
		return kw_move_side_fail(side);
	about.runs = active;
	about.persistent = persistent;
	about.autostart = autostart;
	about.managed_save = saved;
	kw_text_copy(about.name, sizeof(about.name), vir.DomainGetName(domain));
	about.xml = vir.DomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	if (!about.xml)
		return kw_move_side_fail(side);
	*ret_about = about;
	return 0;
}

int kw_move_side_about(struct kw_move_side *side, const char *text,
		       struct kw_move_about *ret_about)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int error = kw_move_side_connect(side);

	if (error)
		return error;
	domain = find_by_text(side, text);
	return domain ? tell_about(side, domain, ret_about) : kw_move_side_fail(side);
}

int kw_move_side_define(struct kw_move_side *side, const char *xml)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int error = kw_move_side_connect(side);

	if (error)
		return error;
	domain = vir.DomainDefineXML(side->connection, xml);
	return domain ? 0 : kw_move_side_fail(side);
}

/* -ENOENT: there is no mark. */
static int read_job(struct kw_move_side *side, virDomainPtr domain, char *job, size_t size)
{
	_cleanup_free_ char *element = vir.DomainGetMetadata(
		domain, VIR_DOMAIN_METADATA_ELEMENT, KW_MARK_NAMESPACE, VIR_DOMAIN_AFFECT_CONFIG);

	if (element)
		return kw_move_mark_job(element, job, size);
	if (vir.GetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
		return -ENOENT;
	return kw_move_side_fail(side);
}

/* 0: it may be set or removed, 1: there is nothing to remove. */
static int check_job(struct kw_move_side *side, virDomainPtr domain, const struct kw_mark *mark)
{
	char job[KW_MARK_JOB_MAX];
	int error = read_job(side, domain, job, sizeof(job));

	if (error == -ENOENT)
		return mark->kind == KW_MARK_NONE;
	if (!error && !strcmp(job, mark->job))
		return 0;
	if (error && error != -EBADMSG)
		return error;
	kw_text_copy(side->error, sizeof(side->error), "its definition has another move's mark");
	return -EPERM;
}

int kw_move_side_mark(struct kw_move_side *side, const struct kw_mark *mark)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	_cleanup_free_ char *element = NULL;
	int error = kw_move_side_find(side, &domain);

	if (!error)
		error = check_job(side, domain, mark);
	if (error)
		return error < 0 ? error : 0;
	if (mark->kind != KW_MARK_NONE && kw_move_mark_element(mark, &element))
		return -ENOMEM;
	if (vir.DomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, element,
				  element ? "kvmward" : NULL, KW_MARK_NAMESPACE,
				  VIR_DOMAIN_AFFECT_CONFIG))
		return kw_move_side_fail(side);
	return 0;
}

static int call(struct kw_move_side *side, int (*function)(virDomainPtr domain))
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int error = kw_move_side_find(side, &domain);

	if (error)
		return error;
	return function(domain) ? kw_move_side_fail(side) : 0;
}

static int start(virDomainPtr domain)
{
	return vir.DomainCreateWithFlags(domain, 0);
}

/* 0: the guest agent, and ACPI where that does not answer. */
static int shut_down(virDomainPtr domain)
{
	return vir.DomainShutdownFlags(domain, 0);
}

static int autostart_on(virDomainPtr domain)
{
	return vir.DomainSetAutostart(domain, 1);
}

static int autostart_off(virDomainPtr domain)
{
	return vir.DomainSetAutostart(domain, 0);
}

int kw_move_side_start(struct kw_move_side *side)
{
	return call(side, start);
}

int kw_move_side_shut_down(struct kw_move_side *side)
{
	return call(side, shut_down);
}

int kw_move_side_power_off(struct kw_move_side *side)
{
	return call(side, vir.DomainDestroy);
}

int kw_move_side_set_autostart(struct kw_move_side *side, bool on)
{
	return call(side, on ? autostart_on : autostart_off);
}

int kw_move_side_is_awake(struct kw_move_side *side, bool *ret_awake)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int state, reason, error = kw_move_side_find(side, &domain);

	if (error)
		return error;
	if (vir.DomainGetState(domain, &state, &reason, 0))
		return kw_move_side_fail(side);
	*ret_awake = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED ||
		     state == VIR_DOMAIN_SHUTDOWN;
	return 0;
}

int kw_move_side_is_saved(struct kw_move_side *side, bool *ret_saved)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int saved = 0, error = kw_move_side_find(side, &domain);

	if (error && error != -ENOENT)
		return error;
	if (!error)
		saved = vir.DomainHasManagedSaveImage(domain, 0);
	if (saved < 0)
		return kw_move_side_fail(side);
	*ret_saved = saved;
	return 0;
}

int kw_move_side_undefine(struct kw_move_side *side, bool nvram)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int error = kw_move_side_find(side, &domain);

	if (error)
		return error == -ENOENT ? 0 : error;
	if (vir.DomainUndefineFlags(domain, nvram ? VIR_DOMAIN_UNDEFINE_NVRAM
						  : VIR_DOMAIN_UNDEFINE_KEEP_NVRAM))
		return kw_move_side_fail(side);
	return 0;
}
