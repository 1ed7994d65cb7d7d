/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"
#include "daemon/service.h"

int main(int argc, char **argv)
{
	struct kw_daemon_options options;
	int status = kw_daemon_options_read(argc, argv, &options);

	return status >= 0 ? status : kw_service_run(&options);
}
