/* SPDX-License-Identifier: GPL-2.0 */
/*
 * psp_sim: a stand-in for AMD's security processor and its driver, ccp, so that
 * the kernel's own kvm_amd offers SEV, SEV-ES and SEV-SNP where there is none.  For tests
 * in virtual machines only: nothing is encrypted.
 *
 *   main      parameters, load and unload
 *   ccp       the driver's exports, as kvm_amd links to them
 *   firmware  what the processor does: commands, guests, ASIDs
 *   snp       the same for SEV-SNP, where the kernel has that
 *   rmp       which guest each page belongs to
 *   leak      slots that are not given back
 *   chardev   /dev/sev
 *   cpu       what CPUID and registers say
 *   debugfs   to look at it and to make it fail
 *
 * ccp.c is built under the include list of the real driver and must not see a
 * type that one does not: keep this header free of includes.
 */
#ifndef PSP_SIM_H
#define PSP_SIM_H

struct file;
struct seq_file;
struct sev_user_data_snp_status;

#define PSP_SIM_API_MAJOR 1
#define PSP_SIM_API_MINOR 55
#define PSP_SIM_BUILD 3

extern unsigned int psp_sim_max_asid;
extern unsigned int psp_sim_min_sev_asid;
extern unsigned int psp_sim_cbit;
extern bool psp_sim_snp;
/* The last ASID that SEV-SNP has to itself; 0: it shares them with SEV-ES. */
extern unsigned int psp_sim_max_snp_asid;

/*
 * One command of the firmware's.  @data is the command buffer, which begins with
 * the guest's handle where the command is about a guest.
 * Returns 0, or -EIO with the firmware's code in @ret_fw_error.
 */
int psp_sim_command(int id, void *data, int *ret_fw_error);

/* Makes the next @count commands of this name fail with @fw_error. */
int psp_sim_fail_next(const char *name, unsigned int fw_error, unsigned int count);

/* Makes the next @count commands of this name begin @ms milliseconds late. */
int psp_sim_slow_next(const char *name, unsigned int ms, unsigned int count);

void psp_sim_show_guests(struct seq_file *m);
void psp_sim_show_commands(struct seq_file *m);
int psp_sim_firmware_init(void);
void psp_sim_firmware_exit(void);

/* Not on kernels before 6.11, whose KVM has no SEV-SNP: Kbuild looks. */
#ifdef PSP_SIM_HAS_SNP
void psp_sim_snp_platform_status(struct sev_user_data_snp_status *ret_status);
int psp_sim_snp_init(void);
void psp_sim_snp_exit(void);
#else
static inline int psp_sim_snp_init(void)
{
	return psp_sim_snp ? -EOPNOTSUPP : 0;
}

static inline void psp_sim_snp_exit(void)
{
}
#endif

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

/* What one bit of a register of that name is from now on. */
int psp_sim_msr_set(const char *name, unsigned int bit, unsigned int value);
int psp_sim_cpu_init(void);
void psp_sim_cpu_exit(void);

void psp_sim_debugfs_init(void);
void psp_sim_debugfs_exit(void);

#endif
