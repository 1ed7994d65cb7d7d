/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/drain_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/guests.h"
#include "base/text.h"
#include "bus/names.h"
#include "cli/message.h"
#include "cli/patience.h"

static const struct kw_patience list_patience = {
	.notice_ms = 5000,
	.limit_ms = 30000,
	.notice = "libvirt has not listed its guests for 5 s; waiting 25 s more, Ctrl-C ends it",
};

/* For the thread that asks libvirt; one that is given up goes on with it. */
struct listing {
	struct kw_libvirt *libvirt;
	struct kw_guest_name *guests;
	size_t count;
	int result;
	char error[512];
};

static void call_list(void *data)
{
	struct listing *listing = data;

	listing->result = kw_libvirt_guests(listing->libvirt, &listing->guests, &listing->count,
					     listing->error, sizeof(listing->error));
}

static enum kw_exit no_memory(const char *command)
{
	kw_message("%s: out of memory", command);
	return KW_EXIT_FAILED;
}

static enum kw_exit look_at_guests(struct kw_drain_look *look, const struct listing *listing)
{
	enum kw_exit done = KW_EXIT_DONE;

	if (listing->count > KW_BUS_PLANS_MAX) {
		kw_message("%s: libvirt has more than %d guests here; move some with 'kvmward "
			   "migrate' first", look->here.command, KW_BUS_PLANS_MAX);
		return KW_EXIT_FAILED;
	}
	look->guests = calloc(listing->count + 1, sizeof(*look->guests));
	if (!look->guests)
		return no_memory(look->here.command);
	while (!done && look->count < listing->count) {
		done = kw_move_here_guest(&look->here, listing->guests[look->count].uuid,
					  &look->guests[look->count]);
		look->count++;
	}
	return done;
}

static enum kw_exit list_guests(struct kw_drain_look *look)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	enum kw_exit done = KW_EXIT_FAILED;
	int error;

	if (!listing)
		return no_memory(look->here.command);
	listing->libvirt = look->here.libvirt;
	error = kw_patience_run(&list_patience, call_list, listing);
	if (error) {
		kw_message("%s: libvirt does not list its guests: %s", look->here.command,
			   strerror(-error));
		look->stuck = true;	/* and the thread has the listing */
		return KW_EXIT_FAILED;
	}
	if (listing->result)
		kw_message("%s: libvirt does not list its guests: %s", look->here.command,
			   listing->error);
	else
		done = look_at_guests(look, listing);
	free(listing->guests);
	free(listing);
	return done;
}

static enum kw_exit look_there(struct kw_drain_look *look, const char *const *uris,
			       size_t uri_count, bool copies)
{
	look->theres = calloc(uri_count, sizeof(*look->theres));
	look->facts = calloc(look->count * uri_count + 1, sizeof(*look->facts));
	look->plans = calloc(look->count * uri_count + 1, sizeof(*look->plans));
	look->ways = calloc(look->count + 1, sizeof(*look->ways));
	if (!look->theres || !look->facts || !look->plans || !look->ways)
		return no_memory(look->here.command);
	for (size_t i = 0; i < look->count; i++)
		look->ways[i] = (struct kw_drain_guest){ .facts = &look->facts[i * uri_count],
							 .plans = &look->plans[i * uri_count] };
	for (; look->destination_count < uri_count; look->destination_count++)
		kw_move_there_open(uris[look->destination_count],
				   &look->theres[look->destination_count]);
	for (size_t i = 0; i < look->count; i++)
		for (size_t j = 0; j < uri_count; j++)
			if (kw_move_facts_make(&look->here, &look->guests[i], &look->theres[j],
					       copies, &look->ways[i].facts[j]))
				return no_memory(look->here.command);
	return KW_EXIT_DONE;
}

/* Whether a kvmwardd answers there is the same for all guests. */
static void tell_guard(struct kw_drain_look *look, size_t destination, int error)
{
	const struct kw_move_there *there = &look->theres[destination];
	const char *why = there->unguarded;

	if (error && there->bus)
		why = kw_bus_error(there->bus);
	for (size_t i = 0; i < look->count; i++) {
		struct kw_move_facts *facts = &look->ways[i].facts[destination];

		facts->guarded = KW_U32(!error);
		kw_text_copy(facts->unguarded, sizeof(facts->unguarded), error ? why : "");
	}
}

static int ask(struct kw_drain_look *look, size_t destination, const size_t *indices, size_t count,
	       struct kw_verdict *ret_verdicts)
{
	struct kw_bus *bus = look->theres[destination].bus;
	const char *xmls[KW_BUS_PLANS_MAX];

	for (size_t i = 0; i < count; i++)
		xmls[i] = kw_move_guest_xml(&look->guests[indices[i]]);
	return bus ? kw_bus_plan_all(bus, xmls, count, ret_verdicts) : -ENXIO;
}

/* One destination after the other: who goes to the first is not asked about at the next. */
static enum kw_exit find_ways(struct kw_drain_look *look, const struct kw_move_wish *wish)
{
	_cleanup_free_ size_t *indices = calloc(look->count + 1, sizeof(*indices));
	_cleanup_free_ struct kw_verdict *verdicts = calloc(look->count + 1, sizeof(*verdicts));

	if (!indices || !verdicts)
		return no_memory(look->here.command);
	for (size_t i = 0; i < look->destination_count; i++) {
		int error = ask(look, i, NULL, 0, NULL);
		size_t count;

		tell_guard(look, i, error);
		count = kw_drain_candidates(look->ways, look->count, i, wish, indices);
		if (!error && count) {
			error = ask(look, i, indices, count, verdicts);
			tell_guard(look, i, error);
		}
		kw_drain_settle(look->ways, i, wish, indices, count, error ? NULL : verdicts);
	}
	return KW_EXIT_DONE;
}

enum kw_exit kw_drain_look(const char *command, const char *const *uris, size_t uri_count,
			   const struct kw_move_wish *wish, struct kw_drain_look *ret_look)
{
	enum kw_exit done;

	*ret_look = (struct kw_drain_look){};
	done = kw_move_here_open(command, &ret_look->here);
	if (!done)
		done = list_guests(ret_look);
	if (!done)
		done = look_there(ret_look, uris, uri_count, wish->copy_storage);
	return done ? done : find_ways(ret_look, wish);
}

bool kw_drain_look_stuck(const struct kw_drain_look *look)
{
	for (size_t i = 0; i < look->destination_count; i++)
		if (look->theres[i].stuck)
			return true;
	return look->stuck;
}

void kw_drain_look_done(struct kw_drain_look *look)
{
	for (size_t i = 0; look->facts && i < look->count * look->destination_count; i++)
		kw_move_facts_done(&look->facts[i]);
	for (size_t i = 0; i < look->destination_count; i++)
		kw_move_there_close(&look->theres[i]);
	for (size_t i = 0; i < look->count; i++)
		kw_move_guest_done(&look->guests[i]);
	kw_move_here_close(&look->here);
	free(look->facts);
	free(look->plans);
	free(look->ways);
	free(look->theres);
	free(look->guests);
}
