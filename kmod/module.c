// SPDX-License-Identifier: GPL-2.0
/*
 * Other modules: which are there, and what their parameters say. Found through
 * the kset of /sys/module that we are part of ourselves, so that nothing depends
 * on a mounted sysfs or on the caller's view of the file system.
 */
#include <linux/atomic.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/string.h>

#include "module.h"

static atomic_t generation = ATOMIC_INIT(1);

bool kvmward_module_get(const char *name, struct module **ret_module)
{
	struct kobject *kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, name);
	struct module *module;
	bool live = true;

	if (!kobj)
		return false;
	/* The reference on the kobject keeps struct module in place. */
	module = container_of(kobj, struct module_kobject, kobj)->mod;
	if (module)
		live = READ_ONCE(module->state) == MODULE_STATE_LIVE && try_module_get(module);
	kobject_put(kobj);
	if (live)
		*ret_module = module;
	return live;
}

const char *kvmward_module_get_any(const char *const *names, struct module **ret_module)
{
	for (*ret_module = NULL; *names; names++)
		if (kvmward_module_get(*names, ret_module))
			break;
	return *names;
}

bool kvmward_module_loaded(const char *name)
{
	struct module *module;

	if (!kvmward_module_get(name, &module))
		return false;
	module_put(module);
	return true;
}

static const void *param_find(const struct module *module, const char *name,
			      const struct kernel_param_ops *ops)
{
	unsigned int i;

	for (i = 0; module && i < module->num_kp; i++)
		if (module->kp[i].ops == ops && !strcmp(module->kp[i].name, name))
			return module->kp[i].arg;
	return NULL;
}

struct kvmward_u32 kvmward_module_bool(struct module *module, const char *name)
{
	const bool *value = param_find(module, name, &param_ops_bool);

	return value ? kvmward_u32(READ_ONCE(*value)) : (struct kvmward_u32){ };
}

struct kvmward_u32 kvmward_module_uint(struct module *module, const char *name)
{
	const unsigned int *value = param_find(module, name, &param_ops_uint);

	return value ? kvmward_u32(READ_ONCE(*value)) : (struct kvmward_u32){ };
}

unsigned int kvmward_module_generation(void)
{
	return atomic_read(&generation);
}

static int module_changed(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;

	if (!strncmp(module->name, "kvm", 3))
		atomic_inc(&generation);
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = { .notifier_call = module_changed };

int kvmward_module_init(void)
{
	return register_module_notifier(&module_nb);
}

void kvmward_module_exit(void)
{
	unregister_module_notifier(&module_nb);
}
