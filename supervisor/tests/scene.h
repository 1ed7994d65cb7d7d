/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_TESTS_SCENE_H
#define KW_TESTS_SCENE_H

#include <string.h>

#include "policy/admit.h"

/* A host and a guest that wants to start on it; each test file fills it its own way. */
struct scene {
	struct kw_facts facts;
	struct kw_guest guests[16];
	struct kw_hold holds[16];
	struct kw_hold_list list;
	struct kw_config config;
	struct kw_claim claim;
};

/* Fails the test unless the guest is judged so, in a sentence with these words in it. */
static void expect(struct scene *scene, enum kw_code code, const char *in_sentence)
{
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	kw_admit(&scene->facts, &scene->list, &scene->config, &scene->claim, &verdict);
	if (verdict.code != code || !strstr(verdict.sentence, in_sentence))
		fail_msg("wanted %s with \"%s\", got %s: %s", kw_code_name(code), in_sentence,
			 kw_code_name(verdict.code), verdict.sentence);
}

#endif
