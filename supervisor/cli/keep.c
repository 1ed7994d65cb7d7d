/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the definitions of this host's guests on shared storage, for as long as the host lives. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "act/inspect.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/keep_guests.h"
#include "cli/message.h"
#include "facts/config_file.h"
#include "facts/host_xml.h"
#include "ledger/drain.h"
#include "ledger/kept.h"
#include "ledger/moves.h"
#include "ledger/taken.h"

#define LOOK_MS 30000	/* at what has failed, and whether the lock is there yet */
#define SETTLE_S 1	/* changes come in groups */
#define COMES_AND_GOES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

KW_CLEANUP_OF(struct kw_libvirt, kw_libvirt_close);

/* Where libvirt has what is kept. The last two are made when there is something to put there. */
static const struct {
	const char *path;
	uint32_t events;
	bool may_lack;
} places[] = {
	{ "/etc/libvirt/qemu", COMES_AND_GOES, false },
	{ "/run/libvirt/qemu", COMES_AND_GOES, false },
	{ "/etc/libvirt/qemu/autostart", COMES_AND_GOES, true },
	{ "/var/lib/libvirt/qemu/nvram", COMES_AND_GOES | IN_MODIFY, true },
};

struct keep {
	char dir[PATH_MAX];
	int lock_fd, news_fd;
};

/* An inode that is watched already stays so. */
static bool watch_places(const struct keep *keep)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (inotify_add_watch(keep->news_fd, places[i].path, places[i].events) >= 0 ||
		    (errno == ENOENT && places[i].may_lack))
			continue;
		kw_message("keep: %s cannot be watched: %s", places[i].path, strerror(errno));
		return false;
	}
	return true;
}

/* Without it guests that others take are barred here no sooner than libvirt can be asked. */
static void put_down_place(const char *dir)
{
	int error = kw_taken_set_place(KW_KEPT_DIR, dir);

	if (error)
		kw_message("keep: where this host keeps cannot be put down in " KW_KEPT_DIR
			   " for its next start: %s", strerror(-error));
}

static int begin(struct keep *keep, struct kw_libvirt *libvirt, const char *definitions)
{
	_cleanup_free_ char *xml = kw_libvirt_capabilities(libvirt);
	struct kw_move_host host = {};
	struct kw_host_name name;
	int error;

	if (xml)
		kw_host_xml_read(xml, &host);
	kw_libvirt_host_name(libvirt, name.name, sizeof(name.name));
	kw_text_copy(name.uuid, sizeof(name.uuid), host.uuid);
	if (!*name.uuid) {
		kw_message("keep: libvirt does not tell the UUID of this host");
		return -ENXIO;
	}
	error = kw_kept_dir(definitions, name.name, keep->dir, sizeof(keep->dir));
	if (!error)
		error = keep->lock_fd = kw_kept_begin(keep->dir, &name);
	if (error >= 0)
		put_down_place(keep->dir);
	if (error == -EAGAIN)
		kw_message("keep: %s: another 'kvmward keep' has it locked, of this host or of one "
			   "of the same name", keep->dir);
	else if (error == -EEXIST)
		kw_message("keep: %s: guests of another host of this name are kept there, by its "
			   "UUID, and would be forgotten; rename the directory, and say 'kvmward "
			   "evacuate --force NEW-NAME' on another host, or remove it", keep->dir);
	else if (error < 0)
		kw_message("keep: %s: %s", error == -EINVAL ? "the name of this host" : keep->dir,
			   strerror(-error));
	return error < 0 ? error : 0;
}

/* By now their definitions are marked. */
static bool forget_taken(void)
{
	int error = kw_taken_clear(KW_KEPT_DIR);

	if (error)
		kw_message("keep: which guests others have taken stays put down in " KW_KEPT_DIR
			   "/taken, and bars them here: %s", strerror(-error));
	return !error;
}

/* libvirt is let go of in between, so that it may end while there is nothing to do. */
static bool keep_all(struct keep *keep, const char *definitions)
{
	_cleanup_(kw_libvirt_close_at) struct kw_libvirt *libvirt = NULL;
	char error[512];

	if (kw_libvirt_open(NULL, &libvirt, error, sizeof(error))) {
		kw_message("keep: libvirt cannot be reached: %s", error);
		return false;
	}
	if (keep->lock_fd >= 0 && !kw_kept_holds(keep->lock_fd)) {
		kw_message("keep: %s: the lock was lost, as when this host was cut off from the "
			   "storage; it is taken again", keep->dir);
		close(keep->lock_fd);
		keep->lock_fd = -1;
	}
	if (keep->lock_fd < 0 && begin(keep, libvirt, definitions))
		return false;
	if (!watch_places(keep) || !kw_keep_guests(libvirt, NULL, keep->dir, KW_MOVES_DIR))
		return false;
	return forget_taken();
}

/* Of libvirt's files only finished definitions and states matter, and not those of its daemons. */
static bool matters(const struct inotify_event *event)
{
	const char *dot = event->len ? strrchr(event->name, '.') : NULL;

	return event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | IN_MODIFY) ||
	       kw_text_equal(dot, ".xml");
}

/* Whether something that matters is in what has come. */
static bool read_news(const struct keep *keep)
{
	char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	bool found = false;
	ssize_t length;

	while ((length = read(keep->news_fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			found = found || matters(event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return found;
}

/* Nothing tells of a lock that is lost, and without it this host would be taken for gone. */
static void wait_for_news(const struct keep *keep, bool again)
{
	struct pollfd news = { .fd = keep->news_fd, .events = POLLIN };

	while (poll(&news, 1, LOOK_MS) > 0 ? !read_news(keep)
					   : !again && kw_kept_holds(keep->lock_fd))
		;
	nanosleep(&(struct timespec){ .tv_sec = SETTLE_S }, NULL);
	read_news(keep);
}

static enum kw_exit put_down_taken(void)
{
	char dir[PATH_MAX] = KW_KEPT_DIR;
	int error = kw_taken_get_place(KW_KEPT_DIR, dir, sizeof(dir));

	if (error == -ENOENT) {
		kw_message("keep: this host has kept no guests, so none was taken");
		return KW_EXIT_DONE;
	}
	if (!error)
		error = kw_taken_copy(KW_KEPT_DIR, dir);
	if (!error)
		return KW_EXIT_DONE;
	kw_message("keep: %s: which guests others have taken while this host was gone is not "
		   "known: %s", dir, strerror(-error));
	return KW_EXIT_FAILED;
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	bool taken = false;
	const struct kw_option options[] = {
		{ .name = "taken", .help = "put down which guests others have taken, and end",
		  .flag = &taken },
	};
	struct keep keep = { .lock_fd = -1, .news_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	struct kw_config config;
	enum kw_exit done;
	char error[512];
	int first;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	if (kw_config_file_read(KW_CONFIG_FILE, &config, error, sizeof(error))) {
		kw_message("keep: %s", error);
		return KW_EXIT_FAILED;
	}
	if (!*config.definitions) {
		kw_message("keep: nothing is kept: 'definitions' of [evacuation] is not set in "
			   KW_CONFIG_FILE);
		return KW_EXIT_DONE;
	}
	if (taken)
		return put_down_taken();
	for (;;)
		wait_for_news(&keep, !keep_all(&keep, config.definitions));
}

const struct kw_command kw_command_keep = {
	.name = "keep",
	.arguments = "",
	.summary = "Keep this host's definitions for 'evacuate'",
	.help = "Keeps the definitions of this host's guests, whether they run, and their "
		"firmware variables in the directory of shared storage that kvmward.conf names, "
		"and goes on with it as they change, until it is ended; kvmward-keep.service "
		"runs it. Meanwhile it has a file there locked: as long as the storage shows the "
		"lock, this host is not gone. A guest that another host has taken does not start "
		"here any more, and is named. --taken bars those before libvirt can be asked; "
		"kvmward-taken.service runs it.",
	.examples = "  systemctl enable --now kvmward-keep\n",
	.run = run,
};
