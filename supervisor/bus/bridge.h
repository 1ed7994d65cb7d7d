/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_BRIDGE_H
#define KW_BUS_BRIDGE_H

#include <stddef.h>

/* ssh to another host, running systemd-stdio-bridge there: that host's system bus. */
struct kw_bridge;

/*
 * Starts ssh and does not wait for it. It never prompts: a key that the agent
 * or a file without passphrase gives, and a known host, or it fails. It has a
 * session of its own, so that Ctrl-C reaches only who started it. host is
 * [user@]host[:port] as in a URI, an IPv6 address in brackets. *ret_fd is the
 * socket to speak D-Bus on, the caller's to close. 0 or negative errno: -ENOENT
 * there is no ssh.
 */
int kw_bridge_start(const char *host, struct kw_bridge **ret_bridge, int *ret_fd);

/* Kills ssh, however it hangs, and all that it started; takes NULL. */
void kw_bridge_stop(struct kw_bridge *bridge);

/* The last line that ssh, or the other host's shell, has written as an error; "" for none. */
void kw_bridge_words(const struct kw_bridge *bridge, char *ret_words, size_t size);

#endif
