/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kvmward-hook becomes when kvmwardd gave it no answer: a program of its
 * own, because reading domain XML needs libraries that take longer to load than
 * all the rest of a hook call.
 */
#include "hook/hook.h"
#include "hook/program.h"

int main(int argc, char **argv)
{
	return kw_hook_program(argc, argv, kw_hook_answer);
}
