// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crowd: many processes with one VM each, and beside it about as many open files
 * of the kinds that a QEMU has. No VM ever runs. They go when the standard
 * input ends, or with this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kvm.h>

/* As counted of a QEMU of libvirt with a disk and a network interface. */
#define EVENTFDS 20
#define EPOLLS 2
#define PIPES 2
#define SOCKET_PAIRS 3
#define PLAIN_FILES 6
#define GUEST_BYTES (16ul << 20)

static int opened(int fd)
{
	if (fd < 0) {
		perror("crowd: a file of a guest");
		_exit(1);
	}
	return fd;
}

static void files_open(void)
{
	sigset_t signals;
	int pair[2], i;

	sigemptyset(&signals);
	opened(signalfd(-1, &signals, 0));
	for (i = 0; i < EVENTFDS; i++)
		opened(eventfd(0, 0));
	for (i = 0; i < EPOLLS; i++)
		opened(epoll_create1(0));
	for (i = 0; i < PIPES; i++)
		opened(pipe(pair));
	for (i = 0; i < SOCKET_PAIRS; i++)
		opened(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (i = 0; i < PLAIN_FILES; i++)
		opened(open("/proc/self/exe", O_RDONLY));
	/* Not every host has it, and it takes no part in finding guests. */
	if (open("/dev/net/tun", O_RDWR) < 0)
		opened(open("/dev/null", O_RDWR));
}

/* A VM with one memory slot and one vCPU. */
static void vm_make(void)
{
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_BYTES };
	int kvm = opened(open("/dev/kvm", O_RDWR));
	int vm = opened(ioctl(kvm, KVM_CREATE_VM, 0));
	void *memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	region.userspace_addr = (uintptr_t)memory;
	opened(memory == MAP_FAILED ? -1 : 0);
	opened(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	opened(ioctl(vm, KVM_CREATE_VCPU, 0));
}

/* Guests that start at the same moment only stand in each other's way. */
static pid_t guest_start(int ready)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	files_open();
	vm_make();
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int guests_start(pid_t *pids, unsigned int count, unsigned int at_once)
{
	unsigned int started = 0, done = 0;
	int ready[2];
	char byte;

	opened(pipe2(ready, O_CLOEXEC));
	while (done < count) {
		while (started < count && started - done < at_once) {
			pids[started] = guest_start(ready[1]);
			if (pids[started++] < 0)
				return -errno;
		}
		/* One that failed never says that it is ready. */
		if (waitpid(-1, NULL, WNOHANG) > 0)
			return -ECHILD;
		if (read(ready[0], &byte, 1) != 1)
			return -errno;
		done++;
	}
	close(ready[0]);
	close(ready[1]);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, i;
	pid_t *pids;
	char byte;
	int ret;

	if (!count) {
		fputs("usage: crowd COUNT\n"
		      "Holds COUNT guests, one a process, until the standard input ends.\n"
		      "Prints the pid of one of them when all are there.\n", stderr);
		return 2;
	}
	pids = calloc(count, sizeof(*pids));
	ret = pids ? guests_start(pids, count, 2) : -ENOMEM;
	if (ret) {
		fprintf(stderr, "crowd: %s\n", strerror(-ret));
		return 1;
	}
	printf("%d\n", (int)pids[count / 2]);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
