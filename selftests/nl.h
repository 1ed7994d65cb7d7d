/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A netlink client for the tests: raw sockets, nothing but the kernel's headers. */
#ifndef NL_H
#define NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#define NL_ATTRS 64

struct nl {
	int fd;
	uint16_t family;
	uint32_t group;		/* of slot events; 0: the family has none */
	uint32_t seq;
	bool addressed;		/* name the kernel as the receiver of each request */
	char error[256];	/* the kernel's words about the last refusal, or "" */
	long bad_attr;		/* offset in the request of what it names; -1: nothing */
	long missing_attr;	/* id of the attribute that it misses; -1: none */
};

/* The attributes of one message, by id; borrowed from the answer. */
struct nl_msg {
	const struct nlattr *attr[NL_ATTRS];
};

struct nl_answer {
	struct nl_msg *msgs;
	unsigned int count;
	char *data;		/* all that was received */
	size_t used;
};

/* 0 or negative errno; -ENOENT when there is no such family. */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* The two halves: a socket, and the family's numbers by its name. */
int nl_socket(struct nl *nl);
int nl_find(struct nl *nl);

/*
 * Slot events: joins their group, and takes the next. 0 or negative errno; -EAGAIN
 * when none has come, within 30 seconds with `wait`; -ENOBUFS when some were lost.
 */
int nl_join(struct nl *nl);
int nl_event(struct nl *nl, bool wait, struct nl_answer *answer);

/*
 * Sends a request of the family and reads all of its answer. 0, or the negative
 * errno that the kernel answered, with nl->error.
 */
int nl_do(struct nl *nl, uint8_t cmd, const void *attrs, size_t len, struct nl_answer *answer);
int nl_dump(struct nl *nl, uint8_t cmd, const void *attrs, size_t len, struct nl_answer *answer);
void nl_answer_done(struct nl_answer *answer);

/* The two halves, for requests that are to be malformed or answers to be delayed. */
int nl_send(struct nl *nl, const void *message, size_t len);
int nl_receive(struct nl *nl, struct nl_answer *answer);

/* Fills in a request; buf holds 512 bytes. Returns its length. */
size_t nl_request(struct nl *nl, void *buf, uint8_t cmd, uint16_t flags, const void *attrs,
		  size_t len);

/* An attribute at buf; returns its length with padding. */
size_t nl_put(void *buf, uint16_t type, const void *value, size_t len);

bool nl_has(const struct nl_msg *msg, int attr);
/* Values of an attribute that must be there: the program ends where it is not. */
uint32_t nl_u32(const struct nl_msg *msg, int attr);
uint64_t nl_u64(const struct nl_msg *msg, int attr);
const char *nl_string(const struct nl_msg *msg, int attr);

#endif
