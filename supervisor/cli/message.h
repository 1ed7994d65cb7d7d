/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_MESSAGE_H
#define KW_CLI_MESSAGE_H

#include "model/verdict.h"

/*
 * One message to standard error, "kvmward: " before it and a newline after it;
 * what was printed before goes out first. Control characters are escaped, since
 * names may be hostile.
 */
void kw_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "refused: CODE: sentence". */
void kw_message_refused(const struct kw_verdict *verdict);

#endif
