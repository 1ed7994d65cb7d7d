// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unloads and loads the module, over and over: reload MODULE.ko. Whoever else asks
 * for the family may load it first, and who has a dump open keeps it; both are
 * counted. Exit status 1: it could not be unloaded in a minute, or did not answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/kvmward.h>

#include "nl.h"
#include "options.h"

#define PATIENCE_SECONDS 60

static uint64_t times = 1000, pause_us = 2000;

static const struct option_number options[] = {
	{ "times", &times, "how often to unload it" },
	{ "pause-us", &pause_us, "how long it stays, in microseconds" },
	{ NULL, NULL, NULL },
};

static uint64_t in_use, loaded_by_us, loaded_by_others;

static int module_unload(void)
{
	time_t end = time(NULL) + PATIENCE_SECONDS;

	while (syscall(SYS_delete_module, "kvmward", O_NONBLOCK)) {
		/* EBUSY: just being loaded or unloaded by somebody else. */
		if (errno == ENOENT)
			return 0;
		if ((errno != EWOULDBLOCK && errno != EBUSY) || time(NULL) > end)
			return -errno;
		in_use++;
		usleep(200);
	}
	return 0;
}

/* 1: somebody else had loaded it already. */
static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		ret = errno == EEXIST ? 1 : -errno;
	close(fd);
	return ret;
}

/* It may be on its way in, at another's request, or out again: a few tries. */
static int module_answers(void)
{
	struct nl_answer answer;
	struct nl nl;
	int tries, ret = -ENOENT;

	for (tries = 0; ret && tries < 100; tries++) {
		if (tries)
			usleep(20000);
		ret = nl_open(&nl);
		if (ret)
			continue;
		ret = nl_do(&nl, KVMWARD_CMD_HOST_GET, NULL, 0, &answer);
		nl_answer_done(&answer);
		nl_close(&nl);
	}
	return ret;
}

static int once(const char *path)
{
	int ret = module_unload();

	if (ret) {
		printf("# unloading: %s\n", strerror(-ret));
		return ret;
	}
	ret = module_load(path);
	if (ret < 0) {
		printf("# loading %s: %s\n", path, strerror(-ret));
		return ret;
	}
	if (ret)
		loaded_by_others++;
	else
		loaded_by_us++;
	ret = module_answers();
	if (ret)
		printf("# asking it: %s\n", strerror(-ret));
	usleep(pause_us);
	return ret;
}

int main(int argc, char **argv)
{
	int word = options_read(options, "reload [OPTION...] MODULE.ko: unload and load it again",
				argc, argv);
	time_t start = time(NULL);
	uint64_t n;
	int ret = 0;

	if (word != argc - 1) {
		fputs("reload: which file is the module?\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (n = 0; n < times && !ret; n++) {
		ret = once(argv[word]);
		progress_print(n + 1, times, "times loaded");
	}
	printf("# unloaded %llu times in %ld s (refused %llu times while in use), loaded %llu times, %llu times by who asked\n",
	       (unsigned long long)n, (long)(time(NULL) - start), (unsigned long long)in_use,
	       (unsigned long long)loaded_by_us, (unsigned long long)loaded_by_others);
	return !!ret;
}
