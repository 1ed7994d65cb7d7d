/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bus/names.h"

static int find_guest_type(const char *name, enum kw_guest_type *ret_type)
{
	for (int type = KW_GUEST_PLAIN; type <= KW_GUEST_SNP; type++) {
		if (!strcmp(kw_guest_type_name(type), name)) {
			*ret_type = type;
			return 0;
		}
	}
	return -ENOENT;
}

/* As sd_bus_message_read(): 1, 0 at the end of the list, or negative errno. */
static int read_hold(sd_bus_message *reply, struct kw_hold *ret_hold)
{
	const char *uuid, *name, *type;
	struct kw_hold hold = {};
	uint32_t pid;
	int r;

	r = sd_bus_message_read(reply, KW_BUS_HOLD, &uuid, &name, &type, &hold.claim.memory_bytes,
				&hold.claim.pinned_bytes, &hold.claim.memlock_bytes,
				&hold.claim.ceiling_bytes, &hold.taken_ns, &pid,
				&hold.start_time_ns);
	if (r <= 0)
		return r;
	r = find_guest_type(type, &hold.claim.type);
	if (r < 0)
		return r;
	kw_text_copy(hold.claim.uuid, sizeof(hold.claim.uuid), uuid);
	kw_text_copy(hold.claim.name, sizeof(hold.claim.name), name);
	hold.pid = (pid_t)pid;
	*ret_hold = hold;
	return 1;
}

static int read_holds(sd_bus_message *reply, struct kw_hold_list *list)
{
	struct kw_hold hold;
	int r = sd_bus_message_enter_container(reply, 'a', KW_BUS_HOLD);

	while (r >= 0) {
		r = read_hold(reply, &hold);
		if (r <= 0)
			break;
		r = kw_hold_list_add(list, &hold);
	}
	return r;
}

int kw_bus_read_holds(sd_bus_message *reply, struct kw_hold_list *ret_holds)
{
	struct kw_hold_list list = {};
	int r = read_holds(reply, &list);

	if (r < 0) {
		free(list.holds);
		return r;
	}
	*ret_holds = list;
	return 0;
}

static int fill_verdict(struct kw_verdict *verdict, const char *name, const char *sentence)
{
	int r = kw_code_find(name, &verdict->code);

	if (r >= 0)
		kw_text_copy(verdict->sentence, sizeof(verdict->sentence), sentence);
	return r;
}

int kw_bus_read_verdict(sd_bus_message *reply, struct kw_verdict *ret_verdict)
{
	const char *name, *sentence;
	int r = sd_bus_message_read(reply, KW_BUS_VERDICT, &name, &sentence);

	return r < 0 ? r : fill_verdict(ret_verdict, name, sentence);
}

/* There must be as many as were asked for. */
int kw_bus_read_verdicts(sd_bus_message *reply, struct kw_verdict *ret_verdicts, size_t count)
{
	int r = sd_bus_message_enter_container(reply, 'a', "(" KW_BUS_VERDICT ")");

	for (size_t i = 0; r >= 0 && i < count; i++) {
		const char *name, *sentence;

		r = sd_bus_message_read(reply, "(" KW_BUS_VERDICT ")", &name, &sentence);
		if (r > 0)
			r = fill_verdict(&ret_verdicts[i], name, sentence);
		else if (!r)
			r = -EBADMSG;
	}
	if (r >= 0 && !sd_bus_message_at_end(reply, false))
		r = -EBADMSG;
	return r < 0 ? r : 0;
}

int kw_bus_read_place(sd_bus_message *signal, struct kw_place *ret_place)
{
	const char *name, *sentence;
	struct kw_place place;
	int r;

	r = sd_bus_message_read(signal, KW_BUS_WAITING, &place.place, &place.count, &name,
				&sentence);
	if (r >= 0)
		r = fill_verdict(&place.verdict, name, sentence);
	if (r < 0)
		return r;
	*ret_place = place;
	return 0;
}

/* As read_hold(). */
static int read_waiter(sd_bus_message *reply, struct kw_waiter *ret_waiter)
{
	const char *uuid, *name, *type, *code, *sentence;
	struct kw_waiter waiter = {};
	int r;

	r = sd_bus_message_read(reply, KW_BUS_WAITER, &uuid, &name, &type, &waiter.since_ns, &code,
				&sentence);
	if (r <= 0)
		return r;
	r = find_guest_type(type, &waiter.claim.type);
	if (r >= 0)
		r = fill_verdict(&waiter.verdict, code, sentence);
	if (r < 0)
		return r;
	kw_text_copy(waiter.claim.uuid, sizeof(waiter.claim.uuid), uuid);
	kw_text_copy(waiter.claim.name, sizeof(waiter.claim.name), name);
	*ret_waiter = waiter;
	return 1;
}

static int append_waiter(struct kw_waiter_list *list, const struct kw_waiter *waiter)
{
	struct kw_waiter *waiters = reallocarray(list->waiters, list->count + 1, sizeof(*waiters));

	if (!waiters)
		return -ENOMEM;
	list->waiters = waiters;
	list->waiters[list->count++] = *waiter;
	return 0;
}

int kw_bus_read_waiting(sd_bus_message *reply, struct kw_waiter_list *ret_waiting)
{
	struct kw_waiter_list list = {};
	struct kw_waiter waiter;
	int r = sd_bus_message_enter_container(reply, 'a', KW_BUS_WAITER);

	while (r >= 0) {
		r = read_waiter(reply, &waiter);
		if (r <= 0)
			break;
		r = append_waiter(&list, &waiter);
	}
	if (r < 0) {
		free(list.waiters);
		return r;
	}
	*ret_waiting = list;
	return 0;
}

static int find_thing(const char *name, struct kw_class_use *use)
{
	use->thing = KW_CLASS_MEMORY;
	if (!strcmp(name, kw_class_thing_name(use)))
		return 0;
	use->thing = KW_CLASS_SLOTS;
	for (use->pool = 0; use->pool < KW_POOL_COUNT; use->pool++)
		if (!strcmp(name, kw_class_thing_name(use)))
			return 0;
	return -ENOENT;
}

/* As read_hold(). */
static int read_class(sd_bus_message *reply, struct kw_class_use *ret_use)
{
	const char *class, *thing;
	struct kw_class_use use = {};
	uint64_t limit;
	int r = sd_bus_message_read(reply, KW_BUS_CLASS, &class, &thing, &use.used, &use.reserve,
				    &limit);

	if (r <= 0)
		return r;
	r = find_thing(thing, &use);
	if (r < 0)
		return r;
	kw_text_copy(use.class_name, sizeof(use.class_name), class);
	if (limit != UINT64_MAX)
		use.limit = KW_U64(limit);
	*ret_use = use;
	return 1;
}

int kw_bus_read_classes(sd_bus_message *reply, struct kw_class_table *ret_table)
{
	const size_t room = sizeof(ret_table->uses) / sizeof(ret_table->uses[0]);
	struct kw_class_table table = {};
	struct kw_class_use use;
	int r = sd_bus_message_enter_container(reply, 'a', KW_BUS_CLASS);

	while (r >= 0) {
		r = read_class(reply, &use);
		if (r <= 0)
			break;
		if (table.count == room)
			return -EBADMSG;
		table.uses[table.count++] = use;
	}
	if (r < 0)
		return r;
	*ret_table = table;
	return 0;
}

static int read_u32(sd_bus_message *reply, uint32_t *ret_number)
{
	return sd_bus_message_read(reply, "v", "u", ret_number);
}

static int read_admit(sd_bus_message *reply, bool *ret_admit)
{
	const char *word;
	int r = sd_bus_message_read(reply, "v", "s", &word);

	if (r < 0)
		return r;
	*ret_admit = !strcmp(word, "admit");
	return 0;
}

static int read_switch(sd_bus_message *reply, bool *ret_on)
{
	int on, r = sd_bus_message_read(reply, "v", "b", &on);

	if (r < 0)
		return r;
	*ret_on = on;
	return 0;
}

/* A number with a fraction, for those who read it; here it is one of thousandths. */
static int read_ratio(sd_bus_message *reply, uint32_t *ret_thousandths)
{
	double ratio;
	int r = sd_bus_message_read(reply, "v", "d", &ratio);

	if (r < 0)
		return r;
	if (!(ratio > 0 && ratio <= UINT32_MAX / 1000))
		return -EBADMSG;
	*ret_thousandths = (uint32_t)(ratio * 1000 + 0.5);
	return 0;
}

static int read_value(sd_bus_message *reply, const char *key, struct kw_config *config)
{
	if (!strcmp(key, KW_BUS_KEY_SEV_RESERVE))
		return read_u32(reply, &config->reserve[KW_POOL_SEV]);
	if (!strcmp(key, KW_BUS_KEY_SEV_ES_RESERVE))
		return read_u32(reply, &config->reserve[KW_POOL_SEV_ES]);
	if (!strcmp(key, KW_BUS_KEY_SNP_RESERVE))
		return read_u32(reply, &config->reserve[KW_POOL_SNP]);
	if (!strcmp(key, KW_BUS_KEY_GUESTS)) {
		config->num_memory_encrypted_guests.known = true;
		return read_u32(reply, &config->num_memory_encrypted_guests.value);
	}
	if (!strcmp(key, KW_BUS_KEY_MEMORY))
		return sd_bus_message_read(reply, "v", "t", &config->reserved_host_memory_bytes);
	if (!strcmp(key, KW_BUS_KEY_RATIO))
		return read_ratio(reply, &config->ram_allocation_thousandths);
	if (!strcmp(key, KW_BUS_KEY_ENCRYPTED))
		return read_admit(reply, &config->admit_encrypted_unasked);
	if (!strcmp(key, KW_BUS_KEY_PLAIN))
		return read_admit(reply, &config->admit_plain_unasked);
	if (!strcmp(key, KW_BUS_KEY_MEMLOCK))
		return read_admit(reply, &config->admit_small_memlock);
	if (!strcmp(key, KW_BUS_KEY_MEMORY_MAX))
		return read_switch(reply, &config->memory_max_wall);
	if (!strcmp(key, KW_BUS_KEY_MISC_MAX))
		return read_switch(reply, &config->misc_max_wall);
	if (!strcmp(key, KW_BUS_KEY_TIMEOUT))
		return read_u32(reply, &config->hold_timeout_s);
	return sd_bus_message_skip(reply, "v");
}

static int read_config(sd_bus_message *reply, struct kw_config *config)
{
	const char *key;
	int r;

	r = sd_bus_message_enter_container(reply, 'v', "a{sv}");
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "{sv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(reply, 'e', "sv");
		if (r <= 0)
			break;
		r = sd_bus_message_read(reply, "s", &key);
		if (r >= 0)
			r = read_value(reply, key, config);
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	return r;
}

int kw_bus_read_config(sd_bus_message *reply, struct kw_config *ret_config)
{
	/* what a kvmwardd of before does not tell */
	struct kw_config config = { .ram_allocation_thousandths = 1000 };
	int r = read_config(reply, &config);

	if (r < 0)
		return r;
	*ret_config = config;
	return 0;
}

int kw_bus_read_hearing(sd_bus_message *reply, struct kw_hearing_state *ret_hearing)
{
	const char *name, *reason;
	enum kw_hearing from;
	int r = sd_bus_message_read(reply, "v", KW_BUS_HEARING, &name, &reason);

	if (r >= 0)
		r = kw_hearing_find(name, &from);
	if (r < 0)
		return r;
	ret_hearing->from = from;
	kw_text_copy(ret_hearing->reason, sizeof(ret_hearing->reason), reason);
	return 0;
}

/* As sd_bus_message_read(). A wall of a later version is passed over. */
static int read_wall(sd_bus_message *reply, struct kw_walls_status *walls)
{
	const char *name, *state, *reason;
	enum kw_wall_state found;
	enum kw_wall wall;
	uint64_t limit;
	int r = sd_bus_message_read(reply, KW_BUS_WALL, &name, &state, &reason, &limit);

	if (r <= 0 || kw_wall_find(name, &wall))
		return r;
	r = kw_wall_state_find(state, &found);
	if (r < 0)
		return r;
	walls->known = true;
	walls->wall[wall] = (struct kw_wall_status){ found, { limit != KW_NO_LIMIT, limit }, "" };
	kw_text_copy(walls->wall[wall].reason, sizeof(walls->wall[wall].reason), reason);
	return 1;
}

int kw_bus_read_walls(sd_bus_message *reply, struct kw_walls_status *ret_walls)
{
	struct kw_walls_status walls = {};
	int r = sd_bus_message_enter_container(reply, 'v', KW_BUS_WALLS);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', KW_BUS_WALL);
	while (r > 0)
		r = read_wall(reply, &walls);
	if (r < 0)
		return r;
	*ret_walls = walls;
	return 0;
}

int kw_bus_read_refusal(sd_bus_message *signal, struct kw_refusal *ret_refusal)
{
	const char *name, *uuid, *word, *sentence;
	int r = sd_bus_message_read(signal, KW_BUS_REFUSED, &name, &uuid, &word, &sentence);

	if (r >= 0)
		r = fill_verdict(&ret_refusal->verdict, word, sentence);
	if (r < 0)
		return r;
	kw_text_copy(ret_refusal->name, sizeof(ret_refusal->name), name);
	kw_text_copy(ret_refusal->uuid, sizeof(ret_refusal->uuid), uuid);
	return 0;
}
