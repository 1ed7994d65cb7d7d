/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>

#include "facts/config_file.h"
#include "ledger/drain.h"
#include "ledger/ledger.h"

static const char usage[] =
	"Usage: kvmwardd [OPTION]...\n"
	"Knows who holds the encryption-key slots of this KVM host, and decides which\n"
	"guests may start. A system service: see 'systemctl status kvmwardd'.\n"
	"\n"
	"  --config=FILE      configuration (" KW_CONFIG_FILE ")\n"
	"  --state-dir=DIR    holds are kept here (" KW_LEDGER_DIR ")\n"
	"  --kept-dir=DIR     what outlives a reboot is kept here (" KW_KEPT_DIR ")\n"
	"  --walls-down       take the limits around guests down that an earlier kvmwardd\n"
	"                     has set, and end\n"
	"  --help             this text\n"
	"  --version          the version\n"
	"\n"
	"SIGHUP reads the configuration again. See kvmwardd(8), kvmward.conf(5).\n";

enum {
	OPTION_CONFIG = 256, OPTION_STATE_DIR, OPTION_KEPT_DIR, OPTION_WALLS_DOWN, OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "kept-dir", required_argument, NULL, OPTION_KEPT_DIR },
	{ "walls-down", no_argument, NULL, OPTION_WALLS_DOWN },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{},
};

static int wrong_usage(void)
{
	fputs("Try 'kvmwardd --help'.\n", stderr);
	return 2;
}

int kw_daemon_options_read(int argc, char **argv, struct kw_daemon_options *ret_options)
{
	struct kw_daemon_options options = { KW_CONFIG_FILE, KW_LEDGER_DIR, KW_KEPT_DIR, false };
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (option) {
		case OPTION_CONFIG:
			options.config_path = optarg;
			break;
		case OPTION_STATE_DIR:
			options.state_dir = optarg;
			break;
		case OPTION_KEPT_DIR:
			options.kept_dir = optarg;
			break;
		case OPTION_WALLS_DOWN:
			options.walls_down = true;
			break;
		case OPTION_HELP:
			fputs(usage, stdout);
			return 0;
		case OPTION_VERSION:
			puts("kvmwardd " KW_VERSION);
			return 0;
		default:
			return wrong_usage();
		}
	}
	if (optind < argc) {
		fprintf(stderr, "kvmwardd: unexpected argument \"%s\"\n", argv[optind]);
		return wrong_usage();
	}
	*ret_options = options;
	return -1;
}
