/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_QEMU_LOG_H
#define KW_ACT_QEMU_LOG_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/* Where libvirt's system daemons keep what QEMU says: NAME.log. */
#define KW_QEMU_LOG_DIR "/var/log/libvirt/qemu"

/* A place in the log of one domain, or in none: path "". */
struct kw_qemu_log {
	char path[PATH_MAX];
	ino_t inode;	/* 0: there was no such file */
	off_t end;	/* bytes */
};

/* Remembers where the log of that domain ends now. A name that cannot be a file's has none. */
void kw_qemu_log_mark(const char *dir, const char *domain, struct kw_qemu_log *ret_log);

/*
 * The end of what has been written since then, as much as there is room for, all of
 * the file when it is another one (virtlogd begins a new one at 2 MiB). Returns its
 * length: 0 when QEMU was not started since, or when the log cannot be read.
 *
 * libvirt tells it too, but not always: it looks when QEMU's monitor is closed, and
 * what QEMU said last may still be in virtlogd's pipe then (virLogHandlerDomainReadLogFile
 * does not empty that first). So a caller who misses it waits a little.
 */
size_t kw_qemu_log_since(const struct kw_qemu_log *log, char *ret_text, size_t size);

#endif
