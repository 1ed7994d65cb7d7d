/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_METRICS_GUESTS_H
#define KW_METRICS_GUESTS_H

#include <stdio.h>

#include "model/guest.h"

/* The guests' part of kw_prometheus_write(). 0 or -ENOMEM. */
int kw_prometheus_guests(const struct kw_guest_list *list, FILE *to);

#endif
