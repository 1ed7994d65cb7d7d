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
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ledger/notes.h"
#include "ledger/reconcile.h"
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
	kw_hold_list_done(&ledger->list);
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
	kw_hold_list_done(&ledger->list);
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

/* A note that could not be taken yet is about the last run: it must not end this hold. */
static int drop_note(const struct kw_ledger *ledger, const char *uuid)
{
	char noted[1][KW_UUID_LEN + 1];

	kw_text_copy(noted[0], sizeof(noted[0]), uuid);
	return kw_notes_remove(ledger->dir, &(struct kw_uuid_list){noted, 1});
}

static int take(struct kw_ledger *ledger, const struct kw_claim *claim, uint64_t now_ns, bool lent)
{
	_cleanup_(kw_hold_list_done) struct kw_hold_list next = {0};
	struct kw_hold hold = {.claim = *claim, .taken_ns = now_ns, .lent = lent};
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

int kw_ledger_take(struct kw_ledger *ledger, const struct kw_claim *claim, uint64_t now_ns)
{
	return take(ledger, claim, now_ns, false);
}

int kw_ledger_lend(struct kw_ledger *ledger, const struct kw_claim *claim, uint64_t now_ns)
{
	return take(ledger, claim, now_ns, true);
}

int kw_ledger_note(struct kw_ledger *ledger, const struct kw_hold *hold)
{
	_cleanup_(kw_hold_list_done) struct kw_hold_list next = {0};
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
	_cleanup_(kw_hold_list_done) struct kw_hold_list next = {0};
	char canonical[KW_UUID_LEN + 1];
	int error;

	if (kw_text_uuid(uuid, canonical))
		return -EINVAL;
	if (!find(&ledger->list, canonical))
		return 0;
	error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	kw_hold_list_drop(&next, find(&next, canonical));
	return commit(ledger, &next);
}

bool kw_ledger_overdue(const struct kw_ledger *ledger, uint64_t now_ns, uint64_t timeout_ns)
{
	for (size_t i = 0; i < ledger->list.count; i++)
		if (!ledger->list.holds[i].pid &&
		    kw_hold_timed_out(&ledger->list.holds[i], now_ns, timeout_ns))
			return true;
	return false;
}

int kw_ledger_reconcile(struct kw_ledger *ledger, const struct kw_guest_list *guests,
			const struct kw_uuid_list *running, uint64_t now_ns, uint64_t timeout_ns,
			bool *ret_changed)
{
	_cleanup_(kw_hold_list_done) struct kw_hold_list next = {0};
	struct kw_hold_world world = {guests, running, now_ns, timeout_ns};
	bool changed;
	int error = 0;

	if (!guests->known) {
		*ret_changed = false;
		return 0;
	}
	error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	changed = kw_holds_reconcile(&next, &world);
	if (changed)
		error = commit(ledger, &next);
	if (!error)
		*ret_changed = changed;
	return error;
}

/* A confirmed one ends with its guest: what the note tells of may be a second start of it. */
static void drop_pending(struct kw_hold_list *list, const struct kw_uuid_list *uuids)
{
	for (size_t i = 0; i < uuids->count; i++) {
		struct kw_hold *hold = find(list, uuids->uuids[i]);

		if (hold && !hold->pid)
			kw_hold_list_drop(list, hold);
	}
}

/* The notes go only after the ledger is saved: to release twice, after a crash, does no harm. */
int kw_ledger_take_release_notes(struct kw_ledger *ledger)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list noted = {0};
	_cleanup_(kw_hold_list_done) struct kw_hold_list next = {0};
	int error = kw_notes_read(ledger->dir, &noted);

	if (!error)
		error = copy_list(&ledger->list, &next);
	if (error)
		return error;
	drop_pending(&next, &noted);
	if (next.count != ledger->list.count)
		error = commit(ledger, &next);
	return error ? error : kw_notes_remove(ledger->dir, &noted);
}
