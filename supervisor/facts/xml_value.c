/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/xml_value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define BLANKS " \t\r\n"

/* Longer than any number with its sign, zeros and blanks ought to be. */
#define NUMBER_SIZE 64

/* Allocated by libxml2, whose allocator is the process's own unless someone replaced it. */
static void xml_free_at(xmlChar **text)
{
	if (*text)
		xmlFree(*text);
}

int kw_xml_complain(const struct kw_complaint *complaint, const xmlNode *node, const char *format,
		    ...)
{
	va_list args;
	int length = snprintf(complaint->text, complaint->size, "line %ld: <%.40s>: ",
			      xmlGetLineNo(node), (const char *)node->name);

	if (length < 0 || (size_t)length >= complaint->size)
		return -EBADMSG;
	va_start(args, format);
	vsnprintf(complaint->text + length, complaint->size - length, format, args);
	va_end(args);
	return -EBADMSG;
}

int kw_xml_only(const struct kw_complaint *complaint, const xmlNode *parent, const char *name,
		xmlNode **ret_node)
{
	xmlNode *node = kw_xml_child(parent, name), *second = kw_xml_next(node, name);

	if (second)
		return kw_xml_complain(complaint, second, "given twice, first in line %ld",
				       xmlGetLineNo(node));
	*ret_node = node;
	return 0;
}

static int copy_trimmed(const struct kw_complaint *complaint, const xmlNode *node,
			const char *text, char *ret_text, size_t size)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strlen(text);
	while (length && strchr(BLANKS, text[length - 1]))
		length--;
	if (length >= size)
		return kw_xml_complain(complaint, node, "longer than %zu bytes", size - 1);
	memcpy(ret_text, text, length);
	ret_text[length] = '\0';
	return 0;
}

int kw_xml_text(const struct kw_complaint *complaint, const xmlNode *node, char *ret_text,
		size_t size)
{
	_cleanup_(xml_free_at) xmlChar *text = node ? xmlNodeGetContent(node) : NULL;

	return copy_trimmed(complaint, node, text ? (const char *)text : "", ret_text, size);
}

int kw_xml_attribute(const struct kw_complaint *complaint, const xmlNode *node, const char *name,
		     char *ret_text, size_t size)
{
	_cleanup_(xml_free_at) xmlChar *text =
		node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;

	if (text && strlen((const char *)text) >= size)
		return kw_xml_complain(complaint, node, "%s is longer than %zu bytes", name,
				       size - 1);
	kw_text_copy(ret_text, size, text ? (const char *)text : "");
	return 0;
}

int kw_xml_flag(const struct kw_complaint *complaint, const xmlNode *node, const char *name,
		bool *ret_flag)
{
	char text[16];
	int error = kw_xml_attribute(complaint, node, name, text, sizeof(text));

	if (error || !text[0])
		return error;
	if (kw_text_equal(text, "yes") || kw_text_equal(text, "on"))
		*ret_flag = true;
	else if (kw_text_equal(text, "no") || kw_text_equal(text, "off"))
		*ret_flag = false;
	else
		return kw_xml_complain(complaint, node, "%s='%s' is neither yes nor no", name,
				       text);
	return 0;
}

static int bad_number(const struct kw_complaint *complaint, const xmlNode *node, int error,
		      const char *text)
{
	if (error == -ERANGE)
		return kw_xml_complain(complaint, node, "'%s' is too large", text);
	return kw_xml_complain(complaint, node, "'%s' is not a number", text);
}

int kw_xml_attribute_u64(const struct kw_complaint *complaint, const xmlNode *node,
			 const char *name, uint64_t max, uint64_t *ret_number)
{
	char text[NUMBER_SIZE];
	int error = kw_xml_attribute(complaint, node, name, text, sizeof(text));

	if (error || !text[0])
		return error;
	error = kw_text_u64(text, max, ret_number);
	return error ? bad_number(complaint, node, error, text) : 0;
}

int kw_xml_u32(const struct kw_complaint *complaint, const xmlNode *node, uint32_t *ret_number)
{
	char text[NUMBER_SIZE];
	int error = kw_xml_text(complaint, node, text, sizeof(text));

	if (error)
		return error;
	error = kw_text_u32(text, UINT32_MAX, ret_number);
	return error ? bad_number(complaint, node, error, text) : 0;
}

int kw_xml_hex(const struct kw_complaint *complaint, const xmlNode *node, uint64_t max,
	       uint64_t *ret_number)
{
	char text[NUMBER_SIZE + 2] = "0x", *digits = text + 2;
	int error = kw_xml_text(complaint, node, digits, NUMBER_SIZE);
	const char *number = text;

	if (error)
		return error;
	if (kw_text_starts(digits, "0x") || kw_text_starts(digits, "0X"))
		number = digits;
	error = kw_text_number(number, max, ret_number);
	return error ? bad_number(complaint, node, error, digits) : 0;
}

static int scale(const struct kw_complaint *complaint, const xmlNode *node, const char *number,
		 uint64_t *ret_bytes)
{
	char unit[16];
	uint64_t bytes;
	int error = kw_xml_attribute(complaint, node, "unit", unit, sizeof(unit));

	if (error)
		return error;
	error = kw_text_u64(number, UINT64_MAX, &bytes);
	if (error)
		return bad_number(complaint, node, error, number);
	error = kw_text_size(number, unit, KW_KIB, &bytes);
	if (error == -EINVAL)
		return kw_xml_complain(complaint, node, "unit '%s' is not known", unit);
	if (error || bytes > INT64_MAX - (KW_KIB - 1))
		return kw_xml_complain(complaint, node, "%s %s is too large", number,
				       unit[0] ? unit : "KiB");
	*ret_bytes = (bytes + KW_KIB - 1) / KW_KIB * KW_KIB;
	return 0;
}

int kw_xml_bytes(const struct kw_complaint *complaint, const xmlNode *node, uint64_t *ret_bytes)
{
	char number[NUMBER_SIZE];
	int error = kw_xml_text(complaint, node, number, sizeof(number));

	return error ? error : scale(complaint, node, number, ret_bytes);
}

int kw_xml_attribute_bytes(const struct kw_complaint *complaint, const xmlNode *node,
			   const char *name, uint64_t *ret_bytes)
{
	char number[NUMBER_SIZE];
	int error = kw_xml_attribute(complaint, node, name, number, sizeof(number));

	return error ? error : scale(complaint, node, number, ret_bytes);
}
