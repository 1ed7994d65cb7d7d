# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The root: a Debian tree of its own, made by mmdebstrap (recipe.sh), kept in the
# cache; as a directory to build in, and as a file system's image to boot from (a
# share of the directory would cost every boot ten seconds).
# Sourced by scripts/lab; uses its $suite, $cache, $lab_d, say and die.
#
#   CACHE/lab/SUITE/root-KEY{,.img,.log,.initrd-...}
#
# A lab keeps a shared lock on the directory of its root for as long as it runs;
# who wants to remove one takes the other kind.
# shellcheck disable=SC2154 # those are set there

# What the machine itself needs before the lab can start.
host_packages=(mmdebstrap qemu-system-x86 cpio busybox-static xz-utils kmod e2fsprogs openssh-client debian-archive-keyring)

root_key() {
	{ echo "$suite"; cat "$lab_d/packages" "$lab_d/recipe.sh"; } | sha256sum | cut -c1-12
}

# The machine has one apt, and labs of several suites may be made side by side.
apt_alone() {
	mkdir -p "$cache/lab"
	DEBIAN_FRONTEND=noninteractive flock "$cache/lab/.apt" apt-get "$@" >&2
}

host_install() {
	local missing=() package log
	for package in "${host_packages[@]}"; do
		[[ $(dpkg-query -Wf '${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] ||
			missing+=("$package")
	done
	((${#missing[@]})) || return 0
	say "installing ${missing[*]}"
	log=$(mktemp)
	if ! {
		apt_alone -q update &&
			apt_alone -qy --no-install-recommends install "${missing[@]}"
	} 2>"$log" </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die "apt-get could not install ${missing[*]}"
	fi
	rm -f "$log"
}

# Takes the shared lock on the root; false if there is no such root (any more).
root_hold() {
	[[ -d $root ]] || return 1
	exec {root_lock}<"$root" || return 1
	flock -s "$root_lock"
	# It may have been removed, or even made anew, while we waited.
	[[ $root -ef /proc/self/fd/$root_lock ]] && return
	exec {root_lock}<&-
	return 1
}

# Removes the suite's roots of other keys that no lab holds, but for the one made
# last: two branches with a recipe each should not take turns at making theirs.
roots_prune() {
	local other lock spare=1
	while read -r other; do
		exec {lock}<"$other" || continue
		if ! flock -nx "$lock"; then
			say "$other is in use and stays"
		elif ((spare)); then
			spare=0
		else
			say "removing $other, which is out of date"
			rm -rf --one-file-system "$other" "$other".*
		fi
		exec {lock}<&-
	done < <(find "$(dirname "$root")" -maxdepth 1 -type d -name 'root-*' \
		-not -name '*.*' -not -path "$root" -printf '%T@ %p\n' | sort -rn | cut -d' ' -f2-)
}

# Sets $root and holds it; makes it if there is none of this key.
root_prepare() {
	local dir=$cache/lab/$suite lock
	mkdir -p "$dir"
	root=$dir/root-$(root_key)
	host_install
	root_hold && return
	exec {lock}>"$root.lock"
	flock "$lock"
	if [[ ! -d $root ]]; then
		root_make "$root"
		roots_prune
	fi
	root_hold || die "$root vanished"
	exec {lock}>&-
}

# Sets $qemu_root to unstable's root, for its QEMU, and holds that as well.
qemu_root_prepare() {
	local suite=sid root
	root_prepare
	qemu_root=$root
}

# Series of the root's kernels, rising: 6.1 6.12.
root_series() {
	find "$root/boot" -name 'vmlinuz-*' -printf '%f\n' |
		sed -E 's/^vmlinuz-([0-9]+\.[0-9]+).*/\1/' | sort -uV
}

# Full release of the kernel of a series: 6.1 -> 6.1.0-56-amd64.
root_release() {
	local image wanted="vmlinuz-$1.*"
	[[ $1 != debug ]] || wanted='vmlinuz-*'
	image=$(find "$(kernel_tree "$1")/boot" -name "$wanted" | sort -V | tail -n 1)
	[[ $image ]] || die "there is no kernel of series $1"
	echo "${image##*/vmlinuz-}"
}
