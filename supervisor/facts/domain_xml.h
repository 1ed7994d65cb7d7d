/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_DOMAIN_XML_H
#define KW_FACTS_DOMAIN_XML_H

#include "base/xml.h"
#include "model/domain.h"

/* A longer domain XML is refused: libvirt's own are a few KiB. */
#define KW_DOMAIN_XML_MAX KW_XML_MAX

/*
 * Reads a libvirt domain XML. The text may be hostile: no entity is expanded,
 * nothing is fetched, depth and size are bounded, the encoding must be UTF-8,
 * and an element that we look at may not be given twice. No file that it names
 * is looked at: their sizes are for kw_domain_files_look().
 * 0; -EMSGSIZE, -EBADMSG (not XML, not a <domain>, a number or unit that makes
 * no sense), -ENOMEM, each with "line N: what is wrong" in error. The caller
 * owns *ret_domain.
 */
int kw_domain_xml_parse(const char *xml, size_t length, struct kw_domain *ret_domain, char *error,
			size_t error_size);

/*
 * The mark of a move in a domain XML. 0; negative errno when that is not understood, and then the
 * mark is KW_MARK_UNKNOWN.
 */
int kw_domain_xml_mark(const char *xml, struct kw_mark *ret_mark);

#endif
