/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_TEXT_H
#define KW_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KW_KIB 1024ull
#define KW_MIB (1024ull * KW_KIB)
#define KW_GIB (1024ull * KW_MIB)

/*
 * Copies from into to, always ended by 0; NULL is copied as "". What does not
 * fit is cut, never within a UTF-8 character. False when it was cut.
 */
bool kw_text_copy(char *to, size_t to_size, const char *from);

/* True when the two are equal; NULL equals only NULL. */
bool kw_text_equal(const char *a, const char *b);

/* True when text begins with prefix. */
bool kw_text_starts(const char *text, const char *prefix);

/*
 * A whole number: decimal digits and nothing else, no sign, no blank, no unit.
 * 0; -EINVAL when it is not one, -ERANGE when it is above max.
 */
int kw_text_u64(const char *text, uint64_t max, uint64_t *ret_number);
int kw_text_u32(const char *text, uint32_t max, uint32_t *ret_number);

/* The same, but "0x" makes it hexadecimal, as libvirt writes launch policies. */
int kw_text_number(const char *text, uint64_t max, uint64_t *ret_number);

/*
 * Bytes that libvirt's scaled integers mean: unit "b", "bytes", "KB" (1000),
 * "k" or "KiB" (1024), and so on with M, G, T, P, E in either case; NULL or ""
 * means default_scale bytes. 0; -EINVAL for a unit or number that makes no
 * sense, -ERANGE when it does not fit. Source: libvirt virScaleInteger().
 */
int kw_text_size(const char *number, const char *unit, uint64_t default_scale,
		 uint64_t *ret_bytes);

/*
 * The UUID in its usual form, lower case with four dashes; dashes and case of
 * the text are free, as they are for libvirt. ret_uuid has room for 37 bytes.
 * 0 or -EINVAL.
 */
int kw_text_uuid(const char *text, char *ret_uuid);

/* True when text is a UUID in its usual form. */
bool kw_text_is_uuid(const char *text);

/* True when the text is UTF-8 as D-Bus and JSON want it: no overlong form, no surrogate. */
bool kw_text_is_utf8(const char *text);

/* For sentences: "17 B", "300 KiB", "512 MiB", from 10 GiB on "12.5 GiB"; rounded down. Returns to. */
char *kw_text_bytes(char *to, size_t to_size, uint64_t bytes);

#endif
