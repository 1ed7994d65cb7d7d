// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests that are wrong: each way of being wrong against each command, with
 * the errno, the words and the attribute that the refusal has to name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest.h"
#include "testing.h"

#define FIRST_ATTR NLMSG_LENGTH(GENL_HDRLEN)	/* its offset in a request */
#define NO_GUESTS_PID 1		/* init holds none */

static struct nl nl;
static char attrs[512];

enum command { HOST, SLOTS, GUEST, GUESTS, COMMANDS };

static const struct {
	const char *name;
	uint8_t cmd;
	bool dump;
} commands[COMMANDS] = {
	[HOST] = { "host-get", KVMWARD_CMD_HOST_GET, false },
	[SLOTS] = { "slot-get", KVMWARD_CMD_SLOT_GET, true },
	[GUEST] = { "guest-get", KVMWARD_CMD_GUEST_GET, false },
	[GUESTS] = { "guest-get of all", KVMWARD_CMD_GUEST_GET, true },
};

/* What refuses: errno, words, and whether it points at the attribute. */
struct refusal {
	int error;
	const char *words;
	bool points;
	bool at_start;	/* by a dump's start: Linux 6.1 keeps its words to itself */
};

/* Each fills in attrs and returns how much. The first attribute is a guest's pid. */
static size_t number(uint16_t attr, uint32_t value)
{
	return nl_put(attrs, attr, &value, sizeof(value));
}

static size_t nothing(void)
{
	return 0;
}

static size_t pid_of_none(void)
{
	return number(KVMWARD_A_GUEST_PID, NO_GUESTS_PID);
}

static size_t pid_zero(void)
{
	return number(KVMWARD_A_GUEST_PID, 0);
}

static size_t pid_beyond(void)
{
	return number(KVMWARD_A_GUEST_PID, 0xfffffff0);
}

static size_t empty(void)
{
	return nl_put(attrs, KVMWARD_A_GUEST_PID, "", 0);
}

static size_t two_bytes(void)
{
	return nl_put(attrs, KVMWARD_A_GUEST_PID, "\1", 2);
}

static size_t eight_bytes(void)
{
	return nl_put(attrs, KVMWARD_A_GUEST_PID, "\1\0\0\0\0\0\0", 8);
}

static size_t long_text(void)
{
	static const char text[] = "far longer than any number is, whoever may be counting";

	return nl_put(attrs, KVMWARD_A_GUEST_PID, text, sizeof(text));
}

static size_t not_for_asking(void)
{
	return number(KVMWARD_A_GUEST_VM_FD, 3);
}

static size_t of_id_zero(void)
{
	return number(0, 1);
}

static size_t beyond_the_last(void)
{
	return number(999, 1);
}

static size_t of_highest_id(void)
{
	return number((uint16_t)NLA_TYPE_MASK, 1);
}

static size_t right_then_unknown(void)
{
	size_t len = pid_of_none();
	uint32_t value = 1;

	return len + nl_put(attrs + len, 999, &value, sizeof(value));
}

/* Attributes within attributes: none of ours has any. */
static size_t nest(unsigned int levels)
{
	size_t len = levels * NLA_HDRLEN, at;
	struct nlattr attr = { .nla_type = KVMWARD_A_GUEST_PID | NLA_F_NESTED };

	for (at = 0; at < len; at += NLA_HDRLEN) {
		attr.nla_len = len - at;
		memcpy(attrs + at, &attr, sizeof(attr));
	}
	return len;
}

static size_t nested(void)
{
	return nest(2);
}

static size_t nested_deep(void)
{
	return nest(100);
}

static size_t flag(void)
{
	return nl_put(attrs, KVMWARD_A_HOST_WITHOUT_PSP, "", 0);
}

static size_t flag_with_value(void)
{
	return nl_put(attrs, KVMWARD_A_HOST_WITHOUT_PSP, "\1", 1);
}

static size_t flag_nested(void)
{
	return nl_put(attrs, KVMWARD_A_HOST_WITHOUT_PSP | NLA_F_NESTED, "", 0);
}

/* An attribute's header that says another length than it has. */
static size_t lie(uint16_t says)
{
	size_t len = pid_of_none();

	memcpy(attrs, &says, sizeof(says));
	return len;
}

static size_t says_too_long(void)
{
	return lie(200);
}

static size_t says_too_short(void)
{
	return lie(NLA_HDRLEN - 1);
}

static size_t stray_bytes(void)
{
	memset(attrs, 0xff, 3);
	return 3;
}

static size_t right_then_stray(void)
{
	size_t len = pid_of_none();

	memset(attrs + len, 0xff, 3);
	return len + 3;
}

#define ANSWERED { 0, "", false }
#define NONE_TAKEN { EINVAL, "this command takes no attributes", true }
#define UNSUPPORTED { EINVAL, "Unsupported attribute", true }
#define UNKNOWN { EINVAL, "Unknown attribute type", true }
#define NO_FLAG { ERANGE, "Attribute failed policy validation", true }
#define LENGTH { EINVAL, "invalid attribute length", true }
#define NOT_NESTED { EINVAL, "NLA_F_NESTED not expected", true }
#define RANGE { ERANGE, "integer out of range", true }
#define LEFT_OVER { EINVAL, "bytes leftover after parsing attributes", false }
#define NO_GUEST { ESRCH, "no process of that pid holds a guest", true }
#define NO_PID_IN_DUMP { EINVAL, "a dump takes no pid", true, true }
#define MISSING { EINVAL, "pid is missing: give one, or ask for a dump", false }

static const struct row {
	const char *name;
	size_t (*make)(void);
	struct refusal refusals[COMMANDS];	/* of HOST, SLOTS, GUEST, GUESTS */
} rows[] = {
	{ "no attribute", nothing, { ANSWERED, ANSWERED, MISSING, ANSWERED } },
	{ "pid of a process without guests", pid_of_none,
	  { UNSUPPORTED, NONE_TAKEN, NO_GUEST, NO_PID_IN_DUMP } },
	{ "pid of no process", pid_beyond, { UNSUPPORTED, NONE_TAKEN, NO_GUEST, NO_PID_IN_DUMP } },
	{ "pid 0", pid_zero, { UNSUPPORTED, NONE_TAKEN, RANGE, RANGE } },
	{ "an empty pid", empty, { UNSUPPORTED, NONE_TAKEN, LENGTH, LENGTH } },
	{ "a pid of two bytes", two_bytes, { UNSUPPORTED, NONE_TAKEN, LENGTH, LENGTH } },
	{ "a pid of eight bytes", eight_bytes, { UNSUPPORTED, NONE_TAKEN, LENGTH, LENGTH } },
	{ "a text as pid", long_text, { UNSUPPORTED, NONE_TAKEN, LENGTH, LENGTH } },
	{ "an attribute that is not for asking", not_for_asking,
	  { UNSUPPORTED, UNKNOWN, UNKNOWN, UNKNOWN } },
	{ "an attribute of id 0", of_id_zero, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN } },
	{ "an attribute beyond the last", beyond_the_last, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN } },
	{ "an attribute of the highest id", of_highest_id, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN } },
	{ "a nested attribute", nested, { UNSUPPORTED, NOT_NESTED, NOT_NESTED, NOT_NESTED } },
	{ "attributes nested 100 deep", nested_deep, { UNSUPPORTED, NOT_NESTED, LENGTH, LENGTH } },
	{ "an attribute that ends beyond its message", says_too_long,
	  { LEFT_OVER, LEFT_OVER, LEFT_OVER, LEFT_OVER } },
	{ "an attribute shorter than its header", says_too_short,
	  { LEFT_OVER, LEFT_OVER, LEFT_OVER, LEFT_OVER } },
	{ "three bytes that are no attribute", stray_bytes,
	  { LEFT_OVER, LEFT_OVER, LEFT_OVER, LEFT_OVER } },
};

/* Two attributes: what is wrong comes second. */
static const struct row second_rows[] = {
	{ "a right pid, then an unknown attribute", right_then_unknown,
	  { UNSUPPORTED, NONE_TAKEN, UNKNOWN, UNKNOWN } },
	{ "a right pid, then three bytes", right_then_stray,
	  { UNSUPPORTED, NONE_TAKEN, LEFT_OVER, LEFT_OVER } },
};

/* What host-get may be asked for; the others know no such attribute. */
static const struct row host_rows[] = {
	{ "without-psp", flag, { [HOST] = ANSWERED } },
	{ "without-psp with a value", flag_with_value, { [HOST] = NO_FLAG } },
	{ "without-psp, nested", flag_nested, { [HOST] = NOT_NESTED } },
};

static bool start_is_mute(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname host;

	uname(&host);
	sscanf(host.release, "%u.%u", &major, &minor);
	return major < 6 || (major == 6 && minor < 2);
}

static bool refused_as(const struct refusal *refusal, int ret, unsigned int answers, long offset)
{
	bool points = nl.bad_attr >= 0;

	if (!refusal->error)
		return !ret && !*nl.error;
	if (refusal->at_start && start_is_mute())
		return ret == -refusal->error && !answers && !*nl.error && !points;
	return ret == -refusal->error && !answers && !strcmp(nl.error, refusal->words) &&
	       points == refusal->points && (!points || nl.bad_attr == offset);
}

static void cell_test(const struct row *row, enum command command, long offset)
{
	const struct refusal *refusal = &row->refusals[command];
	size_t len = row->make();
	struct nl_answer answer;
	int ret = commands[command].dump ?
		  nl_dump(&nl, commands[command].cmd, attrs, len, &answer) :
		  nl_do(&nl, commands[command].cmd, attrs, len, &answer);
	bool ok = refused_as(refusal, ret, answer.count, offset);

	if (row->make == nothing && command == GUEST)
		ok = ok && nl.missing_attr == KVMWARD_A_GUEST_PID;
	if (!ok)
		ksft_print_msg("%s: '%s', offset %ld, %u answers; expected %s: '%s', offset %ld\n",
			       strerror(-ret), nl.error, nl.bad_attr, answer.count,
			       strerror(refusal->error), refusal->words,
			       refusal->points ? offset : -1);
	ksft_test_result(ok, "%s: %s: %s\n", commands[command].name, row->name,
			 refusal->error ? refusal->words : "answered");
	nl_answer_done(&answer);
}

static void matrix_test(void)
{
	enum command command;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (command = 0; command < COMMANDS; command++)
			cell_test(&rows[i], command, FIRST_ATTR);
	for (i = 0; i < ARRAY_SIZE(second_rows); i++)
		for (command = 0; command < COMMANDS; command++)
			cell_test(&second_rows[i], command, command < GUEST ?
				  FIRST_ATTR : FIRST_ATTR + NLA_HDRLEN + sizeof(uint32_t));
	for (i = 0; i < ARRAY_SIZE(host_rows); i++)
		cell_test(&host_rows[i], HOST, FIRST_ATTR);
}

/* What is wrong is in the header: none of it names an attribute. */
static const struct header_row {
	const char *name;
	uint8_t cmd;
	uint16_t flags, reserved;
	int error;
	const char *words;
} header_rows[] = {
	{ "command 0", 0, 0, 0, EOPNOTSUPP, "" },
	{ "command 0, dumped", 0, NLM_F_DUMP, 0, EOPNOTSUPP, "" },
	{ "the command after the last", KVMWARD_CMD_MAX + 1, 0, 0, EOPNOTSUPP, "" },
	{ "command 255, dumped", 255, NLM_F_DUMP, 0, EOPNOTSUPP, "" },
	{ "slot-ntf, which is no request", KVMWARD_CMD_SLOT_NTF, 0, 0, EOPNOTSUPP, "" },
	{ "slot-ntf, dumped", KVMWARD_CMD_SLOT_NTF, NLM_F_DUMP, 0, EOPNOTSUPP, "" },
	{ "host-get, dumped", KVMWARD_CMD_HOST_GET, NLM_F_DUMP, 0, EOPNOTSUPP, "" },
	{ "slot-get, not dumped", KVMWARD_CMD_SLOT_GET, 0, 0, EOPNOTSUPP, "" },
	{ "reserved bits of the header", KVMWARD_CMD_HOST_GET, 0, 7, EINVAL,
	  "genlmsghdr.reserved field is not 0" },
	{ "half a dump", KVMWARD_CMD_SLOT_GET, NLM_F_ROOT, 0, EINVAL,
	  "ambiguous or reserved bits set in nlmsg_flags" },
	{ "flags of a change", KVMWARD_CMD_HOST_GET, NLM_F_CREATE | NLM_F_EXCL, 0, EINVAL,
	  "ambiguous or reserved bits set in nlmsg_flags" },
	{ "flags that mean nothing", KVMWARD_CMD_HOST_GET, 0x8000, 0, EINVAL,
	  "ambiguous or reserved bits set in nlmsg_flags" },
};

static void header_test(const struct header_row *row)
{
	char buf[64];
	struct nl_answer answer = { 0 };
	uint16_t ack = row->flags & NLM_F_DUMP ? 0 : NLM_F_ACK;
	size_t len = nl_request(&nl, buf, row->cmd, row->flags | ack, NULL, 0);
	int ret;

	memcpy(buf + NLMSG_HDRLEN + offsetof(struct genlmsghdr, reserved), &row->reserved,
	       sizeof(row->reserved));
	ret = nl_send(&nl, buf, len);
	ret = ret ? ret : nl_receive(&nl, &answer);
	if (ret != -row->error || strcmp(nl.error, row->words))
		ksft_print_msg("%s: '%s'\n", strerror(-ret), nl.error);
	ksft_test_result(ret == -row->error && !answer.count && !strcmp(nl.error, row->words) &&
			 nl.bad_attr < 0, "%s: %s\n", row->name,
			 *row->words ? row->words : strerror(row->error));
	nl_answer_done(&answer);
}

/* A message of that length in all: too short for a command, or far too long. */
static void length_test(size_t len, const char *name)
{
	static char buf[60000];
	struct nl_answer answer = { 0 };
	uint32_t says = len;
	int ret;

	memset(buf, 0, sizeof(buf));
	nl_request(&nl, buf, KVMWARD_CMD_HOST_GET, NLM_F_ACK, NULL, 0);
	memcpy(buf, &says, sizeof(says));
	ret = nl_send(&nl, buf, len);
	ret = ret ? ret : nl_receive(&nl, &answer);
	ksft_test_result(ret == -EINVAL && !answer.count, "%s\n", name);
	nl_answer_done(&answer);
}

/* A right request behind a wrong one, in one datagram, has its answer. */
static void pair_test(void)
{
	char buf[256];
	struct nl_answer answer = { 0 };
	size_t wrong = nl_request(&nl, buf, KVMWARD_CMD_HOST_GET, NLM_F_ACK, attrs, pid_of_none());
	size_t right = nl_request(&nl, buf + wrong, KVMWARD_CMD_HOST_GET, NLM_F_ACK, NULL, 0);
	int ret = nl_send(&nl, buf, wrong + right);

	ret = ret ? ret : nl_receive(&nl, &answer);
	ksft_test_result(!ret && answer.count == 1, "a right request behind a wrong one is answered\n");
	nl_answer_done(&answer);
}

/* All of that has left it working. */
static void alive_test(void)
{
	struct nl_answer answer;

	test_host(&nl, &answer);
	nl_answer_done(&answer);
	ksft_test_result(test_module_users() == 0, "still answers, and has no users left\n");
}

int main(void)
{
	unsigned int i;

	test_open(&nl);
	ksft_set_plan((ARRAY_SIZE(rows) + ARRAY_SIZE(second_rows)) * COMMANDS +
		      ARRAY_SIZE(host_rows) + ARRAY_SIZE(header_rows) + 4);
	matrix_test();
	for (i = 0; i < ARRAY_SIZE(header_rows); i++)
		header_test(&header_rows[i]);
	length_test(NLMSG_HDRLEN, "a message without a command");
	length_test(60000, "60,000 bytes of nothing");
	pair_test();
	alive_test();
	ksft_finished();
}
