// SPDX-License-Identifier: GPL-2.0
/*
 * The pass over the open files of all processes.
 *
 * KVM's own list of VMs is not exported, but each VM in use is held by an open
 * file of some process: its own or a vCPU's, one of its statistics or devices, or
 * its guest_memfd. While files_struct::file_lock is held, the table's reference
 * keeps such a file, and the file its VM, so nothing needs a reference of ours
 * and nothing outlives the pass but numbers. A VM that is held by nothing but a
 * mapping, or a file on its way through a socket, is not found; its slot shows as
 * one that the kernel counts and no guest has.
 *
 * The pass is one RCU read-side section and never sleeps, so that nobody can
 * hide a guest by handing its file on while we wait. It takes the locks that
 * close() and exit take, one process at a time: for as long as it takes to walk
 * one table, some 10 ns a file. How long it is in all is in the hands of any user
 * who opens files, so it gives up above a number of them that no host needs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "file.h"
#include "guest.h"
#include "layout.h"
#include "pass.h"
#include "sev.h"
#include "vm.h"

#define NO_HOLDER U32_MAX

/*
 * Tenths of a second, and far more files than memory is bought for. Half a GiB of
 * file tables is beyond it, though, and any user who is let have as much can make
 * it that nobody knows the guests, so that no encrypted one is admitted: better
 * than a host that stands still. The log then names the process with the most.
 */
static unsigned int files_max = 64 << 20;
module_param(files_max, uint, 0644);
MODULE_PARM_DESC(files_max, "Open files of all processes beyond which guests are not known");

/* A memory slot of a guest, or a vCPU, is as dear as so many files that follow each other. */
#define FILES_PER_SLOT 8

/* From this size on a table is not walked again for everybody who shares it. */
#define LARGE_TABLE 1024
#define LARGE_BITS 4

/*
 * Whom a guest is put down to when several processes have it open: the higher
 * wins, and the first of equals. A process that is on its way out has no mm left
 * to know its guests by, and says nothing about who made them.
 */
enum claim { CLAIM_EXITING, CLAIM_OTHER, CLAIM_MAKER };

/* What tells guests apart during the pass; freed before anybody sees the rest. */
struct seen {
	struct hlist_node by_kvm, by_maker;
	const struct kvm *kvm;
	u64 maker;			/* the memory it was made in, as kvmward_vm_mm_id() */
	enum claim claim;
};

/* A table that was walked, and by whom we came to it. */
struct large {
	const struct files_struct *files;
	const struct task_struct *owner;
};

struct pass {
	struct kvmward_snapshot *snapshot;
	const struct kvmward_layout *layout;
	struct kvmward_file_kinds kinds;
	struct seen *seen;		/* of the same index as the guest */
	struct hlist_head *by_kvm, *by_maker;	/* one allocation */
	unsigned int bucket_bits;
	bool settling;			/* whose they are; none is added any more */
	struct kvmward_size room;
	u32 missed;			/* guests and holders that there was no room for */
	u32 paths_missed;		/* of cgroups, likewise */
	u64 work, work_max;		/* in files, or what takes as long */
	u64 most_work;			/* that any process has made, ... */
	struct task_struct *busiest;	/* ... and which, while under RCU */
	struct large large[1 << LARGE_BITS];
	const struct cgroup *cgroup;	/* that a path was last asked for, ... */
	const char *cgroup_path;	/* ... and that path */

	/* Of the process at hand. */
	const struct mm_struct *mm;
	u32 holder;			/* NO_HOLDER until a guest is found */
	u32 vhost_net_queues, tap_queues;
};

static enum claim claim_of(const struct pass *pass, const struct kvm *kvm)
{
	if (!pass->mm)
		return CLAIM_EXITING;
	if (pass->layout->vm && kvmward_vm_made_by(kvm, pass->mm))
		return CLAIM_MAKER;
	return CLAIM_OTHER;
}

static struct hlist_head *bucket_of(const struct pass *pass, const struct kvm *kvm)
{
	return &pass->by_kvm[hash_ptr(kvm, pass->bucket_bits)];
}

static struct seen *seen_find(const struct pass *pass, const struct kvm *kvm)
{
	struct seen *seen;

	hlist_for_each_entry(seen, bucket_of(pass, kvm), by_kvm)
		if (seen->kvm == kvm)
			return seen;
	return NULL;
}

/* Room for the process at hand; its facts are filled in when it is done. */
static bool holder_reserve(struct pass *pass)
{
	if (pass->holder != NO_HOLDER)
		return true;
	if (pass->snapshot->holder_count == pass->room.count)
		return false;
	pass->holder = pass->snapshot->holder_count++;
	pass->snapshot->holders[pass->holder] = (struct kvmward_holder){ .cgroup = "" };
	return true;
}

static void guest_assign(struct pass *pass, struct seen *seen, enum claim claim)
{
	struct kvmward_guest *guest = &pass->snapshot->guests[seen - pass->seen];

	seen->claim = claim;
	guest->holder = pass->holder;
	guest->mm_id = claim == CLAIM_MAKER ? (unsigned long)pass->mm : 0;
	guest->vm_fd = (struct kvmward_u32){ };
	guest->orphan = claim == CLAIM_OTHER;
}

/* Known only if both parts of it are. */
static void unmovable_add(struct kvmward_guest *guest)
{
	if (guest->pinned_bytes.known && guest->private_bytes.known)
		guest->unmovable_bytes = kvmward_u64(guest->pinned_bytes.value +
						     guest->private_bytes.value);
}

static struct seen *guest_add(struct pass *pass, struct kvm *kvm)
{
	u32 index = pass->snapshot->guest_count++;
	struct kvmward_guest *guest = &pass->snapshot->guests[index];
	struct seen *seen = &pass->seen[index];

	*guest = (struct kvmward_guest){ };
	seen->kvm = kvm;
	seen->maker = pass->layout->vm ? kvmward_vm_mm_id(kvm) : 0;
	hlist_add_head(&seen->by_kvm, bucket_of(pass, kvm));
	if (pass->layout->vm)
		pass->work += FILES_PER_SLOT * (u64)kvmward_vm_read(kvm, guest);
	if (pass->layout->sev)
		kvmward_sev_read(&pass->layout->sev_layout, kvm, guest);
	unmovable_add(guest);
	return seen;
}

/* vm_fd: the file that was met, if it is the VM's own */
static void guest_scan(struct pass *pass, struct kvm *kvm, const unsigned int *vm_fd)
{
	struct kvmward_snapshot *snapshot = pass->snapshot;
	struct seen *seen = seen_find(pass, kvm);
	enum claim claim = claim_of(pass, kvm);
	struct kvmward_guest *guest;

	if (!seen && pass->settling)
		return;
	if (!seen || claim > seen->claim) {
		if ((!seen && snapshot->guest_count == pass->room.count) || !holder_reserve(pass)) {
			pass->missed++;
			return;
		}
		if (!seen)
			seen = guest_add(pass, kvm);
		guest_assign(pass, seen, claim);
	}
	guest = &snapshot->guests[seen - pass->seen];
	if (vm_fd && guest->holder == pass->holder && !guest->vm_fd.known)
		guest->vm_fd = kvmward_u32(*vm_fd);
}

/* A file that holds a VM without being its own, for who knows where to look. */
static void ref_scan(struct pass *pass, const struct file *file, struct kvmward_u32 offset)
{
	if (offset.known)
		guest_scan(pass, kvmward_vm_of_ref(file->private_data, offset.value), NULL);
}

/* Under files_struct::file_lock. */
static void file_scan(struct pass *pass, struct file *file, unsigned int fd)
{
	switch (kvmward_file_kind(&pass->kinds, file)) {
	case KVMWARD_FILE_VM:
		guest_scan(pass, file->private_data, &fd);
		break;
	case KVMWARD_FILE_VM_STATS:
		guest_scan(pass, file->private_data, NULL);
		break;
	case KVMWARD_FILE_VCPU:
		/* It holds its VM too, for who can look inside. */
		if (pass->layout->vm)
			guest_scan(pass, kvmward_vm_of_vcpu(file->private_data), NULL);
		break;
	case KVMWARD_FILE_DEVICE:
		ref_scan(pass, file, pass->layout->refs.device);
		break;
	case KVMWARD_FILE_GUEST_MEMFD:
		ref_scan(pass, file, pass->layout->refs.memfd);
		break;
	case KVMWARD_FILE_VHOST_NET:
		pass->vhost_net_queues++;
		break;
	case KVMWARD_FILE_TAP:
		pass->tap_queues++;
		break;
	case KVMWARD_FILE_OTHER:
		break;
	}
}

static bool spent(const struct pass *pass)
{
	return pass->work > pass->work_max;
}

/*
 * What iterate_fd() does, without a call for each file: there are dozens in a
 * process, and nearly all of them are done with in a few instructions. Under
 * files_struct::file_lock no file is there whose bit is not: fd_install(), which
 * does without the lock, comes after the bit.
 */
static void word_scan(struct pass *pass, const struct files_struct *files,
		      const struct fdtable *fdt, unsigned int word)
{
	unsigned long open = fdt->open_fds[word];

	pass->work += 1 + hweight_long(open);
	for (; open; open &= open - 1) {
		unsigned int fd = word * BITS_PER_LONG + __ffs(open);
		struct file *file = rcu_dereference_check_fdtable(files, fdt->fd[fd]);

		if (file)
			file_scan(pass, file, fd);
	}
}

static void files_scan(struct pass *pass, struct files_struct *files)
{
	const struct fdtable *fdt;
	unsigned int word, words;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	words = fdt->max_fds / BITS_PER_LONG;
	for (word = 0; word < words && !spent(pass); word++)
		word_scan(pass, files, fdt, word);
	spin_unlock(&files->file_lock);
}

static void mm_read(struct kvmward_holder *holder, const struct mm_struct *mm)
{
	u64 locked, pinned;

	if (!mm)
		return;
	locked = READ_ONCE(mm->locked_vm);
	pinned = atomic64_read(&mm->pinned_vm);
	holder->mm_locked_bytes = kvmward_u64(locked << PAGE_SHIFT);
	holder->mm_pinned_bytes = kvmward_u64(pinned << PAGE_SHIFT);
}

/*
 * Under RCU, for all of which a cgroup's address means no other. Many guests in a
 * row may be of one cgroup, and the kernel makes each path with interrupts off.
 */
static void cgroup_fill(struct pass *pass, struct kvmward_holder *holder,
			struct task_struct *process)
{
	struct kvmward_snapshot *snapshot = pass->snapshot;
	struct cgroup *cgroup = task_dfl_cgroup(process);
	char *path = snapshot->text + snapshot->text_size;
	int len;

	if (cgroup == pass->cgroup) {
		holder->cgroup = pass->cgroup_path;
		return;
	}
	if (pass->room.text - snapshot->text_size < KVMWARD_CGROUP_SIZE) {
		pass->paths_missed++;
		return;
	}
	len = cgroup_path(cgroup, path, KVMWARD_CGROUP_SIZE);
	if (len < 0 || len >= KVMWARD_CGROUP_SIZE)
		return;
	holder->cgroup = path;
	pass->cgroup = cgroup;
	pass->cgroup_path = path;
	snapshot->text_size += len + 1;
}

/* Under RCU, of a thread group leader. */
static void holder_fill(struct kvmward_holder *holder, struct task_struct *process)
{
	holder->pid = task_tgid_nr(process);
	holder->uid = from_kuid(&init_user_ns, task_uid(process));
	holder->start_time_ns = process->start_boottime;
	/* Its writers keep it terminated; a name cut in two does no harm. */
	strscpy(holder->comm, process->comm, sizeof(holder->comm));
}

static bool files_shared(const struct task_struct *a, const struct task_struct *b)
{
	return READ_ONCE(a->files) == READ_ONCE(b->files);
}

/* Under task_lock(). */
static bool is_large(const struct task_struct *thread)
{
	/* Unlocked: as large as it is, or was a moment ago. */
	return READ_ONCE(rcu_dereference_raw(thread->files->fdt)->max_fds) >= LARGE_TABLE;
}

/*
 * Was the table of this thread walked before, for another process that it shares it
 * with? The address alone would not tell: a table is freed at once. It is still the
 * same while it is that of the task that we came by, which RCU keeps from being
 * freed. A process that made a guest comes to its own when makers are settled.
 */
static bool is_walked(struct pass *pass, const struct task_struct *thread)
{
	struct large *large = &pass->large[hash_ptr(thread->files, LARGE_BITS)];

	if (pass->settling || !thread->mm || !is_large(thread))
		return false;
	if (large->files == thread->files && READ_ONCE(large->owner->files) == thread->files)
		return true;
	*large = (struct large){ thread->files, thread };
	return false;
}

/* task_lock() keeps both the table and the mm of a thread in place. */
static void thread_scan(struct pass *pass, struct task_struct *thread)
{
	task_lock(thread);
	pass->mm = thread->mm;
	if (thread->files && !is_walked(pass, thread))
		files_scan(pass, thread->files);
	if (pass->holder != NO_HOLDER)
		mm_read(&pass->snapshot->holders[pass->holder], thread->mm);
	task_unlock(thread);
}

/*
 * Threads nearly always share one table. Each is compared with the leader and
 * with the thread before it only, so that a process of very many threads, each
 * with a table of its own, cannot make the pass quadratic. A table that is met
 * twice for that gives its guests once all the same, its queues twice.
 */
static void threads_scan(struct pass *pass, struct task_struct *process)
{
	struct task_struct *thread, *previous = NULL;

	/* for_each_thread(), which under PROVE_RCU_LIST names a lock that modules lack. */
	list_for_each_entry_rcu(thread, &process->signal->thread_head, thread_node) {
		if (spent(pass))
			break;
		pass->work++;
		if ((thread == process || !files_shared(thread, process)) &&
		    (!previous || !files_shared(thread, previous)))
			thread_scan(pass, thread);
		previous = thread;
	}
}

static void process_scan(struct pass *pass, struct task_struct *process)
{
	struct kvmward_holder *holder;
	u64 before = pass->work;

	pass->holder = NO_HOLDER;
	pass->vhost_net_queues = 0;
	pass->tap_queues = 0;
	threads_scan(pass, process);
	if (pass->work - before > pass->most_work) {
		pass->most_work = pass->work - before;
		pass->busiest = process;
	}
	if (pass->holder == NO_HOLDER)
		return;
	holder = &pass->snapshot->holders[pass->holder];
	holder_fill(holder, process);
	cgroup_fill(pass, holder, process);
	holder->vhost_net_queues = pass->vhost_net_queues;
	holder->tap_queues = pass->tap_queues;
}

static struct hlist_head *makers_bucket(const struct pass *pass, u64 maker)
{
	return &pass->by_maker[hash_64(maker, pass->bucket_bits)];
}

/* Of the guests that nobody who was met has made. Returns whether there are any. */
static bool makers_wanted(struct pass *pass)
{
	bool any = false;
	u32 i;

	for (i = 0; i < pass->snapshot->guest_count; i++) {
		struct seen *seen = &pass->seen[i];

		if (!seen->maker || seen->claim == CLAIM_MAKER)
			continue;
		hlist_add_head(&seen->by_maker, makers_bucket(pass, seen->maker));
		any = true;
	}
	return any;
}

/* Under RCU. 0 once all its threads are on their way out. */
static u64 process_mm_id(struct task_struct *process)
{
	struct task_struct *thread;
	unsigned long mm = 0;

	list_for_each_entry_rcu(thread, &process->signal->thread_head, thread_node) {
		mm = (unsigned long)READ_ONCE(thread->mm);
		if (mm)
			break;
	}
	return mm;
}

static bool is_wanted(const struct pass *pass, u64 maker)
{
	struct seen *seen;

	hlist_for_each_entry(seen, makers_bucket(pass, maker), by_maker)
		if (seen->maker == maker)
			return true;
	return false;
}

/* Kernel threads may borrow the mm and the files of a process, and own none. */
static bool has_files(const struct task_struct *process)
{
	return !(process->flags & PF_KTHREAD);
}

/*
 * Who was met before it made a VM, and whose child or friend with the same file
 * was met after, is not to lose its guest to them: it is looked at once more.
 */
static void makers_settle(struct pass *pass)
{
	struct task_struct *process;

	pass->settling = true;
	for_each_process(process) {
		if (spent(pass))
			break;
		if (has_files(process) && is_wanted(pass, process_mm_id(process)))
			process_scan(pass, process);
	}
}

/* Under RCU, once the pass has given up. */
static void spent_tell(const struct pass *pass)
{
	struct kvmward_holder holder = { };

	holder_fill(&holder, pass->busiest);
	pr_warn_ratelimited("more than %llu open files (files_max): which guests there are is not known; process %u (%s) of user %u has the most of them, %llu\n",
			    pass->work_max, holder.pid, holder.comm, holder.uid, pass->most_work);
}

static void processes_scan(struct pass *pass)
{
	struct task_struct *process;

	rcu_read_lock();
	for_each_process(process) {
		if (spent(pass))
			break;
		if (has_files(process))
			process_scan(pass, process);
	}
	if (makers_wanted(pass))
		makers_settle(pass);
	if (spent(pass))
		spent_tell(pass);
	rcu_read_unlock();
}

static int pass_alloc(struct pass *pass)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	pass->bucket_bits = order_base_2(pass->room.count);
	pass->by_kvm = kvcalloc(2UL << pass->bucket_bits, sizeof(*pass->by_kvm), gfp);
	pass->by_maker = pass->by_kvm + (1UL << pass->bucket_bits);
	pass->seen = kvmalloc_array(pass->room.count, sizeof(*pass->seen), gfp);
	return pass->by_kvm && pass->seen ? 0 : -ENOMEM;
}

static void pass_done(struct pass *pass)
{
	kvfree(pass->seen);
	kvfree(pass->by_kvm);
}

static u32 at_most_fourfold(u64 guess, u32 room)
{
	return min(guess, 4ULL * room);
}

/*
 * A guest that was missed counts once for each of its files, of which anybody can
 * have millions, and how long a path is was not asked: a guess is trusted that far
 * and no further. If it was right all the same, the next pass comes closer.
 */
static struct kvmward_size size_needed(const struct pass *pass)
{
	const struct kvmward_snapshot *snapshot = pass->snapshot;
	u64 count = max(snapshot->guest_count, snapshot->holder_count);
	u64 text = snapshot->text_size + (u64)pass->missed * KVMWARD_CGROUP_USUAL +
		   (u64)pass->paths_missed * KVMWARD_CGROUP_SIZE;

	return (struct kvmward_size){
		.count = at_most_fourfold(count + pass->missed, pass->room.count),
		.text = at_most_fourfold(text, pass->room.text),
	};
}

int kvmward_pass_run(struct kvmward_snapshot *snapshot, const struct kvmward_layout *layout,
		     struct kvmward_size room, struct kvmward_size *ret_needed)
{
	struct pass pass = {
		.snapshot = snapshot, .layout = layout, .room = room,
		.work_max = READ_ONCE(files_max),
	};
	int ret = pass_alloc(&pass);

	if (!ret)
		processes_scan(&pass);
	if (!ret && spent(&pass))
		ret = -ENFILE;
	if (!ret) {
		*ret_needed = size_needed(&pass);
		if (pass.missed || pass.paths_missed)
			ret = -ENOSPC;
	}
	pass_done(&pass);
	return ret;
}
