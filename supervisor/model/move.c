/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *const kinds[] = { [KW_MOVE_LIVE] = "live", [KW_MOVE_COLD] = "cold" };

static const char *const states[] = {
	[KW_MOVE_RUNNING] = "running",
	[KW_MOVE_MOVED] = "moved",
	[KW_MOVE_STAYED] = "stayed",
	[KW_MOVE_STOPPED] = "stopped",
};

void kw_move_done(struct kw_move *move)
{
	if (!move)
		return;
	free(move->copy_disks);
	free(move->xml);
	memset(move, 0, sizeof(*move));
}

const char *kw_move_kind_name(enum kw_move_kind kind)
{
	return kinds[kind];
}

const char *kw_move_state_name(enum kw_move_state state)
{
	return states[state];
}

int kw_move_kind_find(const char *name, enum kw_move_kind *ret_kind)
{
	for (enum kw_move_kind kind = KW_MOVE_LIVE; kind <= KW_MOVE_COLD; kind++) {
		if (!strcmp(name, kinds[kind])) {
			*ret_kind = kind;
			return 0;
		}
	}
	return -ENOENT;
}

int kw_move_state_find(const char *name, enum kw_move_state *ret_state)
{
	for (enum kw_move_state state = KW_MOVE_RUNNING; state <= KW_MOVE_STOPPED; state++) {
		if (!strcmp(name, states[state])) {
			*ret_state = state;
			return 0;
		}
	}
	return -ENOENT;
}

int kw_move_host(const char *uri, char *ret_host, size_t size)
{
	const char *begin = strstr(uri, "://");
	size_t length;

	if (!begin)
		return -EINVAL;
	begin += 3;
	length = strcspn(begin, "/?#");
	if (!length || begin[length - 1] == '@' || *begin == ':')
		return -EINVAL;
	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(ret_host, begin, length);
	ret_host[length] = '\0';
	return 0;
}

void kw_move_begin_progress(const struct kw_move *move, struct kw_move_progress *ret_progress)
{
	struct kw_move_progress progress = {
		.kind = move->kind,
		.state = KW_MOVE_RUNNING,
		.undo = move->memory.undo,
		.verdict = move->verdict,
		.runs = move->memory.runs && !move->memory.lost,
	};

	kw_text_copy(progress.id, sizeof(progress.id), move->id);
	kw_text_copy(progress.name, sizeof(progress.name), move->name);
	kw_text_copy(progress.uuid, sizeof(progress.uuid), move->uuid);
	kw_text_copy(progress.host, sizeof(progress.host), move->host);
	kw_text_copy(progress.step, sizeof(progress.step), move->step);
	kw_text_copy(progress.error, sizeof(progress.error), move->error);
	*ret_progress = progress;
}
