/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define STEP 16384

/* 0 when there is something to read or the end, -ETIMEDOUT, or other negative errno. */
static int wait_readable(int fd, uint64_t deadline_ns)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	for (;;) {
		uint64_t now_ns = kw_clock_monotonic_ns();
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
		int r = poll(&wait, 1, (int)((left_ns + KW_NS_PER_MS - 1) / KW_NS_PER_MS));

		if (r > 0)
			return 0;
		if (r == 0 && !left_ns)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

/* Room for one more step and the final 0, doubling so that copying stays cheap. */
static int grow(char **text, size_t *room, size_t length)
{
	size_t wanted = *room ? *room * 2 : STEP;
	char *bigger;

	if (length + 1 < *room)
		return 0;
	bigger = realloc(*text, wanted);
	if (!bigger)
		return -ENOMEM;
	*text = bigger;
	*room = wanted;
	return 0;
}

/* 1 at the end, 0 to go on, or negative errno. */
static int read_step(int fd, char *text, size_t room, size_t *length)
{
	ssize_t n = read(fd, text + *length, room - *length - 1);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	*length += (size_t)n;
	return n == 0;
}

int kw_input_read(int fd, size_t max, uint64_t deadline_ns, char **ret_text, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	size_t room = 0, length = 0;
	int r = 0;

	while (r == 0) {
		r = grow(&text, &room, length);
		if (r >= 0)
			r = wait_readable(fd, deadline_ns);
		if (r >= 0)
			r = read_step(fd, text, room, &length);
		if (r >= 0 && length > max)
			r = -EFBIG;
	}
	if (r < 0)
		return r;
	text[length] = '\0';
	*ret_text = KW_STEAL(text);
	*ret_length = length;
	return 0;
}
