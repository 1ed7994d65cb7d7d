/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's memory is made of: hugepages, and memory of certain NUMA nodes of
 * the host. libvirt chooses both for each NUMA cell of the guest and each memory
 * module in it. Pages are those of the <page> whose nodeset has the cell, or of
 * the one without a nodeset; a guest without cells has the first <page>, and
 * <hugepages/> alone means pages of the host's default size. Nodes are those of
 * the cell's <memnode>, or else of <memory> below <numatune>. Sources: libvirt
 * qemuBuildMemoryGetPagesize(), virDomainNumatuneNodeSpecified(),
 * docs/formatdomain.rst.
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
static void add_huge(struct kw_domain *domain, uint64_t page_bytes, uint64_t bytes)
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

/* Of a ninth set: bound to any of them, as far as is put down. */
static void add_bound(struct kw_domain *domain, uint64_t nodes, uint64_t bytes)
{
	struct kw_bound_part *part = domain->bound, *last = &domain->bound[KW_BOUND_MAX - 1];

	while (part < last && part->bytes && part->nodes != nodes)
		part++;
	part->nodes |= nodes;
	part->bytes += bytes;
}

struct reader {
	const struct kw_complaint *complaint;
	const xmlNode *hugepages, *tuning;
	struct kw_domain *domain;
	bool cells;
};

/* *ret_nodes: 0 where the element binds to no nodes in particular, or may give way. */
static int read_nodes(const struct reader *reader, const xmlNode *node, uint64_t *ret_nodes)
{
	char mode[32], set[256];
	uint64_t nodes = 0;
	int error = kw_xml_attribute(reader->complaint, node, "mode", mode, sizeof(mode));

	if (!error)
		error = kw_xml_attribute(reader->complaint, node, "nodeset", set, sizeof(set));
	for (uint32_t i = 0; !error && *set && i < KW_NODES_MAX; i++) {
		bool has;

		if (!set_has(set, i, &has))
			return kw_xml_complain(reader->complaint, node, "'%s' is no set of nodes", set);
		nodes |= (uint64_t)has << i;
	}
	if (!error)
		*ret_nodes = !*mode || kw_text_equal(mode, "strict") ? nodes : 0;
	return error;
}

static int find_nodes(const struct reader *reader, uint32_t cell, uint64_t *ret_nodes)
{
	const xmlNode *found = kw_xml_child(reader->tuning, "memory");

	for (xmlNode *node = kw_xml_child(reader->tuning, "memnode"); node;
	     node = kw_xml_next(node, "memnode")) {
		uint64_t of = UINT64_MAX;
		int error = kw_xml_attribute_u64(reader->complaint, node, "cellid", UINT16_MAX, &of);

		if (error)
			return error;
		if (of == cell)
			found = node;
	}
	return found ? read_nodes(reader, found, ret_nodes) : 0;
}

static int add(const struct reader *reader, uint32_t cell, uint64_t bytes)
{
	bool any = kw_xml_child(reader->hugepages, "page");
	const xmlNode *page = NULL;
	uint64_t page_bytes = 0, nodes = 0;
	int error = find_page(reader->complaint, reader->hugepages, reader->cells, cell, &page);

	if (!error && page)
		error = kw_xml_attribute_bytes(reader->complaint, page, "size", &page_bytes);
	if (!error)
		error = find_nodes(reader, cell, &nodes);
	bytes += (KW_MIB - bytes % KW_MIB) % KW_MIB;
	if (!error && (page || (reader->hugepages && !any)))
		add_huge(reader->domain, page_bytes, bytes);
	else if (!error && nodes)
		add_bound(reader->domain, nodes, bytes);
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

int kw_domain_read_backing(const struct kw_complaint *complaint, const xmlNode *root,
			   struct kw_domain *domain)
{
	const xmlNode *numa = kw_xml_child(kw_xml_child(root, "cpu"), "numa");
	struct reader reader = {
		.complaint = complaint,
		.hugepages = kw_xml_child(kw_xml_child(root, "memoryBacking"), "hugepages"),
		.tuning = kw_xml_child(root, "numatune"),
		.domain = domain,
		.cells = kw_xml_child(numa, "cell"),
	};
	int error;

	if (!reader.cells)
		return add(&reader, 0, domain->memory_bytes);
	error = add_cells(&reader, numa);
	for (xmlNode *module = kw_xml_child(kw_xml_child(root, "devices"), "memory");
	     module && !error; module = kw_xml_next(module, "memory"))
		error = add_module(&reader, module);
	return error;
}
