/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_XML_VALUE_H
#define KW_FACTS_XML_VALUE_H

#include <stdbool.h>

#include "base/xml.h"
#include "model/known.h"

/*
 * Values out of a domain XML that was read. All return 0, or -EBADMSG with
 * "line N: <element>: what is wrong" in the complaint and outputs untouched.
 */
struct kw_complaint {
	char *text;
	size_t size;
};

/* Writes the complaint about that element; returns -EBADMSG. */
__attribute__((format(printf, 3, 4)))
int kw_xml_complain(const struct kw_complaint *complaint, const xmlNode *node, const char *format,
		    ...);

/*
 * The one child element of that name, NULL when there is none. Twice is an
 * error: readers would differ in which of the two they believe.
 */
int kw_xml_only(const struct kw_complaint *complaint, const xmlNode *parent, const char *name,
		xmlNode **ret_node);

/* The text in the element, blanks around it left out; "" for a node that is NULL. */
int kw_xml_text(const struct kw_complaint *complaint, const xmlNode *node, char *ret_text,
		size_t size);

/* The attribute, "" when it or the node is not there. */
int kw_xml_attribute(const struct kw_complaint *complaint, const xmlNode *node, const char *name,
		     char *ret_text, size_t size);

/* An attribute that is yes or no, on or off; *ret_flag keeps its value when it is not there. */
int kw_xml_flag(const struct kw_complaint *complaint, const xmlNode *node, const char *name,
		bool *ret_flag);

/* A decimal attribute; *ret_number keeps its value when it is not there. */
int kw_xml_attribute_u64(const struct kw_complaint *complaint, const xmlNode *node,
			 const char *name, uint64_t max, uint64_t *ret_number);

/* The element's text as decimal number. */
int kw_xml_u32(const struct kw_complaint *complaint, const xmlNode *node, uint32_t *ret_number);

/* As hexadecimal number with or without 0x: libvirt reads <policy> so, and only so. */
int kw_xml_hex(const struct kw_complaint *complaint, const xmlNode *node, uint64_t max,
	       uint64_t *ret_number);

/*
 * The element's text scaled by its unit attribute, KiB without one, in bytes:
 * rounded up to KiB and at most INT64_MAX, as libvirt's virDomainParseMemory()
 * has it.
 */
int kw_xml_bytes(const struct kw_complaint *complaint, const xmlNode *node, uint64_t *ret_bytes);

/* The same of an attribute, with the unit attribute beside it. */
int kw_xml_attribute_bytes(const struct kw_complaint *complaint, const xmlNode *node,
			   const char *name, uint64_t *ret_bytes);

#endif
