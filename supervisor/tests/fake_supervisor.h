/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A supervisor for tests, on a fake host, with a folder of its own for what it keeps. */
#ifndef KW_TESTS_FAKE_SUPERVISOR_H
#define KW_TESTS_FAKE_SUPERVISOR_H

#include "daemon/decide.h"
#include "daemon/supervisor.h"
#include "tests/fake_host.h"
#include "tests/tree.h"

static struct kw_supervisor supervisor;
static char dir[32];

static inline void begin(void)
{
	char error[256] = "";

	assert_int_equal(kw_supervisor_init(&supervisor, "/nonexistent/kvmward.conf", dir, dir,
					    error, sizeof(error)), 0);
}

/* As kvmwardd is ended and started again. */
static inline void begin_anew(void)
{
	kw_supervisor_done(&supervisor);
	begin();
}

/* On a host of so many slots, and no guest. */
static inline void begin_first(uint32_t sev, uint32_t es)
{
	strcpy(dir, "/tmp/kw-supervisor-XXXXXX");
	assert_non_null(mkdtemp(dir));
	fake_host_reset(sev, es);
	begin();
}

static int teardown(void **state)
{
	(void)state;
	kw_supervisor_done(&supervisor);
	tree_remove(dir);
	return 0;
}

/* What libvirt's hook is told when it says this of a guest. */
static inline enum kw_code hook_xml(const char *op, const char *name, const char *xml, size_t length)
{
	struct kw_hook_call call = { name, op, "begin", "-", xml, length };
	struct kw_verdict verdict = { .code = KW_CODE_COUNT };

	kw_decide_hook(&supervisor, &call, &verdict);
	assert_true(verdict.sentence[0]);
	return verdict.code;
}

static inline enum kw_code hook(const char *op, const char *uuid, const char *security)
{
	const char *xml = fake_domain(uuid, uuid, security);

	return hook_xml(op, uuid, xml, strlen(xml));
}

static inline size_t hold_count(void)
{
	return kw_ledger_holds(supervisor.ledger)->count;
}

#endif
