/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_BTF_H
#define KVMWARD_BTF_H

#include <linux/types.h>

struct kvmward_btf;

/*
 * Loads the type information of the running kernel, as /sys/kernel/btf has it.
 * The file system is that of init, whoever asks. ERR_PTR: -ENOENT where there is
 * none, -EINVAL for data that is not BTF. May sleep; free with kvmward_btf_free().
 */
struct kvmward_btf *kvmward_btf_load(void);
void kvmward_btf_free(struct kvmward_btf *btf);

/*
 * Adds that of one of its modules, in place of the one before. Errors as above;
 * then there is only the kernel's.
 */
int kvmward_btf_load_module(struct kvmward_btf *btf, const char *module);

/* Size in bytes of a struct of that name; -ENOENT, -EINVAL for broken data. */
int kvmward_btf_size(struct kvmward_btf *btf, const char *type);

/*
 * Offset in bytes of a direct member of a struct; -ENOENT when there is no such
 * struct or member, -EINVAL for a bit field or broken data.
 */
int kvmward_btf_offset(struct kvmward_btf *btf, const char *type, const char *member);

#endif
