/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/config_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SLOTS_MAX 65535
#define MEMORY_MB_MAX (1u << 30)
#define TIMEOUT_MAX_S 86400
#define RATIO_MAX 1000
#define THOUSAND 1000

#define OF(field) offsetof(struct kw_config, field)
#define OF_CLASS(field) offsetof(struct kw_class, field)
#define SLOTS KW_CONFIG_NUMBER, 0, SLOTS_MAX
#define MEMORY KW_CONFIG_NUMBER, 0, MEMORY_MB_MAX
#define ADMIT KW_CONFIG_ADMIT, 0, 0, KW_CONFIG_BOOL
#define SWITCH KW_CONFIG_SWITCH, 0, 0, KW_CONFIG_BOOL

static const struct kw_config_key keys[] = {
	{ "slots", "sev_reserve", SLOTS, KW_CONFIG_U32, OF(reserve[KW_POOL_SEV]) },
	{ "slots", "sev_es_reserve", SLOTS, KW_CONFIG_U32, OF(reserve[KW_POOL_SEV_ES]) },
	{ "slots", "snp_reserve", SLOTS, KW_CONFIG_U32, OF(reserve[KW_POOL_SNP]) },
	{ "slots", "num_memory_encrypted_guests", SLOTS, KW_CONFIG_MAYBE_U32,
	  OF(num_memory_encrypted_guests) },
	{ "memory", "reserved_host_memory_mb", MEMORY, KW_CONFIG_MIB,
	  OF(reserved_host_memory_bytes) },
	{ "memory", "ram_allocation_ratio", KW_CONFIG_RATIO, 1, RATIO_MAX * THOUSAND,
	  KW_CONFIG_U32, OF(ram_allocation_thousandths) },
	{ "hook", "encrypted_when_unreachable", ADMIT, OF(admit_encrypted_unasked) },
	{ "hook", "plain_when_unreachable", ADMIT, OF(admit_plain_unasked) },
	{ "hook", "small_memory_lock", ADMIT, OF(admit_small_memlock) },
	{ "walls", "memory_max", SWITCH, OF(memory_max_wall) },
	{ "walls", "misc_max", SWITCH, OF(misc_max_wall) },
	{ "daemon", "hold_timeout", KW_CONFIG_NUMBER, 1, TIMEOUT_MAX_S, KW_CONFIG_U32,
	  OF(hold_timeout_s) },
	{ "evacuation", "definitions", KW_CONFIG_PATH, 0, 0, KW_CONFIG_TEXT, OF(definitions) },
	{ KW_CONFIG_CLASS, "sev_reserve", SLOTS, KW_CONFIG_U32, OF_CLASS(reserve[KW_POOL_SEV]) },
	{ KW_CONFIG_CLASS, "sev_limit", SLOTS, KW_CONFIG_MAYBE_U32, OF_CLASS(limit[KW_POOL_SEV]) },
	{ KW_CONFIG_CLASS, "sev_es_reserve", SLOTS, KW_CONFIG_U32,
	  OF_CLASS(reserve[KW_POOL_SEV_ES]) },
	{ KW_CONFIG_CLASS, "sev_es_limit", SLOTS, KW_CONFIG_MAYBE_U32,
	  OF_CLASS(limit[KW_POOL_SEV_ES]) },
	{ KW_CONFIG_CLASS, "snp_reserve", SLOTS, KW_CONFIG_U32, OF_CLASS(reserve[KW_POOL_SNP]) },
	{ KW_CONFIG_CLASS, "snp_limit", SLOTS, KW_CONFIG_MAYBE_U32, OF_CLASS(limit[KW_POOL_SNP]) },
	{ KW_CONFIG_CLASS, "memory_reserve_mb", MEMORY, KW_CONFIG_MIB,
	  OF_CLASS(memory_reserve_bytes) },
	{ KW_CONFIG_CLASS, "memory_limit_mb", MEMORY, KW_CONFIG_MAYBE_MIB,
	  OF_CLASS(memory_limit_bytes) },
	{ 0 },
};

_Static_assert(sizeof(keys) / sizeof(*keys) <= KW_CONFIG_KEYS_MAX, "more keys than room for them");

const struct kw_config_key *kw_config_keys(void)
{
	return keys;
}

void kw_config_names(const char *section, char *to, size_t to_size)
{
	size_t length = 0;

	*to = '\0';
	for (const struct kw_config_key *key = keys; key->name && length < to_size; key++)
		if (!strcmp(key->section, section))
			length += (size_t)snprintf(to + length, to_size - length, "%s%s",
						   length ? ", " : "", key->name);
}

void kw_config_sections(char *to, size_t to_size)
{
	const char *last = KW_CONFIG_CLASS;
	size_t length = 0;

	for (const struct kw_config_key *key = keys; key->name && length < to_size; key++) {
		if (strcmp(key->section, last) && strcmp(key->section, KW_CONFIG_CLASS))
			length += (size_t)snprintf(to + length, to_size - length, "%s[%s]",
						   length ? ", " : "", key->section);
		last = key->section;
	}
	if (length < to_size)
		snprintf(to + length, to_size - length, " and [" KW_CONFIG_CLASS " NAME]");
}

/* By their truth. */
static const char *const words[][2] = {
	[KW_CONFIG_ADMIT] = { "refuse", "admit" },
	[KW_CONFIG_SWITCH] = { "no", "yes" },
};

void kw_config_key_allowed(const struct kw_config_key *key, char *to, size_t to_size)
{
	if (key->kind == KW_CONFIG_NUMBER)
		snprintf(to, to_size,
			 "a whole number from %" PRIu32 " to %" PRIu32 " without sign or unit",
			 key->least, key->most);
	else if (key->kind == KW_CONFIG_RATIO)
		snprintf(to, to_size,
			 "a number above 0 and up to %" PRIu32 " with at most 3 decimals, like 1.5",
			 key->most / THOUSAND);
	else if (key->kind == KW_CONFIG_PATH)
		kw_text_copy(to, to_size, "an absolute path");
	else
		snprintf(to, to_size, "%s or %s", words[key->kind][1], words[key->kind][0]);
}

/* "1.5": digits, and after a point one to three more. */
static bool parse_ratio(const struct kw_config_key *key, const char *value, uint32_t *ret_number)
{
	const char *point = strchrnul(value, '.');
	uint32_t whole, decimals = 0;
	char digits[8] = "";

	if ((size_t)(point - value) >= sizeof(digits))
		return false;
	memcpy(digits, value, (size_t)(point - value));
	if (kw_text_u32(digits, key->most / THOUSAND, &whole))
		return false;
	if (*point) {
		size_t length = strlen(point + 1);

		if (!length || length > 3)
			return false;
		memcpy(digits, "000", 4);
		memcpy(digits, point + 1, length);
		if (kw_text_u32(digits, THOUSAND - 1, &decimals))
			return false;
	}
	*ret_number = whole * THOUSAND + decimals;
	return *ret_number >= key->least && *ret_number <= key->most;
}

static bool parse(const struct kw_config_key *key, const char *value, uint32_t *ret_number)
{
	if (key->kind == KW_CONFIG_NUMBER)
		return !kw_text_u32(value, key->most, ret_number) && *ret_number >= key->least;
	if (key->kind == KW_CONFIG_RATIO)
		return parse_ratio(key, value, ret_number);
	if (key->kind == KW_CONFIG_PATH)
		return *value == '/';
	*ret_number = !strcmp(value, words[key->kind][1]);
	return *ret_number || !strcmp(value, words[key->kind][0]);
}

bool kw_config_key_set(const struct kw_config_key *key, const char *value, void *object)
{
	void *field = (char *)object + key->offset;
	uint32_t number;

	if (!parse(key, value, &number))
		return false;
	switch (key->field) {
	case KW_CONFIG_U32:
		*(uint32_t *)field = number;
		break;
	case KW_CONFIG_MAYBE_U32:
		*(struct kw_u32 *)field = KW_U32(number);
		break;
	case KW_CONFIG_MIB:
		*(uint64_t *)field = number * KW_MIB;
		break;
	case KW_CONFIG_MAYBE_MIB:
		*(struct kw_u64 *)field = KW_U64(number * KW_MIB);
		break;
	case KW_CONFIG_BOOL:
		*(bool *)field = number;
		break;
	case KW_CONFIG_TEXT:
		return kw_text_copy(field, KW_CONFIG_TEXT_MAX, value);
	}
	return true;
}
