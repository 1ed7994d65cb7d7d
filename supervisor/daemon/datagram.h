/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_DATAGRAM_H
#define KW_DAEMON_DATAGRAM_H

/*
 * Sends the text as one message to that socket ("@name": an abstract one), and
 * never waits: libsystemd, which does when the reader is behind, would have
 * decisions wait for the journal's disk. 0; -EAGAIN when the socket is full, or
 * other negative errno.
 */
int kw_datagram_send(const char *path, const char *text);

#endif
