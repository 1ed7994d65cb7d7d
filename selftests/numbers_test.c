// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GUEST_GET: each fact about a guest against the calls that made it so, against
 * /proc, and against what the firmware knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kselftest.h"
#include "testing.h"
#include "vms.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define SMM (1U << 16)		/* the address space of system management mode */
#define FIRMWARE_GUESTS "/sys/kernel/debug/psp_sim/guests"
#define GROUP "/sys/fs/cgroup/kvmward-selftest"

static struct nl nl;
static struct nl_answer answer;	/* what guest() points into */

/* The guest as it is now, until the next look; the program ends where there is none. */
static const struct nl_msg *guest(pid_t pid, int vm)
{
	const struct nl_msg *found;

	nl_answer_done(&answer);
	test_guests(&nl, &answer);
	found = test_guest_find(&answer, pid, vm);
	if (!found)
		ksft_exit_fail_msg("no guest of pid %d, file %d, among %u\n", pid, vm, answer.count);
	return found;
}

static bool is(const struct nl_msg *msg, int attr, uint32_t expected)
{
	bool same = nl_has(msg, attr) && nl_u32(msg, attr) == expected;

	if (!same)
		ksft_print_msg("attribute %d: %d, expected %u\n", attr,
			       nl_has(msg, attr) ? (int)nl_u32(msg, attr) : -1, expected);
	return same;
}

static bool is_bytes(const struct nl_msg *msg, int attr, uint64_t expected)
{
	bool same = nl_has(msg, attr) && nl_u64(msg, attr) == expected;

	if (!same)
		ksft_print_msg("attribute %d: %lld, expected %llu\n", attr,
			       nl_has(msg, attr) ? (long long)nl_u64(msg, attr) : -1LL,
			       (unsigned long long)expected);
	return same;
}

static bool memory_is(int vm, uint64_t expected)
{
	return is_bytes(guest(getpid(), vm), KVMWARD_A_GUEST_MEMORY_BYTES, expected);
}

static void memory_test(void)
{
	int vm = vms_create(VMS_PLAIN);
	bool none = memory_is(vm, 0);
	bool one = !vms_set_memory(vm, 0, 3 * MIB) && memory_is(vm, 3 * MIB);
	bool three = !vms_set_memory(vm, 1, MIB) && !vms_set_memory(vm, 9, 3 * GIB) &&
		     memory_is(vm, 3 * GIB + 4 * MIB);
	bool less = !vms_set_memory(vm, 1, 0) && memory_is(vm, 3 * GIB + 3 * MIB);

	ksft_test_result(none && one && three && less,
			 "memory is the sum of the slots, as they come and go\n");
	if (vms_set_memory(vm, SMM | 0, 3 * MIB))
		ksft_test_result_skip("memory of SMM: no such address space\n");
	else
		ksft_test_result(memory_is(vm, 3 * GIB + 3 * MIB),
				 "what is also seen in SMM is counted once\n");
	close(vm);
}

static void vcpus_test(void)
{
	int vm = vms_create(VMS_PLAIN), vcpus[3], i;
	bool ok = is(guest(getpid(), vm), KVMWARD_A_GUEST_VCPUS, 0);

	for (i = 0; i < 3; i++) {
		vcpus[i] = vms_add_vcpu(vm, i * 7);
		ok = ok && vcpus[i] >= 0 && is(guest(getpid(), vm), KVMWARD_A_GUEST_VCPUS, i + 1);
	}
	for (i = 0; i < 3; i++)
		close(vcpus[i]);
	ksft_test_result(ok && is(guest(getpid(), vm), KVMWARD_A_GUEST_VCPUS, 3),
			 "vCPUs are counted, those with closed files too\n");
	close(vm);
}

static bool nested_is(int vm, uint32_t expected)
{
	return is(guest(getpid(), vm), KVMWARD_A_GUEST_NESTED_VCPUS, expected);
}

static void nested_test(void)
{
	int vm = vms_create(VMS_PLAIN), first = vms_add_vcpu(vm, 0), second = vms_add_vcpu(vm, 1);
	bool before = nested_is(vm, 0), one, two, left;
	int ret = vms_nest(first, true);

	if (ret == -EOPNOTSUPP) {
		ksft_test_result_skip("nested vCPUs: KVM does not nest by SVM here\n");
		goto out;
	}
	if (ret)
		ksft_print_msg("KVM_SET_NESTED_STATE: %s\n", strerror(-ret));
	one = !ret && nested_is(vm, 1);
	two = !vms_nest(second, true) && nested_is(vm, 2);
	left = !vms_nest(first, false) && nested_is(vm, 1) && !vms_nest(second, false) &&
	       nested_is(vm, 0);
	ksft_test_result(before && one && two && left,
			 "vCPUs in a nested guest are counted, as they enter and leave\n");
out:
	close(second);
	close(first);
	close(vm);
}

static void plain_test(void)
{
	int vm = vms_create(VMS_PLAIN);
	const struct nl_msg *msg = guest(getpid(), vm);
	bool known = test_module_there("kvm_amd");

	ksft_test_result(!nl_has(msg, KVMWARD_A_GUEST_ASID) &&
			 (!known || (is(msg, KVMWARD_A_GUEST_TYPE, KVMWARD_GUEST_TYPE_PLAIN) &&
				     is_bytes(msg, KVMWARD_A_GUEST_PINNED_BYTES, 0))),
			 "a plain guest has no ASID and nothing pinned\n");
	close(vm);
}

static bool file_has(const char *path, const char *text)
{
	char data[16384];
	size_t len;
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	len = fread(data, 1, sizeof(data) - 1, file);
	data[len] = '\0';
	fclose(file);
	return strstr(data, text);
}

/* Field 22 of /proc/PID/stat, in clock ticks; field 2 may hold anything. */
static unsigned long long start_ticks(pid_t pid)
{
	char path[64], line[1024] = "", *field;
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	fclose(file);
	field = strrchr(line, ')') + 1;
	for (i = 3; i < 22 && field; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

static bool started_as_in_proc(const struct nl_msg *msg, pid_t pid)
{
	unsigned long long tick_ns = 1000000000ULL / sysconf(_SC_CLK_TCK);

	return nl_u64(msg, KVMWARD_A_GUEST_START_TIME_NS) / tick_ns == start_ticks(pid);
}

static bool cgroup_as_in_proc(const struct nl_msg *msg, pid_t pid)
{
	char path[64], line[600];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	snprintf(line, sizeof(line), "0::%s\n", nl_string(msg, KVMWARD_A_GUEST_CGROUP));
	return file_has(path, line);
}

/* A name may hold anything but a zero. */
static void comm_test(void)
{
	static const char *const names[] = { "a guest (1) x", "\xff\xfe\n\"", "fifteen-letters" };
	int vm = vms_create(VMS_PLAIN);
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		prctl(PR_SET_NAME, names[i]);
		ok = ok && !strcmp(nl_string(guest(getpid(), vm), KVMWARD_A_GUEST_COMM), names[i]);
	}
	ksft_test_result(ok, "comm is the process's name\n");
	close(vm);
}

/* A process that holds one guest until it is killed. */
struct holder {
	pid_t pid;	/* of the process that was started */
	pid_t own;	/* the holder's own idea of its pid */
	int vm;		/* its number there; -1: it could not be had */
};

/* In the child: prepare() says whether it could; then hold, and report. */
static void holder_run(bool (*prepare)(void), int report)
{
	struct holder holder = { .vm = -1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prepare())
		holder.vm = vms_create(VMS_PLAIN);
	holder.own = getpid();
	if (write(report, &holder, sizeof(holder)) != sizeof(holder))
		_exit(1);
	for (;;)
		pause();
}

/* flags: namespaces for the holder, with CLONE_NEWPID as in clone(2). */
static struct holder holder_start(bool (*prepare)(void), int flags)
{
	struct holder holder = { .vm = -1 };
	pid_t pid = -1;
	int report[2];

	if (!pipe(report))
		pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!pid)
		holder_run(prepare, report[1]);
	close(report[1]);
	if (pid < 0 || read(report[0], &holder, sizeof(holder)) != sizeof(holder))
		holder.vm = -1;
	close(report[0]);
	holder.pid = pid;
	return holder;
}

static void holder_stop(const struct holder *holder)
{
	if (holder->pid <= 0)
		return;
	kill(holder->pid, SIGKILL);
	test_wait(holder->pid);
}

static bool as_it_is(void)
{
	return true;
}

static bool with_other_uid(void)
{
	return !setresuid(1234, 0, 0);
}

static bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

/* Its user 7 is the real root, who may still open /dev/kvm. */
static bool as_user_seven(void)
{
	return text_write("/proc/self/uid_map", "7 0 1") && getuid() == 7;
}

static bool in_other_cgroup(void)
{
	return text_write(GROUP "/cgroup.procs", "0");
}

static void process_test(void)
{
	struct holder holder = holder_start(as_it_is, 0);
	const struct nl_msg *msg = guest(holder.pid, holder.vm);

	ksft_test_result(started_as_in_proc(msg, holder.pid), "start time is that of /proc\n");
	ksft_test_result(cgroup_as_in_proc(msg, holder.pid), "cgroup is that of /proc\n");
	ksft_test_result(is(msg, KVMWARD_A_GUEST_UID, 0) && holder.own == holder.pid,
			 "pid and uid of a process like any other\n");
	holder_stop(&holder);

	holder = holder_start(with_other_uid, 0);
	ksft_test_result(is(guest(holder.pid, holder.vm), KVMWARD_A_GUEST_UID, 1234),
			 "uid is the real one, not the effective one\n");
	holder_stop(&holder);
}

static void namespaces_test(void)
{
	struct holder holder = holder_start(as_it_is, CLONE_NEWPID);

	if (holder.vm < 0)
		ksft_test_result_skip("pid namespace: not allowed here\n");
	else
		ksft_test_result(holder.own == 1 &&
				 is(guest(holder.pid, holder.vm), KVMWARD_A_GUEST_PID, holder.pid),
				 "pid is that of the initial pid namespace\n");
	holder_stop(&holder);

	holder = holder_start(as_user_seven, CLONE_NEWUSER);
	if (holder.vm < 0)
		ksft_test_result_skip("user namespace: not allowed here\n");
	else
		ksft_test_result(is(guest(holder.pid, holder.vm), KVMWARD_A_GUEST_UID, 0),
				 "uid is that of the initial user namespace\n");
	holder_stop(&holder);
}

static void cgroup_test(void)
{
	struct holder holder = { .vm = -1 };
	const struct nl_msg *msg;

	if (!mkdir(GROUP, 0755) || errno == EEXIST)
		holder = holder_start(in_other_cgroup, 0);
	if (holder.vm < 0) {
		ksft_test_result_skip("cgroup of one's own: not to be had here\n");
	} else {
		msg = guest(holder.pid, holder.vm);
		ksft_test_result(!strcmp(nl_string(msg, KVMWARD_A_GUEST_CGROUP),
					 GROUP + strlen("/sys/fs/cgroup")) &&
				 cgroup_as_in_proc(msg, holder.pid), "cgroup follows the process\n");
	}
	holder_stop(&holder);
	rmdir(GROUP);
}

static bool queues_are(int vm, uint32_t vhost, uint32_t taps)
{
	const struct nl_msg *msg = guest(getpid(), vm);

	return is(msg, KVMWARD_A_GUEST_VHOST_NET_QUEUES, vhost) &&
	       is(msg, KVMWARD_A_GUEST_TAP_QUEUES, taps);
}

/* A queue of the tap device that all of them share. */
static int tap_open(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	strcpy(request.ifr_name, "kvmwardtest");
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void queues_test(void)
{
	int vm = vms_create(VMS_PLAIN);
	int vhost[2] = { open("/dev/vhost-net", O_RDWR), open("/dev/vhost-net", O_RDWR) };
	int tap[3] = { tap_open(), tap_open(), tap_open() };
	bool both, fewer;

	if (vhost[1] < 0 || tap[2] < 0) {
		ksft_test_result_skip("queues: no %s here\n", tap[2] < 0 ? "tap" : "vhost-net");
		goto out;
	}
	both = queues_are(vm, 2, 3);
	close(vhost[1]);
	close(tap[2]);
	fewer = queues_are(vm, 1, 2);
	vhost[1] = -1;
	tap[2] = -1;
	ksft_test_result(both && fewer, "vhost-net and tap queues are counted\n");
out:
	close(tap[2]);
	close(tap[1]);
	close(tap[0]);
	close(vhost[1]);
	close(vhost[0]);
	close(vm);
}

/* /proc's figure, which a helper of ours has made to be what it is. */
static bool mm_is(int vm, int attr, const char *key, long long expected)
{
	long long shown = test_status_bytes(getpid(), key);

	if (shown != expected)
		ksft_print_msg("%s: %lld, expected %lld\n", key, shown, expected);
	return shown == expected && is_bytes(guest(getpid(), vm), attr, expected);
}

static void locked_test(void)
{
	long long before = test_status_bytes(getpid(), "VmLck");
	char *page = mmap(NULL, 3 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int vm = vms_create(VMS_PLAIN);

	if (mlock(page, 3 * MIB))
		ksft_test_result_skip("mlock: %s\n", strerror(errno));
	else
		ksft_test_result(mm_is(vm, KVMWARD_A_GUEST_MM_LOCKED_BYTES, "VmLck", before + 3 * MIB),
				 "locked memory is that of /proc\n");
	munmap(page, 3 * MIB);
	close(vm);
}

/*
 * io_uring pins the buffers that are registered with it, and says so in /proc;
 * since some kernel after 6.12 only of a user who has a limit to keep.
 */
static int ring_with_buffer(void *buffer, size_t bytes)
{
	struct io_uring_params params = { 0 };
	struct iovec vector = { buffer, bytes };
	int ring = -1;

	if (!seteuid(65534)) {
		ring = syscall(SYS_io_uring_setup, 4, &params);
		if (seteuid(0))
			ksft_exit_fail_msg("seteuid: %s\n", strerror(errno));
	}

	if (ring >= 0 && syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &vector, 1)) {
		close(ring);
		return -1;
	}
	return ring;
}

static void pinned_test(void)
{
	char *page = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int vm = vms_create(VMS_PLAIN), ring = ring_with_buffer(page, 2 * MIB);
	long long pinned = test_status_bytes(getpid(), "VmPin");

	/* A huge page may count as a whole. */
	if (ring < 0)
		ksft_test_result_skip("pinned by io_uring: %s\n", strerror(errno));
	else
		ksft_test_result(pinned >= 2 * (long long)MIB &&
				 mm_is(vm, KVMWARD_A_GUEST_MM_PINNED_BYTES, "VmPin", pinned),
				 "pinned memory is that of /proc (%lld bytes)\n", pinned);
	close(ring);
	munmap(page, 2 * MIB);
	close(vm);
}

/* What the firmware says of that guest has to have this in it. */
static bool firmware_has(long handle, const char *part)
{
	char line[128], start[64];
	FILE *file = fopen(FIRMWARE_GUESTS, "re");
	bool found = false;

	snprintf(start, sizeof(start), "handle %ld ", handle);
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, start, strlen(start)))
			found = strstr(line, part);
	if (file)
		fclose(file);
	return found;
}

static void asid_test(int vm, const char *name, const char *firmware_type)
{
	uint32_t asid = nl_u32(guest(getpid(), vm), KVMWARD_A_GUEST_ASID);
	long handle = vms_handle(vm);
	char part[32];

	snprintf(part, sizeof(part), " asid %u ", asid);
	if (access(FIRMWARE_GUESTS, R_OK)) {
		ksft_test_result_skip("%s: ASID of the firmware: no simulator\n", name);
		return;
	}
	ksft_test_result(firmware_has(handle, part) && firmware_has(handle, firmware_type),
			 "%s: type and ASID are those that the firmware knows\n", name);
}

static bool pinned_is(int vm, uint64_t bytes)
{
	const struct nl_msg *msg = guest(getpid(), vm);

	return is_bytes(msg, KVMWARD_A_GUEST_PINNED_BYTES, bytes) &&
	       is_bytes(msg, KVMWARD_A_GUEST_MM_PINNED_BYTES, 0) &&
	       test_status_bytes(getpid(), "VmPin") == 0;
}

static void encrypted_test(enum vms_type type, uint32_t expected, const char *name,
			   const char *firmware_type)
{
	bool ok;
	int vm;

	if (!vms_offered(type)) {
		ksft_test_result_skip("%s: type: not offered here\n", name);
		ksft_test_result_skip("%s: ASID: not offered here\n", name);
		ksft_test_result_skip("%s: pinned: not offered here\n", name);
		return;
	}
	vm = vms_create(type);
	ksft_test_result(is(guest(getpid(), vm), KVMWARD_A_GUEST_TYPE, expected), "%s: type\n", name);
	asid_test(vm, name, firmware_type);
	ok = pinned_is(vm, 0) && !vms_pin(vm, 5 * MIB) && pinned_is(vm, 5 * MIB) &&
	     !vms_pin(vm, 4 * KIB) && pinned_is(vm, 5 * MIB + 4 * KIB) &&
	     !vms_unpin(vm) && pinned_is(vm, 5 * MIB);
	ksft_test_result(ok, "%s: pinned bytes, which /proc does not show\n", name);
	close(vm);
}

int main(void)
{
	test_open(&nl);
	if (!vms_there())
		ksft_exit_skip("no /dev/kvm: no guests to count\n");
	ksft_set_plan(22);
	memory_test();
	vcpus_test();
	nested_test();
	plain_test();
	comm_test();
	process_test();
	namespaces_test();
	cgroup_test();
	queues_test();
	locked_test();
	encrypted_test(VMS_SEV, KVMWARD_GUEST_TYPE_SEV, "SEV", " type sev ");
	encrypted_test(VMS_SEV_ES, KVMWARD_GUEST_TYPE_SEV_ES, "SEV-ES", " type sev-es ");
	pinned_test();	/* the last: the kernel unpins after the close() */
	ksft_finished();
}
