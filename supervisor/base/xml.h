/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_XML_H
#define KW_BASE_XML_H

#include <libxml/tree.h>
#include <stddef.h>

#include "base/cleanup.h"

#define KW_XML_MAX (4u << 20)	/* bytes; libvirt's own domain XML is a few KiB */
/*
 * Elements within elements: libvirt has one for each image of a backing chain, 200
 * at most, and some around and below them. libxml2's own bound is 256.
 */
#define KW_XML_DEPTH_MAX 250
#define KW_XML_MARKUP_MAX 50000	/* tags, attributes, comments …: some 10 MiB in memory */
#define KW_XML_ATTRIBUTES_MAX 256	/* of one element; libvirt's go to some 20 */
#define KW_XML_NAMESPACES_MAX 256	/* of the whole text */

KW_CLEANUP_OF(xmlDoc, xmlFreeDoc);

/*
 * Reads XML that may be hostile: UTF-8 only, no DOCTYPE and so no entity but
 * the five that XML itself has, nothing is fetched, nothing is printed, and
 * size, depth and number of elements and attributes are bounded, so that no text
 * takes longer to read than its length explains. 0; -EMSGSIZE, -EBADMSG or -ENOMEM with
 * "line N: what is wrong" in error. The caller frees *ret_doc with xmlFreeDoc().
 */
int kw_xml_read(const char *text, size_t length, xmlDoc **ret_doc, char *error, size_t error_size);

/*
 * The first child element of that name, or the next sibling of that name after
 * node; NULL when there is none or the node is NULL. Elements of an XML
 * namespace are never meant.
 */
xmlNode *kw_xml_child(const xmlNode *parent, const char *name);
xmlNode *kw_xml_next(const xmlNode *node, const char *name);

#endif
