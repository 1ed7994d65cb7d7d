/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_CONFIG_KEYS_H
#define KW_FACTS_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"

/* The section of the keys that each [class NAME] has. */
#define KW_CONFIG_CLASS "class"

enum kw_config_kind {
	KW_CONFIG_NUMBER,
	KW_CONFIG_RATIO,	/* given with up to 3 decimals, kept in thousandths */
	KW_CONFIG_ADMIT,	/* admit or refuse */
	KW_CONFIG_SWITCH,	/* yes or no */
	KW_CONFIG_PATH,		/* absolute */
};

/*
 * What the field is: unsigned, unsigned that may be unknown, bytes given in MiB, truth, text of
 * KW_CONFIG_TEXT_MAX bytes.
 */
enum kw_config_field {
	KW_CONFIG_U32,
	KW_CONFIG_MAYBE_U32,
	KW_CONFIG_MIB,
	KW_CONFIG_MAYBE_MIB,
	KW_CONFIG_BOOL,
	KW_CONFIG_TEXT,
};

/* A key of the configuration file, kvmward.conf(5). */
struct kw_config_key {
	const char *section, *name;
	enum kw_config_kind kind;
	uint32_t least, most;		/* of a number, or of a ratio in thousandths */
	enum kw_config_field field;
	size_t offset;			/* of it, in struct kw_config or struct kw_class */
};

#define KW_CONFIG_KEYS_MAX 64

/* All of them, and one without a name at the end. Those of a section follow each other. */
const struct kw_config_key *kw_config_keys(void);

/*
 * For sentences: "name, name", the keys of a section, "" when there is no such
 * section; and "[section], [section] and [class NAME]".
 */
void kw_config_names(const char *section, char *to, size_t to_size);
void kw_config_sections(char *to, size_t to_size);

/* What a value may be, for "NAME must be ...". */
void kw_config_key_allowed(const struct kw_config_key *key, char *to, size_t to_size);

/* Sets the field of this key in a struct kw_config or struct kw_class. False: not allowed. */
bool kw_config_key_set(const struct kw_config_key *key, const char *value, void *object);

#endif
