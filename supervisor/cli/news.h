/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_NEWS_H
#define KW_CLI_NEWS_H

#include "cli/changes.h"

/* Prints one line about a change, with the time of day; json: one object on it. */
void kw_news_change(const struct kw_change *change, bool json);

/* The same when a source of facts went away; reason NULL: it is back. */
void kw_news_source(const char *source, const char *reason, bool json);

/* The same when the host begins to be drained, or lets guests in again. */
void kw_news_draining(bool draining, bool json);

/* The same about a guest that kvmwardd has refused. */
void kw_news_refusal(const struct kw_refusal *refusal, bool json);

#endif
