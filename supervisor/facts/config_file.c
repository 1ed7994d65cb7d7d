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
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define FILE_MAX (64 * KW_KIB)
#define LINE_MAX_BYTES 160 /* inih's buffer has 200, its names 50 */

#define CLASS "class " /* and its name */

#define SLOTS_MAX 65535
#define MEMORY_MB_MAX (1u << 30)
#define TIMEOUT_MAX_S 86400

struct reader {
	const char *path;
	const char *next; /* rest of the text */
	int line;
	unsigned int given; /* a bit per key */
	unsigned int class_given[KW_CLASS_MAX];
	struct kw_config config;
	bool failed;
	char *error;
	size_t error_size;
};

struct key {
	const char *section, *name;
	bool (*set)(struct reader *, const struct key *, const char *value);
	uint32_t least, most;
	void (*store)(struct kw_config *, uint32_t number);
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

static void store_sev_reserve(struct kw_config *config, uint32_t number)
{
	config->reserve[KW_POOL_SEV] = number;
}

static void store_sev_es_reserve(struct kw_config *config, uint32_t number)
{
	config->reserve[KW_POOL_SEV_ES] = number;
}

static void store_snp_reserve(struct kw_config *config, uint32_t number)
{
	config->reserve[KW_POOL_SNP] = number;
}

static void store_override(struct kw_config *config, uint32_t number)
{
	config->num_memory_encrypted_guests = KW_U32(number);
}

static void store_memory_mb(struct kw_config *config, uint32_t number)
{
	config->reserved_host_memory_bytes = number * KW_MIB;
}

static void store_encrypted_unasked(struct kw_config *config, uint32_t number)
{
	config->admit_encrypted_unasked = number;
}

static void store_plain_unasked(struct kw_config *config, uint32_t number)
{
	config->admit_plain_unasked = number;
}

static void store_small_memlock(struct kw_config *config, uint32_t number)
{
	config->admit_small_memlock = number;
}

static void store_memory_max(struct kw_config *config, uint32_t number)
{
	config->memory_max_wall = number;
}

static void store_misc_max(struct kw_config *config, uint32_t number)
{
	config->misc_max_wall = number;
}

static void store_timeout(struct kw_config *config, uint32_t number)
{
	config->hold_timeout_s = number;
}

static bool set_number(struct reader *reader, const struct key *key, const char *value)
{
	uint32_t number;

	if (kw_text_u32(value, key->most, &number) || number < key->least)
		return fail(reader,
			    "%s must be a whole number from %" PRIu32 " to %" PRIu32
			    " without sign or unit, not \"%s\"",
			    key->name, key->least, key->most, value);
	key->store(&reader->config, number);
	return true;
}

static bool set_choice(struct reader *reader, const struct key *key, const char *value)
{
	if (strcmp(value, "admit") && strcmp(value, "refuse"))
		return fail(reader, "%s must be admit or refuse, not \"%s\"", key->name, value);
	key->store(&reader->config, !strcmp(value, "admit"));
	return true;
}

static bool set_switch(struct reader *reader, const struct key *key, const char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return fail(reader, "%s must be yes or no, not \"%s\"", key->name, value);
	key->store(&reader->config, !strcmp(value, "yes"));
	return true;
}

static const struct key keys[] = {
	{"slots", "sev_reserve", set_number, 0, SLOTS_MAX, store_sev_reserve},
	{"slots", "sev_es_reserve", set_number, 0, SLOTS_MAX, store_sev_es_reserve},
	{"slots", "snp_reserve", set_number, 0, SLOTS_MAX, store_snp_reserve},
	{"slots", "num_memory_encrypted_guests", set_number, 0, SLOTS_MAX, store_override},
	{"memory", "reserved_host_memory_mb", set_number, 0, MEMORY_MB_MAX, store_memory_mb},
	{"hook", "encrypted_when_unreachable", set_choice, 0, 0, store_encrypted_unasked},
	{"hook", "plain_when_unreachable", set_choice, 0, 0, store_plain_unasked},
	{"hook", "small_memory_lock", set_choice, 0, 0, store_small_memlock},
	{"walls", "memory_max", set_switch, 0, 0, store_memory_max},
	{"walls", "misc_max", set_switch, 0, 0, store_misc_max},
	{"daemon", "hold_timeout", set_number, 1, TIMEOUT_MAX_S, store_timeout},
};

#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

/* A key of [class NAME]: of a pool, or of the memory where that is KW_POOL_COUNT. */
static const struct class_key {
	const char *name;
	enum kw_pool pool;
	bool limit;
} class_keys[] = {
	{"sev_reserve", KW_POOL_SEV, false},
	{"sev_limit", KW_POOL_SEV, true},
	{"sev_es_reserve", KW_POOL_SEV_ES, false},
	{"sev_es_limit", KW_POOL_SEV_ES, true},
	{"snp_reserve", KW_POOL_SNP, false},
	{"snp_limit", KW_POOL_SNP, true},
	{"memory_reserve_mb", KW_POOL_COUNT, false},
	{"memory_limit_mb", KW_POOL_COUNT, true},
};

#define CLASS_KEY_COUNT (sizeof(class_keys) / sizeof(*class_keys))

static void store_class(struct kw_class *class, const struct class_key *key, uint32_t number)
{
	if (key->pool == KW_POOL_COUNT && key->limit)
		class->memory_limit_bytes = KW_U64(number * KW_MIB);
	else if (key->pool == KW_POOL_COUNT)
		class->memory_reserve_bytes = number * KW_MIB;
	else if (key->limit)
		class->limit[key->pool] = KW_U32(number);
	else
		class->reserve[key->pool] = number;
}

/* A reserve that the class may not use would be kept from everybody. */
static bool class_makes_sense(const struct kw_class *class, enum kw_pool pool)
{
	if (pool == KW_POOL_COUNT)
		return !class->memory_limit_bytes.known ||
		       class->memory_reserve_bytes <= class->memory_limit_bytes.value;
	return !class->limit[pool].known || class->reserve[pool] <= class->limit[pool].value;
}

static bool set_class_key(struct reader *reader, size_t at, size_t index, const char *value)
{
	const struct class_key *key = &class_keys[index];
	struct kw_class *class = &reader->config.classes[at];
	uint32_t most = key->pool == KW_POOL_COUNT ? MEMORY_MB_MAX : SLOTS_MAX, number;

	if (reader->class_given[at] & 1u << index)
		return fail(reader, "%s of [class %s] is given twice", key->name, class->name);
	reader->class_given[at] |= 1u << index;
	if (kw_text_u32(value, most, &number))
		return fail(reader,
			    "%s must be a whole number from 0 to %" PRIu32
			    " without sign or unit, not \"%s\"",
			    key->name, most, value);
	store_class(class, key, number);
	if (!class_makes_sense(class, key->pool))
		return fail(reader, "%s: the reserve of [class %s] is above its limit", key->name,
			    class->name);
	return true;
}

static bool take_class_pair(struct reader *reader, const char *class, const char *name,
			    const char *value)
{
	for (size_t at = 0; at < reader->config.class_count; at++)
		for (size_t i = 0; i < CLASS_KEY_COUNT; i++)
			if (!strcmp(reader->config.classes[at].name, class) &&
			    !strcmp(class_keys[i].name, name))
				return set_class_key(reader, at, i, value);
	return fail(reader,
		    "unknown key \"%s\" in section [class %s], which has sev_reserve, sev_limit, "
		    "sev_es_reserve, sev_es_limit, snp_reserve, snp_limit, memory_reserve_mb, "
		    "memory_limit_mb",
		    name, class);
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

static bool fail_unknown_key(struct reader *reader, const char *section, const char *name)
{
	char known[128] = "";
	size_t length = 0;

	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!strcmp(keys[i].section, section))
			length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s",
						   length ? ", " : "", keys[i].name);
	return fail(reader, "unknown key \"%s\" in section [%s], which has %s", name, section,
		    known);
}

static bool section_known(const char *section)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!strcmp(keys[i].section, section))
			return true;
	return false;
}

static bool set_key(struct reader *reader, size_t index, const char *value)
{
	const struct key *key = &keys[index];

	if (reader->given & 1u << index)
		return fail(reader, "%s is given twice", key->name);
	reader->given |= 1u << index;
	if (!*value)
		return fail(reader, "%s has no value; put a # before it for the default",
			    key->name);
	return key->set(reader, key, value);
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;

	if (!*section)
		return fail(reader,
			    "\"%s\" stands before the first section; sections are [slots], "
			    "[memory], [hook], [walls], [daemon] and [class NAME]",
			    name);
	if (kw_text_starts(section, CLASS))
		return take_class_pair(reader, section + strlen(CLASS), name, value);
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
			return set_key(reader, i, value);
	return fail_unknown_key(reader, section, name);
}

/* A section without keys never reaches the handler, so sections are looked at here. */
static bool check_section(struct reader *reader, const char *line)
{
	char section[LINE_MAX_BYTES + 1];
	size_t length = strcspn(line + 1, "]");
	const char *after = line + 1 + length;

	if (*after != ']')
		return fail(reader, "the section has no closing bracket");
	kw_text_copy(section, length + 1, line + 1);
	after += 1 + strspn(after + 1, " \t\r");
	if (*after && *after != ';' && *after != '#')
		return fail(reader, "text after [%s]; put it on a line of its own", section);
	if (kw_text_starts(section, CLASS))
		return check_class(reader, section + strlen(CLASS));
	if (!section_known(section))
		return fail(reader,
			    "unknown section [%s]; sections are [slots], [memory], [hook], "
			    "[walls], [daemon] and [class NAME]",
			    section);
	return true;
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
