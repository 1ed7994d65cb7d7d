/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/text.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/utf8.h"

void kw_metric_family(FILE *to, const char *name, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

void kw_metric_single(FILE *to, const char *name, const char *help, uint64_t value)
{
	kw_metric_family(to, name, help);
	fprintf(to, "%s %" PRIu64 "\n", name, value);
}

int kw_metric_label(FILE *to, char before, const char *name, const char *value)
{
	_cleanup_free_ char *text = kw_utf8_repair(value);

	if (!text)
		return -ENOMEM;
	fprintf(to, "%c%s=\"", before, name);
	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			fputs("\\n", to);
		else if (*at == '"' || *at == '\\')
			fprintf(to, "\\%c", *at);
		else if ((unsigned char)*at < ' ' || *at == 0x7f)
			fputs("\xef\xbf\xbd", to);
		else
			fputc(*at, to);
	}
	fputc('"', to);
	return 0;
}

void kw_metric_number_label(FILE *to, const char *name, struct kw_u32 number)
{
	if (number.known)
		fprintf(to, ",%s=\"%" PRIu32 "\"", name, number.value);
}
