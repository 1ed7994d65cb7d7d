/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_BASE_CLEANUP_H
#define KW_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Ends an object when its variable goes out of scope:
 *
 *	_cleanup_free_ char *text = NULL;
 *	_cleanup_(kw_domain_done) struct kw_domain domain = {};
 *
 * f gets the address of the variable, so it must take NULL and half-built
 * objects. What a function hands out is taken from the clean-up with
 * KW_STEAL().
 */
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(kw_free_at)
#define _cleanup_close_ _cleanup_(kw_close_at)
#define _cleanup_fclose_ _cleanup_(kw_fclose_at)
#define _cleanup_closedir_ _cleanup_(kw_closedir_at)

/* The pointer, with NULL left in its place. */
#define KW_STEAL(pointer)                                                                          \
	({                                                                                         \
		__typeof__(pointer) *kw_from_ = &(pointer);                                        \
		__typeof__(pointer) kw_taken_ = *kw_from_;                                         \
		*kw_from_ = NULL;                                                                  \
		kw_taken_;                                                                         \
	})

/* Defines f_at() for _cleanup_ of a variable of type "type *" that f ends. */
#define KW_CLEANUP_OF(type, f)                                                                     \
	static inline void f##_at(type **object)                                                   \
	{                                                                                          \
		if (*object)                                                                       \
			f(*object);                                                                \
	}                                                                                          \
	struct kw_semicolon_

/* The fd, with -1 left in its place. */
static inline int kw_steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void kw_free_at(void *object)
{
	free(*(void **)object);
}

static inline void kw_close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void kw_fclose_at(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void kw_closedir_at(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
