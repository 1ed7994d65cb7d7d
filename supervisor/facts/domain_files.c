/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/domain_files.h"

#include <fcntl.h>
#include <sys/stat.h>

/*
 * Cached attributes will do, and nothing is mounted for it; but the kernel may
 * ask a file server for every part of the path all the same.
 */
static struct kw_u64 file_bytes(const char *path)
{
	const int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
	struct statx file;

	if (path[0] != '/' || statx(AT_FDCWD, path, flags, STATX_TYPE | STATX_SIZE, &file) < 0)
		return (struct kw_u64){ 0 };
	if (!S_ISREG(file.stx_mode))
		return (struct kw_u64){ 0 };
	return KW_U64(file.stx_size);
}

void kw_domain_files_look(struct kw_domain *domain)
{
	if (domain->security == KW_SECURITY_NONE)
		return;
	domain->loader_bytes = file_bytes(domain->loader_path);
	domain->nvram_bytes = file_bytes(domain->nvram_path);
	/* before the first start there is only what libvirt will copy */
	if (!domain->nvram_bytes.known)
		domain->nvram_bytes = file_bytes(domain->nvram_template);
	for (size_t i = 0; i < domain->rom_count; i++)
		domain->devices[domain->roms[i].device].rom_bytes =
			file_bytes(domain->roms[i].path);
}
