# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The debug kernel, series "debug": Debian's source of the debug_source series,
# with all that the kernel has to watch itself by.  Built once for each version of
# that source and kept in the cache, laid out as the root lays out its own kernels.
# Sourced by scripts/lab; uses its $suite, $cache, $lab_d, $root, say and die.
# shellcheck disable=SC2154 # those are set there

debug_source=linux-source-6.12

# Sets $debug_tree, where it is or will be.
debug_kernel_find() {
	local version key
	version=$(apt-cache show --no-all-versions "$debug_source" | sed -n 's/^Version: //p')
	[[ $version ]] || die "apt knows no $debug_source"
	key=$({ echo "$version"; cat "$lab_d/debug.config"; } | sha256sum | cut -c1-12)
	debug_tree=$cache/lab/$suite/debug-$version-$key
}

# The source's package is never installed: it is unpacked into $1, once.
debug_source_unpack() (
	set -e
	mkdir -p "$1"
	cd "$1"
	apt-get -q download "$debug_source"
	dpkg-deb --fsys-tarfile "$debug_source"_*.deb |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc | tar -x
	mv "$debug_source" source
	rm "$debug_source"_*.deb
)

debug_kernel_make() {
	local target=$1 work=$1.work
	rm -rf "$work"
	mkdir -p "$work"
	cp "$lab_d/debug.config" "$work/config"
	say "building the debug kernel, which takes some twenty minutes (log: $target.log)"
	if ! { debug_source_unpack "$work" &&
		LAB_WORK=$work enter_root ro nice scripts/lab.d/make-debug-kernel \
			/mnt/source /mnt/objects /mnt/tree /mnt/config; } >"$target.log" 2>&1 </dev/null; then
		tail -n 40 "$target.log" | cut -c1-400 >&2
		die "building the debug kernel failed (all of it: $target.log)"
	fi
	mv "$work/tree" "$target"
	rm -rf "$work"
}

# The tree that the kernel of a series lies in.
kernel_tree() {
	if [[ $1 = debug ]]; then
		echo "$debug_tree"
	else
		echo "$root"
	fi
}

debug_kernel_require() {
	debug_kernel_find
	[[ -d $debug_tree ]] || die "there is no debug kernel yet: make one by 'scripts/lab debug-kernel'"
}

# Makes it if there is none of this key.
debug_kernel_prepare() {
	local lock
	debug_kernel_find
	[[ ! -d $debug_tree ]] || return 0
	exec {lock}>"$debug_tree.lock"
	flock "$lock"
	[[ -d $debug_tree ]] || debug_kernel_make "$debug_tree"
	exec {lock}>&-
}
