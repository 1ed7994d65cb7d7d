/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/move_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/move_connection.h"
#include "base/cleanup.h"

/* Auto-converge: a guest that dirties memory faster than the link takes it is slowed down. */
static unsigned long flags_of(const struct kw_move_live *live, bool copies)
{
	unsigned long flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_AUTO_CONVERGE;

	if (live->persistent)
		flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	if (copies)
		flags |= VIR_MIGRATE_NON_SHARED_DISK;
	return flags;
}

struct parameters {
	virTypedParameterPtr list;
	int count, max;
};

static void parameters_done(struct parameters *parameters)
{
	vir.TypedParamsFree(parameters->list, parameters->count);
}

/* Without that list libvirt copies disks that both hosts have, too: each onto itself. */
static int name_disks(const char *targets, struct parameters *to)
{
	_cleanup_free_ char *copy = strdup(targets);
	char *rest = copy, *target;

	if (!copy)
		return -ENOMEM;
	while ((target = strsep(&rest, ",")))
		if (vir.TypedParamsAddString(&to->list, &to->count, &to->max,
					     VIR_MIGRATE_PARAM_MIGRATE_DISKS, target))
			return -ENOMEM;
	return 0;
}

int kw_move_side_migrate(struct kw_move_side *side, const struct kw_move_live *live)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	_cleanup_(parameters_done) struct parameters parameters = {};
	bool copies = live->copy_disks && *live->copy_disks;
	int error = kw_move_side_find(side, &domain);

	if (!error && copies)
		error = name_disks(live->copy_disks, &parameters);
	if (error)
		return error;
	if (vir.DomainMigrateToURI3(domain, live->uri, parameters.list,
				    (unsigned int)parameters.count,
				    (unsigned int)flags_of(live, copies)))
		return kw_move_side_fail(side);
	return 0;
}

static struct kw_u64 number_of(virTypedParameterPtr parameters, int count, const char *name)
{
	unsigned long long number;

	if (vir.TypedParamsGetULLong(parameters, count, name, &number) != 1)
		return (struct kw_u64){ 0 };
	return KW_U64(number);
}

/* Disks are moved first, memory after them: the rate is that of what is on its way. */
static struct kw_u64 rate_of(virTypedParameterPtr parameters, int count)
{
	struct kw_u64 memory = number_of(parameters, count, VIR_DOMAIN_JOB_MEMORY_BPS);

	return memory.value ? memory : number_of(parameters, count, VIR_DOMAIN_JOB_DISK_BPS);
}

/* KEEP: who asks libvirt itself how it went shall be told, too. */
static unsigned int stats_flags(bool completed)
{
	return completed ? VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED : 0;
}

int kw_move_side_stats(struct kw_move_side *side, bool completed, struct kw_move_stats *ret_stats)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	virTypedParameterPtr parameters = NULL;
	int type, count = 0, error = kw_move_side_find(side, &domain);

	if (error)
		return error;
	if (vir.DomainGetJobStats(domain, &type, &parameters, &count,
				  stats_flags(completed)))
		return kw_move_side_fail(side);
	*ret_stats = (struct kw_move_stats){
		.active = type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED,
		.total_bytes = number_of(parameters, count, VIR_DOMAIN_JOB_DATA_TOTAL),
		.moved_bytes = number_of(parameters, count, VIR_DOMAIN_JOB_DATA_PROCESSED),
		.remaining_bytes = number_of(parameters, count, VIR_DOMAIN_JOB_DATA_REMAINING),
		.bytes_per_s = rate_of(parameters, count),
		.downtime_ms = number_of(parameters, count, VIR_DOMAIN_JOB_DOWNTIME),
		.total_ms = number_of(parameters, count, VIR_DOMAIN_JOB_TIME_ELAPSED),
	};
	vir.TypedParamsFree(parameters, count);
	return 0;
}

int kw_move_side_abort(struct kw_move_side *side)
{
	_cleanup_(kw_vir_domain_free_at) virDomain *domain = NULL;
	int error = kw_move_side_find(side, &domain);

	if (error)
		return error;
	return vir.DomainAbortJob(domain) ? kw_move_side_fail(side) : 0;
}
