// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Damaged requests, very many of them. What is sent as number N of a seed depends
 * on nothing but the two, so that one can be sent again:
 *   fuzz --seed=S --first=N --messages=1
 * After each block the module must answer in its right mind.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/kvmward.h>

#include "message.h"
#include "nl.h"
#include "options.h"
#include "vms.h"

#define SOCKETS 4
#define ERRNOS 140

static uint64_t seed, first, messages = 1000000, block = 10000, jobs = 2;

static const struct option_number options[] = {
	{ "seed", &seed, "of the random numbers; 0 takes one from the clock" },
	{ "first", &first, "number of the first message" },
	{ "messages", &messages, "how many" },
	{ "block", &block, "after how many to ask in earnest" },
	{ "jobs", &jobs, "processes that share them" },
	{ NULL, NULL, NULL },
};

/* What came of it, in memory that all jobs share. */
static struct outcome {
	_Atomic uint64_t sent, send_refused, datagrams, data, acks, checks;
	_Atomic uint64_t refused[ERRNOS];
} *outcome;

static struct nl sockets[SOCKETS];
static int guest = -1;

/* The first words of a job that fails; it ends the program. */
static void fail(uint64_t number, const char *what, int error)
{
	printf("# message %llu of seed %llu: %s: %s\n", (unsigned long long)number,
	       (unsigned long long)seed, what, strerror(error));
	fflush(stdout);
	_exit(1);
}

static void socket_set(const struct nl *nl, int option)
{
	const int on = 1;

	setsockopt(nl->fd, SOL_NETLINK, option, &on, sizeof(on));
}

/* Of each kind one: plain, strict, one with room for little, and nobody's. */
static void socket_open(unsigned int kind, uint64_t number)
{
	const int little = 2048;
	int ret;

	if (kind == 3 && seteuid(65534))
		fail(number, "seteuid", errno);
	ret = nl_open(&sockets[kind]);
	if (kind == 3 && seteuid(0))
		fail(number, "seteuid", errno);
	if (ret)
		fail(number, "the family is not to be found", -ret);
	if (kind == 1)
		socket_set(&sockets[kind], NETLINK_GET_STRICT_CHK);
	if (kind == 2)
		setsockopt(sockets[kind].fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
}

static void error_count(const struct nlmsghdr *hdr)
{
	int error;

	if (hdr->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
		return;
	error = -*(const int *)NLMSG_DATA(hdr);
	if (!error)
		outcome->acks++;
	else
		outcome->refused[error > 0 && error < ERRNOS ? error : 0]++;
}

/* An answer may say anything, but it has to be made of whole messages. */
static bool datagram_count(const unsigned char *data, ssize_t len)
{
	const struct nlmsghdr *hdr = (const void *)data;

	outcome->datagrams++;
	for (; NLMSG_OK(hdr, len); hdr = NLMSG_NEXT(hdr, len)) {
		if (hdr->nlmsg_type == NLMSG_ERROR || hdr->nlmsg_type == NLMSG_DONE)
			error_count(hdr);
		else
			outcome->data++;
	}
	return len <= 0;
}

static void drain(const struct nl *nl, uint64_t number)
{
	static unsigned char answer[1 << 18];
	ssize_t len;

	while ((len = recv(nl->fd, answer, sizeof(answer), MSG_DONTWAIT)) >= 0 || errno == ENOBUFS)
		if (len > 0 && !datagram_count(answer, len))
			fail(number, "an answer that does not end where a message does", EBADMSG);
}

/* Not always read, so that dumps are left open, overtaken and thrown away. */
static void message_send(uint64_t number)
{
	static struct message message;
	struct rng rng = rng_of(seed, number);
	unsigned int kind = rng_below(&rng, SOCKETS);
	const struct nl *nl = &sockets[kind];

	message_make(&message, &rng, nl->family, getpid());
	message_mutate(&message, &rng);
	if (send(nl->fd, message.data, message.len, MSG_DONTWAIT) < 0)
		outcome->send_refused++;
	progress_print(++outcome->sent, messages, "sent");
	if (!rng_once_in(&rng, 8))
		drain(nl, number);
	if (rng_once_in(&rng, 256)) {
		nl_close(&sockets[kind]);
		socket_open(kind, number);
	}
}

static bool guest_seen(const struct nl_answer *guests)
{
	unsigned int i;

	for (i = 0; i < guests->count; i++)
		if (nl_u32(&guests->msgs[i], KVMWARD_A_GUEST_PID) == (uint32_t)getpid())
			return nl_u32(&guests->msgs[i], KVMWARD_A_GUEST_VM_FD) == (uint32_t)guest;
	return false;
}

/* The same as ever, on a socket that has seen nothing else. */
static void check(uint64_t number)
{
	struct nl_answer host, slots, guests;
	struct nl nl;
	int ret = nl_open(&nl);

	ret = ret ? ret : nl_do(&nl, KVMWARD_CMD_HOST_GET, NULL, 0, &host);
	if (ret || host.count != 1 || !nl_has(&host.msgs[0], KVMWARD_A_HOST_VENDOR))
		fail(number, "HOST_GET afterwards", -ret);
	ret = nl_dump(&nl, KVMWARD_CMD_SLOT_GET, NULL, 0, &slots);
	if (ret || slots.count != 2)
		fail(number, "SLOT_GET afterwards", -ret);
	ret = nl_dump(&nl, KVMWARD_CMD_GUEST_GET, NULL, 0, &guests);
	if (ret || (guest >= 0 && !guest_seen(&guests)))
		fail(number, "GUEST_GET afterwards", -ret);
	nl_answer_done(&host);
	nl_answer_done(&slots);
	nl_answer_done(&guests);
	nl_close(&nl);
	outcome->checks++;
}

static void job_run(uint64_t job)
{
	uint64_t n;
	unsigned int kind;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vms_there())
		guest = vms_create(VMS_PLAIN);
	for (kind = 0; kind < SOCKETS; kind++)
		socket_open(kind, first);
	for (n = job; n < messages; n += jobs) {
		message_send(first + n);
		if ((n / jobs + 1) % (block / jobs + 1) == 0)
			check(first + n);
	}
	check(first + messages - 1);
	_exit(0);
}

static int jobs_wait(void)
{
	int status, bad = 0;

	while (wait(&status) > 0)
		bad |= !WIFEXITED(status) || WEXITSTATUS(status);
	return bad;
}

static void outcome_print(time_t seconds)
{
	unsigned int i;

	printf("# seed %llu, messages %llu to %llu: %llu sent in %ld s (%llu refused by send), %llu checks\n",
	       (unsigned long long)seed, (unsigned long long)first,
	       (unsigned long long)(first + messages - 1), (unsigned long long)outcome->sent,
	       (long)seconds, (unsigned long long)outcome->send_refused,
	       (unsigned long long)outcome->checks);
	printf("# answers: %llu datagrams, %llu messages of data, %llu times done\n",
	       (unsigned long long)outcome->datagrams, (unsigned long long)outcome->data,
	       (unsigned long long)outcome->acks);
	for (i = 0; i < ERRNOS; i++)
		if (outcome->refused[i])
			printf("# refused %llu times: %s\n", (unsigned long long)outcome->refused[i],
			       i ? strerror(i) : "no errno that we know");
}

/* A run that got nothing through, or nothing refused, has tested nothing. */
static bool outcome_ok(void)
{
	return outcome->sent == messages && outcome->checks >= jobs && !outcome->refused[0] &&
	       (messages < 1000 || (outcome->data && outcome->acks && outcome->refused[EINVAL]));
}

int main(int argc, char **argv)
{
	time_t start = time(NULL);
	uint64_t job;
	int bad;

	options_read(options, "fuzz [OPTION...]: send damaged requests to kvmward", argc, argv);
	if (!seed)
		seed = start;
	if (!jobs || !block || !messages)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED)
		return 1;
	for (job = 0; job < jobs; job++)
		if (!fork())
			job_run(job);
	bad = jobs_wait();
	outcome_print(time(NULL) - start);
	return bad || !outcome_ok();
}
