/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "act/move_file.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/domain_xml.h"
#include "mover/mover.h"

#define NVRAM_MAX (64u << 20)

KW_CLEANUP_OF(struct kw_domain, kw_domain_done);

/*
 * That the file is new there has to be known before it is made: only such a file
 * goes with an undone move, and only then does the one here go with a finished one.
 */
static int note_new(struct kw_mover *mover, const char *path, char *error, size_t error_size)
{
	bool there;
	int result = kw_move_side_has_file(mover->there, path, &there);

	if (result)
		return kw_mover_outcome(mover->there, result, error, error_size);
	if (there || mover->move.nvram_new)
		return 0;
	mover->move.nvram_new = true;
	result = kw_mover_save(mover);
	if (result)
		kw_text_copy(error, error_size, "the job cannot be saved");
	return result;
}

static int copy_nvram(struct kw_mover *mover, const char *path, char *error, size_t error_size)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int result = kw_file_read(path, NVRAM_MAX, &bytes, &size);

	if (result == -ENOENT)
		return 0;	/* it has never run: there it is made from its template, too */
	if (result) {
		snprintf(error, error_size, "its firmware variables %s cannot be read: %s", path,
			 strerror(-result));
		return -EPERM;
	}
	result = note_new(mover, path, error, error_size);
	if (result)
		return result;
	result = kw_move_side_put_file(mover->there, path, bytes, size);
	return kw_mover_outcome(mover->there, result, error, error_size);
}

int kw_mover_copy(struct kw_mover *mover, char *error, size_t error_size)
{
	_cleanup_(kw_domain_done) struct kw_domain domain = {};

	if (kw_mover_parse(mover->move.xml, &domain)) {
		kw_text_copy(error, error_size, "its definition is not understood");
		return -EPERM;
	}
	return domain.nvram_path[0] ? copy_nvram(mover, domain.nvram_path, error, error_size) : 0;
}
