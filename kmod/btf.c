// SPDX-License-Identifier: GPL-2.0
/*
 * A reader of BTF (Documentation/bpf/btf.rst) that knows just enough to find a
 * member of a struct by name. The kernel's own parser is not for modules.
 *
 * A module's BTF is split: its names may lie in the strings of vmlinux, and
 * types that vmlinux has too are only there. Nothing in the data is trusted:
 * each offset is checked before it is followed.
 */
#include <linux/btf.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/path.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "btf.h"

/* Later kernels know a longer header; what wrote the data need not. */
#define HEADER_MIN offsetofend(struct btf_header, str_len)
#define BTF_FILE_MAX (256UL << 20)	/* vmlinux of a distribution has 5 MiB */

struct blob {
	void *data;
	const char *types, *strings;
	u32 types_len, strings_len;
};

struct kvmward_btf {
	struct blob kernel, module;
	const struct btf_type *found;	/* the latest: mostly asked for again */
};

static int section_check(const struct btf_header *hdr, size_t size, u32 off, u32 len)
{
	u64 end = (u64)hdr->hdr_len + off + len;

	return end <= size ? 0 : -EINVAL;
}

static int blob_parse(struct blob *blob, size_t size)
{
	const struct btf_header *hdr = blob->data;

	if (size < HEADER_MIN || hdr->magic != BTF_MAGIC || hdr->version != BTF_VERSION ||
	    hdr->hdr_len < HEADER_MIN || hdr->hdr_len > size)
		return -EINVAL;
	if (section_check(hdr, size, hdr->type_off, hdr->type_len) ||
	    section_check(hdr, size, hdr->str_off, hdr->str_len) ||
	    !hdr->str_len || hdr->type_off % sizeof(u32) || hdr->hdr_len % sizeof(u32))
		return -EINVAL;
	blob->types = blob->data + hdr->hdr_len + hdr->type_off;
	blob->types_len = hdr->type_len;
	blob->strings = blob->data + hdr->hdr_len + hdr->str_off;
	blob->strings_len = hdr->str_len;
	/* Every name then ends within the section. */
	return blob->strings[blob->strings_len - 1] ? -EINVAL : 0;
}

/*
 * Neither the mount namespace nor the rights of whoever asks may decide what is
 * found: the path starts at init's root and is opened by the kernel itself, as
 * firmware files are. (The helper for those is not used: it has integrity
 * policies judge the file as code to be loaded.)
 */
static struct file *sysfs_open(const char *path)
{
	struct cred *kernel = prepare_kernel_cred(&init_task);
	const struct cred *asker;
	struct file *file;
	struct path root;

	if (!kernel)
		return ERR_PTR(-ENOMEM);
	task_lock(&init_task);
	get_fs_root(init_task.fs, &root);
	task_unlock(&init_task);
	asker = override_creds(kernel);
	file = file_open_root(&root, path, O_RDONLY, 0);
	revert_creds(asker);
	path_put(&root);
	put_cred(kernel);
	return file;
}

static int blob_read(struct blob *blob, struct file *file, size_t size)
{
	loff_t pos = 0;
	ssize_t ret;

	blob->data = vmalloc(size);
	if (!blob->data)
		return -ENOMEM;
	while (pos < size) {
		ret = kernel_read(file, blob->data + pos, size - pos, &pos);
		if (ret <= 0)
			return ret ?: -EINVAL;
	}
	return blob_parse(blob, size);
}

static int blob_load(struct blob *blob, const char *name)
{
	struct file *file;
	char path[64];
	loff_t size;
	int ret = -EINVAL;

	if (snprintf(path, sizeof(path), "/sys/kernel/btf/%s", name) >= sizeof(path))
		return -ENOENT;
	file = sysfs_open(path);
	if (IS_ERR(file))
		return PTR_ERR(file);
	size = i_size_read(file_inode(file));
	if (size > 0 && size <= BTF_FILE_MAX)
		ret = blob_read(blob, file, size);
	fput(file);
	return ret;
}

static void blob_free(struct blob *blob)
{
	vfree(blob->data);
	*blob = (struct blob){ };
}

struct kvmward_btf *kvmward_btf_load(void)
{
	struct kvmward_btf *btf = kzalloc(sizeof(*btf), GFP_KERNEL);
	int ret;

	if (!btf)
		return ERR_PTR(-ENOMEM);
	ret = blob_load(&btf->kernel, "vmlinux");
	if (ret) {
		kvmward_btf_free(btf);
		return ERR_PTR(ret);
	}
	return btf;
}

int kvmward_btf_load_module(struct kvmward_btf *btf, const char *module)
{
	int ret;

	btf->found = NULL;
	blob_free(&btf->module);
	ret = blob_load(&btf->module, module);
	if (ret)
		blob_free(&btf->module);
	return ret;
}

void kvmward_btf_free(struct kvmward_btf *btf)
{
	blob_free(&btf->module);
	blob_free(&btf->kernel);
	kfree(btf);
}

/* A name in either string section, or NULL when it lies outside both. */
static const char *name_at(const struct kvmward_btf *btf, u32 off)
{
	if (off < btf->kernel.strings_len)
		return btf->kernel.strings + off;
	off -= btf->kernel.strings_len;
	return off < btf->module.strings_len ? btf->module.strings + off : NULL;
}

static bool name_is(const struct kvmward_btf *btf, u32 off, const char *name)
{
	const char *found = name_at(btf, off);

	return found && !strcmp(found, name);
}

/* Bytes that follow struct btf_type; -EINVAL for a kind not known here. */
static s64 type_extra(const struct btf_type *type)
{
	u32 vlen = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(u32);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (s64)vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return (s64)vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return (s64)vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return (s64)vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return (s64)vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	}
	return -EINVAL;
}

static const struct btf_type *struct_find_in(const struct kvmward_btf *btf,
					     const struct blob *blob, const char *name)
{
	u32 pos = 0;

	while (blob->types_len - pos >= sizeof(struct btf_type)) {
		const struct btf_type *type = (const void *)(blob->types + pos);
		s64 extra = type_extra(type);

		pos += sizeof(*type);
		if (extra < 0 || extra > blob->types_len - pos)
			return ERR_PTR(-EINVAL);
		if (BTF_INFO_KIND(type->info) == BTF_KIND_STRUCT &&
		    name_is(btf, type->name_off, name))
			return type;
		pos += extra;
	}
	return ERR_PTR(-ENOENT);
}

/* The module's own types come first: it may have a private one of that name. */
static const struct btf_type *struct_find(struct kvmward_btf *btf, const char *name)
{
	const struct btf_type *type = btf->found;

	if (type && name_is(btf, type->name_off, name))
		return type;
	type = struct_find_in(btf, &btf->module, name);
	if (PTR_ERR(type) == -ENOENT)
		type = struct_find_in(btf, &btf->kernel, name);
	btf->found = IS_ERR(type) ? NULL : type;
	return type;
}

static int member_offset(const struct btf_type *type, const struct btf_member *member)
{
	u32 bits = member->offset;

	if (BTF_INFO_KFLAG(type->info)) {
		if (BTF_MEMBER_BITFIELD_SIZE(bits))
			return -EINVAL;
		bits = BTF_MEMBER_BIT_OFFSET(bits);
	}
	return bits % 8 || bits / 8 >= type->size ? -EINVAL : (int)(bits / 8);
}

int kvmward_btf_size(struct kvmward_btf *btf, const char *type)
{
	const struct btf_type *found = struct_find(btf, type);

	if (IS_ERR(found))
		return PTR_ERR(found);
	return found->size <= INT_MAX ? (int)found->size : -EINVAL;
}

int kvmward_btf_offset(struct kvmward_btf *btf, const char *type, const char *member)
{
	const struct btf_type *found = struct_find(btf, type);
	const struct btf_member *members;
	u32 i;

	if (IS_ERR(found))
		return PTR_ERR(found);
	members = (const void *)(found + 1);
	for (i = 0; i < BTF_INFO_VLEN(found->info); i++)
		if (name_is(btf, members[i].name_off, member))
			return member_offset(found, &members[i]);
	return -ENOENT;
}
