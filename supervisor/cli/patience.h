/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_PATIENCE_H
#define KW_CLI_PATIENCE_H

/* How long a call that may never return is waited for. */
struct kw_patience {
	unsigned int notice_ms;		/* after that much time notice is shown, once */
	unsigned int limit_ms;		/* then it is given up; 0: only an interrupt ends it */
	const char *notice;
};

/*
 * Runs call(data) in a thread of its own and waits for it. 0 when it has
 * returned; -ETIMEDOUT, -EINTR (SIGINT) when it was given up: it goes on then,
 * so data must stay, and the process had better end by _exit(). Other negative
 * errno when it was not begun.
 */
int kw_patience_run(const struct kw_patience *patience, void (*call)(void *data), void *data);

#endif
