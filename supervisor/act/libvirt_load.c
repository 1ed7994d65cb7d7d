/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/libvirt_load.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/text.h"

struct kw_libvirt_functions vir;

static int failed(char *error, size_t error_size)
{
	const char *reason = dlerror();

	kw_text_copy(error, error_size, reason ? reason : "libvirt cannot be loaded");
	return -ELIBACC;
}

static int find_functions(void *library, struct kw_libvirt_functions *ret_found)
{
	struct kw_libvirt_functions found;

#define X(name)                                                                                    \
	found.name = (__typeof__(found.name))dlsym(library, "vir" #name);                          \
	if (!found.name)                                                                           \
		return -ELIBACC;
	KW_LIBVIRT_FUNCTIONS(X)
#undef X
	*ret_found = found;
	return 0;
}

int kw_libvirt_load(char *error, size_t error_size)
{
	static void *loaded;	/* never unloaded: libvirt leaves threads behind */
	void *library;

	if (loaded)
		return 0;
	library = dlopen("libvirt.so.0", RTLD_LAZY | RTLD_LOCAL);
	if (!library || find_functions(library, &vir))
		return failed(error, error_size);
	loaded = library;
	return 0;
}
