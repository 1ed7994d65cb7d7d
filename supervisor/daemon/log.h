/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_LOG_H
#define KW_DAEMON_LOG_H

#include <syslog.h>

#include "model/verdict.h"

/* One line to the journal, or to stderr when that is no stream of the journal. */
void kw_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same about one guest: the journal also gets DOMAIN_UUID=. */
void kw_log_guest(int priority, const char *uuid, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same about a verdict on one: and KVMWARD_CODE=. */
void kw_log_verdict(int priority, const char *uuid, enum kw_code code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
