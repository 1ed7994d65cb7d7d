// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/psp_sim, what a test sees and steers:
 *
 *   guests    read: each guest known to the firmware, one a line
 *   commands  read: how often each command was issued, and how often it failed
 *   fail      write "NAME FW_ERROR COUNT": the next COUNT such commands fail
 *   slow      write "NAME MS COUNT": the next COUNT such commands begin MS ms late
 *   msr       write "REGISTER BIT 0" or 1: what this bit is from now on
 *   leak      write COUNT: the next COUNT guests leave their charge behind;
 *             0 gives back what was left; read: what is left
 *   charge    write COUNT: so often a SEV slot is charged and given back at once,
 *             with no guest and faster than there could be any
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/misc_cgroup.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "psp_sim.h"

#define LINE_MAX_BYTES 64

static struct dentry *directory;

/* Copies what was written to @line, which holds LINE_MAX_BYTES. */
static int line_get(char *line, const char __user *buf, size_t count)
{
	if (count >= LINE_MAX_BYTES)
		return -EINVAL;
	if (copy_from_user(line, buf, count))
		return -EFAULT;
	line[count] = '\0';
	return 0;
}

static int guests_show(struct seq_file *m, void *unused)
{
	psp_sim_show_guests(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(guests);

static int commands_show(struct seq_file *m, void *unused)
{
	psp_sim_show_commands(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(commands);

/* "NAME NUMBER NUMBER": what is to be said from now on under that name. */
typedef int (*named_fn)(const char *name, unsigned int number, unsigned int value);

static ssize_t named_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	named_fn set = file->private_data;
	char line[LINE_MAX_BYTES], name[32];
	unsigned int number, value;
	int ret = line_get(line, buf, count);

	if (ret)
		return ret;
	if (sscanf(line, "%31s %u %u", name, &number, &value) != 3)
		return -EINVAL;
	ret = set(name, number, value);
	return ret ?: count;
}

static const struct file_operations named_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = named_write,
	.llseek = noop_llseek,
};

static int leak_show(struct seq_file *m, void *unused)
{
	psp_sim_show_leaks(m);
	return 0;
}

static int leak_open(struct inode *inode, struct file *file)
{
	return single_open(file, leak_show, NULL);
}

static ssize_t leak_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char line[LINE_MAX_BYTES];
	unsigned int times;
	int ret = line_get(line, buf, count);

	ret = ret ?: kstrtouint(strstrip(line), 10, &times);
	if (ret)
		return ret;
	psp_sim_leak_next(times);
	return count;
}

static const struct file_operations leak_fops = {
	.owner = THIS_MODULE,
	.open = leak_open,
	.read = seq_read,
	.write = leak_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static ssize_t charge_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct misc_cg *cg = get_current_misc_cg();
	unsigned int times;
	int ret = kstrtouint_from_user(buf, count, 10, &times);

	for (; !ret && times; times--) {
		ret = misc_cg_try_charge(MISC_CG_RES_SEV, cg, 1);
		if (!ret)
			misc_cg_uncharge(MISC_CG_RES_SEV, cg, 1);
		cond_resched();
	}
	put_misc_cg(cg);
	return ret ?: count;
}

static const struct file_operations charge_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = charge_write,
	.llseek = noop_llseek,
};

/* debugfs is not needed to run: as everywhere, its errors are not looked at. */
void psp_sim_debugfs_init(void)
{
	directory = debugfs_create_dir("psp_sim", NULL);
	debugfs_create_file("guests", 0400, directory, NULL, &guests_fops);
	debugfs_create_file("commands", 0400, directory, NULL, &commands_fops);
	debugfs_create_file("fail", 0200, directory, psp_sim_fail_next, &named_fops);
	debugfs_create_file("slow", 0200, directory, psp_sim_slow_next, &named_fops);
	debugfs_create_file("msr", 0200, directory, psp_sim_msr_set, &named_fops);
	debugfs_create_file("leak", 0600, directory, NULL, &leak_fops);
	debugfs_create_file("charge", 0200, directory, NULL, &charge_fops);
}

void psp_sim_debugfs_exit(void)
{
	debugfs_remove(directory);
}
