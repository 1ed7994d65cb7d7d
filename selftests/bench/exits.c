// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exits: the price of a guest's exits. The guest does nothing else: CPUID, which
 * the kernel answers itself, and now and then a write to a port, which comes
 * back to here. For each line on the standard input one sample is taken: the
 * nanoseconds of one exit.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <linux/kvm.h>

#define ENTRY 0x1000
#define GUEST_BYTES 0x4000
#define CPUIDS 100
#define LOOPS 40

static const uint8_t code[] = {
	0xbe, CPUIDS, 0,	/* 0: mov $CPUIDS, %si */
	0x0f, 0xa2,		/* 3: cpuid */
	0x4e,			/*    dec %si */
	0x75, 0xfb,		/*    jnz 3 */
	0xe6, 0x10,		/*    out %al, $0x10 */
	0xeb, 0xf4,		/*    jmp 0 */
};

static struct kvm_run *run;
static int vcpu;

static int must(int ret, const char *what)
{
	if (ret < 0) {
		perror(what);
		exit(1);
	}
	return ret;
}

static void *map(size_t size, int flags, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	must(memory == MAP_FAILED ? -1 : 0, "exits: mmap");
	return memory;
}

static void guest_make(void)
{
	int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "exits: /dev/kvm");
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "exits: KVM_CREATE_VM");
	char *memory = map(GUEST_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_BYTES,
		.userspace_addr = (uintptr_t)memory,
	};
	struct kvm_regs regs = { .rip = ENTRY, .rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(memory + ENTRY, code, sizeof(code));
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "exits: memory");
	vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "exits: KVM_CREATE_VCPU");
	run = map(must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "exits: size"), MAP_SHARED, vcpu);
	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "exits: KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "exits: KVM_SET_SREGS");
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "exits: KVM_SET_REGS");
}

static void loop_run(void)
{
	must(ioctl(vcpu, KVM_RUN, 0), "exits: KVM_RUN");
	if (run->exit_reason != KVM_EXIT_IO) {
		fprintf(stderr, "exits: exit %u is none of ours\n", run->exit_reason);
		exit(1);
	}
}

static double sample(void)
{
	struct timespec begin, end;
	unsigned int i;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < LOOPS; i++)
		loop_run();
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - begin.tv_sec) * 1e9 + end.tv_nsec - begin.tv_nsec) /
	       (LOOPS * (CPUIDS + 1));
}

int main(void)
{
	char line[16];

	guest_make();
	loop_run();
	while (fgets(line, sizeof(line), stdin)) {
		printf("%.1f\n", sample());
		fflush(stdout);
	}
	return 0;
}
