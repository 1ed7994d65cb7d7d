/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/xml.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/encoding.h>
#include <libxml/parser.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

KW_CLEANUP_OF(xmlParserCtxt, xmlFreeParserCtxt);

#if LIBXML_VERSION >= 21200
typedef const xmlError library_error;
#else
typedef xmlError library_error;
#endif

/* One reading; the parser carries it in _private. Only its first complaint is kept. */
struct reading {
	char *error;
	size_t error_size;
	int result;
	unsigned int depth;
};

static struct reading *reading_of(void *parser)
{
	return ((xmlParserCtxt *)parser)->_private;
}

__attribute__((format(printf, 4, 5))) static void complain(struct reading *reading, int result,
							   int line, const char *format, ...)
{
	va_list args;
	int length;

	if (reading->result)
		return;
	reading->result = result;
	length = snprintf(reading->error, reading->error_size, "line %d: ", line);
	if (length < 0 || (size_t)length >= reading->error_size)
		return;
	va_start(args, format);
	vsnprintf(reading->error + length, reading->error_size - length, format, args);
	va_end(args);
}

static void refuse(void *parser, const char *what)
{
	complain(reading_of(parser), -EBADMSG, xmlSAX2GetLineNumber(parser), "%s", what);
	xmlStopParser(parser);
}

/* Errors below "fatal" are about namespaces, which libvirt's reader lets pass as well. */
static void on_error(void *parser, library_error *error)
{
	const char *message = error->message ? error->message : "not XML";
	int result = error->code == XML_ERR_NO_MEMORY ? -ENOMEM : -EBADMSG;

	if (error->level == XML_ERR_FATAL)
		complain(reading_of(parser), result, error->line, "%.*s",
			 (int)strcspn(message, "\n"), message);
}

static void on_doctype(void *parser, const xmlChar *name, const xmlChar *public_id,
		       const xmlChar *system_id)
{
	(void)name;
	(void)public_id;
	(void)system_id;
	refuse(parser, "a DOCTYPE is not allowed here: remove it, and the entities it defines");
}

static void on_start(void *parser, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int namespace_count, const xmlChar **namespaces, int attribute_count,
		     int default_count, const xmlChar **attributes)
{
	if (++reading_of(parser)->depth > KW_XML_DEPTH_MAX) {
		refuse(parser, "elements are nested too deep for a domain");
		return;
	}
	xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces,
			      attribute_count, default_count, attributes);
}

static void on_end(void *parser, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	reading_of(parser)->depth--;
	xmlSAX2EndElementNs(parser, name, prefix, uri);
}

static xmlParserCtxt *parser_create(struct reading *reading)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();

	if (!parser)
		return NULL;
	parser->_private = reading;
	parser->sax->internalSubset = on_doctype;
	parser->sax->startElementNs = on_start;
	parser->sax->endElementNs = on_end;
	parser->sax->serror = on_error;
	return parser;
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/*
 * The encoding that <?xml … encoding='…'?> declares, NULL without one. Only for
 * the message: the parser reads UTF-8 whatever this finds.
 */
static const char *declared_encoding(const char *text, size_t length, size_t *ret_length)
{
	const char *end, *at;

	if (length < 6 || memcmp(text, "<?xml", 5) != 0)
		return NULL;
	end = memmem(text, length, "?>", 2);
	at = end ? memmem(text, end - text, "encoding", 8) : NULL;
	if (!at)
		return NULL;
	at += 8;
	while (at < end && strchr(" \t\r\n=", *at))
		at++;
	if (at == end)
		return NULL;
	text = ++at;
	while (at < end && *at != text[-1])
		at++;
	*ret_length = at - text;
	return text;
}

/*
 * Settled before the parser sees the text, since libxml2 converts what it takes
 * for another encoding, and reports what it cannot convert on stderr.
 */
static void check_encoding(struct reading *reading, const char *text, size_t length)
{
	xmlCharEncoding detected =
		xmlDetectCharEncoding((const xmlChar *)text, length < 4 ? (int)length : 4);
	const char *zero = memchr(text, 0, length), *declared;
	size_t declared_length = 0;

	if (detected != XML_CHAR_ENCODING_NONE && detected != XML_CHAR_ENCODING_UTF8) {
		complain(reading, -EBADMSG, 1, "the text is not UTF-8: convert it with iconv");
		return;
	}
	if (zero) {
		complain(reading, -EBADMSG, line_of(text, zero),
			 "a zero byte: this is no XML text");
		return;
	}
	declared = declared_encoding(text, length, &declared_length);
	if (declared && (declared_length != 5 || strncasecmp(declared, "UTF-8", 5) != 0))
		complain(reading, -EBADMSG, 1, "encoding '%.*s' is declared, only UTF-8 is read",
			 (int)(declared_length < 20 ? declared_length : 20), declared);
}

static void check_namespaces(struct reading *reading, const char *text, size_t length)
{
	const char *end = text + length, *at = text;
	unsigned int count = 0;

	for (; (at = memmem(at, end - at, "xmlns", 5)); at += 5)
		if (++count > KW_XML_NAMESPACES_MAX) {
			complain(reading, -EBADMSG, line_of(text, at),
				 "too many namespaces for a domain");
			return;
		}
}

/*
 * Counted before libxml2 sees the text. Until 2.12 it compares each attribute
 * with all those before it in the element, and it looks for each prefix among all
 * namespaces; after an error it reads on to the end, and tells of no element any
 * more. A tag begins at '<', which stands nowhere in it, and each attribute has
 * its '='; what ends a tag, or is none ("<!", "<?"), stands outside of quotes.
 */
static void check_markup(struct reading *reading, const char *text, size_t length)
{
	unsigned int markup = 0, attributes = 0;
	const char *at, *what = NULL;
	bool in_tag = false;
	char quote = 0;

	for (at = text; at < text + length && !what; at++) {
		if (*at == '<') {
			in_tag = true;
			quote = 0;
			attributes = 0;
			markup++;
		} else if (in_tag && quote) {
			quote = *at == quote ? 0 : quote;
		} else if (in_tag && (*at == '"' || *at == '\'')) {
			quote = *at;
		} else if (in_tag && *at == '=') {
			attributes++;
			markup++;
		} else if (*at == '>' || *at == '!' || *at == '?') {
			in_tag = false;
		}
		if (attributes > KW_XML_ATTRIBUTES_MAX)
			what = "too many attributes for one element";
		else if (markup > KW_XML_MARKUP_MAX)
			what = "too many elements and attributes for a domain";
	}
	if (what)
		complain(reading, -EBADMSG, line_of(text, at), "%s", what);
}

static void check_text(struct reading *reading, const char *text, size_t length)
{
	if (length > KW_XML_MAX) {
		reading->result = -EMSGSIZE;
		snprintf(reading->error, reading->error_size,
			 "line 1: longer than %u MiB, too long for a domain", KW_XML_MAX >> 20);
	} else if (!length) {
		complain(reading, -EBADMSG, 1, "the text is empty");
	} else {
		check_encoding(reading, text, length);
		check_markup(reading, text, length);
		check_namespaces(reading, text, length);
	}
}

int kw_xml_read(const char *text, size_t length, xmlDoc **ret_doc, char *error, size_t error_size)
{
	const int options = XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES;
	struct reading reading = {.error = error, .error_size = error_size};
	_cleanup_(xmlFreeParserCtxt_at) xmlParserCtxt *parser = NULL;
	_cleanup_(xmlFreeDoc_at) xmlDoc *doc = NULL;

	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		length -= 3;
	}
	check_text(&reading, text, length);
	if (reading.result)
		return reading.result;
	parser = parser_create(&reading);
	if (!parser) {
		complain(&reading, -ENOMEM, 1, "out of memory");
		return -ENOMEM;
	}
	doc = xmlCtxtReadMemory(parser, text, (int)length, NULL, "UTF-8", options);
	if (!doc)
		complain(&reading, -EBADMSG, 1, "not XML");
	if (reading.result)
		return reading.result;
	*ret_doc = KW_STEAL(doc);
	return 0;
}

static xmlNode *element_from(xmlNode *node, const char *name)
{
	for (; node; node = node->next)
		if (node->type == XML_ELEMENT_NODE && !node->ns &&
		    !strcmp((const char *)node->name, name))
			return node;
	return NULL;
}

xmlNode *kw_xml_child(const xmlNode *parent, const char *name)
{
	return parent ? element_from(parent->children, name) : NULL;
}

xmlNode *kw_xml_next(const xmlNode *node, const char *name)
{
	return node ? element_from(node->next, name) : NULL;
}
