// SPDX-License-Identifier: GPL-2.0
/*
 * park_vcpus: let a vCPU with encrypted register state look idle.
 *
 * To run one, kvm_amd relies on the processor to restore the host's registers
 * after VMRUN, as SEV-ES does.  A processor without SEV-ES does not, and the host
 * would be lost at the first entry.  So entering such a vCPU returns at once, as
 * if it had executed HLT: it starts, is suspended, resumed and destroyed like
 * any other, it just never runs.
 *
 * kvm_amd may come and go; the probe follows it.  Load this before kvm_amd.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <asm/svm.h>

#include "probe_return.h"

/* The head of kvm_amd's private struct vcpu_svm: alike on 6.1, 6.12 and 7.2. */
struct vcpu_svm_head {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

static unsigned long parked;
module_param(parked, ulong, 0444);
MODULE_PARM_DESC(parked, "entries answered with HLT so far");

/* svm_vcpu_run(struct kvm_vcpu *vcpu, ...) */
static int run_pre(struct kprobe *probe, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;
	struct vmcb_control_area *control;

	if (!vcpu->arch.guest_state_protected)
		return 0;
	control = &container_of(vcpu, struct vcpu_svm_head, vcpu)->vmcb->control;
	control->exit_code = SVM_EXIT_HLT;
	control->exit_info_1 = 0;
	control->exit_info_2 = 0;
	control->exit_int_info = 0;
	control->event_inj = 0;
	parked++;
	return probe_answer(regs, EXIT_FASTPATH_NONE);
}
NOKPROBE_SYMBOL(run_pre);

static struct kprobe run_probe;
static bool is_probed;

static int probe_kvm_amd(void)
{
	int ret;

	run_probe = (struct kprobe) {
		.symbol_name = "svm_vcpu_run",
		.pre_handler = run_pre,
		.post_handler = probe_post,
	};
	ret = register_kprobe(&run_probe);
	is_probed = !ret;
	if (ret)
		pr_err("park_vcpus: no probe on svm_vcpu_run: %d\n", ret);
	return ret;
}

static void unprobe_kvm_amd(void)
{
	if (is_probed)
		unregister_kprobe(&run_probe);
	is_probed = false;
}

/*
 * Without the probe a SEV-ES guest would take the host with it: kvm_amd is
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
MODULE_DESCRIPTION("Park SEV-ES vCPUs (tests only)");
MODULE_LICENSE("GPL");
