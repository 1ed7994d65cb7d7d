/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/host_answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char words[256];

/* A socket on a port of 127.0.0.1 that nobody else has. */
static int bind_port(unsigned short *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_false(bind(fd, (struct sockaddr *)&address, size) ||
		     getsockname(fd, (struct sockaddr *)&address, &size));
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void to_accept_and_to_refuse_is_an_answer(void **state)
{
	unsigned short ports[] = { 0, 0 };
	char expected[64];
	int fd = bind_port(ports);

	(void)state;
	snprintf(expected, sizeof(expected), "127.0.0.1 answers on port %u", ports[0]);
	assert_true(kw_u32_yes(kw_host_answers("127.0.0.1", ports, 10000, words, sizeof(words))));
	assert_string_equal(words, expected);
	assert_int_equal(listen(fd, 1), 0);
	*words = '\0';
	assert_true(kw_u32_yes(kw_host_answers("127.0.0.1", ports, 10000, words, sizeof(words))));
	assert_string_equal(words, expected);
	close(fd);
}

/* A listener whose line is full drops what comes, as a host does that is gone. */
static void silence_is_none(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned short ports[] = { 0, 0 };
	int fd = bind_port(ports), clients[8];

	(void)state;
	assert_int_equal(listen(fd, 0), 0);
	address.sin_port = htons(ports[0]);
	for (size_t i = 0; i < 8; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(clients[i], (struct sockaddr *)&address, sizeof(address));
	}
	assert_true(kw_u32_no(kw_host_answers("127.0.0.1", ports, 200, words, sizeof(words))));
	for (size_t i = 0; i < 8; i++)
		close(clients[i]);
	close(fd);
}

static void who_cannot_be_asked_is_not_known(void **state)
{
	static const unsigned short ports[] = { 22, 0 };

	(void)state;
	*words = '\0';
	assert_false(kw_host_answers("no such name", ports, 200, words, sizeof(words)).known);
	assert_int_not_equal(*words, '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_accept_and_to_refuse_is_an_answer),
		cmocka_unit_test(silence_is_none),
		cmocka_unit_test(who_cannot_be_asked_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
