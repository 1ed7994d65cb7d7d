/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/taken.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/kept.h"
#include "ledger/uuid_files.h"

#define END "taken"
#define FILE_MAX 65536u

static int get_text(const char *path, char *ret_text, size_t size)
{
	_cleanup_free_ char *text = NULL;
	int error = kw_file_read(path, size - 1, &text, NULL);

	if (!error)
		kw_text_copy(ret_text, size, text);
	return error;
}

/* kvmwardd, whose directory it is, may never have run. */
int kw_taken_set_place(const char *dir, const char *kept_dir)
{
	char path[PATH_MAX], before[PATH_MAX];
	int error = kw_uuid_files_path(dir, "keeps-in", path);

	if (error || (!get_text(path, before, sizeof(before)) && !strcmp(before, kept_dir)))
		return error;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	return kw_file_write(path, kept_dir, strlen(kept_dir), 0644);
}

int kw_taken_get_place(const char *dir, char *ret_kept_dir, size_t size)
{
	char path[PATH_MAX];
	int error = kw_uuid_files_path(dir, "keeps-in", path);

	return error ? error : get_text(path, ret_kept_dir, size);
}

/* -ENOENT: who had taken it has given it back. */
static int copy(const char *dir, const char *kept_dir, const char *uuid)
{
	_cleanup_free_ char *text = NULL;
	char from[PATH_MAX], to[PATH_MAX];
	size_t length;
	int error = kw_uuid_file_path(kept_dir, uuid, END, from);

	if (!error)
		error = kw_uuid_file_path(dir, uuid, END, to);
	if (!error)
		error = kw_file_read(from, FILE_MAX, &text, &length);
	return error ? error : kw_file_write(to, text, length, 0600);
}

/* All but those, which may be none. */
static int forget(const char *dir, const struct kw_uuid_list *but)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list here = {};
	int error = kw_uuid_files_list(dir, END, &here);

	for (size_t i = 0; i < here.count && !error; i++)
		if (!kw_uuid_list_count(but, here.uuids[i]))
			error = kw_uuid_file_remove(dir, here.uuids[i], END);
	return error;
}

/* Without its host.json the directory is not that of the host: nothing may be mounted there. */
int kw_taken_copy(const char *dir, const char *kept_dir)
{
	_cleanup_(kw_uuid_list_done) struct kw_uuid_list taken = {};
	struct kw_host_name host;
	char path[PATH_MAX];
	int error = kw_uuid_files_path(dir, END, path);

	if (!error)
		error = kw_kept_host(kept_dir, &host);
	if (!error)
		error = kw_uuid_files_list(kept_dir, END, &taken);
	if (!error)
		error = kw_uuid_files_make(path);
	for (size_t i = 0; i < taken.count && !error; i++) {
		error = copy(path, kept_dir, taken.uuids[i]);
		if (error == -ENOENT)
			error = kw_uuid_file_remove(path, taken.uuids[i], END);
	}
	return error ? error : forget(path, &taken);
}

int kw_taken_clear(const char *dir)
{
	const struct kw_uuid_list none = {};
	char path[PATH_MAX];
	int error = kw_uuid_files_path(dir, END, path);

	return error ? error : forget(path, &none);
}

/* Only root sees what is put down, and nobody else decides by it. */
void kw_taken_mark(const char *dir, struct kw_domain *domain)
{
	struct kw_mark mark = { .kind = KW_MARK_LEAVING, .job = KW_MARK_EVACUATED };
	struct kw_taker taker;
	char path[PATH_MAX];
	int error;

	if (domain->mark.kind != KW_MARK_NONE || kw_uuid_files_path(dir, END, path))
		return;
	error = kw_kept_taker(path, domain->uuid, &taker);
	if (error == -ENOENT || error == -EACCES || error == -EINVAL)
		return;
	kw_text_copy(mark.peer, sizeof(mark.peer), error ? "another host" : taker.host.name);
	domain->mark = mark;
}
