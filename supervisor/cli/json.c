/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/json.h"

#include "base/utf8.h"

struct json_object *kw_json_u32(struct kw_u32 number)
{
	return number.known ? json_object_new_uint64(number.value) : NULL;
}

struct json_object *kw_json_u64(struct kw_u64 number)
{
	return number.known ? json_object_new_uint64(number.value) : NULL;
}

struct json_object *kw_json_text(const char *text)
{
	_cleanup_free_ char *valid = text && *text ? kw_utf8_repair(text) : NULL;

	return valid ? json_object_new_string(valid) : NULL;
}

static struct json_object *yes_no(struct kw_u32 fact)
{
	return fact.known ? json_object_new_boolean(fact.value != 0) : NULL;
}

static struct json_object *named(struct kw_u32 number, const char *(*name)(uint32_t))
{
	return number.known ? kw_json_text(name(number.value)) : NULL;
}

static const char *type_name(uint32_t type)
{
	return kw_guest_type_name((enum kw_guest_type)type);
}

struct json_object *kw_json_host(const struct kw_host *host)
{
	struct json_object *to = json_object_new_object();

#define PUT(field, make) json_object_object_add(to, #field, make(host->field))
	json_object_object_add(to, "vendor", named(host->vendor, kw_vendor_name));
	PUT(virt_in_cpu, yes_no);
	PUT(virt_firmware_disabled, yes_no);
	PUT(virt_usable, yes_no);
	PUT(sme_in_cpu, yes_no);
	PUT(sme_enabled, yes_no);
	PUT(smm_locked, yes_no);
	PUT(sev_in_cpu, yes_no);
	PUT(sev_enabled, yes_no);
	PUT(sev_es_in_cpu, yes_no);
	PUT(sev_es_enabled, yes_no);
	PUT(snp_in_cpu, yes_no);
	PUT(snp_rmp_reserved, yes_no);
	PUT(snp_active, yes_no);
	PUT(snp_enabled, yes_no);
	PUT(vmpls, kw_json_u32);
	PUT(c_bit_position, kw_json_u32);
	PUT(phys_addr_reduction, kw_json_u32);
	PUT(max_asid, kw_json_u32);
	PUT(min_sev_asid, kw_json_u32);
	PUT(kvm_loaded, yes_no);
	PUT(kvm_vendor_module, kw_json_text);
	PUT(vhost_net_loaded, yes_no);
	PUT(psp_state, kw_json_u32);
	PUT(psp_api_major, kw_json_u32);
	PUT(psp_api_minor, kw_json_u32);
	PUT(psp_build, kw_json_u32);
	PUT(psp_guest_count, kw_json_u32);
	json_object_object_add(to, "facts_source",
			       named(host->facts_source, kw_facts_source_name));
	PUT(facts_reason, kw_json_text);
	PUT(slot_events, yes_no);
	PUT(slot_events_reason, kw_json_text);
#undef PUT
	return to;
}

struct json_object *kw_json_slots(enum kw_pool pool, const struct kw_slots *slots)
{
	struct json_object *to = json_object_new_object();

#define PUT(field) json_object_object_add(to, #field, kw_json_u32(slots->field))
	json_object_object_add(to, "pool", kw_json_text(kw_pool_name(pool)));
	PUT(first_asid);
	PUT(last_asid);
	PUT(capacity);
	PUT(charged);
	PUT(in_use);
	PUT(mirrors);
#undef PUT
	return to;
}

static struct json_object *flag(const struct kw_guest *guest, bool set)
{
	return guest->flags_known ? json_object_new_boolean(set) : NULL;
}

struct json_object *kw_json_guest(const struct kw_guest *guest)
{
	struct json_object *to = json_object_new_object();

#define PUT(field, make) json_object_object_add(to, #field, make(guest->field))
	PUT(name, kw_json_text);
	PUT(uuid, kw_json_text);
	PUT(pid, json_object_new_int64);
	PUT(start_time_ns, kw_json_u64);
	PUT(vm_fd, kw_json_u32);
	PUT(comm, kw_json_text);
	PUT(uid, kw_json_u32);
	PUT(cgroup, kw_json_text);
	json_object_object_add(to, "type", named(guest->type, type_name));
	PUT(asid, kw_json_u32);
	PUT(pinned_bytes, kw_json_u64);
	PUT(memory_bytes, kw_json_u64);
	PUT(vcpus, kw_json_u32);
	PUT(nested_vcpus, kw_json_u32);
	PUT(vhost_net_queues, kw_json_u32);
	PUT(tap_queues, kw_json_u32);
	PUT(mm_locked_bytes, kw_json_u64);
	PUT(mm_pinned_bytes, kw_json_u64);
	PUT(unmovable_bytes, kw_json_u64);
	PUT(claimed_pinned_bytes, kw_json_u64);
	json_object_object_add(to, "mirror", flag(guest, guest->mirror));
	json_object_object_add(to, "orphan", flag(guest, guest->orphan));
	PUT(libvirt, json_object_new_boolean);
#undef PUT
	return to;
}

static struct json_object *huge_parts(const struct kw_huge_part parts[KW_HUGE_SIZES])
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < KW_HUGE_SIZES && parts[i].bytes; i++) {
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "page_bytes",
				       parts[i].page_bytes
					       ? json_object_new_uint64(parts[i].page_bytes) : NULL);
		json_object_object_add(to, "bytes", json_object_new_uint64(parts[i].bytes));
		json_object_array_add(list, to);
	}
	return list;
}

static struct json_object *node_numbers(uint64_t nodes)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < KW_NODES_MAX; i++)
		if (nodes >> i & 1)
			json_object_array_add(list, json_object_new_int(i));
	return list;
}

static struct json_object *bound_parts(const struct kw_bound_part parts[KW_BOUND_MAX])
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < KW_BOUND_MAX && parts[i].bytes; i++) {
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "nodes", node_numbers(parts[i].nodes));
		json_object_object_add(to, "bytes", json_object_new_uint64(parts[i].bytes));
		json_object_array_add(list, to);
	}
	return list;
}

struct json_object *kw_json_claim(const struct kw_claim *claim, bool snp_apart)
{
	struct json_object *to = json_object_new_object();
	enum kw_pool pool;

#define PUT(field, make) json_object_object_add(to, #field, make(claim->field))
	PUT(name, kw_json_text);
	PUT(uuid, kw_json_text);
	json_object_object_add(to, "type", kw_json_text(kw_guest_type_name(claim->type)));
	json_object_object_add(to, "pool",
			       kw_guest_type_pool(claim->type, snp_apart, &pool)
				       ? kw_json_text(kw_pool_name(pool))
				       : NULL);
	PUT(memory_bytes, json_object_new_uint64);
	PUT(pinned_bytes, json_object_new_uint64);
	PUT(plug_bytes, json_object_new_uint64);
	PUT(memlock_bytes, json_object_new_uint64);
	PUT(ceiling_bytes, json_object_new_uint64);
	json_object_object_add(to, "hugepages", huge_parts(claim->huge));
	json_object_object_add(to, "bound", bound_parts(claim->bound));
#undef PUT
	return to;
}

static struct json_object *wall_json(enum kw_wall wall, const struct kw_wall_status *status)
{
	struct json_object *to = json_object_new_object();
	struct kw_u64 none = {};
	bool memory = wall == KW_WALL_MEMORY;

	json_object_object_add(to, "wall", kw_json_text(kw_wall_name(wall)));
	json_object_object_add(to, "state", kw_json_text(kw_wall_state_name(status->state)));
	json_object_object_add(to, "reason", kw_json_text(status->reason));
	json_object_object_add(to, "limit_bytes", kw_json_u64(memory ? status->limit : none));
	json_object_object_add(to, "limit_slots", kw_json_u64(memory ? none : status->limit));
	return to;
}

struct json_object *kw_json_walls(const struct kw_walls_status *walls)
{
	struct json_object *list = json_object_new_array();

	for (enum kw_wall wall = 0; wall < KW_WALL_COUNT; wall++)
		json_object_array_add(list, wall_json(wall, &walls->wall[wall]));
	return list;
}

struct json_object *kw_json_verdict(const struct kw_verdict *verdict)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "code", kw_json_text(kw_code_name(verdict->code)));
	json_object_object_add(to, "admitted",
			       json_object_new_boolean(kw_verdict_admits(verdict)));
	json_object_object_add(to, "sentence", kw_json_text(verdict->sentence));
	json_object_object_add(to, "remedy", kw_json_text(kw_code_remedy(verdict->code)));
	return to;
}

void kw_json_print(struct json_object *object, bool one_line)
{
	int style = JSON_C_TO_STRING_NOSLASHESCAPE |
		    (one_line ? JSON_C_TO_STRING_PLAIN
			      : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);

	puts(json_object_to_json_string_ext(object, style));
	json_object_put(object);
}
