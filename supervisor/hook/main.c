/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hook as libvirt runs it: asks kvmwardd, and nearly always that is all. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "hook/program.h"

static int pass_input_on(const char *xml)
{
	int fd = memfd_create("domain.xml", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : kw_file_write_fd(fd, xml, strlen(xml));

	if (r >= 0 && (lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0))
		r = -errno;
	return r < 0 ? r : 0;
}

/*
 * Returns only when that cannot be done. The alarm waits until the other program
 * has a handler for it: to libvirt a hook that a signal ends has no reason.
 */
static int become_unasked(const struct kw_attempt *attempt)
{
	int r = pass_input_on(attempt->xml ?: "");
	sigset_t alarm;

	if (r < 0)
		return r;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	execv(KW_HOOK_UNASKED, attempt->argv);
	return -errno;
}

static void answer(int argc, char **argv, const struct kw_hook_place *place,
		   struct kw_verdict *ret_verdict)
{
	_cleanup_(kw_attempt_done) struct kw_attempt attempt = {};
	int r;

	if (kw_attempt_read(argc, argv, place, &attempt, ret_verdict) ||
	    kw_attempt_first(&attempt, place, ret_verdict))
		return;
	r = become_unasked(&attempt);
	kw_verdict_set(ret_verdict, KW_DAEMON_UNREACHABLE,
		       "kvmwardd cannot be asked (%s), nor %s be run to decide without it (%s); "
		       "see 'systemctl status kvmwardd'",
		       attempt.error, KW_HOOK_UNASKED, strerror(-r));
}

int main(int argc, char **argv)
{
	return kw_hook_program(argc, argv, answer);
}
