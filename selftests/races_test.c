// SPDX-License-Identifier: GPL-2.0-or-later
/* Dumps while holders die, dumps left unread, and many at once. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

static struct nl nl;

/* A process that holds many guests, so that its dump needs several messages. */
static pid_t holder_start(unsigned int count)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (count--)
			vms_create(VMS_PLAIN);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* The rest of a dump that has begun is as true as its beginning was. */
static void exit_during_dump_test(void)
{
	pid_t pid = holder_start(200);
	struct nl_answer answer = { 0 };
	char buf[512];
	bool held;
	int ret;

	nl_send(&nl, buf, nl_request(&nl, buf, KVMWARD_CMD_GUEST_GET, NLM_F_DUMP, NULL, 0));
	held = test_module_users() > 0;
	kill(pid, SIGKILL);
	test_wait(pid);
	ret = nl_receive(&nl, &answer);
	ksft_test_result(!ret && test_guest_count(&answer, pid) == 200,
			 "holder killed during a dump: the dump is whole\n");
	nl_answer_done(&answer);
	test_guests(&nl, &answer);
	ksft_test_result(!test_guest_count(&answer, pid), "and the next one knows\n");
	nl_answer_done(&answer);
	ksft_test_result(held && test_module_users() == 0, "an open dump holds the module, until its end\n");
}

static void abandoned_test(void)
{
	pid_t pid = holder_start(200);
	struct nl others[50];
	unsigned int i, begun = 0;
	char buf[512];
	long held;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		begun += !nl_open(&others[i]) &&
			 !nl_send(&others[i], buf, nl_request(&others[i], buf, KVMWARD_CMD_GUEST_GET,
							      NLM_F_DUMP, NULL, 0));
	held = test_module_users();
	for (i = 0; i < ARRAY_SIZE(others); i++)
		nl_close(&others[i]);
	kill(pid, SIGKILL);
	test_wait(pid);
	/* A socket is torn down after a grace period. */
	for (i = 0; i < 50 && test_module_users(); i++)
		usleep(100000);
	ksft_test_result(begun == ARRAY_SIZE(others) && held == begun && i < 50,
			 "%u dumps begun, each holds the module (%ld), and left: nobody uses it\n",
			 begun, held);
}

static void readers_test(void)
{
	pid_t pids[8];
	unsigned int i, bad = 0;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (!pids[i]) {
			struct nl_answer answer;
			int n, ret = nl_open(&nl);

			for (n = 0; !ret && n < 50; n++) {
				ret = nl_dump(&nl, n % 2 ? KVMWARD_CMD_SLOT_GET : KVMWARD_CMD_GUEST_GET,
					      NULL, 0, &answer);
				nl_answer_done(&answer);
			}
			_exit(!!ret);
		}
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		bad += test_wait(pids[i]) != 0;
	ksft_test_result(!bad, "eight readers at once\n");
}

int main(void)
{
	test_open(&nl);
	if (!vms_there())
		ksft_exit_skip("no /dev/kvm: no guests to race with\n");
	ksft_set_plan(5);
	exit_during_dump_test();
	abandoned_test();
	readers_test();
	ksft_finished();
}
