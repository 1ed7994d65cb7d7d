/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMWARD_MODULE_H
#define KVMWARD_MODULE_H

#include "known.h"

struct module;

/*
 * True when a module of that name is loaded and live, or built in. *ret_module
 * is then held against unloading until module_put(); it is NULL for one that is
 * built in. May sleep.
 */
bool kvmward_module_get(const char *name, struct module **ret_module);

/*
 * The first of several that is: its name, or NULL with *ret_module NULL too.
 * names ends with NULL.
 */
const char *kvmward_module_get_any(const char *const *names, struct module **ret_module);

/* As above, with nothing held. */
bool kvmward_module_loaded(const char *name);

/*
 * A parameter of that type of a held module; not known when it has none of that
 * name and type, or is built in.
 */
struct kvmward_u32 kvmward_module_bool(struct module *module, const char *name);
struct kvmward_u32 kvmward_module_uint(struct module *module, const char *name);

/*
 * Changes whenever a module of KVM comes or goes: what was learnt about it
 * before is then void.
 */
unsigned int kvmward_module_generation(void);

int kvmward_module_init(void);
void kvmward_module_exit(void);

#endif
