// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware: a table of commands, and what it knows of guests and ASIDs.
 *
 * It refuses what real firmware refuses (SEV API 1.55): a command in the wrong
 * state of the guest, an ASID that is owned, out of range, or not flushed since
 * its last guest.  So kvm_amd is held to the protocol, not only answered.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/psp-sev.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "psp_sim.h"

/* More than any processor has ASIDs: a guest needs one only once it is active. */
#define GUESTS_MAX 65536

#define MEASUREMENT_BYTES 48		/* HMAC and nonce */
#define POLICY_ES BIT(2)
#define PLATFORM_INITIALISED 1
#define PLATFORM_WORKING 2		/* a guest exists */
#define PLATFORM_HAS_ES BIT(8)		/* status.flags: configured for SEV-ES */

enum guest_state {
	UNINIT, LUPDATE, LSECRET, RUNNING, SUPDATE, RUPDATE, SENT, STATES,
};

static const char *const state_names[STATES] = {
	"uninit", "lupdate", "lsecret", "running", "supdate", "rupdate", "sent",
};

struct guest {
	u32 handle, policy, asid;	/* asid 0: not active */
	enum guest_state state;
};

/* Protects all below.  The real one has a mailbox: one command at a time too. */
static DEFINE_MUTEX(firmware_lock);
static DEFINE_XARRAY_ALLOC1(guests);	/* by handle */
static unsigned int guest_count;
static u32 last_handle;
static unsigned long *asid_owned;	/* by a guest that is active */
static unsigned long *asid_unflushed;	/* used since the last DF_FLUSH */

/* Returns a code of the firmware's, 0 for success. */
typedef int (*command_fn)(struct guest *guest, void *data);

#define ANY (BIT(STATES) - 1)
#define STAYS STATES

struct command {
	int id;
	const char *name;
	unsigned long states;		/* of the guest, allowed; 0: not about a guest */
	enum guest_state becomes;	/* after success */
	command_fn run;
	unsigned int issued, failed;
	unsigned int fail_count, fail_with;	/* asked for through debugfs */
};

static int guest_create(u32 policy, enum guest_state state, u32 *ret_handle)
{
	struct guest *guest;

	if (guest_count >= GUESTS_MAX)
		return SEV_RET_RESOURCE_LIMIT;
	guest = kzalloc(sizeof(*guest), GFP_KERNEL);
	if (!guest)
		return SEV_RET_RESOURCE_LIMIT;
	guest->policy = policy;
	guest->state = state;
	/* Cyclic: a handle used too long meets no guest rather than another. */
	if (xa_alloc_cyclic(&guests, &guest->handle, guest, xa_limit_31b,
			    &last_handle, GFP_KERNEL) < 0) {
		kfree(guest);
		return SEV_RET_RESOURCE_LIMIT;
	}
	guest_count++;
	*ret_handle = guest->handle;
	return 0;
}

static int launch_start(struct guest *guest, void *data)
{
	struct sev_data_launch_start *start = data;

	/* With a handle: a new guest that shares the key of that one. */
	if (start->handle && !xa_load(&guests, start->handle))
		return SEV_RET_INVALID_GUEST;
	return guest_create(start->policy, LUPDATE, &start->handle);
}

static int receive_start(struct guest *guest, void *data)
{
	struct sev_data_receive_start *start = data;

	if (start->handle && !xa_load(&guests, start->handle))
		return SEV_RET_INVALID_GUEST;
	return guest_create(0, RUPDATE, &start->handle);
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

/* Plain SEV guests live from the lowest SEV ASID on, SEV-ES guests below it. */
static bool asid_is_valid(const struct guest *guest, u32 asid)
{
	if (guest->policy & POLICY_ES)
		return asid >= 1 && asid < psp_sim_min_sev_asid && asid <= psp_sim_max_asid;
	return asid >= psp_sim_min_sev_asid && asid <= psp_sim_max_asid;
}

static int activate(struct guest *guest, void *data)
{
	const struct sev_data_activate *activate = data;
	u32 asid = activate->asid;

	if (guest->asid)
		return SEV_RET_ACTIVE;
	if (!asid_is_valid(guest, asid))
		return SEV_RET_INVALID_ASID;
	if (test_bit(asid, asid_owned))
		return SEV_RET_ASID_OWNED;
	if (test_bit(asid, asid_unflushed))
		return SEV_RET_DFFLUSH_REQUIRED;
	set_bit(asid, asid_owned);
	guest->asid = asid;
	return 0;
}

static int deactivate(struct guest *guest, void *data)
{
	if (!guest->asid)
		return SEV_RET_INACTIVE;
	clear_bit(guest->asid, asid_owned);
	set_bit(guest->asid, asid_unflushed);
	guest->asid = 0;
	return 0;
}

static int decommission(struct guest *guest, void *data)
{
	if (guest->asid)
		return SEV_RET_ACTIVE;
	xa_erase(&guests, guest->handle);
	kfree(guest);
	guest_count--;
	psp_sim_leak_may_follow();
	return 0;
}

static int df_flush(struct guest *guest, void *data)
{
	bitmap_zero(asid_unflushed, psp_sim_max_asid + 1);
	return 0;
}

static int platform_status(struct guest *guest, void *data)
{
	struct sev_user_data_status *status = data;

	*status = (struct sev_user_data_status) {
		.api_major = PSP_SIM_API_MAJOR,
		.api_minor = PSP_SIM_API_MINOR,
		.build = PSP_SIM_BUILD,
		.state = guest_count ? PLATFORM_WORKING : PLATFORM_INITIALISED,
		.flags = PLATFORM_HAS_ES,
		.guest_count = guest_count,
	};
	return 0;
}

/* Done as soon as it is allowed: there is no encryption, the data stays put. */
static int no_effect(struct guest *guest, void *data)
{
	return 0;
}

#define PLATFORM(command, fn) \
	{ .id = SEV_CMD_##command, .name = #command, .run = fn }
#define GUEST(command, from, to, fn) \
	{ .id = SEV_CMD_##command, .name = #command, .states = from, .becomes = to, .run = fn }

static struct command commands[] = {
	PLATFORM(INIT, no_effect),
	PLATFORM(PLATFORM_STATUS, platform_status),
	PLATFORM(DF_FLUSH, df_flush),
	PLATFORM(LAUNCH_START, launch_start),
	PLATFORM(RECEIVE_START, receive_start),
	GUEST(ACTIVATE, ANY, STAYS, activate),
	GUEST(DEACTIVATE, ANY, STAYS, deactivate),
	GUEST(DECOMMISSION, ANY, UNINIT, decommission),
	GUEST(GUEST_STATUS, ANY, STAYS, guest_status),
	GUEST(ATTESTATION_REPORT, ANY, STAYS, no_effect),
	GUEST(LAUNCH_UPDATE_DATA, BIT(LUPDATE), STAYS, no_effect),
	GUEST(LAUNCH_UPDATE_VMSA, BIT(LUPDATE), STAYS, no_effect),
	GUEST(LAUNCH_MEASURE, BIT(LUPDATE) | BIT(LSECRET), LSECRET, launch_measure),
	GUEST(LAUNCH_UPDATE_SECRET, BIT(LSECRET), STAYS, no_effect),
	GUEST(LAUNCH_FINISH, BIT(LSECRET), RUNNING, no_effect),
	GUEST(SEND_START, BIT(RUNNING), SUPDATE, no_effect),
	GUEST(SEND_UPDATE_DATA, BIT(SUPDATE), STAYS, no_effect),
	GUEST(SEND_UPDATE_VMSA, BIT(SUPDATE), STAYS, no_effect),
	GUEST(SEND_FINISH, BIT(SUPDATE), SENT, no_effect),
	GUEST(SEND_CANCEL, BIT(SUPDATE), RUNNING, no_effect),
	GUEST(RECEIVE_UPDATE_DATA, BIT(RUPDATE), STAYS, no_effect),
	GUEST(RECEIVE_UPDATE_VMSA, BIT(RUPDATE), STAYS, no_effect),
	GUEST(RECEIVE_FINISH, BIT(RUPDATE), RUNNING, no_effect),
};

static struct command *command_by_id(int id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].id == id)
			return &commands[i];
	return NULL;
}

/* Needs firmware_lock. */
static int command_run(struct command *command, void *data)
{
	struct guest *guest = NULL;
	int error;

	if (command->fail_count) {
		command->fail_count--;
		return command->fail_with;
	}
	if (!command->states)
		return command->run(NULL, data);

	guest = xa_load(&guests, *(u32 *)data);
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

int psp_sim_command(int id, void *data, int *ret_fw_error)
{
	struct command *command = command_by_id(id);
	int error = SEV_RET_INVALID_COMMAND;

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

int psp_sim_fail_next(const char *name, unsigned int fw_error, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		mutex_lock(&firmware_lock);
		commands[i].fail_with = fw_error;
		commands[i].fail_count = fw_error ? count : 0;
		mutex_unlock(&firmware_lock);
		return 0;
	}
	return -EINVAL;
}

void psp_sim_show_guests(struct seq_file *m)
{
	struct guest *guest;
	unsigned long index;

	mutex_lock(&firmware_lock);
	xa_for_each(&guests, index, guest)
		seq_printf(m, "handle %u asid %u policy 0x%x type %s state %s\n",
			   guest->handle, guest->asid, guest->policy,
			   guest->policy & POLICY_ES ? "sev-es" : "sev",
			   state_names[guest->state]);
	mutex_unlock(&firmware_lock);
}

void psp_sim_show_commands(struct seq_file *m)
{
	unsigned int i;

	mutex_lock(&firmware_lock);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		seq_printf(m, "%s issued %u failed %u\n", commands[i].name,
			   commands[i].issued, commands[i].failed);
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
