/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wall of memory: MemoryMax of the slice, which systemd sets. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/walls_parts.h"
#include "policy/walls.h"

/* systemd has answered before it has written the limit. */
#define SYSTEMD_NS (1 * KW_NS_PER_S)
/* A refusal is not asked for again at every look. */
#define RETRY_NS (60 * KW_NS_PER_S)

static void on_ordered(void *userdata, int error, const char *text)
{
	struct kw_walls *walls = userdata;
	struct kw_wall_order *order = &walls->order;

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

/*
 * What we are about to set is noted first: a limit that stands is never without its
 * maker. An order that is not answered yet gives way: systemd takes them in turn.
 */
static void order_memory(struct kw_walls *walls, uint64_t bytes)
{
	struct kw_wall_order *order = &walls->order;

	kw_slice_call_end(order->call);
	order->call = NULL;
	walls->built.memory_max_bytes = KW_U64(bytes);
	walls->built.memory_max_bytes.known = bytes != KW_NO_LIMIT;
	kw_walls_save_built(walls);
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
	const struct kw_wall_order *order = &walls->order;
	uint64_t age_ns = kw_clock_boottime_ns() - order->at_ns;

	if (!order->bytes.known || order->bytes.value != bytes)
		return false;
	return order->call || age_ns < (order->error ? RETRY_NS : SYSTEMD_NS);
}

static void say_order_failed(const struct kw_wall_order *order, struct kw_wall_status *status)
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
	kw_walls_save_built(walls);
}

void kw_walls_keep_memory(struct kw_walls *walls, const struct kw_facts *facts,
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

int kw_walls_lift_memory(const struct kw_cgroups *cgroups, struct kw_walls_built *built)
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
