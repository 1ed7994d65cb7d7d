/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/json.h"
#include "cli/news.h"

static const struct kw_slots slots = { .capacity = { true, 10 } };

static const struct kw_guest guest = {
	.comm = "sev\n_vm", .pid = 7, .type = { true, KW_GUEST_SEV }, .asid = { true, 6 },
	.orphan = true,
};

static const struct kw_hold hold = { .claim = { .name = "web", .type = KW_GUEST_SEV } };

static const struct kw_refusal *refusal;	/* to print, instead of the rest */

/* What the news prints, read back from where standard output went. */
static void printed(char *to, size_t size, const struct kw_change *change, const char *reason,
		    bool json)
{
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	size_t length;

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	if (change)
		kw_news_change(change, json);
	else if (refusal)
		kw_news_refusal(refusal, json);
	else
		kw_news_source("module", reason, json);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	length = fread(to, 1, size - 1, file);
	to[length] = 0;
	fclose(file);
}

#define TIME_LENGTH (sizeof("2026-01-01 00:00:00 ") - 1)

static void a_change_is_one_line(void **state)
{
	struct kw_change came = { .kind = KW_GUEST_CAME, .guest = &guest, .has_pool = true,
				  .view = { .title = "SEV", .slots = &slots, .taken = KW_U32(4) } };
	struct kw_change ended = { .kind = KW_HOLD_ENDED, .hold = &hold, .has_pool = true,
				   .view = { .title = "SEV", .slots = &slots, .taken = KW_U32(4),
					     .held = KW_U32(2) } };
	struct kw_change pool = { .kind = KW_POOL_CHANGED, .has_pool = true,
				  .pool = KW_POOL_SEV_ES,
				  .view = { .title = "SEV-ES/SNP", .slots = &slots } };
	char text[1024];

	(void)state;
	printed(text, sizeof(text), &came, NULL, false);
	assert_string_equal(text + TIME_LENGTH, "+ guest sev\\x0a_vm pid 7 sev ASID 6 outside orphan; "
						"SEV slots: 4 of 10 taken\n");
	printed(text, sizeof(text), &ended, NULL, false);
	assert_string_equal(text + TIME_LENGTH,
			    "- hold web sev; SEV slots: 4 of 10 taken, 2 held\n");
	printed(text, sizeof(text), &pool, NULL, false);
	assert_string_equal(text + TIME_LENGTH, "~ SEV-ES/SNP slots: not known\n");
	printed(text, sizeof(text), NULL, "it is gone", false);
	assert_string_equal(text + TIME_LENGTH, "! module cannot be asked: it is gone\n");
	printed(text, sizeof(text), NULL, NULL, false);
	assert_string_equal(text + TIME_LENGTH, "! module answers again\n");
}

static void json_is_one_object_on_a_line(void **state)
{
	struct kw_change came = { .kind = KW_GUEST_CAME, .guest = &guest, .has_pool = true,
				  .view = { .title = "SEV", .slots = &slots, .taken = KW_U32(4) } };
	struct json_object *object, *found;
	char text[4096];

	(void)state;
	printed(text, sizeof(text), &came, NULL, true);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	object = json_tokener_parse(text);
	assert_non_null(object);
	assert_true(json_object_object_get_ex(object, "change", &found));
	assert_string_equal(json_object_get_string(found), "guest-came");
	assert_true(json_object_object_get_ex(object, "pool", &found));
	assert_true(json_object_object_get_ex(found, "taken", &found));
	assert_int_equal(json_object_get_int(found), 4);
	json_object_put(object);
}

static void a_refusal_is_one_line(void **state)
{
	static const struct kw_refusal full = { "web\n", "u", { KW_SLOT_FULL, "no slot\x1b is free" } };
	struct json_object *object, *found;
	char text[1024];

	(void)state;
	refusal = &full;
	printed(text, sizeof(text), NULL, NULL, false);
	assert_string_equal(text + TIME_LENGTH,
			    "! refused web\\x0a slot-full: no slot\\x1b is free\n");
	printed(text, sizeof(text), NULL, NULL, true);
	refusal = NULL;
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	object = json_tokener_parse(text);
	assert_true(json_object_object_get_ex(object, "change", &found));
	assert_string_equal(json_object_get_string(found), "refused");
	assert_true(json_object_object_get_ex(object, "verdict", &found));
	assert_true(json_object_object_get_ex(found, "code", &found));
	assert_string_equal(json_object_get_string(found), "slot-full");
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_one_line),
		cmocka_unit_test(json_is_one_object_on_a_line),
		cmocka_unit_test(a_refusal_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
