/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walls of slots: misc.max of the slice, and the controller that it takes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/cgroup.h"
#include "daemon/log.h"
#include "daemon/walls_parts.h"
#include "policy/walls.h"

static int write_misc(struct kw_walls *walls, enum kw_misc_key key, uint64_t slots)
{
	if (!walls->built.misc_max) {
		walls->built.misc_max = true;
		kw_walls_save_built(walls);
	}
	return kw_cgroup_set_misc_max(walls->place.cgroup_root, key, slots);
}

static void build_misc(struct kw_walls *walls, enum kw_misc_key key, struct kw_u64 now,
		       const struct kw_wall_status *aim, struct kw_wall_status *status)
{
	struct kw_u64 *written = &walls->written[key];
	uint64_t limit = aim->limit.value;
	int r;

	*status = *aim;
	if (now.value == limit)
		return;
	if (written->known && written->value == limit)
		kw_log(LOG_NOTICE, "somebody has changed misc.max of " KW_GUEST_SLICE
				   ", key %s; it is set to %" PRIu64 " again",
		       kw_misc_name(key), limit);
	r = write_misc(walls, key, limit);
	if (r >= 0) {
		*written = KW_U64(limit);
		return;
	}
	status->state = KW_WALL_MISSING;
	snprintf(status->reason, sizeof(status->reason),
		 "misc.max of " KW_GUEST_SLICE " cannot be set: %s", strerror(-r));
}

static void keep_misc(struct kw_walls *walls, const struct kw_facts *facts,
		      const struct kw_config *config, enum kw_misc_key key,
		      struct kw_wall_status *status)
{
	struct kw_wall_status aim;

	if (!kw_wall_aim(facts, config, kw_wall_of(key), (struct kw_u64){ 0 }, &aim)) {
		kw_walls_watch_look_within(walls->watch, KW_WALLS_SETTLE_NS);
		return;
	}
	if (aim.state == KW_WALL_OK)
		build_misc(walls, key, facts->cgroups.misc[key].max, &aim, status);
	else
		*status = aim;
}

/* Those of keys that the kernel does not have cannot be set, and are not limited either. */
static int unbuild_misc(const char *cgroup_root)
{
	int error = 0;

	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++) {
		int r = kw_cgroup_set_misc_max(cgroup_root, key, KW_NO_LIMIT);

		if (r < 0 && r != -ENOENT && r != -EINVAL)
			error = r;
	}
	return error;
}

int kw_walls_lift_slots(const char *cgroup_root, struct kw_walls_built *built)
{
	int r = built->misc_max ? unbuild_misc(cgroup_root) : 0;

	if (r < 0)
		kw_log(LOG_ERR, "misc.max of " KW_GUEST_SLICE " cannot be lifted: %s",
		       strerror(-r));
	else
		built->misc_max = false;
	return r;
}

static void take_misc_down(struct kw_walls *walls)
{
	if (!walls->built.misc_max ||
	    kw_walls_lift_slots(walls->place.cgroup_root, &walls->built) < 0)
		return;
	memset(walls->written, 0, sizeof(walls->written));
	kw_walls_save_built(walls);
}

/* systemd never enables this controller, and leaves it alone where somebody has. */
static int enable_misc(struct kw_walls *walls, struct kw_cgroups *cgroups)
{
	int r;

	if (!cgroups->misc_offered || cgroups->misc_enabled)
		return 0;
	r = kw_cgroup_enable_misc(walls->place.cgroup_root);
	if (r < 0)
		return r;
	kw_log(LOG_NOTICE, "the misc controller was enabled in %s/cgroup.subtree_control",
	       walls->place.cgroup_root);
	kw_cgroups_read(walls->place.cgroup_root, cgroups);
	return 0;
}

static void explain_enabling(int error, struct kw_wall_status *status)
{
	if (error && status->state == KW_WALL_MISSING)
		snprintf(status->reason, sizeof(status->reason),
			 "the misc controller cannot be enabled in the root cgroup: %s",
			 strerror(-error));
}

void kw_walls_keep_slots(struct kw_walls *walls, const struct kw_facts *facts,
			 const struct kw_config *config, struct kw_walls_status *status)
{
	struct kw_facts now = *facts;	/* borrowed but for the cgroups */
	int error = 0;

	if (config->misc_max_wall)
		error = enable_misc(walls, &now.cgroups);
	else
		take_misc_down(walls);
	for (enum kw_misc_key key = 0; key < KW_MISC_COUNT; key++) {
		struct kw_wall_status *wall = &status->wall[kw_wall_of(key)];

		keep_misc(walls, &now, config, key, wall);
		explain_enabling(error, wall);
	}
}
