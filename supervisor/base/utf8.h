/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_UTF8_H
#define KW_BASE_UTF8_H

/*
 * The text as valid UTF-8, for formats that want it (JSON, Prometheus): each
 * byte that belongs to no character becomes U+FFFD. Owned by the caller; NULL
 * without memory.
 */
char *kw_utf8_repair(const char *text);

#endif
