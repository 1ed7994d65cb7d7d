/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/connection.h"
#include "base/text.h"
#include "base/xml.h"

KW_CLEANUP_OF(xmlChar, xmlFree);

/* libvirt would print every error itself; callers say it with what they tried. */
static void say_nothing(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

int kw_libvirt_failed(char *error, size_t error_size)
{
	kw_text_copy(error, error_size, vir.GetLastErrorMessage());
	return -EIO;
}

int kw_libvirt_open(const char *uri, struct kw_libvirt **ret_libvirt, char *error,
		    size_t error_size)
{
	_cleanup_free_ struct kw_libvirt *libvirt = calloc(1, sizeof(*libvirt));
	int failed = kw_libvirt_load(error, error_size);

	if (failed)
		return failed;
	if (!libvirt) {
		kw_text_copy(error, error_size, strerror(ENOMEM));
		return -ENOMEM;
	}
	vir.SetErrorFunc(NULL, say_nothing);
	libvirt->connection = vir.ConnectOpen(uri ? uri : "qemu:///system");
	if (!libvirt->connection)
		return kw_libvirt_failed(error, error_size);
	*ret_libvirt = KW_STEAL(libvirt);
	return 0;
}

void kw_libvirt_close(struct kw_libvirt *libvirt)
{
	if (!libvirt)
		return;
	vir.ConnectClose(libvirt->connection);
	free(libvirt);
}

static struct kw_u32 number_in(const xmlNode *parent, const char *name)
{
	_cleanup_(xmlFree_at) xmlChar *text = xmlNodeGetContent(kw_xml_child(parent, name));
	uint32_t number;

	if (!text || kw_text_u32((const char *)text, UINT32_MAX, &number))
		return (struct kw_u32){ 0 };
	return KW_U32(number);
}

int kw_libvirt_sev_caps(struct kw_libvirt *libvirt, struct kw_u32 *ret_cbitpos,
			struct kw_u32 *ret_reduced_phys_bits, char *error, size_t error_size)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	_cleanup_free_ char *xml = NULL;
	const xmlNode *sev;
	int failed;

	xml = vir.ConnectGetDomainCapabilities(libvirt->connection, NULL, NULL, NULL, "kvm", 0);
	if (!xml)
		return kw_libvirt_failed(error, error_size);
	failed = kw_xml_read(xml, strlen(xml), &doc, error, error_size);
	if (failed)
		return failed;
	sev = kw_xml_child(kw_xml_child(xmlDocGetRootElement(doc), "features"), "sev");
	*ret_cbitpos = number_in(sev, "cbitpos");
	*ret_reduced_phys_bits = number_in(sev, "reducedPhysBits");
	return 0;
}

void kw_libvirt_software(struct kw_libvirt *libvirt, struct kw_software *ret_software)
{
	unsigned long version;

	*ret_software = (struct kw_software){ 0 };
	if (!vir.ConnectGetLibVersion(libvirt->connection, &version))
		ret_software->libvirt = KW_U32((uint32_t)version);
	/* 0: it has no way to find out. */
	if (!vir.ConnectGetVersion(libvirt->connection, &version) && version)
		ret_software->qemu = KW_U32((uint32_t)version);
}

/*
 * The definition that libvirt has under the name of this domain, or NULL; the
 * caller frees it.
 */
static char *earlier_definition(struct kw_libvirt *libvirt, const char *xml)
{
	_cleanup_(kw_virdomain_free_at) virDomain *domain = NULL;
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	_cleanup_(xmlFree_at) xmlChar *name = NULL;
	char ignored[160];

	if (kw_xml_read(xml, strlen(xml), &doc, ignored, sizeof(ignored)))
		return NULL;
	name = xmlNodeGetContent(kw_xml_child(xmlDocGetRootElement(doc), "name"));
	if (name)
		domain = vir.DomainLookupByName(libvirt->connection, (const char *)name);
	if (!domain || vir.DomainIsPersistent(domain) != 1)
		return NULL;
	return vir.DomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
}

/* After a failed start: nothing stays defined that was not, and what was is as before. */
static void define_as_before(struct kw_libvirt *libvirt, virDomainPtr domain, const char *earlier)
{
	if (earlier)
		vir.DomainFree(vir.DomainDefineXML(libvirt->connection, earlier));
	else
		vir.DomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
}

static virDomainPtr define_and_start(struct kw_libvirt *libvirt, const char *xml,
				     unsigned int flags, char *error, size_t error_size)
{
	_cleanup_(kw_virdomain_free_at) virDomain *domain = NULL;
	_cleanup_free_ char *earlier = earlier_definition(libvirt, xml);

	domain = vir.DomainDefineXML(libvirt->connection, xml);
	if (!domain || !vir.DomainCreateWithFlags(domain, flags)) {
		if (!domain)
			kw_libvirt_failed(error, error_size);
		return KW_STEAL(domain);
	}
	kw_libvirt_failed(error, error_size);
	define_as_before(libvirt, domain, earlier);
	return NULL;
}

static virDomainPtr start_transient(struct kw_libvirt *libvirt, const char *xml,
				    unsigned int flags, char *error, size_t error_size)
{
	virDomainPtr domain = vir.DomainCreateXML(libvirt->connection, xml, flags);

	if (!domain)
		kw_libvirt_failed(error, error_size);
	return domain;
}

int kw_libvirt_start(struct kw_libvirt *libvirt, const char *xml, struct kw_start how,
		     char *ret_uuid, char *error, size_t error_size)
{
	unsigned int flags = how.paused ? VIR_DOMAIN_START_PAUSED : 0;
	_cleanup_(kw_virdomain_free_at) virDomain *domain =
		(how.define ? define_and_start : start_transient)(libvirt, xml, flags, error,
								  error_size);
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (!domain)
		return -EIO;
	if (vir.DomainGetUUIDString(domain, uuid))
		return kw_libvirt_failed(error, error_size);
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}
