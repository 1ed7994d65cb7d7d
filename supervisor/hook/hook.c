/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/hook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/client.h"
#include "facts/domain_xml.h"
#include "hook/input.h"
#include "hook/unasked.h"
#include "ledger/ledger.h"

/* kvmwardd is started again 100 ms after a crash. */
#define PAUSE_NS (50 * KW_NS_PER_MS)

/* A release can be left as a note, so libvirt need not wait long for it to be told. */
#define TELL_NS (500 * KW_NS_PER_MS)

KW_CLEANUP_OF(struct kw_bus, kw_bus_close);

enum kw_hook_kind kw_hook_kind_of_args(int argc, char **argv)
{
	return argc > 2 ? kw_hook_kind_of(argv[2]) : KW_HOOK_PREPARE;
}

static bool check_args(int argc, char **argv, struct kw_verdict *verdict)
{
	if (argc == 5 && argv[1][0])
		return true;
	kw_verdict_set(verdict, KW_HOOK_USAGE,
		       "%d arguments were given; libvirt gives 4: guest name, operation, "
		       "sub-operation and \"-\"",
		       argc - 1);
	return false;
}

static void explain_input(int error, struct kw_verdict *verdict)
{
	if (error == -ETIMEDOUT)
		kw_verdict_set(verdict, KW_HOOK_USAGE,
			       "the domain XML on standard input did not end within %llu ms",
			       KW_HOOK_INPUT_NS / KW_NS_PER_MS);
	else if (error == -EFBIG)
		kw_verdict_set(verdict, KW_XML_INVALID,
			       "the domain XML is longer than %u MiB", KW_DOMAIN_XML_MAX >> 20);
	else
		kw_verdict_set(verdict, KW_HOOK_USAGE, "cannot read standard input: %s",
			       strerror(-error));
}

/* *ret_xml is left alone when there is no XML that could be passed on. */
static bool read_xml(const struct kw_hook_place *place, char **ret_xml, struct kw_verdict *verdict)
{
	_cleanup_free_ char *xml = NULL;
	size_t length;
	int r = kw_input_read(place->input_fd, KW_DOMAIN_XML_MAX,
			      place->start_ns + KW_HOOK_INPUT_NS, &xml, &length);

	if (r < 0) {
		explain_input(r, verdict);
	} else if (!length) {
		kw_verdict_set(verdict, KW_HOOK_USAGE, "there is no domain XML on standard input");
	} else if (strlen(xml) != length) {
		kw_verdict_set(verdict, KW_XML_INVALID, "the domain XML has a zero byte in it");
	} else {
		*ret_xml = KW_STEAL(xml);
		return true;
	}
	return false;
}

/* One attempt. 0 with a verdict, or negative errno with the reason in error. */
static int ask(char **argv, const char *xml, uint64_t deadline_ns, struct kw_verdict *verdict,
	       char *error, size_t error_size)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	int r = kw_bus_open(deadline_ns, &bus);

	if (r < 0) {
		snprintf(error, error_size, "no system bus: %s", strerror(-r));
		return r;
	}
	r = kw_bus_hook(bus, argv[1], argv[2], argv[3], argv[4], xml, verdict);
	if (r < 0)
		kw_text_copy(error, error_size, kw_bus_error(bus));
	return r;
}

static void pause_a_little(void)
{
	struct timespec time = { .tv_nsec = PAUSE_NS };

	nanosleep(&time, NULL);
}

static void follow_config(const struct kw_unasked *unasked, const char *error,
			  struct kw_verdict *verdict)
{
	const char *kind = unasked->encrypted ? "encrypted" : "plain";

	if (unasked->admit)
		kw_verdict_set(verdict, KW_ADMITTED, "%s guest, admitted unasked", kind);
	else
		kw_verdict_set(verdict, KW_DAEMON_UNREACHABLE,
			       "kvmwardd cannot be asked (%s), and without it no %s guest starts; "
			       "see 'systemctl status kvmwardd'",
			       error, kind);
}

/* Another attempt may go better, unless kvmwardd is there and we are not understood. */
static bool try_again(int error, const struct kw_hook_place *place)
{
	if (error == -EACCES || error == -EBADMSG)
		return false;
	return kw_clock_monotonic_ns() + PAUSE_NS < place->start_ns + KW_HOOK_RETRY_NS;
}

/*
 * A plain guest that may start unasked takes no slot, so it need not wait for
 * kvmwardd to come back; an encrypted one had better be held for.
 */
static void decide(char **argv, const char *xml, const struct kw_hook_place *place,
		   struct kw_verdict *verdict)
{
	uint64_t deadline_ns = place->start_ns + KW_HOOK_ANSWER_NS;
	struct kw_unasked unasked;
	char error[256] = "";
	int r = ask(argv, xml, deadline_ns, verdict, error, sizeof(error));

	if (r >= 0)
		return;
	kw_unasked_read(place->config_path, xml, strlen(xml), &unasked);
	while ((unasked.encrypted || !unasked.admit) && try_again(r, place)) {
		pause_a_little();
		r = ask(argv, xml, deadline_ns, verdict, error, sizeof(error));
		if (r >= 0)
			return;
	}
	follow_config(&unasked, error, verdict);
}

static int tell(char **argv, const char *xml, struct kw_verdict *verdict)
{
	char error[256];

	return ask(argv, xml, kw_clock_monotonic_ns() + TELL_NS, verdict, error, sizeof(error));
}

static void leave_note(const char *xml, const struct kw_hook_place *place,
		       struct kw_verdict *verdict)
{
	struct kw_unasked unasked;
	int r;

	kw_unasked_read(place->config_path, xml, strlen(xml), &unasked);
	r = unasked.uuid[0] ? kw_release_note_leave(place->state_dir, unasked.uuid) : -ENODATA;
	if (r == -ENODATA)
		kw_verdict_set(verdict, KW_XML_INVALID,
			       "kvmwardd cannot be told that this guest has ended, nor can a note "
			       "be left: the domain XML gives no UUID");
	else if (r < 0)
		kw_verdict_set(verdict, KW_DAEMON_UNREACHABLE,
			       "kvmwardd cannot be told that this guest has ended, nor can a note "
			       "be left in %s: %s",
			       place->state_dir, strerror(-r));
}

void kw_hook_answer(int argc, char **argv, const struct kw_hook_place *place,
		    struct kw_verdict *ret_verdict)
{
	enum kw_hook_kind kind = kw_hook_kind_of_args(argc, argv);
	_cleanup_free_ char *xml = NULL;
	bool complete;

	kw_verdict_set(ret_verdict, KW_ADMITTED, "nothing to decide");
	if (kind == KW_HOOK_RECONNECT || !check_args(argc, argv, ret_verdict))
		return;
	complete = read_xml(place, &xml, ret_verdict);
	if (kw_hook_may_refuse(kind)) {
		if (complete)
			decide(argv, xml, place, ret_verdict);
		return;
	}
	/* kvmwardd ends a hold by the guest's name when there is no XML. */
	if (tell(argv, xml ?: "", ret_verdict) < 0 && kind == KW_HOOK_ENDED)
		leave_note(xml ?: "", place, ret_verdict);
}
