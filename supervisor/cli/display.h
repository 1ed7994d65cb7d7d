/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_DISPLAY_H
#define KW_CLI_DISPLAY_H

#include <stddef.h>

/*
 * The text as a terminal may have it: control characters, bytes that are no
 * character of the locale and characters that reorder or hide text become
 * \xNN, a backslash becomes \\. Owned by the caller; NULL without memory.
 */
char *kw_display(const char *text);

/* Columns that printable text takes on a terminal. */
size_t kw_display_width(const char *text);

/*
 * The text cut to so many columns, ending in an ellipsis when anything was cut.
 * Owned by the caller; NULL without memory.
 */
char *kw_display_cut(const char *text, size_t width);

#endif
