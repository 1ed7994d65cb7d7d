/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/text.h"
#include "facts/domain_parts.h"

/* Of all versions: a mark that is not understood is not overlooked. */
#define NAMESPACES "urn:kvmward:move:"

static bool is_mark(const xmlNode *node)
{
	return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
	       kw_text_starts((const char *)node->ns->href, NAMESPACES);
}

static bool is_ours(const xmlNode *node)
{
	return !strcmp((const char *)node->ns->href, KW_MARK_NAMESPACE) &&
	       !strcmp((const char *)node->name, "move");
}

/* What is wrong with a mark is no reason to refuse the whole file: it bars the guest as it is. */
static void read_mark(const struct kw_complaint *complaint, const xmlNode *node,
		      struct kw_mark *mark)
{
	char word[16];
	bool known = !mark->line && is_ours(node);

	*mark = (struct kw_mark){ .kind = KW_MARK_UNKNOWN, .line = (int)xmlGetLineNo(node) };
	if (!known || kw_xml_text(complaint, node, word, sizeof(word)) ||
	    kw_xml_attribute(complaint, node, "job", mark->job, sizeof(mark->job)) ||
	    kw_xml_attribute(complaint, node, "peer", mark->peer, sizeof(mark->peer)))
		return;
	if (mark->job[0] && mark->peer[0])
		mark->kind = kw_mark_kind_of(word);
}

int kw_domain_read_mark(const struct kw_complaint *complaint, const xmlNode *root,
			struct kw_domain *domain)
{
	xmlNode *metadata;
	int error = kw_xml_only(complaint, root, "metadata", &metadata);

	if (error || !metadata)
		return error;
	for (xmlNode *node = metadata->children; node; node = node->next)
		if (is_mark(node))
			read_mark(complaint, node, &domain->mark);
	return 0;
}
