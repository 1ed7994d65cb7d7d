/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_TESTS_KERNEL_MESSAGE_H
#define KW_TESTS_KERNEL_MESSAGE_H

#include <linux/genetlink.h>
#include <linux/kvmward.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>

/* A netlink message written byte by byte, so that it can be wrong in every way. */
struct message {
	union {
		struct nlmsghdr header;
		unsigned char bytes[8192];
	};
};

static inline void message_append(struct message *message, const void *data, size_t length)
{
	memcpy(message->bytes + message->header.nlmsg_len, data, length);
	message->header.nlmsg_len += NLMSG_ALIGN((uint32_t)length);
}

static inline void message_begin(struct message *message, uint16_t type, uint16_t flags)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_HDRLEN;
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = flags;
}

static inline void message_begin_answer(struct message *message, uint16_t type, uint8_t command)
{
	const struct genlmsghdr generic = { .cmd = command, .version = 1 };

	message_begin(message, type, 0);
	message_append(message, &generic, sizeof(generic));
}

static inline void message_put(struct message *message, uint16_t attribute, const void *data,
			       size_t length)
{
	const struct nlattr header = { (uint16_t)(NLA_HDRLEN + length), attribute };

	message_append(message, &header, sizeof(header));
	message_append(message, data, length);
}

static inline void message_put_u32(struct message *message, uint16_t attribute, uint32_t number)
{
	message_put(message, attribute, &number, sizeof(number));
}

static inline void message_put_u64(struct message *message, uint16_t attribute, uint64_t number)
{
	message_put(message, attribute, &number, sizeof(number));
}

static inline void message_put_text(struct message *message, uint16_t attribute, const char *text)
{
	message_put(message, attribute, text, strlen(text) + 1);
}

/* NLMSG_DONE, or NLMSG_ERROR that quotes only the request's header (NETLINK_CAP_ACK). */
static inline void message_begin_result(struct message *message, uint16_t type, int error,
					const char *words)
{
	const struct nlmsghdr quoted = { .nlmsg_len = 20, .nlmsg_type = 30 };

	message_begin(message, type, words ? NLM_F_ACK_TLVS : 0);
	message_append(message, &error, sizeof(error));
	if (type == NLMSG_ERROR) {
		message->header.nlmsg_flags |= NLM_F_CAPPED;
		message_append(message, &quoted, sizeof(quoted));
	}
	if (words)
		message_put_text(message, NLMSGERR_ATTR_MSG, words);
}

static inline void message_guest(struct message *message, uint16_t type, uint32_t pid,
				 uint32_t guest_type)
{
	message_begin_answer(message, type, KVMWARD_CMD_GUEST_GET);
	message_put_u32(message, KVMWARD_A_GUEST_PID, pid);
	message_put_u64(message, KVMWARD_A_GUEST_START_TIME_NS, 123456789012345);
	message_put_u32(message, KVMWARD_A_GUEST_VM_FD, 11);
	message_put_text(message, KVMWARD_A_GUEST_COMM, "qemu-system-x86");
	message_put_u32(message, KVMWARD_A_GUEST_UID, 64055);
	message_put_text(message, KVMWARD_A_GUEST_CGROUP,
			 "/machine.slice/machine-qemu\\x2d1\\x2da.scope/libvirt/emulator");
	message_put_u32(message, KVMWARD_A_GUEST_TYPE, guest_type);
	message_put_u32(message, KVMWARD_A_GUEST_ASID, 7);
	message_put_u64(message, KVMWARD_A_GUEST_PINNED_BYTES, 275058688);
	message_put_u64(message, KVMWARD_A_GUEST_MEMORY_BYTES, 268435456);
	message_put_u32(message, KVMWARD_A_GUEST_VCPUS, 2);
	message_put_u32(message, KVMWARD_A_GUEST_NESTED_VCPUS, 0);
	message_put_u32(message, KVMWARD_A_GUEST_FLAGS, 0);
}

static inline void message_slots(struct message *message, uint16_t type, uint32_t pool,
				 uint32_t charged)
{
	message_begin_answer(message, type, KVMWARD_CMD_SLOT_GET);
	message_put_u32(message, KVMWARD_A_SLOT_POOL, pool);
	message_put_u32(message, KVMWARD_A_SLOT_FIRST_ASID, 6);
	message_put_u32(message, KVMWARD_A_SLOT_LAST_ASID, 15);
	message_put_u32(message, KVMWARD_A_SLOT_CAPACITY, 10);
	message_put_u32(message, KVMWARD_A_SLOT_CHARGED, charged);
	message_put_u32(message, KVMWARD_A_SLOT_IN_USE, charged);
	message_put_u32(message, KVMWARD_A_SLOT_MIRRORS, 0);
}

static inline void message_slot_event(struct message *message, uint16_t type, uint32_t pool,
				      uint32_t charged, int32_t change)
{
	message_begin_answer(message, type, KVMWARD_CMD_SLOT_NTF);
	message_put_u32(message, KVMWARD_A_SLOT_POOL, pool);
	message_put_u32(message, KVMWARD_A_SLOT_FIRST_ASID, 6);
	message_put_u32(message, KVMWARD_A_SLOT_LAST_ASID, 15);
	message_put_u32(message, KVMWARD_A_SLOT_CAPACITY, 10);
	message_put_u32(message, KVMWARD_A_SLOT_CHARGED, charged);
	message_put_u32(message, KVMWARD_A_SLOT_CHANGE, (uint32_t)change);
	message_put_u32(message, KVMWARD_A_SLOT_PID, 4242);
	message_put_u64(message, KVMWARD_A_SLOT_START_TIME_NS, 123456789012345);
}

/* What the generic netlink controller says; group 0: the family has none. */
static inline void message_family(struct message *message, uint8_t command, const char *name,
				  uint16_t id, const char *group_name, uint32_t group)
{
	struct {
		struct nlattr list, entry, id;
		uint32_t number;
		struct nlattr name;
		char text[16];
	} groups = {
		.list = { sizeof(groups), CTRL_ATTR_MCAST_GROUPS },
		.entry = { sizeof(groups) - NLA_HDRLEN, 1 },
		.id = { NLA_HDRLEN + 4, CTRL_ATTR_MCAST_GRP_ID },
		.number = group,
		.name = { NLA_HDRLEN + sizeof(groups.text), CTRL_ATTR_MCAST_GRP_NAME },
	};

	strncpy(groups.text, group_name, sizeof(groups.text) - 1);
	message_begin_answer(message, GENL_ID_CTRL, command);
	message_put_text(message, CTRL_ATTR_FAMILY_NAME, name);
	message_put(message, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	if (group)
		message_append(message, &groups, sizeof(groups));
}

static inline void message_host(struct message *message, uint16_t type)
{
	message_begin_answer(message, type, KVMWARD_CMD_HOST_GET);
	message_put_u32(message, KVMWARD_A_HOST_VENDOR, KVMWARD_VENDOR_AMD);
	message_put_u32(message, KVMWARD_A_HOST_VIRT_USABLE, 1);
	message_put_u32(message, KVMWARD_A_HOST_SEV_ENABLED, 1);
	message_put_u32(message, KVMWARD_A_HOST_SNP_ENABLED, 0);
	message_put_u32(message, KVMWARD_A_HOST_MAX_ASID, 15);
	message_put_text(message, KVMWARD_A_HOST_KVM_VENDOR_MODULE, "kvm_amd");
	message_put_u32(message, KVMWARD_A_HOST_PSP_API_MAJOR, 1);
	message_put_u32(message, KVMWARD_A_HOST_FACTS_SOURCE, KVMWARD_FACTS_SOURCE_NONE);
	message_put_text(message, KVMWARD_A_HOST_FACTS_REASON, "no BTF for kvm_amd");
	message_put_u32(message, KVMWARD_A_HOST_SMM_LOCKED, 0);
	message_put_u32(message, KVMWARD_A_HOST_VMPLS, 4);
	message_put_u32(message, KVMWARD_A_HOST_SLOT_EVENTS, 0);
	message_put_text(message, KVMWARD_A_HOST_SLOT_EVENTS_REASON, "no kprobes");
}

#endif
