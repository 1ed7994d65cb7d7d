/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/host_xml.h"

#include <string.h>

#include "base/text.h"
#include "facts/xml_value.h"

static struct kw_u32 number_of(const xmlNode *node, const char *attribute)
{
	char error[160];
	const struct kw_complaint complaint = { error, sizeof(error) };
	char text[32];
	uint32_t number;

	if (kw_xml_attribute(&complaint, node, attribute, text, sizeof(text)) ||
	    kw_text_u32(text, UINT32_MAX, &number))
		return (struct kw_u32){ 0 };
	return KW_U32(number);
}

static void text_of(const xmlNode *node, char *ret_text, size_t size)
{
	char error[160];
	const struct kw_complaint complaint = { error, sizeof(error) };

	*ret_text = '\0';
	kw_xml_text(&complaint, node, ret_text, size);
}

/* 0 is what libvirt writes where the kernel names no microcode, as in a virtual machine. */
static struct kw_u32 microcode_of(const xmlNode *cpu)
{
	struct kw_u32 version = number_of(kw_xml_child(cpu, "microcode"), "version");

	return version.value ? version : (struct kw_u32){ 0 };
}

static void read_host(const xmlNode *node, struct kw_move_host *host)
{
	const xmlNode *cpu = kw_xml_child(node, "cpu");
	const xmlNode *signature = kw_xml_child(cpu, "signature");
	char uuid[KW_UUID_LEN + 4];

	text_of(kw_xml_child(node, "uuid"), uuid, sizeof(uuid));
	if (kw_text_uuid(uuid, host->uuid))
		*host->uuid = '\0';
	text_of(kw_xml_child(cpu, "vendor"), host->cpu_vendor, sizeof(host->cpu_vendor));
	text_of(kw_xml_child(cpu, "model"), host->cpu_model, sizeof(host->cpu_model));
	host->cpu_family = number_of(signature, "family");
	host->cpu_number = number_of(signature, "model");
	host->cpu_stepping = number_of(signature, "stepping");
	host->microcode = microcode_of(cpu);
}

void kw_host_xml_read(const char *xml, struct kw_move_host *host)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	char error[160];

	if (kw_xml_read(xml, strlen(xml), &doc, error, sizeof(error)))
		read_host(NULL, host);
	else
		read_host(kw_xml_child(xmlDocGetRootElement(doc), "host"), host);
}
