/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/news.h"

#include <inttypes.h>
#include <time.h>

#include "cli/display.h"
#include "cli/json.h"
#include "cli/slots.h"

static const char *now_text(const char *format, char *to, size_t size)
{
	time_t now = time(NULL);
	struct tm local;

	if (!localtime_r(&now, &local) || !strftime(to, size, format, &local))
		*to = 0;
	return to;
}

static const char *const kinds[] = {
	[KW_GUEST_CAME] = "guest-came",
	[KW_GUEST_WENT] = "guest-went",
	[KW_GUEST_CHANGED] = "guest-changed",
	[KW_HOLD_TAKEN] = "hold-taken",
	[KW_HOLD_ENDED] = "hold-ended",
	[KW_POOL_CHANGED] = "pool-changed",
};

static struct json_object *event_json(const char *kind)
{
	struct json_object *to = json_object_new_object();
	char when[40];

	json_object_object_add(to, "time",
			       kw_json_text(now_text("%Y-%m-%dT%H:%M:%S%z", when, sizeof(when))));
	json_object_object_add(to, "change", kw_json_text(kind));
	return to;
}

static void print_change_json(const struct kw_change *change)
{
	struct json_object *to = event_json(kinds[change->kind]);

	if (change->guest)
		json_object_object_add(to, "guest", kw_json_guest(change->guest));
	if (change->hold)
		json_object_object_add(to, "hold", kw_json_claim(&change->hold->claim,
						     change->pool == KW_POOL_SNP));
	json_object_object_add(to, "pool",
			       change->has_pool ? kw_json_pool(change->pool, &change->view) : NULL);
	kw_json_print(to, true);
}

static char sign(enum kw_change_kind kind)
{
	if (kind == KW_GUEST_CAME || kind == KW_HOLD_TAKEN)
		return '+';
	return kind == KW_GUEST_WENT || kind == KW_HOLD_ENDED ? '-' : '~';
}

static void print_guest(const struct kw_guest *guest)
{
	_cleanup_free_ char *name = kw_display(kw_guest_title(guest));

	printf("guest %s pid %d %s", name ? name : "", (int)guest->pid,
	       guest->type.known ? kw_guest_type_name(guest->type.value) : "type not known");
	if (guest->asid.known)
		printf(" ASID %" PRIu32, guest->asid.value);
	if (!guest->libvirt)
		fputs(" outside", stdout);
	if (guest->mirror)
		fputs(" mirror", stdout);
	if (guest->orphan)
		fputs(" orphan", stdout);
}

static void print_hold(const struct kw_claim *claim)
{
	_cleanup_free_ char *name = kw_display(claim->name);

	printf("hold %s %s", name ? name : "", kw_guest_type_name(claim->type));
}

static void print_pool(const struct kw_pool_view *view)
{
	printf("%s slots: ", view->title);
	if (view->taken.known && view->slots->capacity.known)
		printf("%" PRIu32 " of %" PRIu32 " taken", view->taken.value,
		       view->slots->capacity.value);
	else
		fputs("not known", stdout);
	if (kw_u32_yes(view->held))
		printf(", %" PRIu32 " held", view->held.value);
}

static void print_change(const struct kw_change *change)
{
	char when[40];

	printf("%s %c ", now_text("%F %T", when, sizeof(when)), sign(change->kind));
	if (change->guest)
		print_guest(change->guest);
	if (change->hold)
		print_hold(&change->hold->claim);
	if (change->has_pool) {
		fputs(change->guest || change->hold ? "; " : "", stdout);
		print_pool(&change->view);
	}
	putchar('\n');
}

void kw_news_change(const struct kw_change *change, bool json)
{
	(json ? print_change_json : print_change)(change);
}

void kw_news_source(const char *source, const char *reason, bool json)
{
	char kind[32], when[40];

	snprintf(kind, sizeof(kind), "%s-%s", source, reason ? "lost" : "back");
	if (json) {
		struct json_object *to = event_json(kind);

		json_object_object_add(to, "reason", kw_json_text(reason));
		kw_json_print(to, true);
	} else {
		printf("%s ! %s %s%s\n", now_text("%F %T", when, sizeof(when)), source,
		       reason ? "cannot be asked: " : "answers again", reason ? reason : "");
	}
}

void kw_news_draining(bool draining, bool json)
{
	char when[40];

	if (json)
		kw_json_print(event_json(draining ? "draining-began" : "draining-ended"), true);
	else
		printf("%s ! %s\n", now_text("%F %T", when, sizeof(when)),
		       draining ? "host is being drained: no guest is let in"
				: "host lets guests in again");
}

static void print_refusal_json(const struct kw_refusal *refusal)
{
	struct json_object *to = event_json("refused");

	json_object_object_add(to, "name", kw_json_text(refusal->name));
	json_object_object_add(to, "uuid", kw_json_text(refusal->uuid));
	json_object_object_add(to, "verdict", kw_json_verdict(&refusal->verdict));
	kw_json_print(to, true);
}

void kw_news_refusal(const struct kw_refusal *refusal, bool json)
{
	_cleanup_free_ char *name = kw_display(refusal->name);
	_cleanup_free_ char *sentence = kw_display(refusal->verdict.sentence);
	char when[40];

	if (json)
		print_refusal_json(refusal);
	else
		printf("%s ! refused %s %s: %s\n", now_text("%F %T", when, sizeof(when)),
		       name ? name : "", kw_code_name(refusal->verdict.code),
		       sentence ? sentence : "");
}
