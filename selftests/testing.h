/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the module share. */
#ifndef TESTING_H
#define TESTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/kvmward.h>

#include "nl.h"

/* Opens the family, or ends the program: skipped when the module is not there. */
void test_open(struct nl *nl);

/* The same for answers that the test cannot do without. */
void test_host(struct nl *nl, struct nl_answer *answer);
void test_slots(struct nl *nl, struct nl_answer *answer);
void test_guests(struct nl *nl, struct nl_answer *answer);

#define TEST_NO_VM_FD (-4096)	/* no errno either, as a VM that could not be made has */

/*
 * The one guest of that process and VM file, or with TEST_NO_VM_FD without one, or
 * NULL; how many it has, and has now.
 */
const struct nl_msg *test_guest_find(const struct nl_answer *guests, pid_t pid, int fd);
unsigned int test_guest_count(const struct nl_answer *guests, pid_t pid);
unsigned int test_guests_of(struct nl *nl, pid_t pid);

/* Below /sys/module: is it there; is it a bool that says yes? */
bool test_module_there(const char *name);
bool test_param_is_yes(const char *path);

/* A number in a file, or after a word in a file of "word number" lines; -1: none. */
long test_file_number(const char *path);
long test_file_number_of(const char *path, const char *word);

/* Writes all of the text at once, as files of the kernel want it; truncates nothing. */
bool test_file_write(const char *path, const char *text);

/*
 * Has something undone when the program ends, the last first, even by a signal, though
 * not by SIGKILL: so no more than a signal handler may do. Not in its children.
 */
void test_at_end(void (*undo)(void));

/* Enables a controller for cgroups below the root until the program ends; false: it cannot be. */
bool test_controller_enable(const char *name);

/* VmLck, VmPin and the like of a process, in bytes; -1: not shown. */
long long test_status_bytes(pid_t pid, const char *key);

/* A file handed from one process to another; -1: none came. */
int test_file_receive(int socket);
bool test_file_send(int socket, int fd);

/* Loads a module, if there is one to be loaded. True: it is there now. */
bool test_module_load(const char *name);

/* Users of the module kvmward, as the kernel counts them. */
long test_module_users(void);

/* Drops all rights of the calling process. */
void test_become_nobody(void);

/* Waits for a child; its exit status, or -1 when it was killed. */
int test_wait(pid_t pid);

#endif
