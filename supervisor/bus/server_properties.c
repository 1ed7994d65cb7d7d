/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/server_parts.h"

#include "bus/memory.h"
#include "bus/names.h"
#include "bus/safe_text.h"

static const char *admit_word(bool admit)
{
	return admit ? "admit" : "refuse";
}

int kw_server_on_configuration(sd_bus *bus, const char *path, const char *interface,
			       const char *property, sd_bus_message *reply, void *userdata,
			       sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const struct kw_config *config = server->handlers->config(server->userdata);
	struct kw_u32 guests = config->num_memory_encrypted_guests;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0)
		r = sd_bus_message_append(
			reply, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}",
			KW_BUS_KEY_SEV_RESERVE, "u", config->reserve[KW_POOL_SEV],
			KW_BUS_KEY_SEV_ES_RESERVE, "u", config->reserve[KW_POOL_SEV_ES],
			KW_BUS_KEY_SNP_RESERVE, "u", config->reserve[KW_POOL_SNP],
			KW_BUS_KEY_MEMORY, "t", config->reserved_host_memory_bytes,
			KW_BUS_KEY_ENCRYPTED, "s", admit_word(config->admit_encrypted_unasked),
			KW_BUS_KEY_PLAIN, "s", admit_word(config->admit_plain_unasked),
			KW_BUS_KEY_MEMORY_MAX, "b", (int)config->memory_max_wall,
			KW_BUS_KEY_MISC_MAX, "b", (int)config->misc_max_wall,
			KW_BUS_KEY_TIMEOUT, "u", config->hold_timeout_s);
	if (r >= 0)
		r = sd_bus_message_append(reply, "{sv}{sv}", KW_BUS_KEY_MEMLOCK, "s",
					  admit_word(config->admit_small_memlock), KW_BUS_KEY_RATIO,
					  "d", config->ram_allocation_thousandths / 1000.0);
	if (r >= 0 && guests.known)
		r = sd_bus_message_append(reply, "{sv}", KW_BUS_KEY_GUESTS, "u", guests.value);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int kw_server_on_changes_from(sd_bus *bus, const char *path, const char *interface,
			      const char *property, sd_bus_message *reply, void *userdata,
			      sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const struct kw_hearing_state *hearing = server->handlers->hearing(server->userdata);
	char reason[sizeof(hearing->reason)];

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, KW_BUS_HEARING, kw_hearing_name(hearing->from),
				     kw_bus_safe_text(reason, sizeof(reason), hearing->reason));
}

static int append_wall(sd_bus_message *reply, enum kw_wall wall,
		       const struct kw_wall_status *status)
{
	char reason[sizeof(status->reason)];

	return sd_bus_message_append(reply, KW_BUS_WALL, kw_wall_name(wall),
				     kw_wall_state_name(status->state),
				     kw_bus_safe_text(reason, sizeof(reason), status->reason),
				     status->limit.known ? status->limit.value : KW_NO_LIMIT);
}

int kw_server_on_walls(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	const struct kw_walls_status *walls = server->handlers->walls(server->userdata);
	int r = sd_bus_message_open_container(reply, 'a', KW_BUS_WALL);

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (enum kw_wall wall = 0; r >= 0 && walls->known && wall < KW_WALL_COUNT; wall++)
		r = append_wall(reply, wall, &walls->wall[wall]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int kw_server_on_draining(sd_bus *bus, const char *path, const char *interface,
			  const char *property, sd_bus_message *reply, void *userdata,
			  sd_bus_error *error)
{
	struct kw_server *server = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "b",
				     (int)server->handlers->draining(server->userdata));
}

int kw_server_on_memory(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct kw_server *server = userdata;
	struct kw_memory_status status;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	server->handlers->memory(server->userdata, &status);
	return kw_bus_append_room(reply, &status.room);
}

int kw_server_on_hugepages(sd_bus *bus, const char *path, const char *interface,
			   const char *property, sd_bus_message *reply, void *userdata,
			   sd_bus_error *error)
{
	struct kw_server *server = userdata;
	struct kw_memory_status status;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	server->handlers->memory(server->userdata, &status);
	return kw_bus_append_pools(reply, status.pools, status.pool_count);
}

int kw_server_on_version(sd_bus *bus, const char *path, const char *interface, const char *property,
			 sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", KW_VERSION);
}
