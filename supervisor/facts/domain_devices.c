/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "facts/domain_parts.h"

/* The path of a ROM file, "" for none, of the device that is added next. */
static int add_rom_file(struct kw_domain *domain, const char *path)
{
	struct kw_rom_file *grown;

	if (!*path)
		return 0;
	grown = reallocarray(domain->roms, domain->rom_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	domain->roms = grown;
	grown += domain->rom_count++;
	grown->device = domain->device_count;
	kw_text_copy(grown->path, sizeof(grown->path), path);
	return 0;
}

/*
 * <rom enabled='no'/> takes the ROM away, <rom bar='off'/> hides it from the
 * guest. libvirt looks for it in interfaces and host devices only
 * (VIR_DOMAIN_DEF_PARSE_ALLOW_ROM): a video card keeps its own.
 */
static int read_rom(const struct kw_complaint *complaint, const xmlNode *node,
		    struct kw_domain *domain, struct kw_device *device)
{
	const xmlNode *rom = kw_xml_child(node, "rom");
	bool enabled = true, bar = true;
	char path[512];
	int error = kw_xml_flag(complaint, rom, "enabled", &enabled);

	if (!error)
		error = kw_xml_flag(complaint, rom, "bar", &bar);
	if (!error)
		error = kw_xml_attribute(complaint, rom, "file", path, sizeof(path));
	if (error)
		return error;
	device->rom_disabled = !enabled || !bar;
	return add_rom_file(domain, path);
}

/* The disk itself, and one after the other what it is an overlay of. */
static int read_nvme(const struct kw_complaint *complaint, const xmlNode *node, bool *ret_nvme)
{
	char type[32];
	int error = 0;

	for (; node && !error && !*ret_nvme; node = kw_xml_child(node, "backingStore")) {
		error = kw_xml_attribute(complaint, node, "type", type, sizeof(type));
		*ret_nvme = !error && !strcmp(type, "nvme");
	}
	return error;
}

static int read_disk(const struct kw_complaint *complaint, const xmlNode *node,
		     struct kw_device *device)
{
	const xmlNode *target = kw_xml_child(node, "target");
	int error = kw_xml_attribute(complaint, target, "bus", device->bus, sizeof(device->bus));

	if (!error)
		error = kw_xml_attribute(complaint, target, "dev", device->target,
					 sizeof(device->target));
	return error ? error : read_nvme(complaint, node, &device->nvme);
}

static int read_interface(const struct kw_complaint *complaint, const xmlNode *node,
			  struct kw_device *device)
{
	const xmlNode *model = kw_xml_child(node, "model"), *target = kw_xml_child(node, "target");
	int error = kw_xml_attribute(complaint, node, "type", device->type, sizeof(device->type));

	if (!error)
		error = kw_xml_attribute(complaint, model, "type", device->model,
					 sizeof(device->model));
	if (!error)
		error = kw_xml_attribute(complaint, target, "dev", device->target,
					 sizeof(device->target));
	return error;
}

/* libvirt's video attributes count KiB. */
static int read_kib(const struct kw_complaint *complaint, const xmlNode *node, const char *name,
		    uint64_t *ret_bytes)
{
	uint64_t kib = 0;
	int error = kw_xml_attribute_u64(complaint, node, name, UINT32_MAX, &kib);

	if (!error)
		*ret_bytes = kib * KW_KIB;
	return error;
}

static int read_video(const struct kw_complaint *complaint, const xmlNode *node,
		      struct kw_device *device)
{
	const xmlNode *model = kw_xml_child(node, "model");
	uint64_t heads = 0;
	int error = kw_xml_attribute(complaint, model, "type", device->model,
				     sizeof(device->model));

	if (!error)
		error = kw_xml_flag(complaint, model, "primary", &device->primary);
	if (!error)
		error = read_kib(complaint, model, "vram", &device->vram_bytes);
	if (!error)
		error = read_kib(complaint, model, "ram", &device->ram_bytes);
	if (!error)
		error = read_kib(complaint, model, "vram64", &device->vram64_bytes);
	if (!error)
		error = read_kib(complaint, model, "vgamem", &device->vgamem_bytes);
	if (!error)
		error = kw_xml_attribute_u64(complaint, model, "heads", UINT16_MAX, &heads);
	if (!error)
		device->heads = (unsigned int)heads;
	return error;
}

static int read_hostdev(const struct kw_complaint *complaint, const xmlNode *node,
			struct kw_device *device)
{
	int error = kw_xml_attribute(complaint, node, "mode", device->type, sizeof(device->type));

	return error ? error : kw_xml_attribute(complaint, node, "type", device->model,
						sizeof(device->model));
}

static int read_model(const struct kw_complaint *complaint, const xmlNode *node, const char *name,
		      struct kw_device *device)
{
	return kw_xml_attribute(complaint, node, name, device->model, sizeof(device->model));
}

/* libvirt counts whole bytes here where the file names no unit. */
static int read_shmem(const struct kw_complaint *complaint, const xmlNode *node,
		      struct kw_device *device)
{
	const xmlNode *size = kw_xml_child(node, "size");
	int error = read_model(complaint, kw_xml_child(node, "model"), "type", device);

	if (!error && size)
		error = kw_xml_bytes(complaint, size, &device->size_bytes);
	if (!error && size && !xmlHasProp(size, (const xmlChar *)"unit"))
		device->size_bytes /= (uint64_t)KW_KIB;
	return error;
}

static int read_tpm(const struct kw_complaint *complaint, const xmlNode *node,
		    struct kw_device *device)
{
	int error = read_model(complaint, node, "model", device);

	return error ? error : kw_xml_attribute(complaint, kw_xml_child(node, "backend"), "type",
						device->type, sizeof(device->type));
}

static const struct kind {
	const char *element;
	enum kw_device_kind kind;
	int (*read)(const struct kw_complaint *complaint, const xmlNode *node,
		    struct kw_device *device);
} kinds[] = {
	{ "disk", KW_DEVICE_DISK, read_disk },
	{ "interface", KW_DEVICE_INTERFACE, read_interface },
	{ "video", KW_DEVICE_VIDEO, read_video },
	{ "hostdev", KW_DEVICE_HOSTDEV, read_hostdev },
	{ "shmem", KW_DEVICE_SHMEM, read_shmem },
	{ "tpm", KW_DEVICE_TPM, read_tpm },
};

static const struct kind *kind_of(const xmlNode *node)
{
	if (node->type != XML_ELEMENT_NODE || node->ns)
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp((const char *)node->name, kinds[i].element))
			return &kinds[i];
	return NULL;
}

static int read_device(const struct kw_complaint *complaint, const xmlNode *node,
		       const struct kind *kind, struct kw_domain *domain)
{
	struct kw_device device = {
		.kind = kind->kind,
		.line = (int)xmlGetLineNo(node),
		.boot = kw_xml_child(node, "boot"),
	};
	struct kw_device *grown;
	int error = kind->read(complaint, node, &device);

	if (!error && (kind->kind == KW_DEVICE_INTERFACE || kind->kind == KW_DEVICE_HOSTDEV))
		error = read_rom(complaint, node, domain, &device);
	if (error)
		return error;
	grown = reallocarray(domain->devices, domain->device_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	domain->devices = grown;
	domain->devices[domain->device_count++] = device;
	return 0;
}

int kw_domain_read_devices(const struct kw_complaint *complaint, const xmlNode *root,
			   struct kw_domain *domain)
{
	xmlNode *devices;
	int error = kw_xml_only(complaint, root, "devices", &devices);

	if (error || !devices)
		return error;
	domain->graphics = kw_xml_child(devices, "graphics");
	for (const xmlNode *node = devices->children; node; node = node->next) {
		const struct kind *kind = kind_of(node);

		error = kind ? read_device(complaint, node, kind, domain) : 0;
		if (error)
			return error;
	}
	return 0;
}
