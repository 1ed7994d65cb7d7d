/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/move_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/table.h"

/* In the words of who waits for it; the step's own name for what has no other. */
static const char *step_words(const struct kw_move_progress *progress)
{
	static const struct {
		const char *step, *words;
	} known[] = {
		{ "", "begins" },
		{ "migrate", "moving" },
		{ "hold", "asking for a slot and memory" },
		{ "define-there", "defining it there" },
		{ "shut-down", "shutting it down" },
		{ "mark-here", "keeping it from starting here" },
		{ "copy", "copying what it needs" },
		{ "give", "letting it start there" },
		{ "start-there", "starting it there" },
		{ "undefine-here", "removing its definition here" },
		{ "take-back", "keeping it from starting there" },
		{ "undefine-there", "removing its definition there" },
		{ "unmark-here", "letting it start here" },
		{ "start-here", "starting it here" },
		{ "wait-here", "waiting for libvirt here" },
		{ "wait-there", "waiting for the destination" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(progress->step, known[i].step))
			return known[i].words;
	return progress->step;
}

static void append(char *to, size_t size, const char *before, struct kw_u64 bytes,
		   const char *after)
{
	size_t used = strlen(to);
	char text[32];

	if (bytes.known)
		snprintf(to + used, size - used, "%s%s%s", before,
			 kw_text_bytes(text, sizeof(text), bytes.value), after);
}

static void append_ms(char *to, size_t size, const char *before, struct kw_u64 ms)
{
	size_t used = strlen(to);

	if (!ms.known)
		return;
	if (ms.value < 10000)
		snprintf(to + used, size - used, "%s%" PRIu64 " ms", before, ms.value);
	else
		snprintf(to + used, size - used, "%s%" PRIu64 ".%" PRIu64 " s", before,
			 ms.value / 1000, ms.value % 1000 / 100);
}

char *kw_move_line(char *to, size_t size, const struct kw_move_progress *progress)
{
	snprintf(to, size, "%s: %s to %s: %s%s", progress->name, kw_move_kind_name(progress->kind),
		 progress->host, progress->undo ? "taking it back: " : "", step_words(progress));
	append(to, size, ", ", progress->moved_bytes, " moved");
	append(to, size, ", ", progress->remaining_bytes, " to go");
	if (progress->bytes_per_s.value)
		append(to, size, ", ", progress->bytes_per_s, "/s");
	if (progress->kind == KW_MOVE_LIVE && progress->downtime_ms.value)
		append_ms(to, size, ", downtime of ", progress->downtime_ms);
	if (progress->error[0])
		snprintf(to + strlen(to), size - strlen(to), " (%s)", progress->error);
	return to;
}

char *kw_move_result(char *to, size_t size, const struct kw_move_progress *progress)
{
	const char *name = progress->name;

	switch (progress->state) {
	case KW_MOVE_MOVED:
		snprintf(to, size, "moved %s to %s", name, progress->host);
		append_ms(to, size, ", downtime ", progress->downtime_ms);
		append_ms(to, size, ", total ", progress->total_ms);
		break;
	case KW_MOVE_STAYED:
		snprintf(to, size, "%s was not moved, and is here%s: %s", name,
			 progress->runs ? ", running" : ", off", progress->error);
		break;
	case KW_MOVE_STOPPED:
		snprintf(to, size, "%s: the move to %s has stopped: %s; 'kvmward job resume %s' goes "
			 "on with it, 'kvmward job undo %s' takes it back", name, progress->host,
			 progress->error, name, name);
		break;
	default:
		kw_move_line(to, size, progress);
	}
	return to;
}

struct json_object *kw_json_move(const struct kw_move_progress *progress)
{
	struct json_object *to = json_object_new_object();
	bool refused = !kw_verdict_admits(&progress->verdict);

	json_object_object_add(to, "id", kw_json_text(progress->id));
	json_object_object_add(to, "name", kw_json_text(progress->name));
	json_object_object_add(to, "uuid", kw_json_text(progress->uuid));
	json_object_object_add(to, "destination", kw_json_text(progress->host));
	json_object_object_add(to, "kind", kw_json_text(kw_move_kind_name(progress->kind)));
	json_object_object_add(to, "state", kw_json_text(kw_move_state_name(progress->state)));
	json_object_object_add(to, "undo", json_object_new_boolean(progress->undo));
	json_object_object_add(to, "step", kw_json_text(progress->step));
	json_object_object_add(to, "error", kw_json_text(progress->error));
	json_object_object_add(to, "verdict",
			       refused ? kw_json_verdict(&progress->verdict) : NULL);
	json_object_object_add(to, "runs", json_object_new_boolean(progress->runs));
	json_object_object_add(to, "total_bytes", kw_json_u64(progress->total_bytes));
	json_object_object_add(to, "moved_bytes", kw_json_u64(progress->moved_bytes));
	json_object_object_add(to, "remaining_bytes", kw_json_u64(progress->remaining_bytes));
	json_object_object_add(to, "bytes_per_s", kw_json_u64(progress->bytes_per_s));
	json_object_object_add(to, "downtime_ms", kw_json_u64(progress->downtime_ms));
	json_object_object_add(to, "total_ms", kw_json_u64(progress->total_ms));
	return to;
}

void kw_move_show_begin(struct kw_move_show *show, bool json)
{
	*show = (struct kw_move_show){ .json = json, .terminal = isatty(STDERR_FILENO) };
}

/* Over the line that stands there, with blanks for what is left of a longer one. */
static void show_over(struct kw_move_show *show, const char *line)
{
	size_t width = kw_terminal_width(stderr);
	_cleanup_free_ char *shown = kw_display(line);
	_cleanup_free_ char *cut = shown ? kw_display_cut(shown, width > 1 ? width - 1 : 79) : NULL;
	size_t used = cut ? kw_display_width(cut) : 0;

	if (!cut)
		return;
	fprintf(stderr, "\r%s%*s", cut, (int)(show->width > used ? show->width - used : 0), "");
	fflush(stderr);
	show->width = used;
}

/* That time has passed is no news. */
static void show_json(struct kw_move_show *show, const struct kw_move_progress *progress)
{
	struct kw_move_progress news = *progress;

	news.total_ms = (struct kw_u64){ 0 };
	if (!memcmp(&news, &show->told, sizeof(news)))
		return;
	show->told = news;
	kw_json_print(kw_json_move(progress), true);
	fflush(stdout);
}

void kw_move_show(struct kw_move_show *show, const struct kw_move_progress *progress)
{
	struct kw_move_progress quiet = *progress;
	char line[512];

	if (show->json) {
		show_json(show, progress);
		return;
	}
	if (!show->terminal) {
		quiet.moved_bytes.known = quiet.remaining_bytes.known = false;
		quiet.bytes_per_s = quiet.downtime_ms = (struct kw_u64){ 0 };
	}
	kw_move_line(line, sizeof(line), &quiet);
	if (!strcmp(line, show->last))
		return;
	kw_text_copy(show->last, sizeof(show->last), line);
	if (show->terminal)
		show_over(show, line);
	else
		kw_message("%s", line);
}

void kw_move_show_end(struct kw_move_show *show)
{
	if (show->width)
		fputc('\n', stderr);
	show->width = 0;
}
