/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/move_mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xml.h"

KW_CLEANUP_OF(xmlBuffer, xmlBufferFree);

#define TEXT(text) ((const xmlChar *)(text))

static xmlNode *new_mark(xmlDoc *doc, const struct kw_mark *mark)
{
	xmlNode *node = xmlNewDocNode(doc, NULL, TEXT("move"), TEXT(kw_mark_name(mark->kind)));

	if (node && xmlNewProp(node, TEXT("job"), TEXT(mark->job)) &&
	    xmlNewProp(node, TEXT("peer"), TEXT(mark->peer)))
		return node;
	xmlFreeNode(node);
	return NULL;
}

int kw_move_mark_element(const struct kw_mark *mark, char **ret_element)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = xmlNewDoc(TEXT("1.0"));
	_cleanup_(xmlBufferFree_at) xmlBuffer *buffer = xmlBufferCreate();
	xmlNode *node = doc && buffer ? new_mark(doc, mark) : NULL;
	char *text;

	if (!node)
		return -ENOMEM;
	xmlDocSetRootElement(doc, node);
	if (xmlNodeDump(buffer, doc, node, 0, 0) < 0)
		return -ENOMEM;
	text = strdup((const char *)xmlBufferContent(buffer));
	if (!text)
		return -ENOMEM;
	*ret_element = text;
	return 0;
}

static bool is_mark(const xmlNode *node)
{
	return node->type == XML_ELEMENT_NODE && node->ns &&
	       kw_text_equal((const char *)node->ns->href, KW_MARK_NAMESPACE);
}

static void drop_marks(xmlNode *metadata)
{
	for (xmlNode *next, *node = metadata->children; node; node = next) {
		next = node->next;
		if (!is_mark(node))
			continue;
		xmlUnlinkNode(node);
		xmlFreeNode(node);
	}
}

static int set_mark(xmlNode *root, const struct kw_mark *mark)
{
	xmlNode *metadata = kw_xml_child(root, "metadata"), *node;
	xmlNs *ns;

	if (metadata)
		drop_marks(metadata);
	if (!mark)
		return 0;
	if (!metadata)
		metadata = xmlNewChild(root, NULL, TEXT("metadata"), NULL);
	if (!metadata)
		return -ENOMEM;
	node = new_mark(root->doc, mark);
	if (!node)
		return -ENOMEM;
	xmlAddChild(metadata, node);
	ns = xmlNewNs(node, TEXT(KW_MARK_NAMESPACE), TEXT("kvmward"));
	if (!ns)
		return -ENOMEM;
	xmlSetNs(node, ns);
	return 0;
}

int kw_move_mark_definition(const char *xml, const struct kw_mark *mark, char **ret_xml)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	xmlNode *root;
	xmlChar *text = NULL;
	char ignored[160];
	int size, error = kw_xml_read(xml, strlen(xml), &doc, ignored, sizeof(ignored));

	if (error)
		return error == -ENOMEM ? error : -EBADMSG;
	root = xmlDocGetRootElement(doc);
	if (root->ns || strcmp((const char *)root->name, "domain") != 0)
		return -EBADMSG;
	error = set_mark(root, mark);
	if (error)
		return error;
	xmlDocDumpMemoryEnc(doc, &text, &size, "UTF-8");
	if (text)
		*ret_xml = strdup((const char *)text);
	error = text && *ret_xml ? 0 : -ENOMEM;
	xmlFree(text);
	return error;
}

int kw_move_mark_job(const char *element, char *ret_job, size_t size)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	char ignored[160];
	xmlChar *job;
	bool whole;

	if (kw_xml_read(element, strlen(element), &doc, ignored, sizeof(ignored)))
		return -EBADMSG;
	job = xmlGetNoNsProp(xmlDocGetRootElement(doc), TEXT("job"));
	whole = job && *job && kw_text_copy(ret_job, size, (const char *)job);
	xmlFree(job);
	return whole ? 0 : -EBADMSG;
}
