/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions while a file server does not answer: looks are kept until the test lets them go on. */
#include "daemon/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "facts/domain_files.h"
#include "tests/fake_supervisor.h"

static unsigned int looks;
static sem_t answers;

/* Of a file that is not as large as the usual one. */
void kw_domain_files_look(struct kw_domain *domain)
{
	__atomic_add_fetch(&looks, 1, __ATOMIC_SEQ_CST);
	if (gettid() == getpid())
		fail_msg("the thread that answers looks for itself");
	while (sem_wait(&answers))
		;
	domain->loader_bytes = KW_U64(64 * KW_MIB);
}

static int setup(void **state)
{
	(void)state;
	begin_first(9, 9);
	return 0;
}

static uint64_t pinned_bytes(const char *uuid)
{
	const struct kw_hold *hold = kw_supervisor_hold(&supervisor, uuid);

	assert_non_null(hold);
	return hold->claim.pinned_bytes;
}

static void test_only_encrypted_starts_look(void **state)
{
	static const char *const ops[] = { "started", "stopped", "release", "reconnect" };

	(void)state;
	assert_int_equal(hook("prepare", UUID_A, ""), KW_ADMITTED);
	assert_int_equal(hook("start", UUID_A, ""), KW_ADMITTED);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(hook(ops[i], UUID_A, ""), KW_ADMITTED);
		assert_int_equal(hook(ops[i], UUID_B, FAKE_SEV), KW_ADMITTED);
	}
	assert_int_equal(looks, 0);
}

/* All are answered, and one thread at most waits for the server; once that is back, looks are too. */
static void test_a_server_that_is_away(void **state)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	(void)state;
	assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_B, FAKE_SEV), KW_ADMITTED);
	assert_int_equal(hook("prepare", UUID_C, ""), KW_ADMITTED);
	assert_int_equal(looks, 1);
	assert_true(pinned_bytes(UUID_A) < 320 * KW_MIB);
	assert_int_equal(pinned_bytes(UUID_A), pinned_bytes(UUID_B));

	sem_post(&answers);
	sem_post(&answers);
	while (__atomic_load_n(&looks, __ATOMIC_SEQ_CST) < 2) {
		assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
		nanosleep(&pause, NULL);
	}
}

/* On a busy machine a look may take too long, and the sizes are the usual ones. */
static void test_sizes_count(void **state)
{
	(void)state;
	do {
		assert_int_equal(hook("release", UUID_A, FAKE_SEV), KW_ADMITTED);
		sem_post(&answers);
		assert_int_equal(hook("prepare", UUID_A, FAKE_SEV), KW_ADMITTED);
	} while (pinned_bytes(UUID_A) < 320 * KW_MIB);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_encrypted_starts_look),
		TEST(test_a_server_that_is_away),
		TEST(test_sizes_count),
	};

	fake_host_open();
	sem_init(&answers, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
