/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "facts/domain_parts.h"

static int read_type(const struct kw_complaint *complaint, const xmlNode *os,
		     struct kw_domain *domain)
{
	xmlNode *node;
	int error = kw_xml_only(complaint, os, "type", &node);

	if (error || !node)
		return error;
	domain->line_type = (int)xmlGetLineNo(node);
	error = kw_xml_attribute(complaint, node, "machine", domain->machine,
				 sizeof(domain->machine));
	return error ? error : kw_xml_attribute(complaint, node, "arch", domain->arch,
						sizeof(domain->arch));
}

static int read_loader(const struct kw_complaint *complaint, const xmlNode *os,
		       struct kw_domain *domain)
{
	xmlNode *node;
	int error = kw_xml_only(complaint, os, "loader", &node);

	if (error || !node)
		return error;
	domain->loader = true;
	domain->line_loader = (int)xmlGetLineNo(node);
	error = kw_xml_attribute(complaint, node, "type", domain->loader_type,
				 sizeof(domain->loader_type));
	if (!error)
		error = kw_xml_flag(complaint, node, "stateless", &domain->loader_stateless);
	if (!error)
		error = kw_xml_flag(complaint, node, "secure", &domain->loader_secure);
	return error ? error : kw_xml_text(complaint, node, domain->loader_path,
					   sizeof(domain->loader_path));
}

/* The path is the text or, from libvirt 8.5 on, may be below: <source file='…'/>. */
static int read_nvram_path(const struct kw_complaint *complaint, const xmlNode *node,
			   struct kw_domain *domain)
{
	const xmlNode *source = kw_xml_child(node, "source");

	if (source)
		return kw_xml_attribute(complaint, source, "file", domain->nvram_path,
					sizeof(domain->nvram_path));
	return kw_xml_text(complaint, node, domain->nvram_path, sizeof(domain->nvram_path));
}

static int read_nvram(const struct kw_complaint *complaint, const xmlNode *os,
		      struct kw_domain *domain)
{
	xmlNode *node;
	int error = kw_xml_only(complaint, os, "nvram", &node);

	if (!error)
		error = kw_xml_attribute(complaint, node, "template", domain->nvram_template,
					 sizeof(domain->nvram_template));
	return error ? error : read_nvram_path(complaint, node, domain);
}

/* Secure Boot may also be asked for as a feature, and libvirt finds a loader that has it. */
static int read_secure_boot(const struct kw_complaint *complaint, const xmlNode *os,
			    struct kw_domain *domain)
{
	const xmlNode *firmware = kw_xml_child(os, "firmware");

	for (xmlNode *node = kw_xml_child(firmware, "feature"); node;
	     node = kw_xml_next(node, "feature")) {
		bool enabled = false;
		char name[32];
		int error = kw_xml_attribute(complaint, node, "name", name, sizeof(name));

		if (!error)
			error = kw_xml_flag(complaint, node, "enabled", &enabled);
		if (error)
			return error;
		if (!enabled || !kw_text_equal(name, "secure-boot"))
			continue;
		domain->loader_secure = true;
		if (!domain->line_loader)
			domain->line_loader = (int)xmlGetLineNo(node);
	}
	return 0;
}

static int read_firmware(const struct kw_complaint *complaint, const xmlNode *os,
			 struct kw_domain *domain)
{
	char firmware[16];
	int error = kw_xml_attribute(complaint, os, "firmware", firmware, sizeof(firmware));

	if (error)
		return error;
	domain->firmware_efi = kw_text_equal(firmware, "efi");
	return read_secure_boot(complaint, os, domain);
}

int kw_domain_read_os(const struct kw_complaint *complaint, const xmlNode *root,
		      struct kw_domain *domain)
{
	xmlNode *os;
	int error = kw_xml_only(complaint, root, "os", &os);

	if (error || !os)
		return error;
	domain->line_os = (int)xmlGetLineNo(os);
	error = read_type(complaint, os, domain);
	if (!error)
		error = read_loader(complaint, os, domain);
	if (!error)
		error = read_nvram(complaint, os, domain);
	return error ? error : read_firmware(complaint, os, domain);
}
