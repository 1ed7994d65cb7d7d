// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sev_vm: hold real KVM virtual machines, straight through /dev/kvm.
 *
 * libvirt and QEMU need seconds and a firmware for each guest.  What the kernel
 * accounts (slots, pinned pages, memory, vCPUs) it accounts for a bare VM file
 * descriptor just the same, and of those a process can hold thousands.  None of
 * these VMs ever runs.
 *
 * One line is printed for each VM, then "ready".  The VMs live until COMMAND
 * ends, SECONDS are over, or a signal comes, whichever was asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "gmem.h"
#include "kvm_uapi.h"

#define POLICY_NODBG 1
#define POLICY_ES 4
#define MIB (1UL << 20)

enum vm_type { PLAIN, SEV, SEV_ES, SNP, TYPES };

static const char *const type_names[TYPES] = { "plain", "sev", "sev-es", "snp" };

/* What is asked for; one set for all VMs of a run. */
static struct options {
	enum vm_type type;
	unsigned int count, mirrors, vcpus;
	unsigned long mem_mib, pin_mib;
	bool init2, orphan, keep_going;
	long seconds;		/* -1: until a signal */
} opt = { .type = SEV, .count = 1, .seconds = -1 };

/* What one VM became.  Shared with the process that makes an orphan. */
struct vm {
	int fd, error, fw_error, pid;
	unsigned int handle;
	const char *step;	/* the call that failed */
	unsigned long long taken_ns;	/* CLOCK_MONOTONIC right after the slot; 0: none */
};

static int kvm_fd = -1, sev_fd = -1;

static int fail(struct vm *vm, const char *step)
{
	vm->error = errno;
	vm->step = step;
	return -1;
}

static int sev_op(struct vm *vm, unsigned int id, void *data, const char *step)
{
	struct kvm_sev_cmd cmd = {
		.id = id, .data = (uintptr_t)data, .sev_fd = sev_fd,
	};
	int ret = ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, &cmd);

	vm->fw_error = cmd.error;
	return ret < 0 ? fail(vm, step) : 0;
}

static int vm_create(struct vm *vm)
{
	static const int types[TYPES] = { 0, KVM_X86_SEV_VM, KVM_X86_SEV_ES_VM, KVM_X86_SNP_VM };

	vm->pid = getpid();
	vm->fd = ioctl(kvm_fd, KVM_CREATE_VM, opt.init2 ? types[opt.type] : 0);
	return vm->fd < 0 ? fail(vm, "KVM_CREATE_VM") : 0;
}

static int vm_sev_init_one(struct vm *vm)
{
	struct sev_init2 init2 = { 0 };

	if (opt.init2)
		return sev_op(vm, SEV_INIT2, &init2, "KVM_SEV_INIT2");
	if (opt.type == SEV_ES)
		return sev_op(vm, KVM_SEV_ES_INIT, NULL, "KVM_SEV_ES_INIT");
	return sev_op(vm, KVM_SEV_INIT, NULL, "KVM_SEV_INIT");
}

/* Takes the slot. */
static int vm_sev_init(struct vm *vm)
{
	int ret = vm_sev_init_one(vm);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!ret)
		vm->taken_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return ret;
}

static int vm_launch_start(struct vm *vm)
{
	struct kvm_sev_launch_start start = {
		.policy = POLICY_NODBG | (opt.type == SEV_ES ? POLICY_ES : 0),
	};
	int ret = sev_op(vm, KVM_SEV_LAUNCH_START, &start, "KVM_SEV_LAUNCH_START");

	vm->handle = start.handle;
	return ret;
}

static int vm_snp_launch_start(struct vm *vm)
{
	struct kvm_sev_snp_launch_start start = { .policy = SNP_POLICY };

	return sev_op(vm, SNP_LAUNCH_START, &start, "KVM_SEV_SNP_LAUNCH_START");
}

/* Pages of the guest's own, which the host can neither read nor move. */
static int vm_snp_populate(struct vm *vm)
{
	struct kvm_sev_snp_launch_update update = {
		.len = opt.pin_mib * MIB, .type = KVM_SEV_SNP_PAGE_TYPE_ZERO,
	};

	while (update.len)
		if (sev_op(vm, SNP_LAUNCH_UPDATE, &update, "KVM_SEV_SNP_LAUNCH_UPDATE"))
			return -1;
	return 0;
}

static int vm_snp_launch(struct vm *vm)
{
	struct kvm_sev_snp_launch_finish finish = { 0 };

	if (vm_snp_launch_start(vm) || vm_snp_populate(vm))
		return -1;
	return sev_op(vm, SNP_LAUNCH_FINISH, &finish, "KVM_SEV_SNP_LAUNCH_FINISH");
}

static void *memory(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static int vm_add_private_memory(struct vm *vm)
{
	size_t bytes = (opt.mem_mib > opt.pin_mib ? opt.mem_mib : opt.pin_mib) * MIB;
	int fd, ret;

	if (!bytes)
		return 0;
	fd = gmem_create(vm->fd, bytes);
	ret = fd < 0 ? fd : gmem_bind(vm->fd, 0, 0, bytes, fd, 0);
	errno = -ret;
	return ret ? fail(vm, "guest_memfd") : 0;
}

/* Guest memory as KVM counts it; pinned only where vm_pin() says so. */
static int vm_add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = opt.mem_mib * MIB,
	};
	void *mem;

	if (opt.type == SNP)
		return vm_add_private_memory(vm);
	if (!opt.mem_mib)
		return 0;
	mem = memory(region.memory_size);
	if (mem == MAP_FAILED)
		return fail(vm, "mmap");
	region.userspace_addr = (uintptr_t)mem;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return fail(vm, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

static int vm_pin(struct vm *vm)
{
	struct kvm_enc_region region = { .size = opt.pin_mib * MIB };
	void *mem;

	if (!opt.pin_mib)
		return 0;
	mem = memory(region.size);
	if (mem == MAP_FAILED)
		return fail(vm, "mmap");
	region.addr = (uintptr_t)mem;
	if (ioctl(vm->fd, KVM_MEMORY_ENCRYPT_REG_REGION, &region))
		return fail(vm, "KVM_MEMORY_ENCRYPT_REG_REGION");
	return 0;
}

static int vm_add_vcpus(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < opt.vcpus; i++)
		if (ioctl(vm->fd, KVM_CREATE_VCPU, i) < 0)
			return fail(vm, "KVM_CREATE_VCPU");
	return 0;
}

static int vm_make(struct vm *vm)
{
	if (vm_create(vm))
		return -1;
	if (opt.type != PLAIN && vm_sev_init(vm))
		return -1;
	if (vm_add_memory(vm) || vm_add_vcpus(vm))
		return -1;
	if (opt.type == PLAIN)
		return 0;
	if (opt.type == SNP)
		return vm_snp_launch(vm);
	return vm_launch_start(vm) || vm_pin(vm) ? -1 : 0;
}

/*
 * A mirror shares its owner's slot and takes none.  Its memory is its own.
 */
static int vm_make_mirror(struct vm *vm, const struct vm *owner)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
		.args = { owner->fd },
	};

	if (vm_create(vm))
		return -1;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return fail(vm, "KVM_CAP_VM_COPY_ENC_CONTEXT_FROM");
	return vm_add_memory(vm) || vm_add_vcpus(vm) ? -1 : 0;
}

/*
 * An orphan: its maker is gone, somebody else still holds the file.  The maker
 * shares our table of open files and nothing else, so what it opens stays here
 * when it is gone.
 */
static int vm_make_orphan(struct vm *vm)
{
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);

	if (pid < 0)
		return fail(vm, "clone");
	if (!pid)
		_exit(vm_make(vm) ? 1 : 0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return vm->error ? -1 : 0;
}

static void report(unsigned int i, const char *kind, const struct vm *vm)
{
	unsigned long given = *kind == 'm' || opt.type == PLAIN ? 0 : opt.pin_mib * MIB;

	if (!vm->error)
		printf("vm %u %s%s pid %d fd %d handle %u %s %lu taken %llu\n", i, kind,
		       type_names[opt.type], vm->pid, vm->fd, vm->handle,
		       opt.type == SNP ? "private" : "pinned", given, vm->taken_ns);
	else
		printf("vm %u %s%s %s: %s (errno %d, fw_error %d)\n", i, kind,
		       type_names[opt.type], vm->step, strerror(vm->error),
		       vm->error, vm->fw_error);
}

/* Returns 0, or -1 if a VM could not be made and that ends the run. */
static int hold(struct vm *vms)
{
	unsigned int i, m;

	for (i = 0; i < opt.count; i++) {
		int ret = opt.orphan ? vm_make_orphan(&vms[i]) : vm_make(&vms[i]);

		report(i, opt.orphan ? "orphan " : "", &vms[i]);
		if (ret && vms[i].fd >= 0)
			close(vms[i].fd);
		if (ret && !opt.keep_going)
			return -1;
		for (m = 0; !ret && m < opt.mirrors; m++) {
			struct vm mirror = { .fd = -1 };

			ret = vm_make_mirror(&mirror, &vms[i]);
			report(i, "mirror of ", &mirror);
			if (ret)
				return -1;
		}
	}
	return 0;
}

static int open_devices(void)
{
	struct rlimit nofile;

	if (!getrlimit(RLIMIT_NOFILE, &nofile)) {
		nofile.rlim_cur = nofile.rlim_max;
		setrlimit(RLIMIT_NOFILE, &nofile);
	}
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0) {
		perror("sev_vm: /dev/kvm");
		return -1;
	}
	if (opt.type == PLAIN)
		return 0;
	sev_fd = open("/dev/sev", O_RDWR | O_CLOEXEC);
	if (sev_fd < 0) {
		perror("sev_vm: /dev/sev");
		return -1;
	}
	return 0;
}

static int run_command(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		perror("sev_vm: fork");
		return 1;
	}
	if (!pid) {
		/* KVM's files are close-on-exec: the VMs stay only ours. */
		execvp(argv[0], argv);
		fprintf(stderr, "sev_vm: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void usage(FILE *to)
{
	fputs("usage: sev_vm [OPTION...] [-- COMMAND...]\n"
	      "Hold KVM virtual machines while COMMAND runs, or until killed.\n\n"
	      "  -t, --type=plain|sev|sev-es|snp  kind of the VMs (sev; snp: Linux 6.11+)\n"
	      "  -n, --count=N                how many (1)\n"
	      "  -2, --init2                  by KVM_SEV_INIT2 and VM types (Linux 6.11+)\n"
	      "  -m, --mem=MIB                guest memory of each VM (none)\n"
	      "  -p, --pin=MIB                memory pinned for each VM, snp: private to it (none)\n"
	      "  -v, --vcpus=N                vCPUs of each VM, never run (none)\n"
	      "  -M, --mirrors=N              mirror VMs of each VM (none)\n"
	      "  -o, --orphan                 made by a process that is gone\n"
	      "  -k, --keep-going             hold what could be made when one fails\n"
	      "  -s, --seconds=N              give them back after N seconds\n\n"
	      "Exit status: COMMAND's; without one 0; 1 if a VM could not be made; 2 usage.\n", to);
}

static bool number(const char *text, unsigned long *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno &&
	       *ret_value <= INT_MAX / 2;
}

static bool type_parse(const char *text)
{
	unsigned int i;

	for (i = 0; i < TYPES; i++)
		if (!strcmp(text, type_names[i])) {
			opt.type = i;
			opt.init2 = opt.init2 || i == SNP;
			return true;
		}
	return false;
}

/* Returns the first word of COMMAND's place in argv; leaves on bad usage. */
static int options_parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "type", 1, NULL, 't' }, { "count", 1, NULL, 'n' },
		{ "init2", 0, NULL, '2' }, { "mem", 1, NULL, 'm' },
		{ "pin", 1, NULL, 'p' }, { "vcpus", 1, NULL, 'v' },
		{ "mirrors", 1, NULL, 'M' }, { "orphan", 0, NULL, 'o' },
		{ "keep-going", 0, NULL, 'k' }, { "seconds", 1, NULL, 's' },
		{ "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	unsigned long value = 0;
	int c;

	while ((c = getopt_long(argc, argv, "+t:n:2m:p:v:M:oks:h", longs, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (c == '?' || (c == 't' && !type_parse(optarg)) ||
		    (strchr("nmpvMs", c) && !number(optarg, &value))) {
			if (c != '?')
				fprintf(stderr, "sev_vm: bad value: %s\n", optarg);
			usage(stderr);
			exit(2);
		}
		switch (c) {
		case 'n': opt.count = value; break;
		case '2': opt.init2 = true; break;
		case 'm': opt.mem_mib = value; break;
		case 'p': opt.pin_mib = value; break;
		case 'v': opt.vcpus = value; break;
		case 'M': opt.mirrors = value; break;
		case 'o': opt.orphan = true; break;
		case 'k': opt.keep_going = true; break;
		case 's': opt.seconds = value; break;
		}
	}
	return optind;
}

int main(int argc, char **argv)
{
	int first = options_parse(argc, argv);
	size_t bytes;
	struct vm *vms;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (open_devices())
		return 1;
	bytes = (opt.count + 1) * sizeof(*vms);
	vms = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vms == MAP_FAILED) {
		perror("sev_vm: mmap");
		return 1;
	}
	for (i = 0; i < opt.count; i++)
		vms[i].fd = -1;
	if (hold(vms))
		return 1;
	puts("ready");
	if (first < argc)
		return run_command(argv + first);
	if (opt.seconds < 0)
		for (;;)
			pause();
	sleep(opt.seconds);
	return 0;
}
