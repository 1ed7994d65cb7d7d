/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_CONFIG_FILE_H
#define KW_FACTS_CONFIG_FILE_H

#include <stddef.h>

#include "model/config.h"

#define KW_CONFIG_FILE "/etc/kvmward/kvmward.conf"

/*
 * Reads the configuration over the defaults. A file that is not there gives
 * the defaults. 0; -EINVAL with "file:line: message" in error and *ret_config
 * untouched for an unknown section or key, a key given twice or a bad value;
 * other negative errno when the file cannot be read.
 */
int kw_config_file_read(const char *path, struct kw_config *ret_config, char *error,
			size_t error_size);

#endif
