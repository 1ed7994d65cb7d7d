/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <unistd.h>

#include "cli/checks.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/paragraph.h"
#include "cli/display.h"
#include "cli/table.h"

#define HOOK_PATH "/etc/libvirt/hooks/qemu.d/10-kvmward"

/* Unknown where a directory on the way may not be read. */
static struct kw_u32 there(const char *path, int mode)
{
	if (!access(path, mode))
		return KW_U32(1);
	return errno == ENOENT || errno == ENOTDIR ? KW_U32(0) : (struct kw_u32){};
}

static struct kw_u32 daemon_answers(void)
{
	_cleanup_(kw_daemon_view_done) struct kw_daemon_view view = {};

	kw_daemon_view_read(NULL, &view);
	return KW_U32(view.reachable);
}

static void look_around(struct kw_host_around *ret_around)
{
	*ret_around = (struct kw_host_around){
		.dev_kvm = there("/dev/kvm", F_OK),
		.dev_sev = there("/dev/sev", F_OK),
		.dev_tun = there("/dev/net/tun", F_OK),
		.dev_vhost_net = there("/dev/vhost-net", F_OK),
		.daemon = daemon_answers(),
		.hook = there(HOOK_PATH, X_OK),
	};
}

static void print_check(const struct kw_check *check, size_t width)
{
	_cleanup_free_ char *detail = kw_display(check->detail);

	printf("%-40s%s", check->what, kw_check_state_name(check->state));
	if (detail && *detail)
		printf("%s%s", check->state == KW_CHECK_UNKNOWN ? ": " : "  ", detail);
	putchar('\n');
	if (check->remedy)
		kw_paragraph_print(stdout, 4, width, check->remedy);
}

static struct json_object *check_json(const struct kw_check *check)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "check", kw_json_text(check->key));
	json_object_object_add(to, "state", kw_json_text(kw_check_state_name(check->state)));
	json_object_object_add(to, "detail", kw_json_text(check->detail));
	json_object_object_add(to, "remedy", kw_json_text(check->remedy));
	return to;
}

static void print_json(const struct kw_host *host, const struct kw_check *checks, size_t count)
{
	struct json_object *to = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, check_json(&checks[i]));
	json_object_object_add(to, "host", kw_json_host(host));
	json_object_object_add(to, "checks", list);
	kw_json_print(to, false);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	struct kw_check checks[KW_CHECK_MAX];
	struct kw_host_around around;
	struct kw_host host;
	bool json = false;
	const struct kw_option options[] = {
		{ .name = "json", .help = "print JSON", .flag = &json },
	};
	enum kw_exit done;
	int first, error;
	size_t count;

	if (!kw_options_read(self, options, 1, argc, argv, &first, &done))
		return done;
	error = kw_netlink_open(&netlink);
	if (!error)
		error = kw_netlink_host(netlink, &host);
	if (error) {
		kw_message_module(error, netlink);
		return KW_EXIT_FAILED;
	}
	look_around(&around);
	count = kw_checks_make(&host, &around, checks);
	if (json)
		print_json(&host, checks, count);
	else
		for (size_t i = 0; i < count; i++)
			print_check(&checks[i], kw_terminal_width(stdout));
	return KW_EXIT_DONE;
}

const struct kw_command kw_command_host = {
	.name = "host",
	.arguments = "",
	.summary = "Check what this host offers to encrypted guests",
	.help = "Each line is a check: ok, no or not known. Below a \"no\" stands what to "
		"do next; where one \"no\" follows from another, only the first says so. A "
		"host without SEV is no failure: the exit status is 0 whenever the kernel "
		"module has answered.",
	.examples = "  kvmward host\n"
		    "  kvmward host --json | jq '.host.max_asid'\n"
		    "  kvmward host --json | jq -r '.checks[] | select(.state == \"no\") | .remedy'\n",
	.run = run,
};
