/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bus/door.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bus/door_address.h"
#include "bus/names.h"

/* More wait in the socket's queue. */
#define VISITORS_MAX 256

struct visitor {
	struct visitor *next;
	struct kw_door *door;
	sd_bus *bus;
};

struct kw_door {
	struct kw_door_place place;
	sd_event_source *listener;
	sd_id128_t id;
	struct visitor *first;
	unsigned int count;
};

KW_CLEANUP_OF(struct kw_door, kw_door_close);

static void visitor_free(struct visitor *visitor)
{
	sd_bus_close_unref(visitor->bus);
	free(visitor);
}

KW_CLEANUP_OF(struct visitor, visitor_free);

static void leave(struct visitor *visitor)
{
	struct kw_door *door = visitor->door;
	struct visitor **at = &door->first;

	while (*at != visitor)
		at = &(*at)->next;
	*at = visitor->next;
	visitor_free(visitor);
	if (door->count-- == VISITORS_MAX)
		sd_event_source_set_enabled(door->listener, SD_EVENT_ON);
}

static int on_gone(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)message, (void)error;
	leave(userdata);
	return 1;
}

static int on_hook(sd_bus_message *request, void *userdata, sd_bus_error *error)
{
	struct kw_door *door = userdata;

	(void)error;
	return kw_calls_add(door->place.calls, request, false, door->place.how,
			    door->place.userdata);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Hook",
				SD_BUS_ARGS("s", name, "s", op, "s", subop, "s", extra, "ay", xml),
				SD_BUS_RESULT("s", code, "s", sentence), on_hook,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

/* The state directory is root's as well. */
static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static int start(struct visitor *visitor, int fd)
{
	struct kw_door *door = visitor->door;
	_cleanup_close_ int owned = fd;
	int r = sd_bus_new(&visitor->bus);

	if (r >= 0)
		r = sd_bus_set_fd(visitor->bus, fd, fd);
	if (r < 0)
		return r;
	kw_steal_fd(&owned);
	r = sd_bus_set_server(visitor->bus, true, door->id);
	if (r >= 0)
		r = sd_bus_add_object_vtable(visitor->bus, NULL, KW_BUS_PATH, KW_BUS_INTERFACE,
					     vtable, door);
	if (r >= 0)
		r = sd_bus_match_signal(visitor->bus, NULL, "org.freedesktop.DBus.Local",
					"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
					"Disconnected", on_gone, visitor);
	if (r >= 0)
		r = sd_bus_start(visitor->bus);
	return r < 0 ? r : sd_bus_attach_event(visitor->bus, door->place.event,
					       SD_EVENT_PRIORITY_NORMAL);
}

/* One who cannot be let in is told so by the end of the connection. */
static void let_in(struct kw_door *door, int fd)
{
	_cleanup_(visitor_free_at) struct visitor *visitor = calloc(1, sizeof(*visitor));

	if (!visitor || !is_root(fd)) {
		close(fd);
		return;
	}
	visitor->door = door;
	if (start(visitor, fd) < 0)
		return;
	visitor->next = door->first;
	door->first = KW_STEAL(visitor);
	if (++door->count == VISITORS_MAX)
		sd_event_source_set_enabled(door->listener, SD_EVENT_OFF);
}

static int on_knock(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	int visitor = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source, (void)revents;
	if (visitor >= 0)
		let_in(userdata, visitor);
	return 0;
}

/* The socket that was left behind by another kvmwardd, which has ended: its ledger is ours. */
static int listen_in(const char *dir, int *ret_fd)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int r = kw_door_address(dir, &address);

	if (r < 0)
		return r;
	if (fd < 0 || (unlink(address.sun_path) < 0 && errno != ENOENT) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	*ret_fd = kw_steal_fd(&fd);
	return 0;
}

static int add_listener(struct kw_door *door, const char *dir)
{
	_cleanup_close_ int fd = -1;
	int r = listen_in(dir, &fd);

	if (r >= 0)
		r = sd_event_add_io(door->place.event, &door->listener, fd, EPOLLIN, on_knock, door);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(door->listener, true);
	if (r >= 0)
		kw_steal_fd(&fd);
	return r < 0 ? r : 0;
}

int kw_door_open(const char *dir, const struct kw_door_place *place, struct kw_door **ret_door)
{
	_cleanup_(kw_door_close_at) struct kw_door *door = calloc(1, sizeof(*door));
	int r;

	if (!door)
		return -ENOMEM;
	door->place = *place;
	r = sd_id128_randomize(&door->id);
	if (r >= 0)
		r = add_listener(door, dir);
	if (r < 0)
		return r;
	*ret_door = KW_STEAL(door);
	return 0;
}

void kw_door_close(struct kw_door *door)
{
	if (!door)
		return;
	while (door->first)
		leave(door->first);
	sd_event_source_disable_unref(door->listener);
	free(door);
}
