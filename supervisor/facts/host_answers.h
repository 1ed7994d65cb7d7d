/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_FACTS_HOST_ANSWERS_H
#define KW_FACTS_HOST_ANSWERS_H

#include "model/known.h"

#include <stddef.h>

/*
 * Whether anything answers under that name or address within timeout_ms, at any of its addresses
 * and on any of these ports, which end with 0: to refuse a connection is an answer too. words has
 * the first answer ("10.9.9.2 answers on port 22"), or why nobody could be asked, which is not
 * known. What drops packets does not answer.
 */
struct kw_u32 kw_host_answers(const char *host, const unsigned short *ports,
			      unsigned int timeout_ms, char *words, size_t size);

#endif
