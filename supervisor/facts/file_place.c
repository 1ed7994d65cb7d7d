/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/file_place.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/text.h"

/* Those of <linux/magic.h> that other headers have not, from the file systems' own sources. */
#define CIFS_MAGIC 0xff534d42u
#define GFS2_MAGIC 0x01161970u
#define LUSTRE_MAGIC 0x0bd00bd0u
#define GPFS_MAGIC 0x47504653u

/* The reach of a FUSE or 9P mount is known to who made it only. */
static const struct {
	uint32_t magic;
	const char *name;
	enum kw_disk_reach reach;
} kinds[] = {
	{ NFS_SUPER_MAGIC, "nfs", KW_DISK_SHARED },
	{ CIFS_MAGIC, "cifs", KW_DISK_SHARED },
	{ SMB2_SUPER_MAGIC, "cifs", KW_DISK_SHARED },
	{ CEPH_SUPER_MAGIC, "ceph", KW_DISK_SHARED },
	{ GFS2_MAGIC, "gfs2", KW_DISK_SHARED },
	{ OCFS2_SUPER_MAGIC, "ocfs2", KW_DISK_SHARED },
	{ LUSTRE_MAGIC, "lustre", KW_DISK_SHARED },
	{ GPFS_MAGIC, "gpfs", KW_DISK_SHARED },
	{ EXT4_SUPER_MAGIC, "ext4", KW_DISK_HERE },
	{ XFS_SUPER_MAGIC, "xfs", KW_DISK_HERE },
	{ BTRFS_SUPER_MAGIC, "btrfs", KW_DISK_HERE },
	{ F2FS_SUPER_MAGIC, "f2fs", KW_DISK_HERE },
	{ TMPFS_MAGIC, "tmpfs", KW_DISK_HERE },
	{ OVERLAYFS_SUPER_MAGIC, "overlay", KW_DISK_HERE },
	{ ISOFS_SUPER_MAGIC, "iso9660", KW_DISK_HERE },
	{ FUSE_SUPER_MAGIC, "fuse", KW_DISK_UNKNOWN },
	{ V9FS_MAGIC, "9p", KW_DISK_UNKNOWN },
};

static void place_on(const struct statfs *file_system, struct kw_move_disk *disk)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((uint32_t)file_system->f_type != kinds[i].magic)
			continue;
		kw_text_copy(disk->where, sizeof(disk->where), kinds[i].name);
		disk->reach = kinds[i].reach;
		return;
	}
}

/* By serial or world-wide number. Names of volume groups are repeated from host to host. */
static bool is_unique(const char *path)
{
	static const char by_id[] = "/dev/disk/by-id/";

	return kw_text_starts(path, by_id) &&
	       !kw_text_starts(path + strlen(by_id), "dm-name-") &&
	       !kw_text_starts(path + strlen(by_id), "md-name-");
}

void kw_file_place(const char *path, struct kw_move_disk *disk)
{
	struct statfs file_system;
	struct stat status;

	disk->reach = KW_DISK_UNKNOWN;
	disk->bytes.known = disk->length_bytes.known = false;
	*disk->where = '\0';
	if (stat(path, &status) < 0)
		return;
	if (S_ISBLK(status.st_mode)) {
		kw_text_copy(disk->where, sizeof(disk->where), "a block device");
		disk->reach = is_unique(path) ? KW_DISK_SHARED : KW_DISK_UNKNOWN;
		return;
	}
	if (S_ISREG(status.st_mode)) {
		disk->bytes = KW_U64((uint64_t)status.st_blocks * 512);
		disk->length_bytes = KW_U64((uint64_t)status.st_size);
	}
	if (!statfs(path, &file_system))
		place_on(&file_system, disk);
}
