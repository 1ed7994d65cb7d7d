/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_PARAGRAPH_H
#define KW_CLI_PARAGRAPH_H

#include <stddef.h>
#include <stdio.h>

/*
 * Prints text behind so many blanks, broken at blanks so that no line takes
 * more than width columns; 0 never breaks. Each line ends in a newline.
 */
void kw_paragraph_print(FILE *to, size_t indent, size_t width, const char *text);

/*
 * A labelled paragraph: the label stands in the first line's indent, which is
 * at least as wide as the label.
 */
void kw_paragraph_labelled(FILE *to, const char *label, size_t indent, size_t width,
			   const char *text);

#endif
