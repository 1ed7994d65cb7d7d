/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_DOMAIN_PARTS_H
#define KW_FACTS_DOMAIN_PARTS_H

#include "facts/xml_value.h"
#include "model/domain.h"

/*
 * Parts of kw_domain_xml_parse(): each reads what it is named for below the
 * <domain> element into the domain. 0, -EBADMSG or -ENOMEM; what was filled in
 * already stays the caller's to free.
 */
int kw_domain_read_memory(const struct kw_complaint *complaint, const xmlNode *root,
			  struct kw_domain *domain);
int kw_domain_read_backing(const struct kw_complaint *complaint, const xmlNode *root,
			   struct kw_domain *domain); /* after the memory's size */
int kw_domain_read_os(const struct kw_complaint *complaint, const xmlNode *root,
		      struct kw_domain *domain);
int kw_domain_read_devices(const struct kw_complaint *complaint, const xmlNode *root,
			   struct kw_domain *domain);
int kw_domain_read_class(const struct kw_complaint *complaint, const xmlNode *root,
			 struct kw_domain *domain);
int kw_domain_read_mark(const struct kw_complaint *complaint, const xmlNode *root,
			struct kw_domain *domain);

#endif
