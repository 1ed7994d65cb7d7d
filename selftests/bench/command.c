// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole commands, from fork to exit; their output goes nowhere. What they read
 * is the file in $BENCH_INPUT, if there is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "method.h"

extern char **environ;

static int nothing(void)
{
	return 0;
}

static int run(char *const *argv, struct method_result *ret_result)
{
	const char *input = getenv("BENCH_INPUT") ?: "/dev/null";
	posix_spawn_file_actions_t actions;
	int status, ret;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	ret = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (ret)
		return -ret;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_result = (struct method_result){ METHOD_UNKNOWN, METHOD_UNKNOWN, METHOD_UNKNOWN };
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int guests_run(struct method_result *ret_result)
{
	return run((char *const[]){ "kvmward", "guests", NULL }, ret_result);
}

static int metrics_run(struct method_result *ret_result)
{
	return run((char *const[]){ "kvmward", "metrics", NULL }, ret_result);
}

static int virsh_run(struct method_result *ret_result)
{
	return run((char *const[]){ "virsh", "-r", "domstats", NULL }, ret_result);
}

/* What one types who wants to know now. */
static int find_run(struct method_result *ret_result)
{
	/* A process that ends meanwhile makes it fail; it has looked all the same. */
	return run((char *const[]){ "sh", "-c",
				    "find /proc/[0-9]*/fd -lname anon_inode:kvm-vm 2>&1 || :", NULL },
		   ret_result);
}

static int empty_run(struct method_result *ret_result)
{
	return run((char *const[]){ "empty", NULL }, ret_result);
}

/* Asked again for the same guest it gives the same answer and changes nothing. */
static int hook_run(struct method_result *ret_result)
{
	return run((char *const[]){ "kvmward-hook", "bench-start", "prepare", "begin", "-", NULL },
		   ret_result);
}

/* What the program itself takes. */
static int hook_help_run(struct method_result *ret_result)
{
	return run((char *const[]){ "kvmward-hook", "--help", NULL }, ret_result);
}

/* Answered by a look at the host. */
static int look_run(struct method_result *ret_result)
{
	return run((char *const[]){ "kvmward-hook", "bench-start", "started", "begin", "-", NULL },
		   ret_result);
}

static int spin_run(struct method_result *ret_result)
{
	volatile unsigned int i;

	for (i = 0; i < 100000; i++)
		;
	*ret_result = (struct method_result){ METHOD_UNKNOWN, 0, 0 };
	return 0;
}

const struct method method_guests = { "guests", nothing, guests_run };
const struct method method_metrics = { "metrics", nothing, metrics_run };
const struct method method_virsh = { "virsh", nothing, virsh_run };
const struct method method_find = { "find", nothing, find_run };
const struct method method_empty = { "empty", nothing, empty_run };
const struct method method_hook = { "hook", nothing, hook_run };
const struct method method_hook_help = { "hook-help", nothing, hook_help_run };
const struct method method_look = { "look", nothing, look_run };
const struct method method_spin = { "spin", nothing, spin_run };
