/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/checks.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/memory.h"
#include "cli/paragraph.h"
#include "cli/display.h"
#include "cli/table.h"

#define HOOK_PATH "/etc/libvirt/hooks/qemu.d/10-kvmward"
#define KVM_PATH "/dev/kvm"
#define VHOST_NET_PATH "/dev/vhost-net"

/* Unknown where a directory on the way may not be read. */
static struct kw_u32 there(const char *path, int mode)
{
	if (!access(path, mode))
		return KW_U32(1);
	return errno == ENOENT || errno == ENOTDIR ? KW_U32(0) : (struct kw_u32){};
}

/* As QEMU's user has it: by mode, or by being in the group that distributions make for it. */
static struct kw_u32 kvm_group_may(void)
{
	const struct group *group = getgrnam("kvm");
	struct stat node;

	if (stat(KVM_PATH, &node))
		return (struct kw_u32){};
	if ((node.st_mode & 0006) == 0006)
		return KW_U32(1);
	return KW_U32(group && node.st_gid == group->gr_gid && (node.st_mode & 0060) == 0060);
}

/*
 * Tried, because a node may be there that no driver stands behind or a container
 * may not open. Only with the module loaded: opening the node would load it.
 */
static struct kw_u32 vhost_net_opens(const struct kw_host *host)
{
	int fd;

	if (!kw_u32_yes(host->vhost_net_loaded))
		return there(VHOST_NET_PATH, F_OK);
	fd = open(VHOST_NET_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES || errno == EMFILE || errno == ENFILE
			       ? (struct kw_u32){} : KW_U32(0);
	close(fd);
	return KW_U32(1);
}

/* What kvmwardd tells of the host's memory. */
struct told {
	struct kw_memory_status memory;
	struct kw_config config;
};

static void look_at_daemon(struct kw_host_around *around, struct told *told)
{
	_cleanup_(kw_daemon_view_done) struct kw_daemon_view view = {};
	_cleanup_(kw_bus_close_at) struct kw_bus *bus = NULL;

	around->daemon = KW_U32(0);
	if (kw_daemon_connect(&bus))
		return;
	kw_daemon_view_read(bus, &view);
	around->daemon = KW_U32(view.reachable);
	if (view.reachable) {
		around->admits = KW_U32(!view.draining);
		around->hearing_known = !kw_bus_hearing(bus, &around->hearing);
	}
	around->walls = view.walls;
	told->config = view.config;
	if (view.reachable)
		kw_bus_memory(bus, &told->memory);
}

/* Unknown to those whom the module does not tell of guests. */
static struct kw_u32 vhost_net_queues(struct kw_netlink *netlink)
{
	_cleanup_(kw_guest_list_done) struct kw_guest_list list = {};
	struct kw_u32 queues = KW_U32(0);

	if (kw_netlink_guests(netlink, &list))
		return (struct kw_u32){};
	for (size_t i = 0; i < list.count; i++) {
		bool counted = false;

		/* Files are counted by process, and a process may have several guests. */
		for (size_t j = 0; j < i && !counted; j++)
			counted = list.guests[j].pid == list.guests[i].pid;
		if (!counted)
			queues.value += list.guests[i].vhost_net_queues.value;
	}
	return queues;
}

static void look_around(const struct kw_host *host, struct kw_netlink *netlink,
			struct kw_host_around *ret_around, struct told *told)
{
	*ret_around = (struct kw_host_around){
		.dev_kvm = there(KVM_PATH, F_OK),
		.kvm_group = kvm_group_may(),
		.dev_sev = there("/dev/sev", F_OK),
		.dev_tun = there("/dev/net/tun", F_OK),
		.dev_vhost_net = vhost_net_opens(host),
		.hook = there(HOOK_PATH, X_OK),
		.vhost_net_queues = vhost_net_queues(netlink),
	};
	look_at_daemon(ret_around, told);
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

static void print_json(const struct kw_host *host, const struct kw_walls_status *walls,
		       const struct told *told, const struct kw_check *checks, size_t count)
{
	struct json_object *to = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, check_json(&checks[i]));
	json_object_object_add(to, "host", kw_json_host(host));
	json_object_object_add(to, "checks", list);
	json_object_object_add(to, "walls", walls->known ? kw_json_walls(walls) : NULL);
	json_object_object_add(to, "memory", kw_json_memory(&told->memory, &told->config));
	kw_json_print(to, false);
}

static enum kw_exit run(const struct kw_command *self, int argc, char **argv)
{
	_cleanup_(kw_netlink_close_at) struct kw_netlink *netlink = NULL;
	struct kw_check checks[KW_CHECK_MAX];
	struct kw_host_around around;
	struct told told = {};
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
		error = kw_netlink_host(netlink, true, &host);
	if (error) {
		kw_message_module(error, netlink);
		return KW_EXIT_FAILED;
	}
	look_around(&host, netlink, &around, &told);
	count = kw_checks_make(&host, &around, checks);
	if (json) {
		print_json(&host, &around.walls, &told, checks, count);
		return KW_EXIT_DONE;
	}
	for (size_t i = 0; i < count; i++)
		print_check(&checks[i], kw_terminal_width(stdout));
	if (told.memory.known)
		kw_memory_print_brief(&told.memory, &told.config, stdout, kw_terminal_width(stdout));
	return KW_EXIT_DONE;
}

const struct kw_command kw_command_host = {
	.name = "host",
	.arguments = "",
	.summary = "Check what this host offers to encrypted guests",
	.help = "Each line is a check: ok, no, off or not known. Below a \"no\" stands what to "
		"do next; where one \"no\" follows from another, only the first says so. The "
		"last lines are the host's memory as kvmwardd gives it out; see kvmward.conf(5). A "
		"host without SEV is no failure: the exit status is 0 whenever the kernel "
		"module has answered.",
	.examples = "  kvmward host\n"
		    "  kvmward host --json | jq '.host.max_asid'\n"
		    "  kvmward host --json | jq -r '.checks[] | select(.state == \"no\") | .remedy'\n",
	.run = run,
};
