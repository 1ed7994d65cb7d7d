/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_PRINTABLE_H
#define KW_FACTS_PRINTABLE_H

/*
 * Makes text that any process may have chosen (its command name, its command
 * line, its cgroup) fit for terminals, logs and D-Bus, in place: control
 * characters become '?', and so does every byte above 0x7f unless the whole is
 * UTF-8.
 */
void kw_printable(char *text);

#endif
