/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/domain_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "facts/file_place.h"
#include "facts/xml_value.h"

KW_CLEANUP_OF(xmlBuffer, xmlBufferFree);

void kw_domain_place_done(struct kw_domain_place *place)
{
	if (!place)
		return;
	free(place->disks);
	free(place->cpu);
	memset(place, 0, sizeof(*place));
}

static enum kw_cpu_mode mode_of(const xmlNode *cpu, const char *mode)
{
	static const struct {
		const char *word;
		enum kw_cpu_mode mode;
	} modes[] = {
		{ "custom", KW_CPU_CUSTOM },
		{ "host-model", KW_CPU_HOST_MODEL },
		{ "host-passthrough", KW_CPU_PASSTHROUGH },
		{ "maximum", KW_CPU_PASSTHROUGH },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(mode, modes[i].word))
			return modes[i].mode;
	if (*mode)
		return KW_CPU_UNKNOWN;
	return kw_xml_child(cpu, "model") ? KW_CPU_CUSTOM : KW_CPU_DEFAULT;
}

static int read_cpu(const struct kw_complaint *complaint, xmlNode *root,
		    struct kw_domain_place *place)
{
	_cleanup_(xmlBufferFree_at) xmlBuffer *buffer = NULL;
	char mode[32];
	xmlNode *cpu;
	int error = kw_xml_only(complaint, root, "cpu", &cpu);

	place->cpu_mode = KW_CPU_DEFAULT;
	if (error || !cpu)
		return error;
	error = kw_xml_attribute(complaint, cpu, "mode", mode, sizeof(mode));
	if (error)
		return error;
	place->cpu_mode = mode_of(cpu, mode);
	buffer = xmlBufferCreate();
	if (!buffer || xmlNodeDump(buffer, root->doc, cpu, 0, 0) < 0)
		return -ENOMEM;
	place->cpu = strdup((const char *)xmlBufferContent(buffer));
	return place->cpu ? 0 : -ENOMEM;
}

/* Where the host is a socket or this machine, the address is another one elsewhere. */
static int read_network(const struct kw_complaint *complaint, const xmlNode *source,
			struct kw_move_disk *disk)
{
	const xmlNode *host = kw_xml_child(source, "host");
	char name[256] = "", transport[16] = "";
	int error = kw_xml_attribute(complaint, source, "protocol", disk->where,
				     sizeof(disk->where));

	if (!error)
		error = kw_xml_attribute(complaint, source, "name", disk->source,
					 sizeof(disk->source));
	if (!error)
		error = kw_xml_attribute(complaint, host, "name", name, sizeof(name));
	if (!error)
		error = kw_xml_attribute(complaint, host, "transport", transport,
					 sizeof(transport));
	disk->reach = !strcmp(transport, "unix") || !strcmp(name, "localhost") ||
				      !strcmp(name, "::1") || kw_text_starts(name, "127.")
			      ? KW_DISK_UNKNOWN
			      : KW_DISK_NETWORK;
	return error;
}

static int read_file(const struct kw_complaint *complaint, const xmlNode *source,
		     const char *attribute, struct kw_move_disk *disk)
{
	int error = kw_xml_attribute(complaint, source, attribute, disk->source,
				     sizeof(disk->source));

	if (!error && *disk->source)
		kw_file_place(disk->source, disk);
	return error;
}

/* Volumes of a pool, NVMe devices, vhost-user: what they are elsewhere is not known. */
static int read_other(const struct kw_complaint *complaint, const xmlNode *source,
		      const char *type, struct kw_move_disk *disk)
{
	kw_text_copy(disk->where, sizeof(disk->where), type);
	return kw_xml_attribute(complaint, source, "volume", disk->source, sizeof(disk->source));
}

/* node is a <disk> or a <backingStore>, which look alike. */
static int read_source(const struct kw_complaint *complaint, const xmlNode *node,
		       struct kw_move_disk *disk)
{
	const xmlNode *source = kw_xml_child(node, "source");
	char type[32];
	int error = kw_xml_attribute(complaint, node, "type", type, sizeof(type));

	if (error || !source)
		return error;
	if (!*type || !strcmp(type, "file"))
		return read_file(complaint, source, "file", disk);
	if (!strcmp(type, "block"))
		return read_file(complaint, source, "dev", disk);
	if (!strcmp(type, "dir"))
		return read_file(complaint, source, "dir", disk);
	if (!strcmp(type, "network"))
		return read_network(complaint, source, disk);
	return read_other(complaint, source, type, disk);
}

static int add_disk(struct kw_domain_place *place, const struct kw_move_disk *disk)
{
	struct kw_move_disk *grown =
		reallocarray(place->disks, place->disk_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	place->disks = grown;
	place->disks[place->disk_count++] = *disk;
	return 0;
}

/* An empty CD-ROM drive has no source, and ties the guest to nothing. */
static int read_disk(const struct kw_complaint *complaint, const xmlNode *node,
		     struct kw_domain_place *place)
{
	bool read_only = kw_xml_child(node, "readonly");
	char target[32];
	int error = kw_xml_attribute(complaint, kw_xml_child(node, "target"), "dev", target,
				     sizeof(target));
	bool backing = false;

	for (; node && !error; node = kw_xml_child(node, "backingStore"), backing = true) {
		struct kw_move_disk disk = { .backing = backing, .read_only = read_only };

		kw_text_copy(disk.target, sizeof(disk.target), target);
		error = read_source(complaint, node, &disk);
		if (!error && kw_xml_child(node, "source"))
			error = add_disk(place, &disk);
	}
	return error;
}

static int read_place(const struct kw_complaint *complaint, xmlNode *root,
		      struct kw_domain_place *place)
{
	xmlNode *devices;
	int error = read_cpu(complaint, root, place);

	if (!error)
		error = kw_xml_only(complaint, root, "devices", &devices);
	if (error)
		return error;
	for (const xmlNode *disk = kw_xml_child(devices, "disk"); disk && !error;
	     disk = kw_xml_next(disk, "disk"))
		error = read_disk(complaint, disk, place);
	return error;
}

int kw_domain_place_read(const char *xml, struct kw_domain_place *ret_place, char *error,
			 size_t error_size)
{
	const struct kw_complaint complaint = { error, error_size };
	_cleanup_(kw_domain_place_done) struct kw_domain_place place = { 0 };
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;
	int result = kw_xml_read(xml, strlen(xml), &doc, error, error_size);

	if (!result)
		result = read_place(&complaint, xmlDocGetRootElement(doc), &place);
	if (result)
		return result;
	*ret_place = place;
	memset(&place, 0, sizeof(place));
	return 0;
}

static bool has_disk(const struct kw_domain_place *place, const struct kw_move_disk *disk)
{
	for (size_t i = 0; i < place->disk_count; i++)
		if (!strcmp(place->disks[i].target, disk->target) &&
		    !strcmp(place->disks[i].source, disk->source))
			return true;
	return false;
}

int kw_domain_place_add_later(struct kw_domain_place *place, const struct kw_domain_place *defined)
{
	int error = 0;

	for (size_t i = 0; i < defined->disk_count && !error; i++) {
		struct kw_move_disk disk = defined->disks[i];

		disk.later = true;
		if (!has_disk(place, &disk))
			error = add_disk(place, &disk);
	}
	return error;
}
