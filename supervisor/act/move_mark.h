/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_ACT_MOVE_MARK_H
#define KW_ACT_MOVE_MARK_H

#include <stddef.h>

#include "model/mark.h"

/*
 * A mark as text. element: without its namespace, as virDomainSetMetadata() takes
 * it. definition: this domain XML with the mark in its <metadata>, whatever was
 * there in its stead; without any for NULL. 0 or negative errno, -EBADMSG when the
 * text is not a domain; the caller owns the text.
 */
int kw_move_mark_element(const struct kw_mark *mark, char **ret_element);
int kw_move_mark_definition(const char *xml, const struct kw_mark *mark, char **ret_xml);

/* The job of such an element. 0; -EBADMSG when it names none. */
int kw_move_mark_job(const char *element, char *ret_job, size_t size);

#endif
