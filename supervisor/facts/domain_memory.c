/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/text.h"
#include "facts/domain_parts.h"

/*
 * What libvirt takes for "no limit", and writes for it: the largest number of
 * KiB whose bytes fit 63 bits (VIR_DOMAIN_MEMORY_PARAM_UNLIMITED).
 */
#define UNLIMITED_BYTES (9007199254740991ull * 1024)

/* libvirt gives QEMU whole MiB of each cell and module (qemuDomainAlignMemorySizes()). */
static int add(const struct kw_complaint *complaint, const xmlNode *node, uint64_t *sum,
	       uint64_t bytes)
{
	bytes += (KW_MIB - bytes % KW_MIB) % KW_MIB;
	if (bytes > INT64_MAX - *sum)
		return kw_xml_complain(complaint, node, "memory adds up to too much");
	*sum += bytes;
	return 0;
}

static int sum_numa_cells(const struct kw_complaint *complaint, const xmlNode *root,
			  uint64_t *ret_bytes)
{
	const xmlNode *numa = kw_xml_child(kw_xml_child(root, "cpu"), "numa");
	uint64_t sum = 0;

	for (xmlNode *cell = kw_xml_child(numa, "cell"); cell; cell = kw_xml_next(cell, "cell")) {
		uint64_t bytes = 0;
		int error = 0;

		if (xmlHasProp(cell, (const xmlChar *)"memory"))
			error = kw_xml_attribute_bytes(complaint, cell, "memory", &bytes);
		if (!error)
			error = add(complaint, cell, &sum, bytes);
		if (error)
			return error;
	}
	*ret_bytes = sum;
	return 0;
}

/* DIMMs and their like that are plugged from the start. */
static int add_modules(const struct kw_complaint *complaint, const xmlNode *root, uint64_t *sum)
{
	const xmlNode *devices = kw_xml_child(root, "devices");

	for (xmlNode *module = kw_xml_child(devices, "memory"); module;
	     module = kw_xml_next(module, "memory")) {
		const xmlNode *size = kw_xml_child(kw_xml_child(module, "target"), "size");
		uint64_t bytes = 0;
		int error = size ? kw_xml_bytes(complaint, size, &bytes) : 0;

		if (!error)
			error = add(complaint, module, sum, bytes);
		if (error)
			return error;
	}
	return 0;
}

/*
 * NUMA cells that state their memory overrule <memory>: libvirt then sets it to
 * their sum and what memory modules add (virDomainDefPostParseMemory()).
 */
static int read_size(const struct kw_complaint *complaint, const xmlNode *root,
		     struct kw_domain *domain)
{
	uint64_t bytes = 0, numa_bytes = 0;
	xmlNode *node;
	int error = kw_xml_only(complaint, root, "memory", &node);

	if (!error && node)
		error = kw_xml_bytes(complaint, node, &bytes);
	if (!error)
		error = sum_numa_cells(complaint, root, &numa_bytes);
	if (!error && numa_bytes)
		error = add_modules(complaint, root, &numa_bytes);
	if (error)
		return error;
	if (numa_bytes)
		bytes = numa_bytes;
	if (!bytes)
		return kw_xml_complain(complaint, node ? node : root, "no memory is given");
	domain->memory_bytes = bytes;
	domain->line_memory = node ? (int)xmlGetLineNo(node) : 0;
	return 0;
}

static int read_max(const struct kw_complaint *complaint, const xmlNode *root,
		    struct kw_domain *domain)
{
	uint64_t bytes = 0;
	xmlNode *node;
	int error = kw_xml_only(complaint, root, "maxMemory", &node);

	if (!error && node)
		error = kw_xml_bytes(complaint, node, &bytes);
	if (error)
		return error;
	domain->max_memory_bytes = bytes > domain->memory_bytes ? bytes : domain->memory_bytes;
	return 0;
}

static int read_hard_limit(const struct kw_complaint *complaint, const xmlNode *root,
			   struct kw_domain *domain)
{
	xmlNode *tuning, *node;
	uint64_t bytes;
	int error = kw_xml_only(complaint, root, "memtune", &tuning);

	if (!error)
		error = kw_xml_only(complaint, tuning, "hard_limit", &node);
	if (error || !node)
		return error;
	error = kw_xml_bytes(complaint, node, &bytes);
	if (error)
		return error;
	domain->line_hard_limit = (int)xmlGetLineNo(node);
	if (bytes < UNLIMITED_BYTES)
		domain->hard_limit_bytes = KW_U64(bytes);
	return 0;
}

static int read_backing(const struct kw_complaint *complaint, const xmlNode *root,
			struct kw_domain *domain)
{
	xmlNode *backing;
	int error = kw_xml_only(complaint, root, "memoryBacking", &backing);

	if (error)
		return error;
	domain->memory_locked = kw_xml_child(backing, "locked");
	return kw_domain_read_backing(complaint, root, domain);
}

int kw_domain_read_memory(const struct kw_complaint *complaint, const xmlNode *root,
			  struct kw_domain *domain)
{
	int error = read_size(complaint, root, domain);

	if (!error)
		error = read_max(complaint, root, domain);
	if (!error)
		error = read_hard_limit(complaint, root, domain);
	return error ? error : read_backing(complaint, root, domain);
}
