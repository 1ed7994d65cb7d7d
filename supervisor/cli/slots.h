/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_SLOTS_H
#define KW_CLI_SLOTS_H

#include <json-c/json.h>

#include "cli/look.h"

/* One pool, all classes, and all pools as an array, as 'kvmward slots --json' shows them. The caller owns them. */
struct json_object *kw_json_pool(enum kw_pool pool, const struct kw_pool_view *view);
struct json_object *kw_json_classes(const struct kw_class_table *classes);
struct json_object *kw_json_pools(const struct kw_facts *facts,
				  const struct kw_daemon_view *daemon);

/* A table of what each class has, after an empty line; nothing without classes. 0 or -ENOMEM. */
int kw_classes_print(const struct kw_class_table *classes, bool snp_apart);

#endif
