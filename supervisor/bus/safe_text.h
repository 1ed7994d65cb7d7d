/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_SAFE_TEXT_H
#define KW_BUS_SAFE_TEXT_H

#include <stddef.h>

/*
 * The text as the bus can carry it: what does not fit is cut, and where it is
 * not UTF-8 every byte above 127 becomes '?'. One bad name must not make a
 * whole answer fail. Returns to.
 */
const char *kw_bus_safe_text(char *to, size_t to_size, const char *text);

#endif
