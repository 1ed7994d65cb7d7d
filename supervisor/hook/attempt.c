/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/client.h"
#include "hook/input.h"

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
			       "the domain XML is longer than %u MiB", KW_HOOK_XML_MAX >> 20);
	else
		kw_verdict_set(verdict, KW_HOOK_USAGE, "cannot read standard input: %s",
			       strerror(-error));
}

/* *ret_xml is left alone when there is no XML that could be passed on. */
static bool read_xml(const struct kw_hook_place *place, char **ret_xml, struct kw_verdict *verdict)
{
	_cleanup_free_ char *xml = NULL;
	size_t length;
	int r = kw_input_read(place->input_fd, KW_HOOK_XML_MAX,
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

int kw_attempt_again(struct kw_attempt *attempt, uint64_t deadline_ns,
		     struct kw_verdict *ret_verdict)
{
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;
	char *const *argv = attempt->argv;
	int r = kw_bus_open_door(attempt->state_dir, deadline_ns, &bus);

	if (r < 0)
		snprintf(attempt->error, sizeof(attempt->error), "its door in %s: %s",
			 attempt->state_dir, strerror(-r));
	else
		r = kw_bus_hook(bus, argv[1], argv[2], argv[3], argv[4], attempt->xml ?: "",
				ret_verdict);
	if (r < 0 && bus)
		kw_text_copy(attempt->error, sizeof(attempt->error), kw_bus_error(bus));
	attempt->status = r;
	return r;
}

static uint64_t first_deadline_ns(const struct kw_hook_place *place)
{
	uint64_t least_ns = kw_clock_monotonic_ns() + KW_HOOK_LEAST_NS;
	uint64_t usual_ns = place->start_ns + KW_HOOK_FIRST_NS;

	return usual_ns > least_ns ? usual_ns : least_ns;
}

bool kw_attempt_first(struct kw_attempt *attempt, const struct kw_hook_place *place,
		      struct kw_verdict *ret_verdict)
{
	if (kw_attempt_again(attempt, first_deadline_ns(place), ret_verdict) >= 0)
		return true;
	return !kw_hook_may_refuse(attempt->kind) && attempt->kind != KW_HOOK_ENDED;
}

bool kw_attempt_read(int argc, char **argv, const struct kw_hook_place *place,
		     struct kw_attempt *ret_attempt, struct kw_verdict *ret_verdict)
{
	struct kw_attempt attempt = {
		.kind = kw_hook_kind_of_args(argc, argv),
		.argv = argv,
		.state_dir = place->state_dir,
	};

	kw_verdict_set(ret_verdict, KW_ADMITTED, "nothing to decide");
	if (attempt.kind == KW_HOOK_RECONNECT || !check_args(argc, argv, ret_verdict))
		return true;
	/* without XML kvmwardd can still end a hold, by the guest's name */
	if (!read_xml(place, &attempt.xml, ret_verdict) && kw_hook_may_refuse(attempt.kind))
		return true;
	*ret_attempt = attempt;
	return false;
}

void kw_attempt_done(struct kw_attempt *attempt)
{
	free(attempt->xml);
	attempt->xml = NULL;
}
