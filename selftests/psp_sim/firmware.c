// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware: a table of commands, and what it knows of guests and ASIDs.
 *
 * It refuses what real firmware refuses (SEV API 1.55): a command in the wrong
 * state of the guest, an ASID that is owned, out of range, or not flushed since
 * its last guest.  So kvm_amd is held to the protocol, not only answered.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/psp-sev.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "firmware.h"
#include "psp_sim.h"

/* More than any processor has ASIDs: a guest needs one only once it is active. */
#define GUESTS_MAX 65536

#define MEASUREMENT_BYTES 48		/* HMAC and nonce */
#define POLICY_ES BIT(2)
#define PLATFORM_INITIALISED 1
#define PLATFORM_WORKING 2		/* a guest exists */
#define PLATFORM_HAS_ES BIT(8)		/* status.flags: configured for SEV-ES */

static const char *const state_names[STATES] = {
	"uninit", "lupdate", "lsecret", "running", "supdate", "rupdate", "sent", "init", "launch",
};

/* Protects all below.  The real one has a mailbox: one command at a time too. */
static DEFINE_MUTEX(firmware_lock);
static DEFINE_XARRAY_ALLOC1(guests);	/* by handle */
static unsigned int guest_counts[2];	/* SEV and SEV-ES; SEV-SNP */
static u32 last_handle;
static unsigned long *asid_owned;	/* by a guest that is active */
static unsigned long *asid_unflushed;	/* used since the last DF_FLUSH */

struct guest *psp_sim_guest_create(bool is_snp, enum guest_state state)
{
	struct guest *guest;

	if (guest_counts[is_snp] >= GUESTS_MAX)
		return NULL;
	guest = kzalloc(sizeof(*guest), GFP_KERNEL);
	if (!guest)
		return NULL;
	guest->is_snp = is_snp;
	guest->state = state;
	/* Cyclic: a handle used too long meets no guest rather than another. */
	if (xa_alloc_cyclic(&guests, &guest->handle, guest, xa_limit_31b,
			    &last_handle, GFP_KERNEL) < 0) {
		kfree(guest);
		return NULL;
	}
	guest_counts[is_snp]++;
	return guest;
}

void psp_sim_guest_destroy(struct guest *guest)
{
	xa_erase(&guests, guest->handle);
	guest_counts[guest->is_snp]--;
	kfree(guest);
}

unsigned int psp_sim_guest_count(bool is_snp)
{
	return guest_counts[is_snp];
}

static int guest_start(u32 policy, enum guest_state state, u32 *handle)
{
	struct guest *guest;

	/* With a handle: a new guest that shares the key of that one. */
	if (*handle && !xa_load(&guests, *handle))
		return SEV_RET_INVALID_GUEST;
	guest = psp_sim_guest_create(false, state);
	if (!guest)
		return SEV_RET_RESOURCE_LIMIT;
	guest->policy = policy;
	*handle = guest->handle;
	return 0;
}

static int launch_start(struct guest *guest, void *data)
{
	struct sev_data_launch_start *start = data;

	return guest_start(start->policy, LUPDATE, &start->handle);
}

static int receive_start(struct guest *guest, void *data)
{
	struct sev_data_receive_start *start = data;

	return guest_start(0, RUPDATE, &start->handle);
}

static int launch_measure(struct guest *guest, void *data)
{
	struct sev_data_launch_measure *measure = data;
	bool fits = measure->len >= MEASUREMENT_BYTES;

	measure->len = MEASUREMENT_BYTES;
	return fits ? 0 : SEV_RET_INVALID_LEN;
}

static int guest_status(struct guest *guest, void *data)
{
	struct sev_data_guest_status *status = data;

	status->policy = guest->policy;
	status->asid = guest->asid;
	status->state = guest->state;
	return 0;
}

int psp_sim_asid_take(struct guest *guest, u32 asid, u32 first, u32 last)
{
	if (guest->asid)
		return SEV_RET_ACTIVE;
	if (asid < first || asid > min(last, psp_sim_max_asid))
		return SEV_RET_INVALID_ASID;
	if (test_bit(asid, asid_owned))
		return SEV_RET_ASID_OWNED;
	if (test_bit(asid, asid_unflushed))
		return SEV_RET_DFFLUSH_REQUIRED;
	set_bit(asid, asid_owned);
	guest->asid = asid;
	return 0;
}

void psp_sim_asid_give(struct guest *guest)
{
	clear_bit(guest->asid, asid_owned);
	set_bit(guest->asid, asid_unflushed);
	guest->asid = 0;
}

void psp_sim_asids_flush(void)
{
	bitmap_zero(asid_unflushed, psp_sim_max_asid + 1);
}

/*
 * Plain SEV guests live from the lowest SEV ASID on, SEV-ES guests below it; with
 * ciphertext hiding, above those that are SEV-SNP's alone.
 */
static int activate(struct guest *guest, void *data)
{
	const struct sev_data_activate *activate = data;

	if (guest->policy & POLICY_ES)
		return psp_sim_asid_take(guest, activate->asid, psp_sim_max_snp_asid + 1,
					 psp_sim_min_sev_asid - 1);
	return psp_sim_asid_take(guest, activate->asid, psp_sim_min_sev_asid, psp_sim_max_asid);
}

static int deactivate(struct guest *guest, void *data)
{
	if (!guest->asid)
		return SEV_RET_INACTIVE;
	psp_sim_asid_give(guest);
	return 0;
}

static int decommission(struct guest *guest, void *data)
{
	if (guest->asid)
		return SEV_RET_ACTIVE;
	psp_sim_guest_destroy(guest);
	psp_sim_leak_may_follow();
	return 0;
}

static int df_flush(struct guest *guest, void *data)
{
	psp_sim_asids_flush();
	return 0;
}

static int platform_status(struct guest *guest, void *data)
{
	struct sev_user_data_status *status = data;

	*status = (struct sev_user_data_status) {
		.api_major = PSP_SIM_API_MAJOR,
		.api_minor = PSP_SIM_API_MINOR,
		.build = PSP_SIM_BUILD,
		.state = guest_counts[false] ? PLATFORM_WORKING : PLATFORM_INITIALISED,
		.flags = PLATFORM_HAS_ES,
		.guest_count = guest_counts[false],
	};
	return 0;
}

/* Done as soon as it is allowed: there is no encryption, the data stays put. */
static int no_effect(struct guest *guest, void *data)
{
	return 0;
}

static struct command commands[] = {
	PLATFORM(INIT, no_effect),
	PLATFORM(PLATFORM_STATUS, platform_status),
	PLATFORM(DF_FLUSH, df_flush),
	PLATFORM(LAUNCH_START, launch_start),
	PLATFORM(RECEIVE_START, receive_start),
	GUEST(BY_HANDLE, ACTIVATE, ANY, STAYS, activate),
	GUEST(BY_HANDLE, DEACTIVATE, ANY, STAYS, deactivate),
	GUEST(BY_HANDLE, DECOMMISSION, ANY, UNINIT, decommission),
	GUEST(BY_HANDLE, GUEST_STATUS, ANY, STAYS, guest_status),
	GUEST(BY_HANDLE, ATTESTATION_REPORT, ANY, STAYS, no_effect),
	GUEST(BY_HANDLE, LAUNCH_UPDATE_DATA, BIT(LUPDATE), STAYS, no_effect),
	GUEST(BY_HANDLE, LAUNCH_UPDATE_VMSA, BIT(LUPDATE), STAYS, no_effect),
	GUEST(BY_HANDLE, LAUNCH_MEASURE, BIT(LUPDATE) | BIT(LSECRET), LSECRET, launch_measure),
	GUEST(BY_HANDLE, LAUNCH_UPDATE_SECRET, BIT(LSECRET), STAYS, no_effect),
	GUEST(BY_HANDLE, LAUNCH_FINISH, BIT(LSECRET), RUNNING, no_effect),
	GUEST(BY_HANDLE, SEND_START, BIT(RUNNING), SUPDATE, no_effect),
	GUEST(BY_HANDLE, SEND_UPDATE_DATA, BIT(SUPDATE), STAYS, no_effect),
	GUEST(BY_HANDLE, SEND_UPDATE_VMSA, BIT(SUPDATE), STAYS, no_effect),
	GUEST(BY_HANDLE, SEND_FINISH, BIT(SUPDATE), SENT, no_effect),
	GUEST(BY_HANDLE, SEND_CANCEL, BIT(SUPDATE), RUNNING, no_effect),
	GUEST(BY_HANDLE, RECEIVE_UPDATE_DATA, BIT(RUPDATE), STAYS, no_effect),
	GUEST(BY_HANDLE, RECEIVE_UPDATE_VMSA, BIT(RUPDATE), STAYS, no_effect),
	GUEST(BY_HANDLE, RECEIVE_FINISH, BIT(RUPDATE), RUNNING, no_effect),
};

static const struct command_table sev_commands = { commands, ARRAY_SIZE(commands) };
static const struct command_table *const tables[] = { &sev_commands, &psp_sim_snp_commands };

#define for_each_command(command, table) \
	for (table = tables; table < tables + ARRAY_SIZE(tables); table++) \
		for (command = (*table)->commands; \
		     command < (*table)->commands + (*table)->count; command++)

static struct guest *guest_of(const struct command *command, const void *data)
{
	struct guest *guest;

	if (command->subject == BY_CONTEXT)
		return psp_sim_snp_guest(*(const u64 *)data);
	guest = xa_load(&guests, *(const u32 *)data);
	return guest && !guest->is_snp ? guest : NULL;
}

/* Needs firmware_lock. */
static int command_run(struct command *command, void *data)
{
	struct guest *guest;
	int error;

	if (command->fail_count) {
		command->fail_count--;
		return command->fail_with;
	}
	if (command->subject == NO_GUEST)
		return command->run(NULL, data);

	guest = guest_of(command, data);
	if (!guest)
		return SEV_RET_INVALID_GUEST;
	if (!(command->states & BIT(guest->state)))
		return SEV_RET_INVALID_GUEST_STATE;
	error = command->run(guest, data);
	/* After DECOMMISSION there is no guest to have a state. */
	if (!error && command->becomes != STAYS && command->becomes != UNINIT)
		guest->state = command->becomes;
	return error;
}

static struct command *command_find(int id)
{
	const struct command_table *const *table;
	struct command *command;

	for_each_command(command, table)
		if (command->id == id)
			return command;
	return NULL;
}

/* Other commands go on meanwhile, which those of a real one do not. */
static void command_dawdle(struct command *command)
{
	unsigned int ms = 0;

	mutex_lock(&firmware_lock);
	if (command->slow_count) {
		command->slow_count--;
		ms = command->slow_ms;
	}
	mutex_unlock(&firmware_lock);
	if (ms)
		msleep(ms);
}

int psp_sim_command(int id, void *data, int *ret_fw_error)
{
	struct command *command = command_find(id);
	int error = SEV_RET_INVALID_COMMAND;

	if (command)
		command_dawdle(command);
	mutex_lock(&firmware_lock);
	if (command) {
		error = command_run(command, data);
		command->issued++;
		command->failed += !!error;
	}
	mutex_unlock(&firmware_lock);
	if (ret_fw_error)
		*ret_fw_error = error;
	return error ? -EIO : 0;
}

static struct command *command_named(const char *name)
{
	const struct command_table *const *table;
	struct command *command;

	for_each_command(command, table)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

int psp_sim_fail_next(const char *name, unsigned int fw_error, unsigned int count)
{
	struct command *command = command_named(name);

	if (!command)
		return -EINVAL;
	mutex_lock(&firmware_lock);
	command->fail_with = fw_error;
	command->fail_count = fw_error ? count : 0;
	mutex_unlock(&firmware_lock);
	return 0;
}

int psp_sim_slow_next(const char *name, unsigned int ms, unsigned int count)
{
	struct command *command = command_named(name);

	if (!command)
		return -EINVAL;
	mutex_lock(&firmware_lock);
	command->slow_ms = ms;
	command->slow_count = count;
	mutex_unlock(&firmware_lock);
	return 0;
}

static const char *type_name(const struct guest *guest)
{
	if (guest->is_snp)
		return "snp";
	return guest->policy & POLICY_ES ? "sev-es" : "sev";
}

void psp_sim_show_guests(struct seq_file *m)
{
	struct guest *guest;
	unsigned long index;

	mutex_lock(&firmware_lock);
	xa_for_each(&guests, index, guest) {
		seq_printf(m, "handle %u asid %u policy 0x%llx type %s state %s", guest->handle,
			   guest->asid, guest->policy, type_name(guest),
			   state_names[guest->state]);
		if (guest->is_snp)
			seq_printf(m, " pages %lu", psp_sim_rmp_count(guest->asid));
		seq_putc(m, '\n');
	}
	mutex_unlock(&firmware_lock);
}

void psp_sim_show_commands(struct seq_file *m)
{
	const struct command_table *const *table;
	struct command *command;

	mutex_lock(&firmware_lock);
	for_each_command(command, table)
		seq_printf(m, "%s issued %u failed %u\n", command->name, command->issued,
			   command->failed);
	mutex_unlock(&firmware_lock);
}

int psp_sim_firmware_init(void)
{
	asid_owned = bitmap_zalloc(psp_sim_max_asid + 1, GFP_KERNEL);
	asid_unflushed = bitmap_zalloc(psp_sim_max_asid + 1, GFP_KERNEL);
	if (!asid_owned || !asid_unflushed) {
		psp_sim_firmware_exit();
		return -ENOMEM;
	}
	return 0;
}

void psp_sim_firmware_exit(void)
{
	struct guest *guest;
	unsigned long index;

	xa_for_each(&guests, index, guest)
		kfree(guest);
	xa_destroy(&guests);
	bitmap_free(asid_owned);
	bitmap_free(asid_unflushed);
}
