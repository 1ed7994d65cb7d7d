/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_CLOCK_H
#define KW_BASE_CLOCK_H

#include <stdint.h>

#define KW_NS_PER_S 1000000000ull
#define KW_NS_PER_MS 1000000ull

/* ns since boot, time asleep included: the clock of process start times and holds. */
uint64_t kw_clock_boottime_ns(void);

/* ns since boot, time asleep left out: the clock of deadlines. */
uint64_t kw_clock_monotonic_ns(void);

/* ms since 1970, as people set it: for what is kept over a reboot. */
uint64_t kw_clock_real_ms(void);

#endif
