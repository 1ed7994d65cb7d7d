/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to learn which guests a host has, each as good as it can be made. */
#ifndef METHOD_H
#define METHOD_H

#include <stddef.h>
#include <stdint.h>

#define METHOD_UNKNOWN UINT64_MAX

/* What one run found and what it took. */
struct method_result {
	uint64_t guests;	/* METHOD_UNKNOWN: it does not say */
	uint64_t calls;		/* system calls of this process; METHOD_UNKNOWN: not counted */
	uint64_t bytes;		/* that the answer had; METHOD_UNKNOWN: not counted */
};

struct method {
	const char *name;
	/* Both 0 or negative errno. What setup opens stays open, as a service keeps it. */
	int (*setup)(void);
	int (*run)(struct method_result *ret_result);
};

extern const struct method method_dump;		/* GUEST_GET, dump */
extern const struct method method_slots;	/* SLOT_GET, dump */
extern const struct method method_walk;		/* links of /proc/PID/fd */
extern const struct method method_walk_facts;	/* and what /proc says of who holds them */
extern const struct method method_find;		/* the same links by the command "find" */
extern const struct method method_debugfs_list;	/* names in KVM's debugfs, nothing read */
extern const struct method method_debugfs;	/* each file there */
extern const struct method method_domstats;	/* libvirt, all groups of all domains */
extern const struct method method_exporter;	/* one scrape of prometheus-libvirt-exporter */
extern const struct method method_guests;	/* the command "kvmward guests" */
extern const struct method method_metrics;	/* the command "kvmward metrics" */
extern const struct method method_virsh;	/* the command "virsh domstats" */
extern const struct method method_empty;	/* an empty C program: what any costs */
extern const struct method method_hook;		/* kvmward-hook, of a guest that may start */
extern const struct method method_hook_help;	/* kvmward-hook --help: the program alone */
extern const struct method method_look;		/* kvmward-hook, of a guest that has started: kvmwardd looks */
extern const struct method method_spin;		/* no work at all, for a moment */

/* For walks of directories: one directory at a time, by the bare system call. */
struct linux_dirent;
typedef int (*method_entry_fn)(int dir, const char *name, unsigned char type,
			       struct method_result *result);

/*
 * Opens the directory and calls back for each entry but . and .. of it. 0; or
 * negative errno, of opening it or of the callback. Adds its calls to result.
 */
int method_each_entry(int parent, const char *path, method_entry_fn entry,
		      struct method_result *result);

#endif
