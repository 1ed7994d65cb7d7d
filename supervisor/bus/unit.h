/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BUS_UNIT_H
#define KW_BUS_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * systemd's units, asked for on the system bus. Each 0 or negative errno with
 * systemd's own words in error.
 *
 * start: that it is to be started; does not wait until it is.
 * signal: sends a signal to its main process.
 * is_alive: whether it is active, or about to be.
 */
int kw_unit_start(const char *unit, char *error, size_t error_size);
int kw_unit_signal(const char *unit, int signal, char *error, size_t error_size);
int kw_unit_is_alive(const char *unit, bool *ret_alive, char *error, size_t error_size);

#endif
