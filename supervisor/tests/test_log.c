/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log with a journal that reads, and with one that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char journal[64];
#define KW_JOURNAL journal
#include "daemon/log.c"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/tree.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"

static char dir[32];
static int journal_fd;

/* stderr of the test is the stream that systemd has told of. */
static int setup(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct stat status;
	char stream[64];

	(void)state;
	strcpy(dir, "/tmp/kw-log-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(journal, sizeof(journal), "%s/socket", dir);
	strcpy(name.sun_path, journal);
	journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(journal_fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		 (unsigned long long)status.st_ino);
	return setenv("JOURNAL_STREAM", stream, 1);
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	close(journal_fd);
	return tree_remove(dir);
}

/* The next message that the journal gets; "" for none. */
static const char *next(void)
{
	static char text[4096];
	ssize_t length = recv(journal_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[length < 0 ? 0 : length] = '\0';
	return text;
}

static void test_fields(void **state)
{
	(void)state;
	kw_log(LOG_INFO, "a %s", "line");
	assert_string_equal(next(), "SYSLOG_IDENTIFIER=kvmwardd\nPRIORITY=6\nMESSAGE=a line\n");
	kw_log_guest(LOG_WARNING, UUID, "of %s", "one");
	assert_string_equal(next(), "SYSLOG_IDENTIFIER=kvmwardd\nPRIORITY=4\nDOMAIN_UUID=" UUID
				    "\nMESSAGE=of one\n");
	kw_log_verdict(LOG_DEBUG, UUID, KW_SLOT_FULL, "%s", "two\nPRIORITY=0");
	assert_string_equal(next(), "SYSLOG_IDENTIFIER=kvmwardd\nPRIORITY=7\nDOMAIN_UUID=" UUID
				    "\nKVMWARD_CODE=slot-full\nMESSAGE=two PRIORITY=0\n");
	assert_string_equal(next(), "");
}

static void test_long_line(void **state)
{
	char name[3000];
	const char *text;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	kw_log_verdict(LOG_INFO, UUID, KW_UNKNOWN_SECURITY, "%s", name);
	text = next();
	assert_non_null(strstr(text, "MESSAGE=xxxx"));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

/* Whoever logs goes on; how much is missing is said where it is missing, and once. */
static void test_journal_stands_still(void **state)
{
	unsigned int sent = 0;

	(void)state;
	while (!kw_datagram_send(journal, "MESSAGE=old\n"))
		sent++;
	assert_int_equal(kw_datagram_send(journal, "MESSAGE=old\n"), -EAGAIN);
	for (unsigned int i = 0; i < 7; i++)
		kw_log(LOG_INFO, "lost");
	while (sent--)
		assert_string_equal(next(), "MESSAGE=old\n");
	assert_string_equal(next(), "");

	kw_log(LOG_INFO, "new");
	assert_non_null(strstr(next(), "MESSAGE=7 lines were lost"));
	assert_non_null(strstr(next(), "MESSAGE=new\n"));
	kw_log(LOG_INFO, "newer");
	assert_non_null(strstr(next(), "MESSAGE=newer\n"));
	assert_string_equal(next(), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fields),
		TEST(test_long_line),
		TEST(test_journal_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
