/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/keep_guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/guests.h"
#include "act/inspect.h"
#include "act/move_mark.h"
#include "act/move_side.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/message.h"
#include "facts/domain_xml.h"
#include "facts/file_place.h"
#include "ledger/kept.h"
#include "ledger/moves.h"
#include "ledger/uuid_files.h"

KW_CLEANUP_OF(struct kw_move_side, kw_move_side_free);

/* One look at all guests. */
struct pass {
	struct kw_libvirt *libvirt;
	const char *uri, *dir, *moves_dir;
	struct kw_uuid_list there;	/* what is kept of these stays */
	bool blind;			/* that list is not whole */
	bool failed;
};

static void fail(struct pass *pass, const char *guest, const char *what, const char *why)
{
	kw_message("keep: %s: %s: %s", guest, what, why);
	pass->failed = true;
}

/* Where other hosts see it, it needs no copy; not there yet, it is made from a template. */
static void keep_nvram(struct pass *pass, const struct kw_domain *domain)
{
	struct kw_move_disk file = {};
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int error;

	if (!*domain->nvram_path)
		return;
	kw_file_place(domain->nvram_path, &file);
	if (file.reach == KW_DISK_SHARED)
		return;
	error = kw_file_read(domain->nvram_path, KW_NVRAM_MAX, &bytes, &size);
	if (error == -ENOENT)
		return;
	if (!error)
		error = kw_kept_save_nvram(pass->dir, domain->uuid, bytes, size);
	if (error)
		fail(pass, domain->name, "its firmware variables are not kept", strerror(-error));
}

/* Where it is off on its way from here to another host, it is to run all the same. */
static bool is_to_run(const struct pass *pass, const struct kw_guest_look *look)
{
	_cleanup_(kw_move_done) struct kw_move move = {};

	if (look->run != KW_RUN_OFF)
		return true;
	return !kw_move_load(pass->moves_dir, look->uuid, &move) && move.kind == KW_MOVE_COLD &&
	       move.memory.runs && !move.memory.lost;
}

static void save(struct pass *pass, const struct kw_guest_look *look,
		 const struct kw_domain *domain)
{
	struct kw_kept kept = { .runs = is_to_run(pass, look),
				.autostart = kw_u32_yes(look->autostart), .xml = look->definition };
	int error;

	kw_text_copy(kept.name, sizeof(kept.name), look->name);
	kw_text_copy(kept.uuid, sizeof(kept.uuid), look->uuid);
	keep_nvram(pass, domain);
	error = kw_kept_save(pass->dir, &kept);
	if (error)
		fail(pass, look->name, "its definition is not kept", strerror(-error));
}

/* A move of its own that is not finished may not take it back any more: its mark gives way. */
static int set_mark(struct kw_move_side *side, const struct kw_guest_look *look,
		    const struct kw_mark *mark)
{
	_cleanup_free_ char *xml = NULL;
	int error = kw_move_side_mark(side, mark);

	if (error != -EPERM)
		return error;
	error = kw_move_mark_definition(look->definition, mark, &xml);
	return error ? error : kw_move_side_define(side, xml);
}

static void mark(struct pass *pass, const struct kw_guest_look *look, const struct kw_taker *taker)
{
	_cleanup_(kw_move_side_free_at) struct kw_move_side *side =
		kw_move_side_create(pass->uri, look->uuid);
	struct kw_mark mark = { .kind = KW_MARK_LEAVING, .job = KW_MARK_EVACUATED };
	int error = -ENOMEM;

	kw_text_copy(mark.peer, sizeof(mark.peer), taker->host.name);
	if (side)
		error = set_mark(side, look, &mark);
	if (error)
		fail(pass, look->name, "another host has taken it, and it cannot be kept from "
		     "starting here as well", side ? kw_move_side_error(side) : strerror(-error));
	else
		kw_message("keep: %s: %s has taken it while this host was gone, and it does not "
			   "start here any more; undefine it", look->name, taker->host.name);
}

/* One that runs here again is nothing that could be mended from here. */
static void leave(struct pass *pass, const struct kw_guest_look *look,
		  const struct kw_domain *domain, const struct kw_taker *taker)
{
	if (domain->mark.kind == KW_MARK_LEAVING && !strcmp(domain->mark.job, KW_MARK_EVACUATED))
		return;
	if (look->run == KW_RUN_OFF)
		mark(pass, look, taker);
	else
		kw_message("keep: %s runs here, and %s has taken it: if it runs there too, stop "
			   "one of them at once", look->name, taker->host.name);
}

static void keep_definition(struct pass *pass, const struct kw_guest_look *look)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};
	struct kw_taker taker;
	char error[256];
	int result = kw_domain_xml_parse(look->definition, strlen(look->definition), &domain, error,
					 sizeof(error));

	if (result) {
		fail(pass, look->name, "its definition is not understood", error);
		return;
	}
	result = kw_kept_taker(pass->dir, look->uuid, &taker);
	if (!result)
		leave(pass, look, &domain, &taker);
	else if (result == -ENOENT)
		save(pass, look, &domain);
	else
		fail(pass, look->name, "whether another host has taken it is not known",
		     strerror(-result));
}

static void keep_guest(struct pass *pass, const struct kw_guest_name *guest)
{
	_cleanup_(kw_guest_look_done) struct kw_guest_look look = {};
	char error[512];
	int result = kw_libvirt_look(pass->libvirt, guest->uuid, &look, error, sizeof(error));

	if (result == -ENOENT || (!result && !look.definition))
		return;
	if (result)
		fail(pass, guest->name, "libvirt does not tell of it", error);
	if (kw_uuid_list_add(&pass->there, guest->uuid)) {
		fail(pass, guest->name, "it is not kept", strerror(ENOMEM));
		pass->blind = true;
	} else if (!result) {
		keep_definition(pass, &look);
	}
}

/* Of a guest that has been started elsewhere only that is left. */
static void forget_others(struct pass *pass, const char *end)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list kept = {};
	int error = kw_uuid_files_list(pass->dir, end, &kept);

	if (error)
		fail(pass, pass->dir, "what is kept cannot be listed", strerror(-error));
	for (size_t i = 0; i < kept.count; i++) {
		if (kw_uuid_list_count(&pass->there, kept.uuids[i]))
			continue;
		error = kw_kept_remove(pass->dir, kept.uuids[i]);
		if (error)
			fail(pass, kept.uuids[i], "what is kept of it cannot be removed",
			     strerror(-error));
	}
}

bool kw_keep_guests(struct kw_libvirt *libvirt, const char *uri, const char *dir,
		    const char *moves_dir)
{
	struct pass pass = { .libvirt = libvirt, .uri = uri, .dir = dir, .moves_dir = moves_dir };
	_cleanup_free_ struct kw_guest_name *guests = NULL;
	char error[512];
	size_t count;

	if (kw_libvirt_guests(libvirt, &guests, &count, error, sizeof(error))) {
		kw_message("keep: libvirt does not list its guests: %s", error);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		keep_guest(&pass, &guests[i]);
	if (!pass.blind) {
		forget_others(&pass, "json");
		forget_others(&pass, "taken");
	}
	kw_uuid_list_done(&pass.there);
	return !pass.failed;
}
