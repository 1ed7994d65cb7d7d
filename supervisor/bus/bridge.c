/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sd_bus_open_system_remote() does, with ssh in our own hands: sd-bus lets
 * it ask for passwords on the terminal, leaves its errors there, and waits for
 * its end when the connection is closed.
 */
#include "bus/bridge.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

struct kw_bridge {
	pid_t pid;
	int words_fd;	/* a memory file: nobody need read it for ssh to go on */
};

void kw_bridge_stop(struct kw_bridge *bridge)
{
	if (!bridge)
		return;
	if (bridge->pid > 0) {
		kill(-bridge->pid, SIGKILL);
		waitpid(bridge->pid, NULL, 0);
	}
	if (bridge->words_fd >= 0)
		close(bridge->words_fd);
	free(bridge);
}

KW_CLEANUP_OF(struct kw_bridge, kw_bridge_stop);

static void set_session(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF);
}

/* ServerAlive: a link that is cut shows after 15 s, on connections that only keep a hold too. */
static int spawn(const char *host, int bus_fd, struct kw_bridge *bridge)
{
	char url[512];
	char *const argv[] = { "ssh", "-xT", "-oBatchMode=yes", "-oConnectTimeout=10",
			       "-oServerAliveInterval=5", "-oServerAliveCountMax=3", "--", url,
			       "systemd-stdio-bridge", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if (snprintf(url, sizeof(url), "ssh://%s", host) >= (int)sizeof(url))
		return -ENAMETOOLONG;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, bus_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, bus_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, bridge->words_fd, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	set_session(&attributes);
	error = posix_spawnp(&bridge->pid, "ssh", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

int kw_bridge_start(const char *host, struct kw_bridge **ret_bridge, int *ret_fd)
{
	_cleanup_(kw_bridge_stop_at) struct kw_bridge *bridge = calloc(1, sizeof(*bridge));
	_cleanup_close_ int ours = -1, theirs = -1;
	int fds[2], r;

	if (!bridge)
		return -ENOMEM;
	bridge->words_fd = memfd_create("ssh-errors", MFD_CLOEXEC);
	if (bridge->words_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ours = fds[0];
	theirs = fds[1];
	r = spawn(host, theirs, bridge);
	if (r < 0)
		return r;
	*ret_bridge = KW_STEAL(bridge);
	*ret_fd = kw_steal_fd(&ours);
	return 0;
}

void kw_bridge_words(const struct kw_bridge *bridge, char *ret_words, size_t size)
{
	kw_file_last_line(bridge->words_fd, ret_words, size);
}
