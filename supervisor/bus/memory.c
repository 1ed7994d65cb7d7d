/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/memory.h"

#include <errno.h>
#include <string.h>

#include "bus/names.h"

static int append_bytes(sd_bus_message *reply, const char *key, struct kw_u64 bytes)
{
	return bytes.known ? sd_bus_message_append(reply, "{st}", key, bytes.value) : 0;
}

int kw_bus_append_room(sd_bus_message *reply, const struct kw_memory_room *room)
{
	const struct {
		const char *key;
		struct kw_u64 bytes;
	} parts[] = {
		{ KW_BUS_MEMORY_TOTAL, room->total_bytes },
		{ KW_BUS_MEMORY_RESERVED, KW_U64(room->reserve_bytes) },
		{ KW_BUS_MEMORY_HUGEPAGES, room->pools_bytes },
		{ KW_BUS_MEMORY_ENCRYPTED, { room->guests_known, room->encrypted_bytes } },
		{ KW_BUS_MEMORY_PLAIN, { room->guests_known, room->plain_bytes } },
		{ KW_BUS_MEMORY_PENDING, KW_U64(room->pending_bytes) },
		{ KW_BUS_MEMORY_WAITING, KW_U64(room->waiting_bytes) },
		{ KW_BUS_MEMORY_FREE, room->free_bytes },
	};
	int r = sd_bus_message_open_container(reply, 'a', "{st}");

	for (size_t i = 0; r >= 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		r = append_bytes(reply, parts[i].key, parts[i].bytes);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int kw_bus_append_pools(sd_bus_message *reply, const struct kw_huge_room *pools, size_t count)
{
	int r = sd_bus_message_open_container(reply, 'a', KW_BUS_HUGE);

	for (size_t i = 0; r >= 0 && i < count; i++)
		r = sd_bus_message_append(reply, KW_BUS_HUGE, pools[i].page_bytes,
					  pools[i].total_pages, pools[i].unused_pages,
					  pools[i].promised_pages, pools[i].free_pages);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int read_bytes(const char *key, uint64_t bytes, struct kw_memory_room *room)
{
	const struct {
		const char *key;
		struct kw_u64 *known;
		uint64_t *plain;
	} parts[] = {
		{ KW_BUS_MEMORY_TOTAL, &room->total_bytes, NULL },
		{ KW_BUS_MEMORY_RESERVED, NULL, &room->reserve_bytes },
		{ KW_BUS_MEMORY_HUGEPAGES, &room->pools_bytes, NULL },
		{ KW_BUS_MEMORY_ENCRYPTED, NULL, &room->encrypted_bytes },
		{ KW_BUS_MEMORY_PLAIN, NULL, &room->plain_bytes },
		{ KW_BUS_MEMORY_PENDING, NULL, &room->pending_bytes },
		{ KW_BUS_MEMORY_WAITING, NULL, &room->waiting_bytes },
		{ KW_BUS_MEMORY_FREE, &room->free_bytes, NULL },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(key, parts[i].key))
			continue;
		if (parts[i].known)
			*parts[i].known = KW_U64(bytes);
		else
			*parts[i].plain = bytes;
	}
	room->guests_known = room->guests_known || !strcmp(key, KW_BUS_MEMORY_ENCRYPTED);
	return 1;
}

static int read_room(sd_bus_message *reply, struct kw_memory_room *room)
{
	const char *key;
	uint64_t bytes;
	int r = sd_bus_message_enter_container(reply, 'v', KW_BUS_MEMORY);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "{st}");
	while (r > 0) {
		r = sd_bus_message_read(reply, "{st}", &key, &bytes);
		if (r > 0)
			r = read_bytes(key, bytes, room);
	}
	return r;
}

static int read_pools(sd_bus_message *reply, struct kw_memory_status *status)
{
	int r = sd_bus_message_enter_container(reply, 'v', KW_BUS_HUGES);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', KW_BUS_HUGE);
	while (r > 0) {
		struct kw_huge_room pool;

		r = sd_bus_message_read(reply, KW_BUS_HUGE, &pool.page_bytes, &pool.total_pages,
					&pool.unused_pages, &pool.promised_pages, &pool.free_pages);
		if (r > 0 && status->pool_count == KW_HUGE_SIZES)
			return -EBADMSG;
		if (r > 0)
			status->pools[status->pool_count++] = pool;
	}
	return r;
}

int kw_bus_read_memory(sd_bus_message *memory, sd_bus_message *hugepages,
		       struct kw_memory_status *ret_memory)
{
	struct kw_memory_status status = { .known = true };
	int r = read_room(memory, &status.room);

	if (r >= 0)
		r = read_pools(hugepages, &status);
	if (r < 0)
		return r;
	*ret_memory = status;
	return 0;
}
