/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_FILES_H
#define KW_DAEMON_FILES_H

#include "model/domain.h"

/*
 * kw_domain_files_look() for who must not wait: a file server that is gone would
 * hold up the answers to all. Sizes that are not there in half a second stay
 * unknown, and are claimed as those of the usual files; while one look is stuck
 * no other is begun. xml is what the domain was read from. For one thread.
 */
void kw_files_look(const char *xml, size_t length, struct kw_domain *domain);

#endif
