/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_HOST_XML_H
#define KW_FACTS_HOST_XML_H

#include "model/move_facts.h"

/*
 * What libvirt's capabilities XML says of its host: UUID, processor, microcode.
 * What it does not say, or not so that it makes sense, becomes unknown; the
 * host's other members are left alone.
 */
void kw_host_xml_read(const char *xml, struct kw_move_host *host);

#endif
