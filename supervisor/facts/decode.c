/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/decode.h"

#include <errno.h>
#include <limits.h>
#include <linux/kvmward.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/text.h"
#include "facts/attributes.h"
#include "facts/printable.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * One attribute and where it goes. size: of the buffer for a TEXT, number of
 * values known to us for an ENUM.
 */
struct field {
	uint16_t attribute;
	enum { U32, U64, ENUM, TEXT } kind;
	size_t offset, size;
};

#define HOST(kind, NAME, member, size)                                                             \
	{ KVMWARD_A_HOST_##NAME, kind, offsetof(struct kw_host, member), size }
#define SLOT(kind, NAME, member, size)                                                             \
	{ KVMWARD_A_SLOT_##NAME, kind, offsetof(struct kw_slots, member), size }
#define GUEST(kind, NAME, member, size)                                                            \
	{ KVMWARD_A_GUEST_##NAME, kind, offsetof(struct kw_guest, member), size }
#define HOST_TEXT(NAME, member) HOST(TEXT, NAME, member, sizeof(((struct kw_host *)0)->member))
#define GUEST_TEXT(NAME, member) GUEST(TEXT, NAME, member, sizeof(((struct kw_guest *)0)->member))

static const struct field host_fields[] = {
	HOST(ENUM, VENDOR, vendor, KW_VENDOR_POWER + 1),
	HOST(U32, VIRT_IN_CPU, virt_in_cpu, 0),
	HOST(U32, VIRT_FIRMWARE_DISABLED, virt_firmware_disabled, 0),
	HOST(U32, VIRT_USABLE, virt_usable, 0),
	HOST(U32, SME_IN_CPU, sme_in_cpu, 0),
	HOST(U32, SME_ENABLED, sme_enabled, 0),
	HOST(U32, SEV_IN_CPU, sev_in_cpu, 0),
	HOST(U32, SEV_ENABLED, sev_enabled, 0),
	HOST(U32, SEV_ES_IN_CPU, sev_es_in_cpu, 0),
	HOST(U32, SEV_ES_ENABLED, sev_es_enabled, 0),
	HOST(U32, SNP_IN_CPU, snp_in_cpu, 0),
	HOST(U32, SNP_ENABLED, snp_enabled, 0),
	HOST(U32, C_BIT_POSITION, c_bit_position, 0),
	HOST(U32, PHYS_ADDR_REDUCTION, phys_addr_reduction, 0),
	HOST(U32, MAX_ASID, max_asid, 0),
	HOST(U32, MIN_SEV_ASID, min_sev_asid, 0),
	HOST(U32, KVM_LOADED, kvm_loaded, 0),
	HOST_TEXT(KVM_VENDOR_MODULE, kvm_vendor_module),
	HOST(U32, VHOST_NET_LOADED, vhost_net_loaded, 0),
	HOST(U32, PSP_STATE, psp_state, 0),
	HOST(U32, PSP_API_MAJOR, psp_api_major, 0),
	HOST(U32, PSP_API_MINOR, psp_api_minor, 0),
	HOST(U32, PSP_BUILD, psp_build, 0),
	HOST(U32, PSP_GUEST_COUNT, psp_guest_count, 0),
	HOST(ENUM, FACTS_SOURCE, facts_source, KW_FACTS_BTF + 1),
	HOST_TEXT(FACTS_REASON, facts_reason),
	HOST(U32, SMM_LOCKED, smm_locked, 0),
	HOST(U32, SNP_RMP_RESERVED, snp_rmp_reserved, 0),
	HOST(U32, SNP_ACTIVE, snp_active, 0),
	HOST(U32, VMPLS, vmpls, 0),
	HOST(U32, SLOT_EVENTS, slot_events, 0),
	HOST_TEXT(SLOT_EVENTS_REASON, slot_events_reason),
};

static const struct field slot_fields[] = {
	SLOT(U32, FIRST_ASID, first_asid, 0),
	SLOT(U32, LAST_ASID, last_asid, 0),
	SLOT(U32, CAPACITY, capacity, 0),
	SLOT(U32, CHARGED, charged, 0),
	SLOT(U32, IN_USE, in_use, 0),
	SLOT(U32, MIRRORS, mirrors, 0),
};

static const struct field guest_fields[] = {
	GUEST(U64, START_TIME_NS, start_time_ns, 0),
	GUEST(U32, VM_FD, vm_fd, 0),
	GUEST_TEXT(COMM, comm),
	GUEST(U32, UID, uid, 0),
	GUEST_TEXT(CGROUP, cgroup),
	GUEST(ENUM, TYPE, type, KW_GUEST_SNP + 1),
	GUEST(U32, ASID, asid, 0),
	GUEST(U64, PINNED_BYTES, pinned_bytes, 0),
	GUEST(U64, MEMORY_BYTES, memory_bytes, 0),
	GUEST(U32, VCPUS, vcpus, 0),
	GUEST(U32, NESTED_VCPUS, nested_vcpus, 0),
	GUEST(U32, VHOST_NET_QUEUES, vhost_net_queues, 0),
	GUEST(U32, TAP_QUEUES, tap_queues, 0),
	GUEST(U64, MM_LOCKED_BYTES, mm_locked_bytes, 0),
	GUEST(U64, MM_PINNED_BYTES, mm_pinned_bytes, 0),
	GUEST(U64, UNMOVABLE_BYTES, unmovable_bytes, 0),
};

/* The model's enums are those of the contract. */
_Static_assert((int)KW_VENDOR_AMD == KVMWARD_VENDOR_AMD &&
	       (int)KW_VENDOR_POWER == KVMWARD_VENDOR_POWER &&
	       (int)KW_GUEST_PLAIN == KVMWARD_GUEST_TYPE_PLAIN &&
	       (int)KW_GUEST_SEV == KVMWARD_GUEST_TYPE_SEV &&
	       (int)KW_GUEST_SEV_ES == KVMWARD_GUEST_TYPE_SEV_ES &&
	       (int)KW_GUEST_SNP == KVMWARD_GUEST_TYPE_SNP &&
	       (int)KW_POOL_SEV == KVMWARD_SLOT_POOL_SEV &&
	       (int)KW_POOL_SEV_ES == KVMWARD_SLOT_POOL_SEV_ES &&
	       (int)KW_POOL_SNP == KVMWARD_SLOT_POOL_SNP &&
	       (int)KW_FACTS_NONE == KVMWARD_FACTS_SOURCE_NONE &&
	       (int)KW_FACTS_BTF == KVMWARD_FACTS_SOURCE_BTF, "model and contract differ");

/* Sizes are exact: nla_parse() by itself would take a longer number for a good one. */
static struct nla_policy policy_of(const struct field *field)
{
	switch (field->kind) {
	case U64:
		return (struct nla_policy){ .type = NLA_U64, .minlen = 8, .maxlen = 8 };
	case TEXT:
		return (struct nla_policy){ .type = NLA_STRING, .minlen = 1 };
	default:
		return (struct nla_policy){ .type = NLA_U32, .minlen = 4, .maxlen = 4 };
	}
}

static void store(const struct field *field, const struct nlattr *attribute, char *object)
{
	void *member = object + field->offset;
	uint32_t number;

	switch (field->kind) {
	case U32:
		*(struct kw_u32 *)member = KW_U32(nla_get_u32(attribute));
		break;
	case U64:
		*(struct kw_u64 *)member = KW_U64(nla_get_u64(attribute));
		break;
	case ENUM:
		number = nla_get_u32(attribute);
		if (number < field->size)
			*(struct kw_u32 *)member = KW_U32(number);
		break;
	case TEXT:
		kw_text_copy(member, field->size, nla_get_string(attribute));
		kw_printable(member);
		break;
	}
}

static void store_all(const struct field *fields, size_t count, struct nlattr *const *attributes,
		      void *object)
{
	for (size_t i = 0; i < count; i++)
		if (attributes[fields[i].attribute])
			store(&fields[i], attributes[fields[i].attribute], object);
}

static void policy_fill(const struct field *fields, size_t count, struct nla_policy *policy)
{
	for (size_t i = 0; i < count; i++)
		policy[fields[i].attribute] = policy_of(&fields[i]);
}

int kw_decode_host(const struct nlmsghdr *message, size_t length, struct kw_host *ret_host)
{
	struct nla_policy policy[KVMWARD_A_HOST_MAX + 1] = { 0 };
	struct nlattr *attributes[KVMWARD_A_HOST_MAX + 1] = { 0 };
	struct kw_host host = { 0 };
	int error;

	policy_fill(host_fields, ARRAY_SIZE(host_fields), policy);
	error = kw_attributes_read(message, length, KVMWARD_CMD_HOST_GET, attributes,
				   KVMWARD_A_HOST_MAX, policy);
	if (error)
		return error;
	store_all(host_fields, ARRAY_SIZE(host_fields), attributes, &host);
	*ret_host = host;
	return 0;
}

/* An answer about one pool, or a notification of it: both have the same body. */
static int read_pool(const struct nlmsghdr *message, size_t length, uint8_t command,
		     struct nlattr **attributes, uint32_t *ret_pool, struct kw_slots *ret_slots)
{
	struct nla_policy policy[KVMWARD_A_SLOT_MAX + 1] = {
		[KVMWARD_A_SLOT_POOL] = { .type = NLA_U32, .minlen = 4, .maxlen = 4 },
		[KVMWARD_A_SLOT_CHANGE] = { .type = NLA_U32, .minlen = 4, .maxlen = 4 },
		[KVMWARD_A_SLOT_PID] = { .type = NLA_U32, .minlen = 4, .maxlen = 4 },
		[KVMWARD_A_SLOT_START_TIME_NS] = { .type = NLA_U64, .minlen = 8, .maxlen = 8 },
	};
	int error;

	policy_fill(slot_fields, ARRAY_SIZE(slot_fields), policy);
	error = kw_attributes_read(message, length, command, attributes, KVMWARD_A_SLOT_MAX,
				   policy);
	if (error)
		return error;
	if (!attributes[KVMWARD_A_SLOT_POOL])
		return -EBADMSG;
	*ret_pool = nla_get_u32(attributes[KVMWARD_A_SLOT_POOL]);
	store_all(slot_fields, ARRAY_SIZE(slot_fields), attributes, ret_slots);
	return 0;
}

int kw_decode_slots(const struct nlmsghdr *message, size_t length, struct kw_slot_table *table)
{
	struct nlattr *attributes[KVMWARD_A_SLOT_MAX + 1] = { 0 };
	struct kw_slots slots = { 0 };
	uint32_t pool;
	int error = read_pool(message, length, KVMWARD_CMD_SLOT_GET, attributes, &pool, &slots);

	if (error)
		return error;
	if (pool >= KW_POOL_COUNT)
		return 0;
	table->pool[pool] = slots;
	table->snp_apart = table->snp_apart || pool == KW_POOL_SNP;
	return 0;
}

int kw_decode_slot_event(const struct nlmsghdr *message, size_t length,
			 struct kw_slot_event *ret_event)
{
	struct nlattr *attributes[KVMWARD_A_SLOT_MAX + 1] = { 0 };
	struct kw_slot_event event = { 0 };
	int error = read_pool(message, length, KVMWARD_CMD_SLOT_NTF, attributes, &event.pool,
			      &event.slots);

	if (error)
		return error;
	if (!attributes[KVMWARD_A_SLOT_CHANGE])
		return -EBADMSG;
	event.change = (int32_t)nla_get_u32(attributes[KVMWARD_A_SLOT_CHANGE]);
	if (attributes[KVMWARD_A_SLOT_PID])
		event.pid = KW_U32(nla_get_u32(attributes[KVMWARD_A_SLOT_PID]));
	if (attributes[KVMWARD_A_SLOT_START_TIME_NS])
		event.start_time_ns = KW_U64(nla_get_u64(attributes[KVMWARD_A_SLOT_START_TIME_NS]));
	if ((event.change != 1 && event.change != -1) ||
	    (event.pid.known && (!event.pid.value || event.pid.value > INT_MAX)))
		return -EBADMSG;
	*ret_event = event;
	return 0;
}

int kw_decode_guest(const struct nlmsghdr *message, size_t length, struct kw_guest *ret_guest)
{
	struct nla_policy policy[KVMWARD_A_GUEST_MAX + 1] = {
		[KVMWARD_A_GUEST_PID] = { .type = NLA_U32, .minlen = 4, .maxlen = 4 },
		[KVMWARD_A_GUEST_FLAGS] = { .type = NLA_U32, .minlen = 4, .maxlen = 4 },
	};
	struct nlattr *attributes[KVMWARD_A_GUEST_MAX + 1] = { 0 };
	struct kw_guest guest = { 0 };
	uint32_t pid, flags = 0;
	int error;

	policy_fill(guest_fields, ARRAY_SIZE(guest_fields), policy);
	error = kw_attributes_read(message, length, KVMWARD_CMD_GUEST_GET, attributes,
				   KVMWARD_A_GUEST_MAX, policy);
	if (error)
		return error;
	if (!attributes[KVMWARD_A_GUEST_PID])
		return -EBADMSG;
	pid = nla_get_u32(attributes[KVMWARD_A_GUEST_PID]);
	if (!pid || pid > INT_MAX)
		return -EBADMSG;
	guest.flags_known = attributes[KVMWARD_A_GUEST_FLAGS];
	if (guest.flags_known)
		flags = nla_get_u32(attributes[KVMWARD_A_GUEST_FLAGS]);
	guest.pid = (pid_t)pid;
	guest.mirror = flags & KVMWARD_GUEST_FLAGS_MIRROR;
	guest.orphan = flags & KVMWARD_GUEST_FLAGS_ORPHAN;
	store_all(guest_fields, ARRAY_SIZE(guest_fields), attributes, &guest);
	*ret_guest = guest;
	return 0;
}

/*
 * Where the extack attributes begin: after the error number, and in an
 * NLMSG_ERROR after the header, or all, of the request that it quotes.
 */
static size_t extack_offset(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error;

	if (message->nlmsg_type == NLMSG_DONE)
		return NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(int));
	error = nlmsg_data(message);
	if (message->nlmsg_flags & NLM_F_CAPPED)
		return NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(*error));
	return NLMSG_HDRLEN + sizeof(error->error) + NLMSG_ALIGN((size_t)error->msg.nlmsg_len);
}

static void read_extack(const struct nlmsghdr *message, char *text, size_t size)
{
	static const struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_MSG] = { .type = NLA_STRING, .minlen = 1 },
	};
	struct nlattr *attributes[NLMSGERR_ATTR_MAX + 1] = { 0 };
	size_t offset = extack_offset(message);

	kw_text_copy(text, size, "");
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || offset >= message->nlmsg_len)
		return;
	if (kw_attributes_stream((struct nlattr *)((char *)message + offset),
			 (int)(message->nlmsg_len - offset), attributes, NLMSGERR_ATTR_MAX,
			 policy) < 0 || !attributes[NLMSGERR_ATTR_MSG])
		return;
	kw_text_copy(text, size, nla_get_string(attributes[NLMSGERR_ATTR_MSG]));
	kw_printable(text);
}

int kw_decode_result(const struct nlmsghdr *message, size_t length, int *ret_error, char *text,
		     size_t size)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message;
	size_t least;
	int error;

	if (length > INT_MAX || !nlmsg_ok(header, (int)length))
		return -EBADMSG;
	least = header->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	if (!nlmsg_valid_hdr(header, (int)least))
		return -EBADMSG;
	memcpy(&error, nlmsg_data(header), sizeof(error));
	if (error > 0 || error < -4095)
		return -EBADMSG;
	read_extack(message, text, size);
	*ret_error = error;
	return 0;
}
