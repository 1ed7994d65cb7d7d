/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_METRICS_TEXT_H
#define KW_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/known.h"

/* A figure of many objects, or of one. */
struct kw_metric {
	const char *name, *help;
	size_t offset;		/* of a kw_u32 or kw_u64 in the object */
};

/* Not known where the object does not know it. */
static inline struct kw_u32 kw_metric_u32(const void *object, size_t offset)
{
	return *(const struct kw_u32 *)((const char *)object + offset);
}

static inline struct kw_u64 kw_metric_u64(const void *object, size_t offset)
{
	return *(const struct kw_u64 *)((const char *)object + offset);
}

/* What stands once before all series of a name. */
void kw_metric_family(FILE *to, const char *name, const char *help);

/* A figure without labels, with that. */
void kw_metric_single(FILE *to, const char *name, const char *help, uint64_t value);

/*
 * One label, behind '{' for the first or ','. Terminals can show it too: control
 * characters become U+FFFD. 0 or -ENOMEM.
 */
int kw_metric_label(FILE *to, char before, const char *name, const char *value);

/* The same of a number, behind ','; nothing when it is not known. */
void kw_metric_number_label(FILE *to, const char *name, struct kw_u32 number);

#endif
