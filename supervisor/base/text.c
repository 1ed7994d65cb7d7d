/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where to cut text so that at most room bytes stay and no character is split. */
static size_t cut_length(const char *text, size_t room)
{
	size_t length = room;

	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

bool kw_text_copy(char *to, size_t to_size, const char *from)
{
	size_t length = from ? strnlen(from, to_size) : 0;
	bool whole = length < to_size;

	if (!to_size)
		return false;
	if (!whole)
		length = cut_length(from, to_size - 1);
	if (length)
		memmove(to, from, length);
	to[length] = '\0';
	return whole;
}

bool kw_text_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool kw_text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Goes through to the end even when the number is too large: "9999x" is no number at all. */
static int parse_digits(const char *text, unsigned int base, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	bool too_large = false;

	if (!text || !*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)digit_value(*text);

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit, &number) || number > max)
			too_large = true;
	}
	if (too_large)
		return -ERANGE;
	*ret_number = number;
	return 0;
}

int kw_text_u64(const char *text, uint64_t max, uint64_t *ret_number)
{
	return parse_digits(text, 10, max, ret_number);
}

int kw_text_u32(const char *text, uint32_t max, uint32_t *ret_number)
{
	uint64_t number;
	int error = parse_digits(text, 10, max, &number);

	if (!error)
		*ret_number = (uint32_t)number;
	return error;
}

int kw_text_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	if (text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return parse_digits(text + 2, 16, max, ret_number);
	return parse_digits(text, 10, max, ret_number);
}

static int unit_scale(const char *unit, uint64_t *ret_scale)
{
	static const char letters[] = "KMGTPE";
	const char *letter;
	uint64_t step;

	if (!strcasecmp(unit, "b") || !strcasecmp(unit, "byte") || !strcasecmp(unit, "bytes")) {
		*ret_scale = 1;
		return 0;
	}
	letter = strchr(letters, toupper((unsigned char)unit[0]));
	if (!unit[1] || !strcasecmp(unit + 1, "iB"))
		step = 1024;
	else if (!strcasecmp(unit + 1, "B"))
		step = 1000;
	else
		return -EINVAL;
	if (!letter)
		return -EINVAL;
	for (*ret_scale = step; letter > letters; letter--)
		*ret_scale *= step;
	return 0;
}

int kw_text_size(const char *number, const char *unit, uint64_t default_scale, uint64_t *ret_bytes)
{
	uint64_t count, scale = default_scale, bytes;
	int error = kw_text_u64(number, UINT64_MAX, &count);

	if (!error && unit && *unit)
		error = unit_scale(unit, &scale);
	if (error)
		return error;
	if (__builtin_mul_overflow(count, scale, &bytes))
		return -ERANGE;
	*ret_bytes = bytes;
	return 0;
}

int kw_text_uuid(const char *text, char *ret_uuid)
{
	char uuid[37];
	size_t length = 0;

	if (!text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (length == 36 || digit_value(*text) >= 16)
			return -EINVAL;
		if (length == 8 || length == 13 || length == 18 || length == 23)
			uuid[length++] = '-';
		uuid[length++] = (char)tolower((unsigned char)*text);
	}
	if (length != 36)
		return -EINVAL;
	uuid[length] = '\0';
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}

bool kw_text_is_uuid(const char *text)
{
	char uuid[37];

	return kw_text_uuid(text, uuid) == 0 && strcmp(text, uuid) == 0;
}

/* Bytes that a character beginning with this byte has, 0 when none begins so. */
static size_t utf8_expected(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if ((first & 0xe0) == 0xc0)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return (first & 0xf8) == 0xf0 ? 4 : 0;
}

/* Bytes of the UTF-8 character at text, 0 when it is none. */
static size_t utf8_length(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = utf8_expected(text[0]);
	uint32_t point;

	if (length < 2)
		return length;
	point = text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point & ~0x7ffu) == 0xd800)
		return 0;
	return length;
}

bool kw_text_is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t length = utf8_length(at);

		if (!length)
			return false;
		at += length;
	}
	return true;
}

char *kw_text_bytes(char *to, size_t to_size, uint64_t bytes)
{
	if (bytes >= 10 * KW_GIB)
		snprintf(to, to_size, "%.1f GiB", (double)bytes / (double)KW_GIB);
	else if (bytes >= KW_MIB)
		snprintf(to, to_size, "%" PRIu64 " MiB", bytes / (uint64_t)KW_MIB);
	else if (bytes >= KW_KIB)
		snprintf(to, to_size, "%" PRIu64 " KiB", bytes / (uint64_t)KW_KIB);
	else
		snprintf(to, to_size, "%" PRIu64 " B", bytes);
	return to;
}
