/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct {
	const char *name, *meaning, *remedy;
} codes[] = {
#define X(symbol, code, meaning, remedy) {code, meaning, remedy},
	KW_VERDICTS(X)
#undef X
};

static bool is_code(enum kw_code code)
{
	return (unsigned int)code < KW_CODE_COUNT;
}

void kw_verdict_set(struct kw_verdict *ret_verdict, enum kw_code code, const char *format, ...)
{
	char sentence[2 * sizeof(ret_verdict->sentence)];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	for (char *c = sentence; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	ret_verdict->code = code;
	kw_text_copy(ret_verdict->sentence, sizeof(ret_verdict->sentence), sentence);
}

const char *kw_code_name(enum kw_code code)
{
	return is_code(code) ? codes[code].name : "unknown-code";
}

const char *kw_code_meaning(enum kw_code code)
{
	return is_code(code) ? codes[code].meaning : "This program does not know the code.";
}

const char *kw_code_remedy(enum kw_code code)
{
	return is_code(code) ? codes[code].remedy : "Update kvmward.";
}

int kw_code_find(const char *name, enum kw_code *ret_code)
{
	for (unsigned int i = 0; i < KW_CODE_COUNT; i++) {
		if (!strcmp(codes[i].name, name)) {
			*ret_code = (enum kw_code)i;
			return 0;
		}
	}
	return -ENOENT;
}
