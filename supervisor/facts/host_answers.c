/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/host_answers.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define TRIES_MAX 64

KW_CLEANUP_OF(struct addrinfo, freeaddrinfo);

/* Connections that are being made: all at once. */
struct tries {
	struct pollfd fds[TRIES_MAX];
	struct { const struct addrinfo *address; unsigned short port; } what[TRIES_MAX];
	nfds_t count;
	bool sent;		/* there was a way for one at least */
};

static void set_port(struct sockaddr_storage *address, unsigned short port)
{
	if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)address)->sin_port = htons(port);
}

static void try(struct tries *tries, const struct addrinfo *address, unsigned short port)
{
	struct sockaddr_storage to = {};
	int fd;

	if (tries->count == TRIES_MAX)
		return;
	memcpy(&to, address->ai_addr, address->ai_addrlen);
	set_port(&to, port);
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&to, address->ai_addrlen) < 0 &&
	    errno != EINPROGRESS && errno != ECONNREFUSED) {
		close(fd);
		return;
	}
	tries->sent = true;
	tries->fds[tries->count] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	tries->what[tries->count].address = address;
	tries->what[tries->count++].port = port;
}

/* An error that did not come from there, as after ARP in vain, is none; its fd is done with. */
static bool has_answered(struct pollfd *fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (!fd->revents)
		return false;
	getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	close(fd->fd);
	fd->fd = -1;
	return !error || error == ECONNREFUSED || error == ECONNRESET;
}

/* The index of the first that has, or -1. */
static int wait_for_answer(struct tries *tries, unsigned int timeout_ms)
{
	uint64_t now_ms = kw_clock_monotonic_ns() / KW_NS_PER_MS, end_ms = now_ms + timeout_ms;

	while (now_ms < end_ms && poll(tries->fds, tries->count, (int)(end_ms - now_ms)) > 0) {
		for (nfds_t i = 0; i < tries->count; i++)
			if (has_answered(&tries->fds[i]))
				return (int)i;
		now_ms = kw_clock_monotonic_ns() / KW_NS_PER_MS;
	}
	return -1;
}

static void tell(const struct tries *tries, int index, char *words, size_t size)
{
	const struct addrinfo *address = tries->what[index].address;
	char text[NI_MAXHOST] = "";

	getnameinfo(address->ai_addr, address->ai_addrlen, text, sizeof(text), NULL, 0,
		    NI_NUMERICHOST);
	snprintf(words, size, "%s answers on port %u", text, tries->what[index].port);
}

struct kw_u32 kw_host_answers(const char *host, const unsigned short *ports,
			      unsigned int timeout_ms, char *words, size_t size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	_cleanup_(freeaddrinfo_at) struct addrinfo *addresses = NULL;
	struct tries tries = {};
	int answer, error = getaddrinfo(host, NULL, &hints, &addresses);

	if (error) {
		snprintf(words, size, "%s", gai_strerror(error));
		return (struct kw_u32){ 0 };
	}
	for (const struct addrinfo *at = addresses; at; at = at->ai_next)
		for (const unsigned short *port = ports; *port; port++)
			try(&tries, at, *port);
	answer = wait_for_answer(&tries, timeout_ms);
	for (nfds_t i = 0; i < tries.count; i++)
		if (tries.fds[i].fd >= 0)
			close(tries.fds[i].fd);
	if (answer >= 0)
		tell(&tries, answer, words, size);
	else if (!tries.sent)
		snprintf(words, size, "this host has no way to it");
	return answer >= 0 || tries.sent ? KW_U32(answer >= 0) : (struct kw_u32){ 0 };
}
