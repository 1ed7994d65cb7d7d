/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/walls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/cgroup.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/slice.h"
#include "daemon/log.h"
#include "daemon/walls_built.h"
#include "daemon/walls_watch.h"
#include "facts/cgroups.h"
#include "policy/walls.h"

/* systemd has answered before it has written the limit. */
#define SYSTEMD_NS (1 * KW_NS_PER_S)
/* A refusal is not asked for again at every look. */
#define RETRY_NS (60 * KW_NS_PER_S)

/* The last limit of memory that systemd was asked for. */
struct order {
	struct kw_slice_call *call;	/* NULL: answered */
	struct kw_u64 bytes;
	uint64_t at_ns;
	int error;
	char text[96];			/* why not */
};

struct kw_walls {
	struct kw_walls_place place;
	struct kw_walls_watch *watch;
	struct kw_walls_built built;
	struct kw_walls_status status;
	struct kw_u64 written[KW_MISC_COUNT];	/* limits that we wrote last */
	struct order order;
};

KW_CLEANUP_OF(struct kw_walls, kw_walls_stop);

static void set_unknown(struct kw_walls_status *status)
{
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++) {
		status->wall[wall].state = KW_WALL_MISSING;
		kw_text_copy(status->wall[wall].reason, sizeof(status->wall[wall].reason),
			     "it is just being built");
	}
}

int kw_walls_start(const struct kw_walls_place *place, void (*look)(void *userdata),
		   void *userdata, struct kw_walls **ret_walls)
{
	_cleanup_(kw_walls_stop_at) struct kw_walls *walls = calloc(1, sizeof(*walls));
	int r;

	if (!walls)
		return -ENOMEM;
	walls->place = *place;
	kw_walls_built_read(place->state_dir, &walls->built);
	set_unknown(&walls->status);
	r = kw_walls_watch_start(place->event, place->cgroup_root, look, userdata, &walls->watch);
	if (r < 0)
		return r;
	*ret_walls = KW_STEAL(walls);
	return 0;
}

void kw_walls_stop(struct kw_walls *walls)
{
	if (!walls)
		return;
	kw_slice_call_end(walls->order.call);
	kw_walls_watch_stop(walls->watch);
	free(walls);
}

static void save_built(struct kw_walls *walls)
{
	int r = kw_walls_built_write(walls->place.state_dir, &walls->built);

	if (r < 0)
		kw_log(LOG_WARNING,
		       "cannot note in %s what limits were set: %s; they will not be taken down",
		       walls->place.state_dir, strerror(-r));
}

static void on_ordered(void *userdata, int error, const char *text)
{
	struct kw_walls *walls = userdata;
	struct order *order = &walls->order;

	kw_slice_call_end(order->call);
	order->call = NULL;
	order->error = error;
	kw_text_copy(order->text, sizeof(order->text), text);
	if (error < 0 && order->bytes.value == KW_NO_LIMIT)
		kw_log(LOG_WARNING, "systemd does not lift the memory limit of " KW_GUEST_SLICE
				    ": %s; 'systemctl set-property --runtime " KW_GUEST_SLICE
				    " MemoryMax=infinity' does",
		       *text ? text : strerror(-error));
	kw_walls_watch_look_within(walls->watch, KW_WALLS_SETTLE_NS);
}

/* What we are about to set is noted first: a limit that stands is never without its maker. */
static void order_memory(struct kw_walls *walls, uint64_t bytes)
{
	struct order *order = &walls->order;

	walls->built.memory_max_bytes = KW_U64(bytes);
	walls->built.memory_max_bytes.known = bytes != KW_NO_LIMIT;
	save_built(walls);
	order->bytes = KW_U64(bytes);
	order->at_ns = kw_clock_boottime_ns();
	order->error = kw_slice_limit_memory(walls->place.bus, bytes, on_ordered, walls,
					     &order->call);
	kw_text_copy(order->text, sizeof(order->text),
		     order->error < 0 ? strerror(-order->error) : "");
}

/* True while the same has been asked for so lately that it is of no use to ask again. */
static bool is_ordered(const struct kw_walls *walls, uint64_t bytes)
{
	const struct order *order = &walls->order;
	uint64_t age_ns = kw_clock_boottime_ns() - order->at_ns;

	if (!order->bytes.known || order->bytes.value != bytes)
		return false;
	return order->call || age_ns < (order->error ? RETRY_NS : SYSTEMD_NS);
}

static void say_order_failed(const struct order *order, struct kw_wall_status *status)
{
	status->state = KW_WALL_MISSING;
	snprintf(status->reason, sizeof(status->reason),
		 "systemd does not limit " KW_GUEST_SLICE ": %s",
		 *order->text ? order->text : strerror(-order->error));
}

/* Where the slice is not there, what systemd was told is what it will be made with. */
static bool memory_stands(const struct kw_walls *walls, struct kw_u64 now, uint64_t limit)
{
	struct kw_u64 ours = walls->built.memory_max_bytes;

	if (now.known)
		return now.value == limit;
	return ours.known && ours.value == limit && !walls->order.call && !walls->order.error;
}

/* Orders the limit, but not over the heads of guests that run: false then, with the reason. */
static bool order_limit(struct kw_walls *walls, struct kw_u64 now, struct kw_wall_status *aim)
{
	struct kw_u64 ours = walls->built.memory_max_bytes;
	uint64_t limit = aim->limit.value;

	if (!kw_wall_spares(now, kw_cgroups_kept_bytes(walls->place.cgroup_root), aim))
		return false;
	if (ours.known && ours.value == limit && now.known)
		kw_log(LOG_NOTICE, "somebody has changed memory.max of " KW_GUEST_SLICE
				   "; it is set again");
	order_memory(walls, limit);
	return true;
}

/* Until systemd has answered, and the limit is there, the old status is told. */
static void build_memory(struct kw_walls *walls, struct kw_u64 now,
			 const struct kw_wall_status *aim, struct kw_wall_status *status)
{
	struct kw_wall_status told = *aim;
	uint64_t limit = aim->limit.value;

	if (memory_stands(walls, now, limit) ||
	    (!is_ordered(walls, limit) && !order_limit(walls, now, &told))) {
		*status = told;
	} else if (walls->order.error) {
		say_order_failed(&walls->order, &told);
		*status = told;
	} else if (!walls->order.call) {
		kw_walls_watch_look_within(walls->watch, SYSTEMD_NS);
	}
}

static void unbuild_memory(struct kw_walls *walls, struct kw_u64 now)
{
	struct kw_u64 ours = walls->built.memory_max_bytes;

	if (!ours.known || walls->order.call)
		return;
	if (!now.known || now.value == ours.value) {
		order_memory(walls, KW_NO_LIMIT);
		return;
	}
	walls->built.memory_max_bytes.known = false;
	save_built(walls);
}

static void keep_memory(struct kw_walls *walls, const struct kw_facts *facts,
			const struct kw_config *config, struct kw_wall_status *status)
{
	struct kw_u64 now = kw_wall_now(&facts->cgroups, KW_WALL_MEMORY);
	struct kw_wall_status aim;

	if (!kw_wall_aim(facts, config, KW_WALL_MEMORY, walls->built.memory_max_bytes, &aim))
		return;
	if (aim.state == KW_WALL_OK) {
		build_memory(walls, now, &aim, status);
		return;
	}
	if (aim.state == KW_WALL_OFF)
		unbuild_memory(walls, now);
	*status = aim;
}

static int write_misc(struct kw_walls *walls, enum kw_misc_key key, uint64_t slots)
{
	if (!walls->built.misc_max) {
		walls->built.misc_max = true;
		save_built(walls);
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

static void take_misc_down(struct kw_walls *walls)
{
	int r;

	if (!walls->built.misc_max)
		return;
	r = unbuild_misc(walls->place.cgroup_root);
	if (r < 0) {
		kw_log(LOG_WARNING, "misc.max of " KW_GUEST_SLICE " cannot be lifted: %s",
		       strerror(-r));
		return;
	}
	memset(walls->written, 0, sizeof(walls->written));
	walls->built.misc_max = false;
	save_built(walls);
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

static void keep_slots(struct kw_walls *walls, const struct kw_facts *facts,
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

static void tell_limit(enum kw_wall wall, struct kw_u64 limit, char *to, size_t to_size)
{
	char text[32];

	if (wall == KW_WALL_MEMORY)
		snprintf(to, to_size, "%s", kw_text_bytes(text, sizeof(text), limit.value));
	else
		snprintf(to, to_size, "%" PRIu64 " slots", limit.value);
}

/* That a wall follows the slots is for debugging; that it cannot be built is said once. */
static void log_wall(enum kw_wall wall, const struct kw_wall_status *before,
		     const struct kw_wall_status *now)
{
	bool same_state = before->state == now->state;
	char limit[48];

	tell_limit(wall, now->limit, limit, sizeof(limit));
	if (now->state == KW_WALL_MISSING && strcmp(before->reason, now->reason))
		kw_log(LOG_WARNING, "there is no wall %s around guests: %s; see 'kvmward host'",
		       kw_wall_name(wall), now->reason);
	else if (now->state == KW_WALL_OK)
		kw_log(same_state ? LOG_DEBUG : LOG_INFO, "wall %s stands: guests have at most %s",
		       kw_wall_name(wall), limit);
	else if (now->state == KW_WALL_OFF && !same_state)
		kw_log(LOG_INFO, "wall %s is off%s%s", kw_wall_name(wall),
		       *now->reason ? ": " : "", now->reason);
}

static void log_walls(const struct kw_walls_status *before, const struct kw_walls_status *now)
{
	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++)
		if (!kw_wall_equal(&before->wall[wall], &now->wall[wall]))
			log_wall(wall, &before->wall[wall], &now->wall[wall]);
}

bool kw_walls_keep(struct kw_walls *walls, const struct kw_facts *facts,
		   const struct kw_config *config)
{
	struct kw_walls_status status = walls->status, before = walls->status;

	kw_walls_watch_slice(walls->watch, facts->cgroups.slice);
	if (!facts->cgroups.slice)
		memset(walls->written, 0, sizeof(walls->written));
	keep_memory(walls, facts, config, &status.wall[KW_WALL_MEMORY]);
	keep_slots(walls, facts, config, &status);
	status.known = true;
	walls->status = status;
	if (kw_walls_equal(&before, &status))
		return false;
	log_walls(&before, &status);
	return true;
}

static int take_memory_down(const struct kw_cgroups *cgroups, struct kw_walls_built *built)
{
	struct kw_u64 now = cgroups->memory_max_bytes;
	char error[160] = "";
	int r = 0;

	if (!built->memory_max_bytes.known)
		return 0;
	if (!now.known || now.value == built->memory_max_bytes.value)
		r = kw_slice_limit_memory_now(KW_NO_LIMIT, error, sizeof(error));
	if (r < 0)
		kw_log(LOG_ERR, "systemd does not lift the memory limit of " KW_GUEST_SLICE ": %s",
		       error);
	else
		built->memory_max_bytes.known = false;
	return r;
}

int kw_walls_take_down(const char *cgroup_root, const char *state_dir)
{
	struct kw_walls_built built;
	struct kw_cgroups cgroups;
	int error, r = 0;

	kw_walls_built_read(state_dir, &built);
	kw_cgroups_read(cgroup_root, &cgroups);
	error = take_memory_down(&cgroups, &built);
	if (built.misc_max)
		r = unbuild_misc(cgroup_root);
	if (r < 0)
		kw_log(LOG_ERR, "misc.max of " KW_GUEST_SLICE " cannot be lifted: %s",
		       strerror(-r));
	else
		built.misc_max = false;
	if (!error)
		error = r;
	r = kw_walls_built_write(state_dir, &built);
	return error ? error : r;
}

const struct kw_walls_status *kw_walls_status(const struct kw_walls *walls)
{
	return &walls->status;
}
