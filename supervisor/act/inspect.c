/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/connection.h"
#include "base/text.h"
#include "base/xml.h"

static void vol_free(virStorageVol *volume)
{
	vir.StorageVolFree(volume);
}

static void pool_free(virStoragePool *pool)
{
	vir.StoragePoolFree(pool);
}

KW_CLEANUP_OF(virStorageVol, vol_free);
KW_CLEANUP_OF(virStoragePool, pool_free);
KW_CLEANUP_OF(xmlChar, xmlFree);

void kw_guest_look_done(struct kw_guest_look *look)
{
	if (!look)
		return;
	free(look->xml);
	free(look->definition);
	memset(look, 0, sizeof(*look));
}

/* The code of the call that failed last in this thread; VIR_ERR_OK for none. */
static int last_code(void)
{
	virErrorPtr error = vir.GetLastError();

	return error ? error->code : VIR_ERR_OK;
}

/* A count, or a truth value, or -1. */
static struct kw_u32 told(int number)
{
	return number < 0 ? (struct kw_u32){ 0 } : KW_U32((uint32_t)number);
}

static enum kw_run_state run_of(virDomain *domain)
{
	int state;

	if (vir.DomainGetState(domain, &state, NULL, 0) < 0)
		return KW_RUN_UNKNOWN;
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
		return KW_RUN_RUNS;
	case VIR_DOMAIN_PAUSED:
		return KW_RUN_PAUSED;
	case VIR_DOMAIN_SHUTOFF:
		return KW_RUN_OFF;
	case VIR_DOMAIN_NOSTATE:
		return KW_RUN_UNKNOWN;
	default:
		return KW_RUN_STOPPED;
	}
}

static int read_xml(virDomain *domain, struct kw_guest_look *look, char *error, size_t error_size)
{
	look->xml = vir.DomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE);
	if (look->xml && !kw_u32_no(look->persistent))
		look->definition = vir.DomainGetXMLDesc(
			domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
	if (!look->xml || (!look->definition && !kw_u32_no(look->persistent)))
		return kw_libvirt_failed(error, error_size);
	return 0;
}

static int look_at(virDomain *domain, struct kw_guest_look *look, char *error, size_t error_size)
{
	unsigned long long downtime_ms;
	const char *name = vir.DomainGetName(domain);
	int autostart;

	if (!name || vir.DomainGetUUIDString(domain, look->uuid))
		return kw_libvirt_failed(error, error_size);
	kw_text_copy(look->name, sizeof(look->name), name);
	look->run = run_of(domain);
	look->persistent = told(vir.DomainIsPersistent(domain));
	if (!vir.DomainGetAutostart(domain, &autostart))
		look->autostart = KW_U32((uint32_t)autostart);
	look->managed_save = told(vir.DomainHasManagedSaveImage(domain, 0));
	look->snapshots = told(vir.DomainSnapshotNum(domain, 0));
	look->checkpoints = told(vir.DomainListAllCheckpoints(domain, NULL, 0));
	if (!vir.DomainMigrateGetMaxDowntime(domain, &downtime_ms, 0))
		look->downtime_ms = KW_U64(downtime_ms);
	return read_xml(domain, look, error, error_size);
}

/* A name may look like a UUID; libvirt's own tools take it for one then. */
static virDomainPtr find(struct kw_libvirt *libvirt, const char *guest)
{
	char uuid[KW_UUID_LEN + 1];
	virDomainPtr domain = NULL;

	if (!kw_text_uuid(guest, uuid))
		domain = vir.DomainLookupByUUIDString(libvirt->connection, uuid);
	return domain ? domain : vir.DomainLookupByName(libvirt->connection, guest);
}

int kw_libvirt_look(struct kw_libvirt *libvirt, const char *guest, struct kw_guest_look *ret_look,
		    char *error, size_t error_size)
{
	_cleanup_(kw_virdomain_free_at) virDomain *domain = find(libvirt, guest);
	_cleanup_(kw_guest_look_done) struct kw_guest_look look = { 0 };
	int failed;

	if (!domain) {
		failed = last_code() == VIR_ERR_NO_DOMAIN ? -ENOENT : -EIO;
		kw_libvirt_failed(error, error_size);
		return failed;
	}
	failed = look_at(domain, &look, error, error_size);
	if (failed)
		return failed;
	*ret_look = look;
	memset(&look, 0, sizeof(look));
	return 0;
}

/* Known to be there, known not to be, or not known. */
static struct kw_u32 was_found(virDomainPtr domain)
{
	if (!domain)
		return last_code() == VIR_ERR_NO_DOMAIN ? KW_U32(0) : (struct kw_u32){ 0 };
	vir.DomainFree(domain);
	return KW_U32(1);
}

struct kw_u32 kw_libvirt_has_guest(struct kw_libvirt *libvirt, const char *name, const char *uuid)
{
	struct kw_u32 has = was_found(vir.DomainLookupByUUIDString(libvirt->connection, uuid));

	return kw_u32_no(has) ? was_found(vir.DomainLookupByName(libvirt->connection, name)) : has;
}

void kw_libvirt_host_name(struct kw_libvirt *libvirt, char *ret_name, size_t size)
{
	_cleanup_free_ char *name = vir.ConnectGetHostname(libvirt->connection);

	kw_text_copy(ret_name, size, name);
}

char *kw_libvirt_capabilities(struct kw_libvirt *libvirt)
{
	return vir.ConnectGetCapabilities(libvirt->connection);
}

static const char *or_default(const char *text)
{
	return *text ? text : NULL;
}

struct kw_u32 kw_libvirt_machine_fits(struct kw_libvirt *libvirt, const struct kw_domain *domain,
				      char *words, size_t size)
{
	_cleanup_free_ char *xml = vir.ConnectGetDomainCapabilities(
		libvirt->connection, NULL, or_default(domain->arch), or_default(domain->machine),
		or_default(domain->virt_type), 0);

	if (xml)
		return KW_U32(1);
	kw_libvirt_failed(words, size);
	return last_code() == VIR_ERR_INVALID_ARG ? KW_U32(0) : (struct kw_u32){ 0 };
}

/* libvirt names the features that lack only where they make the call fail. */
struct kw_u32 kw_libvirt_cpu_fits(struct kw_libvirt *libvirt, const struct kw_domain *domain,
				  const char *cpu, char *words, size_t size)
{
	int result = vir.ConnectCompareHypervisorCPU(
		libvirt->connection, NULL, or_default(domain->arch), or_default(domain->machine),
		or_default(domain->virt_type), cpu, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);

	if (result == VIR_CPU_COMPARE_IDENTICAL || result == VIR_CPU_COMPARE_SUPERSET)
		return KW_U32(1);
	kw_libvirt_failed(words, size);
	return last_code() == VIR_ERR_CPU_INCOMPATIBLE ? KW_U32(0) : (struct kw_u32){ 0 };
}

static struct kw_u64 physical_bytes(const char *xml)
{
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	_cleanup_(xmlFree_at) xmlChar *text = NULL;
	char ignored[160];
	uint64_t bytes;

	if (kw_xml_read(xml, strlen(xml), &doc, ignored, sizeof(ignored)))
		return (struct kw_u64){ 0 };
	text = xmlNodeGetContent(kw_xml_child(xmlDocGetRootElement(doc), "physical"));
	if (!text || kw_text_u64((const char *)text, UINT64_MAX, &bytes))
		return (struct kw_u64){ 0 };
	return KW_U64(bytes);
}

struct kw_u64 kw_libvirt_volume_bytes(struct kw_libvirt *libvirt, const char *path)
{
	_cleanup_(vol_free_at) virStorageVol *volume =
		vir.StorageVolLookupByPath(libvirt->connection, path);
	_cleanup_free_ char *xml = volume ? vir.StorageVolGetXMLDesc(volume, 0) : NULL;

	return xml ? physical_bytes(xml) : (struct kw_u64){ 0 };
}

/*
 * As libvirt does it (qemuMigrationDstPrecreateDisk): in the pool of exactly that
 * directory. What files are in it libvirt knows of the last refresh.
 */
enum kw_copy_place kw_libvirt_copy_place(struct kw_libvirt *libvirt, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path)) : NULL;
	_cleanup_(pool_free_at) virStoragePool *pool = NULL;
	_cleanup_(vol_free_at) virStorageVol *volume = NULL;

	if (!dir)
		return KW_COPY_UNKNOWN;
	pool = vir.StoragePoolLookupByTargetPath(libvirt->connection, dir);
	if (!pool)
		return last_code() == VIR_ERR_NO_STORAGE_POOL ? KW_COPY_NO_POOL : KW_COPY_UNKNOWN;
	if (vir.StoragePoolRefresh(pool, 0))
		return KW_COPY_UNKNOWN;
	volume = vir.StorageVolLookupByName(pool, slash + 1);
	if (volume)
		return KW_COPY_TAKEN;
	return last_code() == VIR_ERR_NO_STORAGE_VOL ? KW_COPY_FREE : KW_COPY_UNKNOWN;
}
