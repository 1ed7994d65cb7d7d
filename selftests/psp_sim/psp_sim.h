/* SPDX-License-Identifier: GPL-2.0 */
/*
 * psp_sim: a stand-in for AMD's security processor and its driver, ccp, so that
 * the kernel's own kvm_amd offers SEV and SEV-ES where there is none.  For tests
 * in virtual machines only: nothing is encrypted.
 *
 *   main      parameters, load and unload
 *   ccp       the driver's exports, as kvm_amd links to them
 *   firmware  what the processor does: commands, guests, ASIDs
 *   leak      slots that are not given back
 *   chardev   /dev/sev
 *   cpu       what CPUID says
 *   debugfs   to look at it and to make it fail
 *
 * ccp.c is built under the include list of the real driver and must not see a
 * type that one does not: keep this header free of includes.
 */
#ifndef PSP_SIM_H
#define PSP_SIM_H

struct file;
struct seq_file;

#define PSP_SIM_API_MAJOR 1
#define PSP_SIM_API_MINOR 55
#define PSP_SIM_BUILD 3

extern unsigned int psp_sim_max_asid;
extern unsigned int psp_sim_min_sev_asid;
extern unsigned int psp_sim_cbit;

/*
 * One command of the firmware's.  @data is the command buffer, which begins with
 * the guest's handle where the command is about a guest.
 * Returns 0, or -EIO with the firmware's code in @ret_fw_error.
 */
int psp_sim_command(int id, void *data, int *ret_fw_error);

/* Makes the next @count commands of this name fail with @fw_error. */
int psp_sim_fail_next(const char *name, unsigned int fw_error, unsigned int count);

void psp_sim_show_guests(struct seq_file *m);
void psp_sim_show_commands(struct seq_file *m);
int psp_sim_firmware_init(void);
void psp_sim_firmware_exit(void);

/* Keeps the charge of the next @count guests that go; 0: gives all back. */
void psp_sim_leak_next(unsigned int count);
/* The running task is about to give the slot of a guest back. */
void psp_sim_leak_may_follow(void);
void psp_sim_show_leaks(struct seq_file *m);
int psp_sim_leak_init(void);
void psp_sim_leak_exit(void);

int psp_sim_chardev_init(void);
void psp_sim_chardev_exit(void);
bool psp_sim_chardev_is(const struct file *file);

int psp_sim_cpu_init(void);
void psp_sim_cpu_exit(void);

void psp_sim_debugfs_init(void);
void psp_sim_debugfs_exit(void);

#endif
