# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The built tree: everything is built in the root, so that the machine itself
# needs no compiler, no headers and no kernel of the lab's.
# Sourced by scripts/lab; uses its $suite, $top, $lab_d, $root, say and die.
#
#   build/lab/SUITE/{supervisor,selftests,tools,kvm,torture,bench} programs
#   build/lab/SUITE/SERIES/{kmod,psp_sim,degraded}         modules
#   build/lab/SUITE/image                                  laid over the VM's root
#   build/lab/SUITE/SERIES/modules-{sev,plain}             the same, for /lib/modules

# shellcheck disable=SC2154 # those are set there

enter_root() {
	mkdir -p "$top/build" || die "no room for builds: $top/build"
	unshare -m "$lab_d/enter-root" "$root" "$top" "$@"
}

# True if nothing among the given files and directories is younger than the stamp.
stamp_is_fresh() {
	local stamp=$1
	shift
	[[ -e $stamp && $stamp -nt $root ]] || return 1
	[[ -z $(find "$@" -newer "$stamp" -not -name '.*' -print -quit 2>/dev/null) ]]
}

# build_part NAME DIR "SOURCE..." COMMAND...: run COMMAND in the root if a SOURCE
# changed since it last did.  Names are relative to the checkout.
build_part() {
	local name=$1 dir=$2 sources stamp
	read -ra sources <<<"$3"
	shift 3
	stamp=$dir/stamp
	stamp_is_fresh "$stamp" "${sources[@]}" && return
	mkdir -p "$dir"
	say "building $name"
	# As old as the start, so that what changes during the build counts.
	touch "$stamp.new"
	if ! enter_root ro "$@" >"$dir/build.log" 2>&1 </dev/null; then
		tail -n 40 "$dir/build.log" | cut -c1-400 >&2
		die "building $name failed (all of it: $top/$dir/build.log)"
	fi
	mv "$stamp.new" "$stamp"
	built=1
}

# True if this part is asked for and there.
part_wanted() {
	local part=$1 dir=$2
	[[ ,$parts, == *,all,* || ,$parts, == *,$part,* ]] || return 1
	[[ -e $dir/Makefile ]] && return
	say "no $dir/Makefile yet: without $part"
	return 1
}

# Modules for the test of hosts that lack something; only when asked for.
build_degraded() {
	local release=$1 out=$2 kvm
	kvm=$(find "$root/lib/modules/$release/kernel/arch/x86/kvm" -name 'kvm-amd.ko*')
	mkdir -p "$out"
	case $kvm in
	*.xz) xz -dc "$kvm" ;;
	*) cat "$kvm" ;;
	esac >"$out/kvm-amd.whole.ko" || die "no kvm-amd of $release"
	build_part "modules for other hosts than $release" "$out" \
		"kmod uapi selftests/degraded/build" \
		selftests/degraded/build "$release" "/kvmward/$out"
}

build_modules() {
	local series=$1 release out=$b/$1 kind modules=() kernel=
	local -x LAB_MODULES=
	if [[ $series = debug ]]; then
		kernel=$debug_tree/boot LAB_MODULES=$debug_tree/usr/lib/modules
	fi
	release=$(root_release "$series") || exit
	if part_wanted psp_sim selftests/psp_sim; then
		build_part "psp_sim for $series" "$out/psp_sim" "selftests/psp_sim $kernel" \
			make -C selftests/psp_sim O="/kvmward/$out/psp_sim" KVER="$release"
	fi
	if part_wanted kmod kmod; then
		build_part "kmod for $series" "$out/kmod" "kmod uapi $kernel" \
			make -C kmod O="/kvmward/$out/kmod" KVER="$release"
	fi
	[[ ,$parts, != *,degraded,* ]] || build_degraded "$release" "$out/degraded"
	for kind in sev plain; do
		modules=()
		[[ ! -e $out/kmod/kvmward.ko ]] || modules+=("$out/kmod/kvmward.ko")
		[[ ! -e $out/psp_sim/park_vcpus.ko ]] || modules+=("$out/psp_sim/park_vcpus.ko")
		[[ $kind = plain || ! -e $out/psp_sim/psp_sim.ko ]] || modules+=("$out/psp_sim/psp_sim.ko")
		((built)) || [[ ! -e $out/modules-$kind ]] || continue
		enter_root ro "/kvmward/scripts/lab.d/make-modules" "$kind" "$release" \
			"/kvmward/$out/modules-$kind" "${modules[@]}" >&2 || die "depmod failed"
	done
}

build_programs() {
	local jobs
	jobs=-j$(nproc)
	if part_wanted tools selftests/tools; then
		build_part tools "$b/tools" "selftests/tools selftests/gmem.h selftests/kvm_uapi.h" \
			make -C selftests/tools O="/kvmward/$b/tools"
	fi
	if part_wanted kvm selftests/kvm; then
		build_part "KVM's selftests" "$b/kvm" selftests/kvm/Makefile \
			make "$jobs" -C selftests/kvm O="/kvmward/$b/kvm"
	fi
	if part_wanted selftests selftests; then
		build_part selftests "$b/selftests" "selftests uapi" \
			make "$jobs" -C selftests O="/kvmward/$b/selftests"
	fi
	if part_wanted torture selftests/torture; then
		build_part torture "$b/torture" "selftests uapi" \
			make "$jobs" -C selftests/torture O="/kvmward/$b/torture"
	fi
	if part_wanted bench selftests/bench; then
		build_part "the bench" "$b/bench" "selftests/bench selftests/nl.c selftests/nl.h uapi" \
			make -C selftests/bench O="/kvmward/$b/bench"
	fi
	if part_wanted supervisor supervisor; then
		build_part supervisor "$b/supervisor" "supervisor uapi" \
			make "$jobs" -C supervisor O="/kvmward/$b/supervisor"
	fi
}

# What lies over the VM's root: the lab's own files and the installed supervisor.
build_image() {
	local install=true
	[[ ! -e $b/supervisor/stamp ]] ||
		install="make -C supervisor install O=/kvmward/$b/supervisor DESTDIR=/kvmward/$b/image"
	build_part "image" "$b/image.d" "scripts/lab.d $b/supervisor/stamp" \
		scripts/lab.d/make-image "/kvmward/$b/image" "$install"
}

# build SERIES...: sets $b, the place of it all in the checkout, which stays locked
# until build_unlock: another lab must not rebuild what this one is reading.
build() {
	local built series
	b=build/lab/$suite
	cd "$top" || die "no checkout at $top"
	mkdir -p "$b"
	exec {build_lock}>"$b/.lock"
	flock "$build_lock"
	for series in "$@"; do
		built=0
		build_modules "$series"
	done
	build_programs
	build_image
}

build_unlock() {
	exec {build_lock}>&-
}
