/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which class is a guest of? */
#include "policy/classes.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define SLICE ".slice"
#define PARTITION ".partition"

static const struct kw_class *find(const struct kw_config *config, const char *name, size_t length)
{
	for (size_t i = 0; i < config->class_count; i++)
		if (strlen(config->classes[i].name) == length &&
		    !strncmp(config->classes[i].name, name, length))
			return &config->classes[i];
	return NULL;
}

/* "machine-gold.slice" and "gold.partition" are called gold; other steps have no name here. */
static const struct kw_class *class_of_step(const struct kw_config *config, const char *step,
					    size_t length)
{
	size_t end = length, start;

	if (end > strlen(SLICE) && !strncmp(step + end - strlen(SLICE), SLICE, strlen(SLICE)))
		end -= strlen(SLICE);
	else if (end > strlen(PARTITION) &&
		 !strncmp(step + end - strlen(PARTITION), PARTITION, strlen(PARTITION)))
		end -= strlen(PARTITION);
	else
		return NULL;
	for (start = end; start && step[start - 1] != '-'; start--)
		;
	return find(config, step + start, end - start);
}

/* The innermost step of the path that is called like a class. */
static const struct kw_class *class_of_path(const struct kw_config *config, const char *path,
					    bool partition)
{
	const struct kw_class *found = NULL;

	while (*path) {
		size_t length = strcspn(path, "/");
		const struct kw_class *class = partition ? find(config, path, length)
							 : class_of_step(config, path, length);

		found = class ? class : found;
		path += length + (path[length] == '/');
	}
	return found;
}

bool kw_class_assign(const struct kw_config *config, const struct kw_domain *domain,
		     struct kw_claim *claim, struct kw_verdict *ret_verdict)
{
	const struct kw_class *class;

	if (!domain->class_name[0])
		class = class_of_path(config, domain->partition, true);
	else
		class = kw_class_find(config, domain->class_name);
	if (!class && domain->class_name[0]) {
		kw_verdict_set(ret_verdict, KW_CLASS_UNKNOWN,
			       "line %d: there is no class \"%s\" on this host; add [class %s] to "
			       "kvmward.conf, or change <class> in <metadata>",
			       domain->line_class, domain->class_name, domain->class_name);
		return false;
	}
	kw_text_copy(claim->class_name, sizeof(claim->class_name), class ? class->name : "");
	return true;
}

const struct kw_class *kw_class_find(const struct kw_config *config, const char *name)
{
	return find(config, name, strlen(name));
}

const struct kw_hold *kw_class_hold(const struct kw_hold_list *holds, const struct kw_guest *guest)
{
	for (size_t i = 0; i < holds->count; i++)
		if (holds->holds[i].pid && holds->holds[i].pid == guest->pid &&
		    !strcasecmp(holds->holds[i].claim.uuid, guest->uuid))
			return &holds->holds[i];
	return NULL;
}

const struct kw_class *kw_class_of_guest(const struct kw_config *config,
					 const struct kw_hold_list *holds,
					 const struct kw_guest *guest)
{
	const struct kw_hold *hold = kw_class_hold(holds, guest);

	if (hold)
		return kw_class_find(config, hold->claim.class_name);
	if (!kw_text_starts(guest->cgroup, "/machine.slice/") &&
	    !kw_text_starts(guest->cgroup, "/machine/"))
		return NULL;
	return class_of_path(config, guest->cgroup, false);
}
