/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_CLI_REFUSAL_H
#define KW_CLI_REFUSAL_H

#include <stdbool.h>

#include "model/verdict.h"

/*
 * A refusal of kvmward-hook in libvirt's text about a start that failed, which
 * reads "Hook script execution failed: internal error: Child process (...)
 * unexpected exit status N: kvmward: CODE: sentence". False, with the verdict
 * untouched, when there is none.
 */
bool kw_refusal_find(const char *libvirt_text, struct kw_verdict *ret_verdict);

#endif
