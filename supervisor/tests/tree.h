/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_TESTS_TREE_H
#define KW_TESTS_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static inline int tree_remove_entry(const char *path, const struct stat *status, int kind,
				    struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* Removes a test's folder with all that is in it. 0, or other than 0. */
static inline int tree_remove(const char *dir)
{
	return nftw(dir, tree_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes a text to the file of that name below a test's folder. 0, or other than 0. */
static inline int tree_put(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	return !file || fputs(text, file) < 0 || fclose(file);
}

#endif
