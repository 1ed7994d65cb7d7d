/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/files.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "facts/domain_files.h"
#include "facts/domain_xml.h"

/* Far below what a hook waits for its answer, and long for any file system that is well. */
#define PATIENCE_NS (500 * KW_NS_PER_MS)

/* The one look there is. Its thread has a domain of its own, as it may never come back. */
static struct {
	bool begun;
	pthread_t thread;
	struct kw_domain domain;
} looker;

static void *look(void *unused)
{
	kw_domain_files_look(&looker.domain);
	return unused;
}

static bool begin(const char *xml, size_t length)
{
	char words[256];
	int error;

	if (kw_domain_xml_parse(xml, length, &looker.domain, words, sizeof(words)) < 0)
		return false;
	error = pthread_create(&looker.thread, NULL, look, NULL);
	looker.begun = !error;
	if (error) {
		kw_log(LOG_WARNING, "cannot look at the files of guest %s: %s", looker.domain.name,
		       strerror(error));
		kw_domain_done(&looker.domain);
	}
	return looker.begun;
}

static bool ended(uint64_t until_ns)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ns / KW_NS_PER_S),
					.tv_nsec = (long)(until_ns % KW_NS_PER_S) };

	if (pthread_clockjoin_np(looker.thread, NULL, CLOCK_MONOTONIC, &until))
		return false;
	looker.begun = false;
	return true;
}

void kw_files_look(const char *xml, size_t length, struct kw_domain *domain)
{
	if (domain->security == KW_SECURITY_NONE)
		return;
	if (looker.begun) {
		if (!ended(0))
			return;
		kw_log(LOG_NOTICE, "the files of guest %s can be looked at again",
		       looker.domain.name);
		kw_domain_done(&looker.domain);
	}
	if (!begin(xml, length))
		return;
	if (!ended(kw_clock_monotonic_ns() + PATIENCE_NS)) {
		kw_log(LOG_WARNING,
		       "the file system of guest %s's firmware or ROMs does not answer; until it "
		       "does, guests are counted with files of the usual sizes", domain->name);
		return;
	}
	kw_domain_done(domain);
	*domain = looker.domain;
	looker.domain = (struct kw_domain){};
}
