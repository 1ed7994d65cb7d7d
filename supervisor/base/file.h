/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_FILE_H
#define KW_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a whole small file, /proc and /sys included. The text is ended by a 0
 * that ret_length (may be NULL) does not count, and owned by the caller. 0,
 * -EFBIG when there are more than max bytes, or negative errno; outputs
 * untouched then.
 */
int kw_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length);

/* The same from an open file, which stays open: standard input, openat(). */
int kw_file_read_fd(int fd, size_t max, char **ret_text, size_t *ret_length);

/*
 * The last line of an open file that has more than blanks in it, without the
 * full stop: what a program has said last. "" when there is none; a longer one
 * is cut.
 */
void kw_file_last_line(int fd, char *ret_line, size_t size);

/* Writes all of it to an open file, at its position, and syncs that. 0 or negative errno. */
int kw_file_write_fd(int fd, const void *text, size_t length);

/*
 * Replaces a file as one step: readers, and a crash at any moment, see the old
 * text or the new one. The new text passes through path + ".tmp", so there is
 * one writer at a time; what a crash leaves there is overwritten. 0 or
 * negative errno, the old file unchanged.
 */
int kw_file_write(const char *path, const void *text, size_t length, mode_t mode);

#endif
