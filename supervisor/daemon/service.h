/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_DAEMON_SERVICE_H
#define KW_DAEMON_SERVICE_H

#include "daemon/options.h"

/* EX_CONFIG of <sysexits.h>: the unit does not start us again until the file is mended. */
#define KW_EXIT_CONFIG 78

/* Runs kvmwardd until it is told to end. Returns the exit status. */
int kw_service_run(const struct kw_daemon_options *options);

#endif
