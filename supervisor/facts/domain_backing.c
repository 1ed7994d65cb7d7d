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

/* QEMU's MAX_NODES: no guest has more cells. */
#define CELLS_MAX 128

/* "0-3,5,^2": which numbers has it? Each part overrules those before it. False: it is malformed. */
static bool read_set(const char *text, bool has[CELLS_MAX])
{
	char copy[256], *rest = copy, *part;

	memset(has, 0, CELLS_MAX * sizeof(*has));
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
		for (; from <= to && from < CELLS_MAX; from++)
			has[from] = !without;
	}
	return true;
}

/* Found once for all cells: files may have thousands of pages, modules and the like. */
struct reader {
	const struct kw_complaint *complaint;
	struct kw_domain *domain;
	bool huge;				/* there is <hugepages>, */
	bool pages;				/* and <page> in it */
	struct {
		const xmlNode *page;		/* NULL: none */
		uint64_t nodes;			/* 0: none in particular */
	} cells[CELLS_MAX];
};

/* Which <page> is whose is not looked for where there are no cells. */
static int find_pages(struct reader *reader, const xmlNode *hugepages, bool cells)
{
	const xmlNode *page = kw_xml_child(hugepages, "page"), *others = NULL;
	bool has[CELLS_MAX];
	char set[256];

	reader->huge = hugepages;
	reader->pages = page;
	reader->cells[0].page = cells ? NULL : page;
	for (; page && cells; page = kw_xml_next(page, "page")) {
		int error = kw_xml_attribute(reader->complaint, page, "nodeset", set, sizeof(set));

		if (error)
			return error;
		if (!*set)
			others = page;
		else if (!read_set(set, has))
			return kw_xml_complain(reader->complaint, page, "'%s' is no set of cells", set);
		for (size_t i = 0; *set && i < CELLS_MAX; i++)
			if (has[i] && !reader->cells[i].page)
				reader->cells[i].page = page;
	}
	for (size_t i = 0; others && i < CELLS_MAX; i++)
		if (!reader->cells[i].page)
			reader->cells[i].page = others;
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

/* *ret_nodes: 0 where the element binds to no nodes in particular, or may give way. */
static int read_nodes(const struct reader *reader, const xmlNode *node, uint64_t *ret_nodes)
{
	char mode[32], set[256];
	bool has[CELLS_MAX] = { false };
	uint64_t nodes = 0;
	int error = kw_xml_attribute(reader->complaint, node, "mode", mode, sizeof(mode));

	if (!error)
		error = kw_xml_attribute(reader->complaint, node, "nodeset", set, sizeof(set));
	if (!error && *set && !read_set(set, has))
		return kw_xml_complain(reader->complaint, node, "'%s' is no set of nodes", set);
	for (size_t i = 0; i < KW_NODES_MAX; i++)
		nodes |= (uint64_t)has[i] << i;
	if (!error)
		*ret_nodes = !*mode || kw_text_equal(mode, "strict") ? nodes : 0;
	return error;
}

static int find_nodes(struct reader *reader, const xmlNode *tuning)
{
	const xmlNode *memory = kw_xml_child(tuning, "memory");
	uint64_t nodes = 0, cell;
	int error = memory ? read_nodes(reader, memory, &nodes) : 0;

	for (size_t i = 0; i < CELLS_MAX; i++)
		reader->cells[i].nodes = nodes;
	for (xmlNode *node = kw_xml_child(tuning, "memnode"); node && !error;
	     node = kw_xml_next(node, "memnode")) {
		cell = CELLS_MAX;
		error = kw_xml_attribute_u64(reader->complaint, node, "cellid", UINT16_MAX, &cell);
		if (!error)
			error = read_nodes(reader, node, &nodes);
		if (!error && cell < CELLS_MAX)
			reader->cells[cell].nodes = nodes;
	}
	return error;
}

/* node is what has the memory, for the complaint. */
static int add(const struct reader *reader, const xmlNode *node, uint64_t cell, uint64_t bytes)
{
	uint64_t page_bytes = 0;
	const xmlNode *page;

	if (cell >= CELLS_MAX)
		return kw_xml_complain(reader->complaint, node, "QEMU has no NUMA cells beyond %d",
				       CELLS_MAX - 1);
	page = reader->cells[cell].page;
	if (page) {
		int error = kw_xml_attribute_bytes(reader->complaint, page, "size", &page_bytes);

		if (error)
			return error;
	}
	bytes += (KW_MIB - bytes % KW_MIB) % KW_MIB;
	if (page || (reader->huge && !reader->pages))
		add_huge(reader->domain, page_bytes, bytes);
	else if (reader->cells[cell].nodes)
		add_bound(reader->domain, reader->cells[cell].nodes, bytes);
	return 0;
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
			error = add(reader, cell, id, bytes);
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
	return add(reader, module, cell, bytes);
}

int kw_domain_read_backing(const struct kw_complaint *complaint, const xmlNode *root,
			   struct kw_domain *domain)
{
	const xmlNode *numa = kw_xml_child(kw_xml_child(root, "cpu"), "numa");
	const xmlNode *hugepages = kw_xml_child(kw_xml_child(root, "memoryBacking"), "hugepages");
	struct reader reader = { .complaint = complaint, .domain = domain };
	bool cells = kw_xml_child(numa, "cell");
	int error = find_pages(&reader, hugepages, cells);

	if (!error)
		error = find_nodes(&reader, kw_xml_child(root, "numatune"));
	if (error || !cells)
		return error ? error : add(&reader, root, 0, domain->memory_bytes);
	error = add_cells(&reader, numa);
	for (xmlNode *module = kw_xml_child(kw_xml_child(root, "devices"), "memory");
	     module && !error; module = kw_xml_next(module, "memory"))
		error = add_module(&reader, module);
	return error;
}
