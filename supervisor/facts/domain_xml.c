/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/domain_xml.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "facts/domain_parts.h"

/* libvirt has the same limits on a name, which becomes part of paths and of log lines. */
static int check_name(const struct kw_complaint *complaint, const xmlNode *node, const char *name)
{
	if (!name[0])
		return kw_xml_complain(complaint, node, "is empty");
	for (const char *at = name; *at; at++)
		if (*at == '/' || (unsigned char)*at < ' ' || *at == 0x7f)
			return kw_xml_complain(complaint, node,
					       "a name has no '/' and no control character");
	return 0;
}

static int read_name(const struct kw_complaint *complaint, const xmlNode *root,
		     struct kw_domain *domain)
{
	char name[4096];
	xmlNode *node;
	int error = kw_xml_only(complaint, root, "name", &node);

	if (!error && !node)
		error = kw_xml_complain(complaint, root, "has no <name>");
	if (!error)
		error = kw_xml_text(complaint, node, name, sizeof(name));
	if (!error)
		error = check_name(complaint, node, name);
	if (!error)
		kw_text_copy(domain->name, sizeof(domain->name), name);
	return error;
}

static int read_uuid(const struct kw_complaint *complaint, const xmlNode *root,
		     struct kw_domain *domain)
{
	char uuid[64];
	xmlNode *node;
	int error = kw_xml_only(complaint, root, "uuid", &node);

	if (error || !node)
		return error;
	error = kw_xml_text(complaint, node, uuid, sizeof(uuid));
	if (error)
		return error;
	if (kw_text_uuid(uuid, domain->uuid))
		return kw_xml_complain(complaint, node, "'%s' is not a UUID", uuid);
	return 0;
}

static int read_identity(const struct kw_complaint *complaint, const xmlNode *root,
			 struct kw_domain *domain)
{
	int error = kw_xml_attribute(complaint, root, "type", domain->virt_type,
				     sizeof(domain->virt_type));

	if (!error && !domain->virt_type[0])
		error = kw_xml_complain(complaint, root, "has no type, such as type='kvm'");
	if (!error)
		error = read_name(complaint, root, domain);
	return error ? error : read_uuid(complaint, root, domain);
}

/* The text is the maximum; "current" only says how many are there at first. */
static int read_vcpus(const struct kw_complaint *complaint, const xmlNode *root,
		      struct kw_domain *domain)
{
	uint32_t vcpus = 1;
	xmlNode *node;
	int error = kw_xml_only(complaint, root, "vcpu", &node);

	if (!error && node)
		error = kw_xml_u32(complaint, node, &vcpus);
	if (!error && (!vcpus || vcpus > UINT16_MAX))
		error = kw_xml_complain(complaint, node, "%u is not a number of CPUs", vcpus);
	if (!error)
		domain->vcpus = vcpus;
	return error;
}

/* A switch below <features>; the element alone means on. */
static int read_feature(const struct kw_complaint *complaint, const xmlNode *features,
			const char *name, bool *ret_on, int *ret_line)
{
	bool on = true;
	xmlNode *node;
	int error = kw_xml_only(complaint, features, name, &node);

	if (error || !node)
		return error;
	error = kw_xml_flag(complaint, node, "state", &on);
	if (error)
		return error;
	*ret_on = on;
	*ret_line = (int)xmlGetLineNo(node);
	return 0;
}

static int read_features(const struct kw_complaint *complaint, const xmlNode *root,
			 struct kw_domain *domain)
{
	xmlNode *features;
	int error = kw_xml_only(complaint, root, "features", &features);

	if (!error)
		error = read_feature(complaint, features, "smm", &domain->smm_on,
				     &domain->line_smm);
	if (!error)
		error = read_feature(complaint, features, "vmcoreinfo", &domain->vmcoreinfo,
				     &domain->line_vmcoreinfo);
	return error;
}

static int read_optional_u32(const struct kw_complaint *complaint, const xmlNode *parent,
			     const char *name, struct kw_u32 *ret_number)
{
	xmlNode *node;
	uint32_t number;
	int error = kw_xml_only(complaint, parent, name, &node);

	if (error || !node)
		return error;
	error = kw_xml_u32(complaint, node, &number);
	if (!error)
		*ret_number = KW_U32(number);
	return error;
}

/* SEV's policy has 32 bits, SNP's 64. */
static int read_policy(const struct kw_complaint *complaint, const xmlNode *security,
		       struct kw_domain *domain)
{
	uint64_t max = domain->security == KW_SECURITY_SEV ? UINT32_MAX : UINT64_MAX, policy;
	xmlNode *node;
	int error = kw_xml_only(complaint, security, "policy", &node);

	if (error || !node)
		return error;
	error = kw_xml_hex(complaint, node, max, &policy);
	if (error)
		return error;
	domain->policy = KW_U64(policy);
	domain->line_policy = (int)xmlGetLineNo(node);
	return 0;
}

static enum kw_security security_of(const char *type)
{
	if (kw_text_equal(type, "sev"))
		return KW_SECURITY_SEV;
	return kw_text_equal(type, "sev-snp") ? KW_SECURITY_SNP : KW_SECURITY_OTHER;
}

static int read_security(const struct kw_complaint *complaint, const xmlNode *root,
			 struct kw_domain *domain)
{
	xmlNode *node;
	int error = kw_xml_only(complaint, root, "launchSecurity", &node);

	if (error || !node)
		return error;
	error = kw_xml_attribute(complaint, node, "type", domain->security_type,
				 sizeof(domain->security_type));
	if (error)
		return error;
	if (!domain->security_type[0])
		return kw_xml_complain(complaint, node, "has no type, such as type='sev'");
	domain->line_security = (int)xmlGetLineNo(node);
	domain->security = security_of(domain->security_type);
	if (domain->security == KW_SECURITY_OTHER)
		return 0;
	error = read_policy(complaint, node, domain);
	if (!error)
		error = read_optional_u32(complaint, node, "cbitpos", &domain->cbitpos);
	if (!error)
		error = read_optional_u32(complaint, node, "reducedPhysBits",
					  &domain->reduced_phys_bits);
	return error;
}

static int read_domain(const struct kw_complaint *complaint, const xmlNode *root,
		       struct kw_domain *domain)
{
	static int (*const parts[])(const struct kw_complaint *, const xmlNode *,
				    struct kw_domain *) = {
		read_identity, kw_domain_read_memory, read_vcpus,	     kw_domain_read_os,
		read_features, read_security,	      kw_domain_read_devices, kw_domain_read_class,
		kw_domain_read_mark,
	};

	if (strcmp((const char *)root->name, "domain") != 0 || root->ns)
		return kw_xml_complain(complaint, root, "is not a libvirt <domain>");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int error = parts[i](complaint, root, domain);

		if (error)
			return error;
	}
	return 0;
}

int kw_domain_xml_parse(const char *xml, size_t length, struct kw_domain *ret_domain, char *error,
			size_t error_size)
{
	const struct kw_complaint complaint = { error, error_size };
	_cleanup_(kw_domain_done) struct kw_domain domain = { 0 };
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	int result = kw_xml_read(xml, length, &doc, error, error_size);

	if (result)
		return result;
	result = read_domain(&complaint, xmlDocGetRootElement(doc), &domain);
	if (result == -ENOMEM)
		kw_text_copy(error, error_size, "line 1: out of memory");
	if (result)
		return result;
	*ret_domain = domain;
	memset(&domain, 0, sizeof(domain));
	return 0;
}

int kw_domain_xml_mark(const char *xml, struct kw_mark *ret_mark)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	char ignored[160];
	int error = kw_domain_xml_parse(xml, strlen(xml), &domain, ignored, sizeof(ignored));

	*ret_mark = error ? (struct kw_mark){ .kind = KW_MARK_UNKNOWN } : domain.mark;
	return error;
}
