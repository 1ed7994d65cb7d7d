/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only state of kvmward. Every change is made on a copy, saved, and only
 * then taken over: what a caller was told is on disk, and what failed to be
 * saved did not happen.
 */
#include "ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ledger/notes.h"
#include "ledger/store.h"

struct kw_ledger {
	char dir[PATH_MAX - 64], path[PATH_MAX];
	int lock_fd;
	struct kw_hold_list list;
};

KW_CLEANUP_OF(struct kw_ledger, kw_ledger_close);

void kw_ledger_close(struct kw_ledger *ledger)
{
	if (!ledger)
		return;
	if (ledger->lock_fd >= 0)
		close(ledger->lock_fd);
	kw_holds_done(&ledger->list);
	free(ledger);
}

/* The lock file is never removed: a lock on a file without a name keeps nobody out. */
static int take_lock(const char *dir, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/ledger.lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_fd = kw_steal_fd(&fd);
	return 0;
}

static int set_aside(const struct kw_ledger *ledger)
{
	char bad[PATH_MAX];

	snprintf(bad, sizeof(bad), "%s/ledger.bad", ledger->dir);
	return rename(ledger->path, bad) < 0 ? -errno : 0;
}

static int load(struct kw_ledger *ledger, bool *ret_damaged)
{
	int error = kw_holds_load(ledger->path, &ledger->list);

	*ret_damaged = error == -EBADMSG;
	if (error == -EBADMSG)
		return set_aside(ledger);
	return error == -ENOENT ? 0 : error;
}

int kw_ledger_open(const char *dir, struct kw_ledger **ret_ledger, bool *ret_damaged)
{
	_cleanup_(kw_ledger_close_at) struct kw_ledger *ledger = calloc(1, sizeof(*ledger));
	bool damaged = false;
	int error;

	if (!ledger)
		return -ENOMEM;
	ledger->lock_fd = -1;
	if (!kw_text_copy(ledger->dir, sizeof(ledger->dir), dir))
		return -ENAMETOOLONG;
	snprintf(ledger->path, sizeof(ledger->path), "%s/ledger.json", dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	error = take_lock(dir, &ledger->lock_fd);
	if (!error)
		error = load(ledger, &damaged);
	if (error)
		return error;
	*ret_damaged = damaged;
	*ret_ledger = KW_STEAL(ledger);
	return 0;
}

const struct kw_hold_list *kw_ledger_holds(const struct kw_ledger *ledger)
{
	return &ledger->list;
}

/* With room for one hold more. */
static int copy_list(const struct kw_hold_list *from, struct kw_hold_list *ret_copy)
{
	struct kw_hold *holds = calloc(from->count + 1, sizeof(*holds));

	if (!holds)
		return -ENOMEM;
	if (from->count)
		memcpy(holds, from->holds, from->count * sizeof(*holds));
	*ret_copy = (struct kw_hold_list){holds, from->count};
	return 0;
}

/* Saves the list and takes it over, or leaves the ledger as it was. */
static int commit(struct kw_ledger *ledger, struct kw_hold_list *next)
{
	int error = kw_holds_save(ledger->path, next);

	if (error)
		return error;
	kw_holds_done(&ledger->list);
	ledger->list = *next;
	*next = (struct kw_hold_list){0};
	return 0;
}

static struct kw_hold *find(const struct kw_hold_list *list, const char *uuid)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->holds[i].claim.uuid, uuid))
			return &list->holds[i];
	return NULL;
}

static void drop(struct kw_hold_list *list, struct kw_hold *hold)
{
	size_t after = list->count - (size_t)(hold - list->holds) - 1;

	memmove(hold, hold + 1, after * sizeof(*hold));
	list->count--;
}

/* A note that could not be taken yet is about the last run: it must not end this hold. */
static int drop_note(const struct kw_ledger *ledger, const char *uuid)
{
	char noted[1][KW_UUID_LEN + 1];

	kw_text_copy(noted[0], sizeof(noted[0]), uuid);
	return kw_notes_remove(ledger->dir, &(struct kw_uuid_list){noted, 1});
}

int kw_ledger_take(struct kw_ledger *ledger, const struct kw_claim *claim, uint64_t now_ns)
{
	_cleanup_(kw_holds_done) struct kw_hold_list next = {0};
	struct kw_hold hold = {.claim = *claim, .taken_ns = now_ns};
	struct kw_hold *old;
	int error;

	if (kw_text_uuid(claim->uuid, hold.claim.uuid))
		return -EINVAL;
	error = drop_note(ledger, hold.claim.uuid);
	if (!error)
		error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	old = find(&next, hold.claim.uuid);
	if (!old)
		next.holds[next.count++] = hold;
	else
		*old = hold;
	return commit(ledger, &next);
}

int kw_ledger_note(struct kw_ledger *ledger, const struct kw_hold *hold)
{
	_cleanup_(kw_holds_done) struct kw_hold_list next = {0};
	struct kw_hold *noted = find(&ledger->list, hold->claim.uuid);
	int error;

	if (!noted || noted->taken_ns != hold->taken_ns)
		return -ENOENT;
	if (noted->started == hold->started && noted->differs == hold->differs)
		return 0;
	error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	noted = find(&next, hold->claim.uuid);
	noted->started = hold->started;
	noted->differs = hold->differs;
	return commit(ledger, &next);
}

int kw_ledger_release(struct kw_ledger *ledger, const char *uuid)
{
	_cleanup_(kw_holds_done) struct kw_hold_list next = {0};
	char canonical[KW_UUID_LEN + 1];
	int error;

	if (kw_text_uuid(uuid, canonical))
		return -EINVAL;
	if (!find(&ledger->list, canonical))
		return 0;
	error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	drop(&next, find(&next, canonical));
	return commit(ledger, &next);
}

static bool has_uuid_of(const struct kw_guest *guest, const struct kw_hold *hold)
{
	return !guest->mirror && !guest->orphan && !strcasecmp(hold->claim.uuid, guest->uuid);
}

/*
 * The hold comes before QEMU's process: one that is older is a last run that has
 * not ended, or one that runs while the same guest was to arrive once more.
 */
static bool is_older(const struct kw_guest *guest, const struct kw_hold *hold)
{
	return guest->start_time_ns.known && guest->start_time_ns.value < hold->taken_ns;
}

/* Is this the guest that the hold was taken for? */
static bool shows(const struct kw_hold *hold, const struct kw_guest *guest)
{
	enum kw_pool pool;

	if (!has_uuid_of(guest, hold) || is_older(guest, hold))
		return false;
	if (hold->claim.type == KW_GUEST_PLAIN)
		return true;
	return guest->type.known && kw_guest_type_pool(guest->type.value, false, &pool);
}

static const struct kw_guest *guest_of(const struct kw_hold *hold,
				       const struct kw_guest_list *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		if (shows(hold, &guests->guests[i]))
			return &guests->guests[i];
	return NULL;
}

static bool process_gone(const struct kw_hold *hold, const struct kw_guest_list *guests)
{
	for (size_t i = 0; i < guests->count; i++) {
		const struct kw_guest *guest = &guests->guests[i];

		if (guest->pid == hold->pid &&
		    (!guest->start_time_ns.known || !hold->start_time_ns ||
		     guest->start_time_ns.value == hold->start_time_ns))
			return false;
	}
	return true;
}

/* A hold from the future was taken before a reboot: nothing of it is left. */
static bool timed_out(const struct kw_hold *hold, uint64_t now_ns, uint64_t timeout_ns)
{
	return now_ns < hold->taken_ns || now_ns - hold->taken_ns > timeout_ns;
}

bool kw_ledger_overdue(const struct kw_ledger *ledger, uint64_t now_ns, uint64_t timeout_ns)
{
	for (size_t i = 0; i < ledger->list.count; i++)
		if (!ledger->list.holds[i].pid &&
		    timed_out(&ledger->list.holds[i], now_ns, timeout_ns))
			return true;
	return false;
}

struct world {
	const struct kw_guest_list *guests;
	const struct kw_uuid_list *running;
	uint64_t now_ns, timeout_ns;
};

/* Is there a process of it that may become its guest: one more than the older guests'? */
static bool may_come(const struct kw_hold *hold, const struct world *world)
{
	const struct kw_guest_list *guests = world->guests;
	size_t processes = kw_uuid_list_count(world->running, hold->claim.uuid), older = 0;

	for (size_t i = 0; i < guests->count; i++)
		older += has_uuid_of(&guests->guests[i], hold) &&
			 is_older(&guests->guests[i], hold);
	return processes > older;
}

static bool is_over(const struct kw_hold *hold, const struct world *world)
{
	if (hold->pid)
		return process_gone(hold, world->guests);
	return timed_out(hold, world->now_ns, world->timeout_ns) && world->running &&
	       !may_come(hold, world);
}

/* True when the hold was confirmed by this. */
static bool confirm(struct kw_hold *hold, const struct world *world)
{
	const struct kw_guest *guest = hold->pid ? NULL : guest_of(hold, world->guests);

	if (!guest)
		return false;
	hold->pid = guest->pid;
	hold->start_time_ns = guest->start_time_ns.known ? guest->start_time_ns.value : 0;
	return true;
}

static bool reconcile(struct kw_hold_list *list, const struct world *world)
{
	bool changed = false;
	size_t i = 0;

	while (i < list->count) {
		changed |= confirm(&list->holds[i], world);
		if (is_over(&list->holds[i], world)) {
			drop(list, &list->holds[i]);
			changed = true;
		} else {
			i++;
		}
	}
	return changed;
}

int kw_ledger_reconcile(struct kw_ledger *ledger, const struct kw_guest_list *guests,
			const struct kw_uuid_list *running, uint64_t now_ns, uint64_t timeout_ns,
			bool *ret_changed)
{
	_cleanup_(kw_holds_done) struct kw_hold_list next = {0};
	struct world world = {guests, running, now_ns, timeout_ns};
	bool changed;
	int error = 0;

	if (!guests->known) {
		*ret_changed = false;
		return 0;
	}
	error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	changed = reconcile(&next, &world);
	if (changed)
		error = commit(ledger, &next);
	if (!error)
		*ret_changed = changed;
	return error;
}

static void drop_all(struct kw_hold_list *list, const struct kw_uuid_list *uuids)
{
	for (size_t i = 0; i < uuids->count; i++) {
		struct kw_hold *hold = find(list, uuids->uuids[i]);

		if (hold)
			drop(list, hold);
	}
}

/* The notes go only after the ledger is saved: a crash between releases twice, which is harmless.
 */
int kw_ledger_take_release_notes(struct kw_ledger *ledger)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list noted = {0};
	_cleanup_(kw_holds_done) struct kw_hold_list next = {0};
	int error = kw_notes_read(ledger->dir, &noted);

	if (!error)
		error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	drop_all(&next, &noted);
	if (next.count != ledger->list.count)
		error = commit(ledger, &next);
	return error ? error : kw_notes_remove(ledger->dir, &noted);
}
