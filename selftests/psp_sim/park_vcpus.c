// SPDX-License-Identifier: GPL-2.0
/*
 * park_vcpus: what the vCPUs of encrypted guests need of a processor that knows
 * nothing of them.
 *
 * SEV-ES: to run such a vCPU, kvm_amd relies on the processor to restore the
 * host's registers after VMRUN.  One without SEV-ES does not, and the host would
 * be lost at the first entry.  So entering such a vCPU returns at once, as if it
 * had executed HLT: it starts, is suspended, resumed and destroyed like any
 * other, it just never runs.
 *
 * SEV: the guest runs, but kvm_amd does not decode its instructions, as it could
 * not read them; it relies on the processor to report where the next one begins
 * (NRIPS), which QEMU's does not.  Those whose length is known are helped.
 *
 * kvm_amd may come and go; the probes follow it.  Load this before kvm_amd.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <asm/svm.h>

#include "probe_return.h"

/* Later kernels name the word and its bits otherwise. */
#ifdef SVM_MISC_ENABLE_SEV
#define control_has_sev(control) ((control)->misc_ctl & SVM_MISC_ENABLE_SEV)
#else
#define control_has_sev(control) ((control)->nested_ctl & SVM_NESTED_CTL_SEV_ENABLE)
#endif

/* The head of kvm_amd's private struct vcpu_svm: alike on 6.1, 6.12 and 7.2. */
struct vcpu_svm_head {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

static unsigned long parked;
module_param(parked, ulong, 0444);
MODULE_PARM_DESC(parked, "entries answered with HLT so far");

static struct vmcb *vmcb_of(struct kvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vcpu_svm_head, vcpu)->vmcb;
}
NOKPROBE_SYMBOL(vmcb_of);

/* svm_vcpu_run(struct kvm_vcpu *vcpu, ...) */
static int run_pre(struct kprobe *probe, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
	struct vmcb_control_area *control;

	if (!vcpu->arch.guest_state_protected)
		return 0;
	control = &vmcb_of(vcpu)->control;
	control->exit_code = SVM_EXIT_HLT;
	control->exit_info_1 = 0;
	control->exit_info_2 = 0;
	control->exit_int_info = 0;
	control->event_inj = 0;
	parked++;
	return probe_answer(regs, EXIT_FASTPATH_NONE);
}
NOKPROBE_SYMBOL(run_pre);

/* 0: an instruction of no fixed length, or no instruction. */
static unsigned int instruction_bytes(u32 exit_code)
{
	switch (exit_code) {
	case SVM_EXIT_HLT:
		return 1;
	case SVM_EXIT_CPUID:
	case SVM_EXIT_MSR:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_PAUSE:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
		return 2;
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_XSETBV:
		return 3;
	default:
		return 0;
	}
}
NOKPROBE_SYMBOL(instruction_bytes);

/* svm_skip_emulated_instruction(struct kvm_vcpu *vcpu) */
static int skip_pre(struct kprobe *probe, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
	struct vmcb *vmcb = vmcb_of(vcpu);
	unsigned int bytes = instruction_bytes(vmcb->control.exit_code);

	if (vcpu->arch.guest_state_protected || !control_has_sev(&vmcb->control))
		return 0;
	/* No exit clears it here: what is not known must not look known. */
	vmcb->control.next_rip = bytes ? vmcb->save.rip + bytes : 0;
	return 0;
}
NOKPROBE_SYMBOL(skip_pre);

#define PROBES 2
static struct kprobe probes[PROBES];
static bool is_probed;

static int probe_kvm_amd(void)
{
	struct kprobe *list[PROBES] = { &probes[0], &probes[1] };
	int ret;

	/* Blank at every load: a probe whose module is gone keeps its address. */
	probes[0] = (struct kprobe) {
		.symbol_name = "svm_vcpu_run",
		.pre_handler = run_pre,
		.post_handler = probe_post,
	};
	probes[1] = (struct kprobe) {
		.symbol_name = "svm_skip_emulated_instruction",
		.pre_handler = skip_pre,
	};
	ret = register_kprobes(list, PROBES);
	is_probed = !ret;
	if (ret)
		pr_err("park_vcpus: no probes in kvm_amd: %d\n", ret);
	return ret;
}

static void unprobe_kvm_amd(void)
{
	struct kprobe *list[PROBES] = { &probes[0], &probes[1] };

	if (is_probed)
		unregister_kprobes(list, PROBES);
	is_probed = false;
}

/*
 * Without the first probe a SEV-ES guest would take the host with it: kvm_amd is
 * refused then.
 */
static int module_event(struct notifier_block *block, unsigned long event, void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "kvm_amd"))
		return NOTIFY_DONE;
	if (event == MODULE_STATE_COMING)
		return notifier_from_errno(probe_kvm_amd());
	if (event == MODULE_STATE_GOING)
		unprobe_kvm_amd();
	return NOTIFY_OK;
}

static struct notifier_block module_block = {
	.notifier_call = module_event,
};

static int __init park_vcpus_init(void)
{
	return register_module_notifier(&module_block);
}

static void __exit park_vcpus_exit(void)
{
	unregister_module_notifier(&module_block);
	unprobe_kvm_amd();
}

module_init(park_vcpus_init);
module_exit(park_vcpus_exit);
MODULE_DESCRIPTION("Park or help vCPUs of encrypted guests (tests only)");
MODULE_LICENSE("GPL");
