/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "facts/domain_parts.h"

/* A name for our elements and no place: nothing is fetched by it. */
#define NAMESPACE "urn:kvmward:1"

static bool is_class(const xmlNode *node)
{
	return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
	       !strcmp((const char *)node->ns->href, NAMESPACE) &&
	       !strcmp((const char *)node->name, "class");
}

static int read_metadata(const struct kw_complaint *complaint, const xmlNode *metadata,
			 struct kw_domain *domain)
{
	int error = 0;

	for (xmlNode *node = metadata ? metadata->children : NULL; node && !error;
	     node = node->next) {
		if (!is_class(node))
			continue;
		if (domain->line_class)
			return kw_xml_complain(complaint, node, "stands here twice");
		domain->line_class = (int)xmlGetLineNo(node);
		error = kw_xml_text(complaint, node, domain->class_name,
				    sizeof(domain->class_name));
		if (!error && !domain->class_name[0])
			error = kw_xml_complain(complaint, node, "is empty");
	}
	return error;
}

int kw_domain_read_class(const struct kw_complaint *complaint, const xmlNode *root,
			 struct kw_domain *domain)
{
	xmlNode *metadata, *resource, *partition;
	int error = kw_xml_only(complaint, root, "metadata", &metadata);

	if (!error)
		error = read_metadata(complaint, metadata, domain);
	if (!error)
		error = kw_xml_only(complaint, root, "resource", &resource);
	if (!error)
		error = kw_xml_only(complaint, resource, "partition", &partition);
	if (!error && partition)
		error = kw_xml_text(complaint, partition, domain->partition,
				    sizeof(domain->partition));
	return error;
}
