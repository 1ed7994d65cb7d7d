/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/evacuate_run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act/move_file.h"
#include "act/move_side.h"
#include "act/qemu_log.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "facts/domain_xml.h"
#include "facts/file_lock.h"
#include "ledger/kept.h"
#include "ledger/moves.h"

KW_CLEANUP_OF(struct kw_move_side, kw_move_side_free);

/* One guest, by the connection of its own. */
struct run {
	const struct kw_evacuate *how;
	const struct kw_kept *kept;
	const char *job;		/* what bears its mark may be replaced here */
	struct kw_move_side *side;
	bool again;			/* it was taken by this host before */
	bool touched;			/* what is here of it is because of us, */
	bool nvram;			/* its firmware variables as well */
	char *before;			/* the definition that was replaced; owned or NULL */
	char *error;
	size_t size;
};

static int tell(struct run *run, int result, const char *what)
{
	const char *why = kw_move_side_error(run->side);

	if (result)
		snprintf(run->error, run->size, "%s: %s", what, *why ? why : strerror(-result));
	return result;
}

/* Over one that a guest of earlier has left here. What is on shared storage was not kept. */
static int put_nvram(struct run *run)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	_cleanup_free_ char *bytes = NULL;
	char ignored[256];
	size_t size;
	int result = kw_kept_load_nvram(run->how->dir, run->kept->uuid, &bytes, &size);

	if (result == -ENOENT)
		return 0;
	if (!result)
		result = kw_domain_xml_parse(run->kept->xml, strlen(run->kept->xml), &domain,
					     ignored, sizeof(ignored));
	if (!result && *domain.nvram_path)
		result = kw_move_side_put_file(run->side, domain.nvram_path, bytes, size);
	run->nvram = !result;
	return tell(run, result, "its firmware variables cannot be put here");
}

static int define(struct run *run)
{
	int result = put_nvram(run);

	if (!result)
		result = tell(run, kw_move_side_define(run->side, run->kept->xml),
			      "it cannot be defined here");
	if (!result && run->kept->autostart)
		result = tell(run, kw_move_side_set_autostart(run->side, true),
			      "its autostart cannot be set");
	return result;
}

/* 1 when it is off here or not here at all, 0 when it runs, negative errno when nobody tells. */
static int is_off(const struct run *run)
{
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state state;
	int result = kw_move_side_look(run->side, &state, &xml);

	return result ? result : state != KW_SIDE_RUNS;
}

/* One that runs already cannot be started: somebody else has done so meanwhile. */
static int start(struct run *run)
{
	const struct timespec settle = { run->how->settle_ms / 1000,
					 run->how->settle_ms % 1000 * 1000000L };
	bool awake = false;
	int result = tell(run, kw_move_side_start(run->side), "it cannot be started here");

	if (result && is_off(run) != 0)
		return result;
	*run->error = '\0';
	nanosleep(&settle, NULL);
	result = tell(run, kw_move_side_is_awake(run->side, &awake), "whether it runs");
	if (result || awake)
		return result;
	kw_text_copy(run->error, run->size, "it was started and does not run; see its log in "
		     KW_QEMU_LOG_DIR);
	return -EIO;
}

/* Whether its definition here is that of the job, which nobody can start. */
static bool arrives(const struct run *run, enum kw_side_state state, const char *xml)
{
	struct kw_mark mark;

	return state == KW_SIDE_OFF && xml && *run->job && !kw_domain_xml_mark(xml, &mark) &&
	       mark.kind == KW_MARK_ARRIVING && !strcmp(mark.job, run->job);
}

/* Goes on from wherever an earlier one was. */
static int bring_up(struct run *run, bool starts)
{
	_cleanup_free_ char *xml = NULL;
	enum kw_side_state state;
	bool absent;
	int result = tell(run, kw_move_side_look(run->side, &state, &xml), "libvirt does not tell "
			  "of it");

	if (result)
		return result;
	if (arrives(run, state, xml))
		run->before = KW_STEAL(xml);
	absent = state == KW_SIDE_ABSENT || run->before;
	if (!absent && !run->again) {
		kw_text_copy(run->error, run->size, "it has been defined here meanwhile");
		return -EEXIST;
	}
	run->touched = true;
	if (absent)
		result = define(run);
	if (!result && starts && state != KW_SIDE_RUNS)
		result = start(run);
	return result;
}

/*
 * A host that comes back locks first and then looks whether its guests are taken; here it is the
 * other way round, so that one of the two sees the other.
 */
static int check_gone(struct run *run)
{
	enum kw_lock lock = KW_LOCK_UNKNOWN;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" KW_KEPT_LOCK, run->how->dir);
	kw_file_lock(path, &lock);
	if (lock != KW_LOCK_HELD)
		return 0;
	kw_text_copy(run->error, run->size, "its host has come back");
	return -EBUSY;
}

/* Undefined while it runs it would run on, with nothing here that tells of it afterwards. */
static int take_down(const struct run *run)
{
	int off;

	kw_move_side_power_off(run->side);
	off = is_off(run);
	if (off != 1)
		return off ? off : -EBUSY;
	if (run->before)
		return kw_move_side_define(run->side, run->before);
	return kw_move_side_undefine(run->side, run->nvram);
}

/* With libvirt out of sight it may be here, and run: nobody else may have it then. */
static void take_back(struct run *run, int result)
{
	size_t used = strlen(run->error);

	if (result != -ENOTCONN) {
		result = run->touched ? take_down(run) : 0;
		if (!result)
			result = kw_kept_give_back(run->how->dir, run->kept->uuid);
	}
	if (result)
		snprintf(run->error + used, run->size - used, "; and it could not be taken back, so "
			 "no other host may start it: see 'virsh list --all', and say 'kvmward "
			 "evacuate' again here");
}

static bool was_taken(const struct kw_evacuate *how, const char *uuid)
{
	struct kw_taker taker;

	return !kw_kept_taker(how->dir, uuid, &taker) &&
	       !strcmp(taker.host.uuid, how->taker.host.uuid);
}

int kw_evacuate_guest(const struct kw_evacuate *how, const struct kw_kept *kept, const char *job,
		      bool starts, char *error, size_t size)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side =
		kw_move_side_create(how->uri, kept->uuid);
	struct run run = { .how = how, .kept = kept, .job = job, .side = side, .error = error,
			   .size = size };
	_cleanup_close_ int lock = kw_move_lock(how->lock_dir, kept->uuid);
	int result;

	if (lock < 0) {
		snprintf(error, size, "it cannot be taken: %s", lock == -EWOULDBLOCK
			 ? "another command is at work on it here" : strerror(-lock));
		return lock;
	}
	run.again = was_taken(how, kept->uuid);
	result = side ? kw_kept_take(how->dir, kept->uuid, &how->taker) : -ENOMEM;
	if (result) {
		snprintf(error, size, "it cannot be taken: %s", result == -EEXIST
			 ? "another host has just done so" : strerror(-result));
		return result;
	}
	result = check_gone(&run);
	if (!result)
		result = bring_up(&run, starts);
	if (result)
		take_back(&run, result);
	free(run.before);
	if (result)
		return result;
	result = kw_kept_settle(how->dir, kept->uuid);
	if (result)
		snprintf(error, size, "it is here, but what was kept of it cannot be removed: %s",
			 strerror(-result));
	return result;
}
