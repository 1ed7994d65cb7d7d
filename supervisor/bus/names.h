/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_NAMES_H
#define KW_BUS_NAMES_H

#define KW_BUS_NAME "org.kvmward1"
#define KW_BUS_PATH "/org/kvmward1"
#define KW_BUS_INTERFACE "org.kvmward1.Manager"

/* The configuration file is wrong: the message is "file:line: what". */
#define KW_BUS_ERROR_CONFIG "org.kvmward1.Error.Config"

/* XML travels as bytes: whether it is UTF-8 is for the XML reader to say, not for the bus. */
#define KW_BUS_HOOK_ARGS "ssssay"
#define KW_BUS_PLAN_ARGS "ay"
#define KW_BUS_WAIT_ARGS "ay"
#define KW_BUS_VERDICT "ss"

/* PlanAll: of each XML, in their order, code and sentence. No more at once: a call has its time. */
#define KW_BUS_PLANS_ARGS "aay"
#define KW_BUS_PLANS "a(" KW_BUS_VERDICT ")"
#define KW_BUS_PLANS_MAX 1024

/*
 * UUID, name, type; memory, pinned, memory lock, ceiling in bytes; taken in ns
 * of CLOCK_BOOTTIME; pid and its start time in ns, 0 while the hold is pending.
 */
#define KW_BUS_HOLD_FIELDS "ssstttttut"
#define KW_BUS_HOLD "(" KW_BUS_HOLD_FIELDS ")"
#define KW_BUS_HOLDS "a" KW_BUS_HOLD

/* UUID, name, type; since when in ns of CLOCK_BOOTTIME; code and sentence of why it waits. */
#define KW_BUS_WAITER "(ssstss)"
#define KW_BUS_WAITERS "a" KW_BUS_WAITER

/*
 * Class, "" being the default one; of what: "sev", "sev-es", "snp" or "memory"; used, set
 * aside, at most (UINT64_MAX: no limit), in slots or bytes.
 */
#define KW_BUS_CLASS "(ssttt)"
#define KW_BUS_CLASSES "a" KW_BUS_CLASS

/* The signal Waiting, to the waiting client only: place, of how many; code and sentence. */
#define KW_BUS_WAITING "uuss"

/* The signal Refused: name and UUID of the guest, code and sentence of the verdict. */
#define KW_BUS_REFUSED "ssss"

/* The property ChangesFrom: the name of an enum kw_hearing, and why not a better one, or "". */
#define KW_BUS_HEARING "(ss)"

/*
 * The property Walls: per wall its name, its state, why it does not stand or
 * "", and its limit in bytes or slots, UINT64_MAX for none.
 */
#define KW_BUS_WALL "(ssst)"
#define KW_BUS_WALLS "a" KW_BUS_WALL

/*
 * The property Memory: bytes by KW_BUS_MEMORY_*, what is not known left out. The
 * property Hugepages, of each pool: bytes of a page; pages in all, unused,
 * promised, free.
 */
#define KW_BUS_MEMORY "a{st}"
#define KW_BUS_MEMORY_TOTAL "total"
#define KW_BUS_MEMORY_RESERVED "reserved"
#define KW_BUS_MEMORY_HUGEPAGES "hugepages"
#define KW_BUS_MEMORY_ENCRYPTED "encrypted"
#define KW_BUS_MEMORY_PLAIN "plain"
#define KW_BUS_MEMORY_PENDING "pending"
#define KW_BUS_MEMORY_WAITING "waiting"
#define KW_BUS_MEMORY_FREE "free"
#define KW_BUS_HUGE "(ttttt)"
#define KW_BUS_HUGES "a" KW_BUS_HUGE

/*
 * Keys of the property Configuration (a{sv}): those of kvmward.conf, all of
 * them; num_memory_encrypted_guests only when it is set.
 */
#define KW_BUS_KEY_SEV_RESERVE "sev_reserve"
#define KW_BUS_KEY_SEV_ES_RESERVE "sev_es_reserve"
#define KW_BUS_KEY_SNP_RESERVE "snp_reserve"
#define KW_BUS_KEY_GUESTS "num_memory_encrypted_guests"
#define KW_BUS_KEY_MEMORY "reserved_host_memory_bytes"
#define KW_BUS_KEY_RATIO "ram_allocation_ratio"
#define KW_BUS_KEY_ENCRYPTED "encrypted_when_unreachable"
#define KW_BUS_KEY_PLAIN "plain_when_unreachable"
#define KW_BUS_KEY_MEMLOCK "small_memory_lock"
#define KW_BUS_KEY_MEMORY_MAX "memory_max"
#define KW_BUS_KEY_MISC_MAX "misc_max"
#define KW_BUS_KEY_TIMEOUT "hold_timeout"

#endif
