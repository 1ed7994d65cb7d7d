/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KW_MODEL_SOFTWARE_H
#define KW_MODEL_SOFTWARE_H

#include "model/known.h"

/* A version as libvirt counts: 10.5.0 is 10005000. */
#define KW_VERSION_OF(major, minor) ((major) * 1000000u + (minor) * 1000u)

/* What starts guests on a host. */
struct kw_software {
	struct kw_u32 libvirt, qemu;
};

#endif
