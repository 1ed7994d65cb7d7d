/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * KW_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t kw_clock_boottime_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

uint64_t kw_clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t kw_clock_real_ms(void)
{
	return read_ns(CLOCK_REALTIME) / KW_NS_PER_MS;
}
