/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cli/changes.h"

/* What was told, a letter per change and the name that it is about. */
static char told[256];

static void remember(const struct kw_change *change, void *data)
{
	static const char letters[] = "+-~HhP";
	size_t used = strlen(told);

	(void)data;
	used += snprintf(told + used, sizeof(told) - used, "%c", letters[change->kind]);
	if (change->guest)
		used += snprintf(told + used, sizeof(told) - used, "%s", change->guest->comm);
	if (change->hold)
		used += snprintf(told + used, sizeof(told) - used, "%s", change->hold->claim.name);
	if (change->has_pool)
		used += snprintf(told + used, sizeof(told) - used, "@%s:%u",
				 kw_pool_name(change->pool), change->view.taken.value);
	snprintf(told + used, sizeof(told) - used, " ");
}

static const char *between(const struct kw_moment *before, const struct kw_moment *now)
{
	*told = 0;
	kw_changes_tell(before, now, remember, NULL);
	return told;
}

#define GUEST(name, number, kind) \
	{ .pid = (number), .start_time_ns = KW_U64(number), .vm_fd = KW_U32(9), .comm = name, \
	  .type = KW_U32(kind) }

static struct kw_moment moment(struct kw_guest *guests, size_t count, uint32_t sev, uint32_t es)
{
	struct kw_moment at = { .facts = { .guests = { true, guests, count },
					   .slots.known = true } };

	at.facts.slots.pool[KW_POOL_SEV].charged = KW_U32(sev);
	at.facts.slots.pool[KW_POOL_SEV_ES].charged = KW_U32(es);
	return at;
}

static void nothing_new_is_not_told(void **state)
{
	struct kw_guest guest = GUEST("a", 1, KW_GUEST_SEV);
	struct kw_guest pinned = guest;
	struct kw_moment before = moment(&guest, 1, 1, 0), now = moment(&pinned, 1, 1, 0);

	(void)state;
	pinned.pinned_bytes = KW_U64(4096);
	assert_string_equal(between(&before, &now), "");
}

static void guests_come_go_and_change(void **state)
{
	struct kw_guest old[] = { GUEST("a", 1, KW_GUEST_SEV), GUEST("b", 2, KW_GUEST_PLAIN) };
	struct kw_guest new[] = { GUEST("b", 2, KW_GUEST_SEV_ES), GUEST("c", 3, KW_GUEST_PLAIN) };
	struct kw_moment before = moment(old, 2, 1, 0), now = moment(new, 2, 0, 1);

	(void)state;
	assert_string_equal(between(&before, &now), "-a@sev:0 ~b@sev-es:1 +c ");
}

static void a_pid_used_again_is_another_guest(void **state)
{
	struct kw_guest old = GUEST("a", 1, KW_GUEST_PLAIN), new = old;
	struct kw_moment before = moment(&old, 1, 0, 0), now = moment(&new, 1, 0, 0);

	(void)state;
	new.start_time_ns = KW_U64(77);
	assert_string_equal(between(&before, &now), "-a +a ");
}

static void a_slot_without_a_guest_is_told(void **state)
{
	struct kw_moment before = moment(NULL, 0, 2, 0), now = moment(NULL, 0, 3, 0);

	(void)state;
	assert_string_equal(between(&before, &now), "P@sev:3 ");
}

static void unknown_guests_have_not_gone(void **state)
{
	struct kw_guest guest = GUEST("a", 1, KW_GUEST_SEV);
	struct kw_moment before = moment(&guest, 1, 1, 0), now = moment(NULL, 0, 1, 0);

	(void)state;
	now.facts.guests.known = false;
	assert_string_equal(between(&before, &now), "");
	assert_string_equal(between(&now, &before), "");
}

static void holds_end_when_they_are_confirmed(void **state)
{
	struct kw_hold pending = { .claim = { .uuid = "u", .name = "h", .type = KW_GUEST_SEV } };
	struct kw_hold confirmed = pending;
	struct kw_moment none = moment(NULL, 0, 0, 0), held = none, up = none, blind = none;

	(void)state;
	confirmed.pid = 5;
	none.daemon.holds_known = held.daemon.holds_known = up.daemon.holds_known = true;
	held.daemon.holds = (struct kw_hold_list){ &pending, 1 };
	up.daemon.holds = (struct kw_hold_list){ &confirmed, 1 };
	assert_string_equal(between(&none, &held), "Hh@sev:0 ");
	assert_string_equal(between(&held, &up), "hh@sev:0 ");
	assert_string_equal(between(&up, &none), "");
	assert_string_equal(between(&held, &blind), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_new_is_not_told),
		cmocka_unit_test(guests_come_go_and_change),
		cmocka_unit_test(a_pid_used_again_is_another_guest),
		cmocka_unit_test(a_slot_without_a_guest_is_told),
		cmocka_unit_test(unknown_guests_have_not_gone),
		cmocka_unit_test(holds_end_when_they_are_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
