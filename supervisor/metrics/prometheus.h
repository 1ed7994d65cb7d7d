/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_METRICS_PROMETHEUS_H
#define KW_METRICS_PROMETHEUS_H

#include <stdio.h>

#include "model/class.h"
#include "model/facts.h"
#include "model/walls.h"

/* What kvmwardd adds to the kernel's facts about a pool; unknown without it. */
struct kw_metrics_pool {
	struct kw_u32 held, reserved, free, waiting;
};

struct kw_metrics {
	const struct kw_facts *facts;
	bool daemon_reachable;
	bool draining;			/* as kvmwardd says */
	struct kw_metrics_pool pools[KW_POOL_COUNT];
	const struct kw_class_table *classes;	/* NULL: not known */
	struct kw_walls_status walls;	/* unknown without kvmwardd */
};

/*
 * Writes everything in the Prometheus text format 0.0.4. What is not known is
 * left out. 0 or -ENOMEM; output errors stay in the stream.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
int kw_prometheus_write(const struct kw_metrics *metrics, FILE *to);

#endif
