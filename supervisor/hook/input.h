/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_HOOK_INPUT_H
#define KW_HOOK_INPUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a file or pipe to its end, but not beyond deadline_ns (CLOCK_MONOTONIC).
 * The text is ended by a 0 that *ret_length does not count, and owned by the
 * caller. 0; -ETIMEDOUT when the end did not come, -EFBIG when there are more
 * than max bytes, or other negative errno; outputs untouched then.
 */
int kw_input_read(int fd, size_t max, uint64_t deadline_ns, char **ret_text, size_t *ret_length);

#endif
