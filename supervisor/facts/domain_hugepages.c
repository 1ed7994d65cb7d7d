/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which hugepages a guest is made of. libvirt chooses them for each NUMA cell of
 * the guest and each memory module in it: the <page> whose nodeset has the cell,
 * or the one without a nodeset; a guest without cells has the first <page>, and
 * <hugepages/> alone means pages of the host's default size. Source: libvirt
 * qemuBuildMemoryGetPagesize(), docs/formatdomain.rst.
 */
#include <string.h>

#include "base/text.h"
#include "facts/domain_parts.h"

/* "0-3,5,^2": has it this number? Each part overrules those before it. False: it is malformed. */
static bool set_has(const char *text, uint32_t number, bool *ret_has)
{
	char copy[256], *rest = copy, *part;

	*ret_has = false;
	if (!kw_text_copy(copy, sizeof(copy), text))
		return false;
	while ((part = strsep(&rest, ","))) {
		bool without = *part == '^';
		char *first = part + without, *last = strchr(first, '-');
		uint32_t from, to;

		if (last)
			*last++ = '\0';
		if (kw_text_u32(first, UINT16_MAX, &from) ||
		    kw_text_u32(last ? last : first, UINT16_MAX, &to) || from > to)
			return false;
		if (number >= from && number <= to)
			*ret_has = !without;
	}
	return true;
}

/* *ret_node: the <page> of a cell, NULL for none; it is not looked for where there are no cells. */
static int find_page(const struct kw_complaint *complaint, const xmlNode *hugepages, bool cells,
		     uint32_t cell, const xmlNode **ret_node)
{
	const xmlNode *found = NULL;
	char set[256];

	for (xmlNode *page = kw_xml_child(hugepages, "page"); page;
	     page = kw_xml_next(page, "page")) {
		int error = kw_xml_attribute(complaint, page, "nodeset", set, sizeof(set));
		bool has = !cells;

		if (error)
			return error;
		if (!has && *set && !set_has(set, cell, &has))
			return kw_xml_complain(complaint, page, "'%s' is no set of cells", set);
		if (has) {
			found = page;
			break;
		}
		if (!*set)
			found = page;
	}
	*ret_node = found;
	return 0;
}

/* What finds no room, of a fifth size, counts as ordinary memory. */
static void add_part(struct kw_domain *domain, uint64_t page_bytes, uint64_t bytes)
{
	for (size_t i = 0; i < KW_HUGE_SIZES; i++) {
		struct kw_huge_part *part = &domain->huge[i];

		if (part->bytes && part->page_bytes != page_bytes)
			continue;
		part->page_bytes = page_bytes;
		part->bytes += bytes;
		return;
	}
}

struct reader {
	const struct kw_complaint *complaint;
	const xmlNode *hugepages;
	struct kw_domain *domain;
	bool cells;
};

static int add(const struct reader *reader, uint32_t cell, uint64_t bytes)
{
	bool any = kw_xml_child(reader->hugepages, "page");
	const xmlNode *page = NULL;
	uint64_t page_bytes = 0;
	int error = find_page(reader->complaint, reader->hugepages, reader->cells, cell, &page);

	if (!error && page)
		error = kw_xml_attribute_bytes(reader->complaint, page, "size", &page_bytes);
	if (!error && (page || !any))
		add_part(reader->domain, page_bytes, bytes + (KW_MIB - bytes % KW_MIB) % KW_MIB);
	return error;
}

static int add_cells(const struct reader *reader, const xmlNode *numa)
{
	uint32_t next = 0;

	for (xmlNode *cell = kw_xml_child(numa, "cell"); cell; cell = kw_xml_next(cell, "cell")) {
		uint64_t id = next++, bytes = 0;
		int error = kw_xml_attribute_u64(reader->complaint, cell, "id", UINT16_MAX, &id);

		if (!error && xmlHasProp(cell, (const xmlChar *)"memory"))
			error = kw_xml_attribute_bytes(reader->complaint, cell, "memory", &bytes);
		if (!error && bytes)
			error = add(reader, (uint32_t)id, bytes);
		if (error)
			return error;
	}
	return 0;
}

/* A module with a page size of its own has that in <source>; an NVDIMM is a file's. */
static int add_module(const struct reader *reader, const xmlNode *module)
{
	const xmlNode *target = kw_xml_child(module, "target");
	const xmlNode *size = kw_xml_child(target, "size"), *node = kw_xml_child(target, "node");
	uint64_t bytes = 0;
	uint32_t cell = 0;
	int error = size ? kw_xml_bytes(reader->complaint, size, &bytes) : 0;

	if (!error && node)
		error = kw_xml_u32(reader->complaint, node, &cell);
	if (error || kw_xml_child(module, "source"))
		return error;
	return add(reader, cell, bytes);
}

int kw_domain_read_hugepages(const struct kw_complaint *complaint, const xmlNode *root,
			     struct kw_domain *domain)
{
	const xmlNode *numa = kw_xml_child(kw_xml_child(root, "cpu"), "numa");
	struct reader reader = {
		.complaint = complaint,
		.hugepages = kw_xml_child(kw_xml_child(root, "memoryBacking"), "hugepages"),
		.domain = domain,
		.cells = kw_xml_child(numa, "cell"),
	};
	int error;

	if (!reader.hugepages)
		return 0;
	if (!reader.cells)
		return add(&reader, 0, domain->memory_bytes);
	error = add_cells(&reader, numa);
	for (xmlNode *module = kw_xml_child(kw_xml_child(root, "devices"), "memory");
	     module && !error; module = kw_xml_next(module, "memory"))
		error = add_module(&reader, module);
	return error;
}
