/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the firmware's commands share: firmware.c has those of SEV and SEV-ES and
 * runs all, snp.c has those of SEV-SNP.  Commands run one at a time, under
 * firmware.c's lock, which protects all of this.
 */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <linux/bits.h>
#include <linux/types.h>

/* The last two are SEV-SNP's, whose guests are running then too. */
enum guest_state {
	UNINIT, LUPDATE, LSECRET, RUNNING, SUPDATE, RUPDATE, SENT, INIT, LAUNCH, STATES,
};

struct guest {
	u32 handle;			/* of SEV-SNP known to nobody else */
	u64 policy;
	u32 asid;			/* 0: not active */
	enum guest_state state;
	bool is_snp;
};

/* How a command names its guest: in the first field of its buffer. */
enum subject { NO_GUEST, BY_HANDLE, BY_CONTEXT };

/* Returns a code of the firmware's, 0 for success. */
typedef int (*command_fn)(struct guest *guest, void *data);

#define ANY (BIT(STATES) - 1)
#define STAYS STATES

struct command {
	int id;
	const char *name;
	enum subject subject;
	unsigned long states;		/* of the guest, allowed */
	enum guest_state becomes;	/* after success; UNINIT: there is no guest any more */
	command_fn run;
	unsigned int issued, failed;
	unsigned int fail_count, fail_with;	/* asked for through debugfs */
	unsigned int slow_count, slow_ms;	/* likewise */
};

#define PLATFORM(command, fn) \
	{ .id = SEV_CMD_##command, .name = #command, .run = fn }
#define GUEST(by, command, from, to, fn) \
	{ .id = SEV_CMD_##command, .name = #command, .subject = by, .states = from, \
	  .becomes = to, .run = fn }

/* NULL when there are too many. */
struct guest *psp_sim_guest_create(bool is_snp, enum guest_state state);
void psp_sim_guest_destroy(struct guest *guest);
/* Guests of SEV-SNP, or all others: their firmware counts them apart. */
unsigned int psp_sim_guest_count(bool is_snp);

/* Makes an ASID of [@first, @last] the guest's; a code of the firmware's. */
int psp_sim_asid_take(struct guest *guest, u32 asid, u32 first, u32 last);
/* Takes it back.  It cannot be used again before the next flush. */
void psp_sim_asid_give(struct guest *guest);
void psp_sim_asids_flush(void);

struct command_table {
	struct command *commands;
	unsigned int count;
};

#ifdef PSP_SIM_HAS_SNP
extern const struct command_table psp_sim_snp_commands;

/* NULL when this page is no guest's context. */
struct guest *psp_sim_snp_guest(u64 context);
/* Pages that are assigned to the guest of this ASID. */
unsigned long psp_sim_rmp_count(u32 asid);
#else
static const struct command_table psp_sim_snp_commands = { };

static inline struct guest *psp_sim_snp_guest(u64 context)
{
	return NULL;
}

static inline unsigned long psp_sim_rmp_count(u32 asid)
{
	return 0;
}
#endif

#endif
