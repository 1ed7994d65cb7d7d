/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inih splits the lines; this file says what may stand in them. inih tells its
 * handler no line number, so lines are handed to it one by one and counted.
 * What inih would let pass without a word (a line that is too long, text after
 * a section's bracket, an indented line that continues the last value) is
 * refused or mended before it gets there.
 */
#include "facts/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/config_keys.h"

#define FILE_MAX (64 * KW_KIB)
#define LINE_MAX_BYTES 160 /* inih's buffer has 200, its names 50 */

#define CLASS KW_CONFIG_CLASS " " /* and its name */

struct reader {
	const char *path;
	const char *next; /* rest of the text */
	int line;
	int given[KW_CLASS_MAX + 1][KW_CONFIG_KEYS_MAX]; /* in which line; the last row: in no class */
	struct kw_config config;
	bool failed;
	char *error;
	size_t error_size;
};

/* Keeps the first error, which is the one to mend first. Always false. */
__attribute__((format(printf, 2, 3))) static bool fail(struct reader *reader, const char *format,
						       ...)
{
	char text[512], where[512 + 1024];
	va_list args;

	if (reader->failed)
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(where, sizeof(where), "%s:%d: %s", reader->path, reader->line, text);
	kw_text_copy(reader->error, reader->error_size, where);
	reader->failed = true;
	return false;
}

/* The name is part of a slice's, so it has no dash. */
static bool check_class(struct reader *reader, const char *name)
{
	struct kw_config *config = &reader->config;
	size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_");

	if (!*name || name[plain] || plain >= KW_CLASS_NAME_MAX)
		return fail(reader,
			    "[class %s]: a class has a name of at most %d letters, digits and _",
			    name, KW_CLASS_NAME_MAX - 1);
	for (size_t i = 0; i < config->class_count; i++)
		if (!strcmp(config->classes[i].name, name))
			return true;
	if (config->class_count == KW_CLASS_MAX)
		return fail(reader, "[class %s]: there can be %d classes", name, KW_CLASS_MAX);
	kw_text_copy(config->classes[config->class_count++].name, KW_CLASS_NAME_MAX, name);
	return true;
}

static bool is_class(const char *section)
{
	return kw_text_starts(section, CLASS);
}

/* The class of this section, which has been seen; KW_CLASS_MAX for a section of no class. */
static size_t class_of(const struct kw_config *config, const char *section)
{
	size_t at = 0;

	if (!is_class(section))
		return KW_CLASS_MAX;
	while (strcmp(config->classes[at].name, section + strlen(CLASS)))
		at++;
	return at;
}

/* A reserve that the class may not use would be kept from everybody. */
static bool class_makes_sense(const struct kw_class *class)
{
	for (enum kw_pool pool = 0; pool < KW_POOL_COUNT; pool++)
		if (class->limit[pool].known && class->reserve[pool] > class->limit[pool].value)
			return false;
	return !class->memory_limit_bytes.known ||
	       class->memory_reserve_bytes <= class->memory_limit_bytes.value;
}

static bool set_value(struct reader *reader, const struct kw_config_key *key, void *object,
		      const char *value)
{
	char allowed[96];

	if (kw_config_key_set(key, value, object))
		return true;
	kw_config_key_allowed(key, allowed, sizeof(allowed));
	if (!*value)
		return fail(reader,
			    "%s has no value; it must be %s; with a # before it, it has its default",
			    key->name, allowed);
	return fail(reader, "%s must be %s, not \"%s\"", key->name, allowed, value);
}

static bool set_key(struct reader *reader, size_t class, size_t index, const char *value)
{
	const struct kw_config_key *key = &kw_config_keys()[index];
	struct kw_config *config = &reader->config;
	int *given = &reader->given[class][index];

	if (*given)
		return fail(reader, "%s is given twice, before in line %d; take one out", key->name,
			    *given);
	*given = reader->line;
	if (class == KW_CLASS_MAX)
		return set_value(reader, key, config, value);
	if (!set_value(reader, key, &config->classes[class], value))
		return false;
	if (!class_makes_sense(&config->classes[class]))
		return fail(reader, "%s: the reserve of [class %s] is above its limit", key->name,
			    config->classes[class].name);
	return true;
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	const char *kind = is_class(section) ? KW_CONFIG_CLASS : section;
	const struct kw_config_key *keys = kw_config_keys();
	struct reader *reader = user;
	char known[256];

	if (!*section) {
		kw_config_sections(known, sizeof(known));
		return fail(reader, "\"%s\" stands before the first section; sections are %s", name,
			    known);
	}
	for (size_t i = 0; keys[i].name; i++)
		if (!strcmp(keys[i].section, kind) && !strcmp(keys[i].name, name))
			return set_key(reader, class_of(&reader->config, section), i, value);
	kw_config_names(kind, known, sizeof(known));
	return fail(reader, "unknown key \"%s\" in section [%s], which has %s", name, section,
		    known);
}

/* A section without keys never reaches the handler, so sections are looked at here. */
static bool check_section(struct reader *reader, const char *line)
{
	char section[LINE_MAX_BYTES + 1], known[256];
	size_t length = strcspn(line + 1, "]");
	const char *after = line + 1 + length;

	if (*after != ']')
		return fail(reader, "the section has no closing bracket");
	kw_text_copy(section, length + 1, line + 1);
	after += 1 + strspn(after + 1, " \t\r");
	if (*after && *after != ';' && *after != '#')
		return fail(reader, "text after [%s]; put it on a line of its own", section);
	if (is_class(section))
		return check_class(reader, section + strlen(CLASS));
	kw_config_names(section, known, sizeof(known));
	if (*known && strcmp(section, KW_CONFIG_CLASS))
		return true;
	kw_config_sections(known, sizeof(known));
	return fail(reader, "unknown section [%s]; sections are %s", section, known);
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static bool check_line(struct reader *reader, const char *line, size_t length)
{
	if (length > LINE_MAX_BYTES)
		return fail(reader, "the line is longer than %d bytes", LINE_MAX_BYTES);
	for (size_t i = 0; i < length; i++)
		if (is_control(line[i]))
			return fail(reader, "the line has a control character");
	return true;
}

/* The next line without its ends and the blanks before it; false at the end of the text. */
static bool next_line(struct reader *reader, const char **ret_line, size_t *ret_length)
{
	size_t whole = strcspn(reader->next, "\n"), blanks = strspn(reader->next, " \t");
	size_t length = whole - blanks;

	if (!*reader->next)
		return false;
	*ret_line = reader->next + blanks;
	reader->next += whole + (reader->next[whole] == '\n');
	reader->line++;
	if (length && (*ret_line)[length - 1] == '\r')
		length--;
	*ret_length = length;
	return true;
}

/* As fgets(), for inih. */
static char *read_line(char *to, int to_size, void *user)
{
	struct reader *reader = user;
	const char *line;
	size_t length;

	if (reader->failed || !next_line(reader, &line, &length) ||
	    !check_line(reader, line, length))
		return NULL;
	snprintf(to, (size_t)to_size, "%.*s\n", (int)length, line);
	if (!kw_text_is_utf8(to)) {
		fail(reader, "the line is not UTF-8 text");
		return NULL;
	}
	if (*to == '[') {
		to[length] = '\0';
		if (!check_section(reader, to))
			return NULL;
		to[length] = '\n';
	}
	return to;
}

/* inih goes on after a line that it cannot split, so an error of ours may lie behind it. */
static void check_split(struct reader *reader, int first_bad_line)
{
	if (first_bad_line == 0 || (reader->failed && first_bad_line >= reader->line))
		return;
	reader->failed = false;
	reader->line = first_bad_line > 0 ? first_bad_line : reader->line;
	fail(reader, "the line is neither \"[section]\" nor \"key = value\" nor a # comment");
}

static int read_text(struct reader *reader, const char *text, size_t length)
{
	static const char bom[] = "\xef\xbb\xbf";

	reader->next = text + (kw_text_starts(text, bom) ? strlen(bom) : 0);
	if (strlen(text) != length) {
		for (const char *c = text; *c; c++)
			reader->line += *c == '\n';
		reader->line++;
		fail(reader, "the line has a NUL byte: this is no text file");
	} else {
		check_split(reader, ini_parse_stream(read_line, reader, take_pair, reader));
	}
	return reader->failed ? -EINVAL : 0;
}

int kw_config_file_read(const char *path, struct kw_config *ret_config, char *error,
			size_t error_size)
{
	struct reader reader = {.path = path, .error = error, .error_size = error_size};
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int result = kw_file_read(path, FILE_MAX, &text, &length);

	kw_config_defaults(&reader.config);
	if (!result)
		result = read_text(&reader, text, length);
	else if (result == -ENOENT)
		result = 0;
	else
		snprintf(error, error_size, "%s: %s", path, strerror(-result));
	if (!result)
		*ret_config = reader.config;
	return result;
}
