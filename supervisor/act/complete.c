/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <libxml/xmlsave.h>
#include <stdio.h>
#include <string.h>

#include "act/domain.h"
#include "base/text.h"
#include "base/xml.h"

KW_CLEANUP_OF(xmlBuffer, xmlBufferFree);

/* Line break and indentation before a node; "" where the text is not laid out in lines. */
static const char *indent_of(const xmlNode *node)
{
	const xmlNode *before = node->prev;

	if (!before || !xmlIsBlankNode(before) || !strchr((const char *)before->content, '\n'))
		return "";
	return strrchr((const char *)before->content, '\n');
}

static bool add_blank_before(xmlNode *node, const char *blank)
{
	xmlNode *text;

	if (!*blank)
		return true;
	text = xmlNewDocText(node->doc, (const xmlChar *)blank);
	return text && xmlAddPrevSibling(node, text);
}

static xmlNode *new_element(xmlDoc *doc, const char *name, const char *text)
{
	return xmlNewDocNode(doc, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

/* Takes the new node over, whether it succeeds or not; likewise below. */
static bool add_after(xmlNode *sibling, xmlNode *node)
{
	const char *indent = indent_of(sibling);

	if (!node)
		return false;
	xmlAddNextSibling(sibling, node);
	return add_blank_before(node, indent);
}

static bool add_before(xmlNode *sibling, xmlNode *node)
{
	const char *indent = indent_of(sibling);

	if (!node)
		return false;
	xmlAddPrevSibling(sibling, node);
	return add_blank_before(sibling, indent);
}

/* The only element of its parent goes one step further in than the parent. */
static bool add_only(xmlNode *parent, xmlNode *node)
{
	const char *outer = indent_of(parent);
	char inner[128] = "";
	xmlNode *after;

	if (!node)
		return false;
	if (parent->last && xmlIsBlankNode(parent->last)) {
		xmlNode *blank = parent->last;

		xmlUnlinkNode(blank);
		xmlFreeNode(blank);
	}
	xmlAddChild(parent, node);
	if (!*outer)
		return true;
	snprintf(inner, sizeof(inner), "%s%s", outer, strchr(outer, '\t') ? "\t" : "  ");
	after = xmlNewDocText(parent->doc, (const xmlChar *)outer);
	return after && xmlAddNextSibling(node, after) && add_blank_before(node, inner);
}

static bool add_first(xmlNode *parent, xmlNode *node)
{
	xmlNode *first = xmlFirstElementChild(parent);

	return first ? add_before(first, node) : add_only(parent, node);
}

/* Adds <name>number</name> at the head of the parent unless there is one. */
static bool complete_number(xmlNode *parent, const char *name, struct kw_u32 number)
{
	char text[16];

	if (!number.known || kw_xml_child(parent, name))
		return true;
	snprintf(text, sizeof(text), "%" PRIu32, number.value);
	return add_first(parent, new_element(parent->doc, name, text));
}

/* Beside the other elements about memory, where libvirt itself writes it. */
static xmlNode *add_memtune(xmlNode *root)
{
	static const char *const neighbours[] = { "currentMemory", "memory", "maxMemory", "name" };
	xmlNode *memtune = new_element(root->doc, "memtune", NULL);

	for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
		xmlNode *neighbour = kw_xml_child(root, neighbours[i]);

		if (neighbour)
			return add_after(neighbour, memtune) ? memtune : NULL;
	}
	return add_first(root, memtune) ? memtune : NULL;
}

static bool complete_hard_limit(xmlNode *root, struct kw_u64 bytes)
{
	xmlNode *memtune = kw_xml_child(root, "memtune"), *limit;
	char text[24];

	if (!bytes.known || !bytes.value || kw_xml_child(memtune, "hard_limit"))
		return true;
	if (!memtune)
		memtune = add_memtune(root);
	if (!memtune)
		return false;
	snprintf(text, sizeof(text), "%llu", (bytes.value - 1) / KW_KIB + 1);
	limit = new_element(root->doc, "hard_limit", text);
	if (limit && !xmlNewProp(limit, (const xmlChar *)"unit", (const xmlChar *)"KiB")) {
		xmlFreeNode(limit);
		return false;
	}
	return add_first(memtune, limit);
}

/* libvirt would make one up, but who waits must have one before. */
static bool complete_uuid(xmlNode *root, const char *uuid)
{
	xmlNode *name = kw_xml_child(root, "name");
	xmlNode *element;

	if (!*uuid || kw_xml_child(root, "uuid"))
		return true;
	element = new_element(root->doc, "uuid", uuid);
	return name ? add_after(name, element) : add_first(root, element);
}

static void drop(xmlNode *node)
{
	xmlNode *blank = node->prev;

	if (blank && xmlIsBlankNode(blank)) {
		xmlUnlinkNode(blank);
		xmlFreeNode(blank);
	}
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

static bool is_empty(const xmlNode *parent)
{
	for (const xmlNode *node = parent->children; node; node = node->next)
		if (!xmlIsBlankNode(node))
			return false;
	return true;
}

/* Locked memory without a limit lets QEMU pin the whole host; the limit is there by now. */
static void drop_locked(xmlNode *root)
{
	xmlNode *backing = kw_xml_child(root, "memoryBacking"), *locked;

	if (!kw_xml_child(kw_xml_child(root, "memtune"), "hard_limit") ||
	    !kw_xml_child(backing, "locked"))
		return;
	while ((locked = kw_xml_child(backing, "locked")))
		drop(locked);
	if (is_empty(backing))
		drop(backing);
}

/* The <launchSecurity> of a guest that SEV encrypts, NULL for any other guest. */
static xmlNode *sev_of(const xmlNode *root)
{
	xmlNode *security = kw_xml_child(root, "launchSecurity");
	xmlChar *type = security ? xmlGetNoNsProp(security, (const xmlChar *)"type") : NULL;
	bool sev = type && (kw_text_equal((const char *)type, "sev") ||
			    kw_text_equal((const char *)type, "sev-snp"));

	xmlFree(type);
	return sev ? security : NULL;
}

static int complete(xmlNode *root, xmlNode *security, const struct kw_completion *completion)
{
	if (!complete_number(security, "reducedPhysBits", completion->reduced_phys_bits) ||
	    !complete_number(security, "cbitpos", completion->cbitpos) ||
	    !complete_hard_limit(root, completion->hard_limit_bytes) ||
	    !complete_uuid(root, completion->uuid))
		return -ENOMEM;
	drop_locked(root);
	return 0;
}

static int copy(const char *xml, char **ret_xml)
{
	char *text = strdup(xml);

	if (!text)
		return -ENOMEM;
	*ret_xml = text;
	return 0;
}

static int save(xmlDoc *doc, bool declaration, char **ret_xml)
{
	_cleanup_(xmlBufferFree_at) xmlBuffer *buffer = xmlBufferCreate();
	int options = XML_SAVE_AS_XML | (declaration ? 0 : XML_SAVE_NO_DECL);
	xmlSaveCtxt *saving = buffer ? xmlSaveToBuffer(buffer, "UTF-8", options) : NULL;

	if (!saving)
		return -ENOMEM;
	if (xmlSaveDoc(saving, doc) < 0) {
		xmlSaveClose(saving);
		return -ENOMEM;
	}
	if (xmlSaveClose(saving) < 0)
		return -ENOMEM;
	return copy((const char *)xmlBufferContent(buffer), ret_xml);
}

int kw_domain_complete(const char *xml, const struct kw_completion *completion, char **ret_xml)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	xmlNode *root, *security;
	char text[160];
	int error = kw_xml_read(xml, strlen(xml), &doc, text, sizeof(text));

	if (error)
		return error == -ENOMEM ? error : -EBADMSG;
	root = xmlDocGetRootElement(doc);
	if (root->ns || strcmp((const char *)root->name, "domain") != 0)
		return -EBADMSG;
	security = sev_of(root);
	if (!security && !*completion->uuid)
		return copy(xml, ret_xml);
	if (security)
		error = complete(root, security, completion);
	else if (!complete_uuid(root, completion->uuid))
		error = -ENOMEM;
	return error ? error : save(doc, kw_text_starts(xml, "<?xml"), ret_xml);
}
