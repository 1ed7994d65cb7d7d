/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_BTF_H
#define KVMWARD_BTF_H

#include <linux/types.h>

struct kvmward_btf;

/*
 * Loads the type information of the running kernel and of one of its modules,
 * as /sys/kernel/btf has it. The file system is that of init, whoever asks.
 * NULL module: of the kernel alone. ERR_PTR: -ENOENT where there is none,
 * -EINVAL for data that is not BTF. May sleep; free with kvmward_btf_free(),
 * which takes an ERR_PTR or NULL as well.
 */
struct kvmward_btf *kvmward_btf_load(const char *module);
void kvmward_btf_free(struct kvmward_btf *btf);

/* Size in bytes of a struct of that name; -ENOENT, -EINVAL for broken data. */
int kvmward_btf_size(const struct kvmward_btf *btf, const char *type);

/*
 * Offset in bytes of a direct member of a struct; -ENOENT when there is no such
 * struct or member, -EINVAL for a bit field or broken data.
 */
int kvmward_btf_offset(const struct kvmward_btf *btf, const char *type, const char *member);

#endif
