/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest without a disk that is as cheap as one can be and still does what moving
 * guests wants of it: it switches itself off when its power button is pressed.  With
 * BUSY defined it also changes its memory all the time, 18 times a second PAGES
 * pages of the SET pages from 2 MiB on, and counts the times at COUNT.  With NESTED
 * it runs a guest of its own, which halts for good, and deaf to the button.
 *
 * It takes the place of code that OVMF would run, in the last 64 KiB below 4 GiB,
 * where the processor begins in real mode.  make-image jumps here from the reset
 * vector.  Interrupts go through the copy below 1 MiB, as on any PC.
 */
#define COUNT		0x500	/* 32 bits */
#define NEXT		0x504	/* 32 bits: the page that is next */
#define FIRST_PAGE	0x200000
#define SET		2048
#define PAGES		32
#define PM		0x600	/* I/O ports of the chipset's power management */
#define VECTOR(number)	((number) * 4)
#define VMCB		0x8000	/* AMD APM volume 2, appendix B */
#define HOST_SAVE	0x9000
#define DIRECTORY	0xa000
#define PAGE_4M		0xe3	/* present, writable, accessed, written, of 4 MiB */
#define MSR_APIC_BASE	0x1b
#define APIC_ENABLE	0x800
#define MSR_EFER	0xc0000080
#define MSR_HOST_SAVE	0xc0010117
#define EFER_SVME	0x1000

	.code16
	.globl _start
_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7000, %sp

	/*
	 * Without the local APIC the interrupts of the old controllers come through.  It
	 * could let them pass, but is told so in memory, which KVM cannot emulate for
	 * an encrypted guest without help that TCG's processor does not give.
	 */
	mov	$MSR_APIC_BASE, %ecx
	rdmsr
	and	$~APIC_ENABLE, %ax
	wrmsr

	/* Interrupt controllers: vectors 0x20 and 0x28 on; IRQ 9 alone, and 0 if busy. */
	.macro	put port, value
	mov	$\value, %al
	out	%al, $\port
	.endm
	put	0x20, 0x11
	put	0x21, 0x20
	put	0x21, 0x04
	put	0x21, 0x01
	put	0xa0, 0x11
	put	0xa1, 0x28
	put	0xa1, 0x02
	put	0xa1, 0x01
	put	0xa1, 0xfd
	movw	$button, VECTOR(0x29)
	movw	$0xf000, VECTOR(0x29) + 2

#ifdef BUSY
	/* The timer as slow as it gets; %es with the limits of protected mode. */
	movw	$tick, VECTOR(0x20)
	movw	$0xf000, VECTOR(0x20) + 2
	movl	$0, COUNT
	movl	$FIRST_PAGE, NEXT
	put	0x43, 0x34
	put	0x40, 0
	put	0x40, 0
	lgdtl	%cs:gdt_pointer
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	mov	$8, %bx
	mov	%bx, %es
	and	$0xfe, %al
	mov	%eax, %cr0
	put	0x21, 0xfa
#else
	put	0x21, 0xfb
#endif

	/* The ICH9's bridge, 00:1f.0: PMBASE and ACPI_EN. */
	mov	$0xcf8, %dx
	mov	$0x8000f840, %eax
	outl	%eax, %dx
	mov	$0xcfc, %dx
	mov	$PM | 1, %eax
	outl	%eax, %dx
	mov	$0xcf8, %dx
	mov	$0x8000f844, %eax
	outl	%eax, %dx
	mov	$0xcfc, %dx
	mov	$0x80, %al
	outb	%al, %dx
	/* PM1_EN: the power button */
	mov	$PM + 2, %dx
	mov	$0x100, %ax
	outw	%ax, %dx

#ifdef NESTED
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_SVME, %ax
	wrmsr
	mov	$MSR_HOST_SAVE, %ecx
	mov	$HOST_SAVE, %eax
	xor	%edx, %edx
	wrmsr
	.macro	vmcb offset, value
	movl	$\value, VMCB + \offset
	.endm
	vmcb	0x010, 1		/* VMRUN is to be intercepted, and nothing else is */
	vmcb	0x058, 1		/* ASID */
	vmcb	0x410, 0x009bf000	/* CS: selector and attributes, limit, base */
	vmcb	0x414, 0xffff
	vmcb	0x418, 0xf0000
	vmcb	0x420, 0x00930000	/* SS */
	vmcb	0x424, 0xffff
	vmcb	0x4d0, EFER_SVME
	vmcb	0x558, 0x10		/* CR0: real mode */
	vmcb	0x560, 0x400		/* DR7 */
	vmcb	0x568, 0xffff0ff0	/* DR6 */
	vmcb	0x570, 2		/* RFLAGS: no interrupts */
	vmcb	0x578, nested		/* RIP */
	/* KVM has VMRUN with paging only: memory and this code, each where it is. */
	movl	$PAGE_4M, DIRECTORY
	movl	$0xffc00000 | PAGE_4M, DIRECTORY + 1023 * 4
	mov	$DIRECTORY, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x10, %al
	mov	%eax, %cr4
	mov	%cr0, %eax
	or	$0x80000001, %eax
	mov	%eax, %cr0
	mov	$VMCB, %eax
	vmrun
nested:
	hlt
	jmp	nested
#endif

	sti
idle:
	hlt
	jmp	idle

button:
	/* PM1_CNT: SLP_EN with the type that QEMU has for S5 */
	mov	$PM + 4, %dx
	mov	$0x2000, %ax
	outw	%ax, %dx
	hlt

#ifdef BUSY
tick:
	incl	COUNT
	mov	NEXT, %edi
	mov	$PAGES, %cx
page:
	incl	%es:(%edi)
	add	$4096, %edi
	cmp	$FIRST_PAGE + SET * 4096, %edi
	jb	within
	mov	$FIRST_PAGE, %edi
within:
	loop	page
	mov	%edi, NEXT
	put	0x20, 0x20
	iret

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf93000000ffff	/* data, 4 GiB from 0; accessed, or the processor would write here */
gdt_pointer:
	.word	. - gdt - 1
	.long	0xf0000 + gdt
#endif
