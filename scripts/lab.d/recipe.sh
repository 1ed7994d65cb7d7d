# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The recipe of a root: what mmdebstrap makes of a suite.  Sourced by scripts/lab;
# uses its $suite, $cache, $lab_d, say and die.  Any change here, or in the list of
# packages, makes every root anew.
# shellcheck disable=SC2154 # those are set there

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Trees of kernel modules that no virtual machine of the lab can use: leaving
# them packed saves a minute of unpacking and most of depmod's work.
unused_modules=(sound drivers/gpu drivers/media drivers/infiniband drivers/iio
	drivers/staging drivers/scsi drivers/usb drivers/input drivers/hwmon
	drivers/mtd drivers/ata drivers/mmc drivers/bluetooth drivers/isdn
	drivers/net/ethernet drivers/net/wireless drivers/net/usb drivers/net/can
	net/wireless net/mac80211 net/bluetooth)

# What is unpacked of the newest kernel source of the suite: enough for KVM's
# selftests, the headers they need, and the netlink specification tools.
kernel_source_parts=(Makefile Kbuild Kconfig tools scripts include usr
	Documentation/netlink arch/x86/Makefile\* arch/x86/include arch/x86/lib
	arch/x86/entry/syscalls arch/x86/tools)

# Series of kernels that a suite has beside its own, the package linux-image-amd64.
more_series_of_suite() {
	case $1 in
	bookworm) echo 6.12 ;;
	trixie | sid) ;;
	*) return 1 ;;
	esac
}

# The machine's own package sources, as far as they are Debian's, made to be those
# of the suite, whatever release the machine itself is.
debian_sources() {
	# shellcheck disable=SC2016 # apt's own fields
	apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(COMPONENT)' \
		'Created-By: Packages' |
		awk -F'|' -v suite="$suite" '
			$1 != "Debian" || $4 != "main" { next }
			{ pocket = match($2, /-(security|updates)$/) ? substr($2, RSTART) : "" }
			# others than these pockets: backports, proposed updates, experimental
			substr($2, 1, length($2) - length(pocket)) ~ /-/ { next }
			# unstable has no pocket
			suite == "sid" && pocket { next }
			{ print "deb", $3, suite pocket, "main" }' |
		sort -u
}

# The machine's way to its mirrors: proxies, retries, validity checks.
apt_options() {
	apt-config dump | grep -E '^Acquire::[A-Za-z:-]+ "[^"]+";$' |
		grep -vE '^Acquire::(Languages|IndexTargets|Changelogs|CompressionTypes)' || true
	# Unstable promises to be replaced within a week; a mirror that is frozen does
	# not keep that.  Signatures are checked all the same.
	[[ $suite != sid ]] || echo 'Acquire::Check-Valid-Until "false";'
}

# Name of the package of the highest version, among those that match.
newest_package() {
	chroot "$1" apt-cache search --names-only "$2" | cut -d' ' -f1 | sort -V | tail -n 1
}

# The suite's own kernel has a package of an unchanging name; of other series the
# highest version is taken, whatever it is today.
kernel_packages() {
	local root=$1 series package
	echo linux-image-amd64 linux-headers-amd64
	for series in $(more_series_of_suite "$suite"); do
		package=$(newest_package "$root" "^linux-image-${series//./\\.}\.[0-9]+\+deb[0-9]+-amd64\$")
		[[ $package ]] || die "$suite has no linux-image-$series.*-amd64"
		echo "$package" "${package/image/headers}"
	done
}

root_add_kernels() {
	local root=$1 packages
	packages=$(kernel_packages "$root") || exit
	# shellcheck disable=SC2086 # several words
	chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qy install $packages >&2
}

# Programs of which nothing but the file is wanted: installed, some would start
# with every boot.  PACKAGE FILE; what a suite does not have is left out.
single_programs() {
	cat <<-'END'
		promtool usr/bin/promtool
		prometheus usr/bin/promtool
		prometheus-libvirt-exporter usr/bin/prometheus-libvirt-exporter
	END
}

# Downloads a package by the apt of the new root, which can still reach the mirror;
# writes the package's files to stdout, as a tar.
package_files() {
	chroot "$1" sh -c "cd /tmp && apt-get -q download $2" >&2 || return
	dpkg-deb --fsys-tarfile "$1/tmp/$2"_*.deb
	rm "$1/tmp/$2"_*.deb
}

root_add_programs() {
	local root=$1 package file
	while read -r package file; do
		[[ $(newest_package "$root" "^$package\$") && ! -e $root/$file ]] || continue
		package_files "$root" "$package" | tar -xC "$root" "./$file" || say "no $file in $package"
	done < <(single_programs)
	[[ -x $root/usr/bin/promtool ]] || die "$suite has no promtool"
}

root_add_source() {
	local root=$1 source
	source=$(newest_package "$root" '^linux-source-[0-9]+\.[0-9]+$')
	package_files "$root" "$source" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc |
		tar -xC "$root/usr/src" --wildcards "${kernel_source_parts[@]/#/$source/}"
}

# Things that a first boot would otherwise do every time.
root_settle() {
	local root=$1
	rm -rf "$root"/etc/systemd/system/{timers,multi-user,getty,graphical}.target.wants
	rm -f "$root"/etc/machine-id "$root"/var/lib/dbus/machine-id "$root/.dockerenv"
	rm -f "$root"/etc/ssh/ssh_host_*
	: >"$root/etc/fstab"
	chroot "$root" passwd -q -d root
	mkdir "$root/kvmward"
}

# mmdebstrap's hook, called by way of "lab root-customize SUITE ROOT".
root_customize() {
	set -eo pipefail
	root_add_kernels "$1"
	root_add_programs "$1"
	root_add_source "$1"
	root_settle "$1"
}

root_make() {
	local target=$1 work option exclude include sources
	local options=()
	apt_alone -q update || die "apt-get update failed"
	sources=$(debian_sources)
	[[ $sources ]] || die "apt has no package source of Debian's: see 'apt-get indextargets'"
	include=$(sed -E 's/[[:space:]]*#.*//; /^$/d' "$lab_d/packages")

	while read -r option; do
		[[ $option ]] && options+=(--aptopt="$option")
	done < <(apt_options)
	for exclude in "${unused_modules[@]}"; do
		options+=(--dpkgopt="path-exclude=/lib/modules/*/kernel/$exclude/*"
			--dpkgopt="path-exclude=/usr/lib/modules/*/kernel/$exclude/*")
	done

	# The lab has an initial RAM disk of its own; those of the kernel packages
	# (/etc/kernel/postinst.d) take minutes to make.
	work=$target.new
	rm -rf --one-file-system "$work"
	say "making the root of $suite, which takes some minutes (log: $target.log)"
	# Mounts made on the way end with the private namespace, come what may.
	# shellcheck disable=SC2016 # the hooks' $1 is mmdebstrap's
	unshare -m mmdebstrap --mode=root --variant=minbase --format=directory \
		--keyring="$keyring" \
		--include="$(tr -s '\n ' ',' <<<"$include")" \
		--aptopt='APT::Install-Recommends "false"' "${options[@]}" \
		--dpkgopt=force-confold \
		--dpkgopt='path-exclude=/etc/kernel/postinst.d/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--essential-hook='mkdir -p "$1/etc/initramfs-tools" && echo update_initramfs=no >"$1/etc/initramfs-tools/update-initramfs.conf"' \
		--customize-hook="'$lab_d/../lab' root-customize '$suite' \"\$1\"" \
		--skip=check/qemu \
		"$suite" "$work" - <<<"$sources" >"$target.log" 2>&1 || {
		tail -n 30 "$target.log" >&2
		rm -rf --one-file-system "$work"
		die "mmdebstrap failed"
	}
	image_make "$work" "$target.img"
	mv "$work" "$target"
}

image_make() {
	rm -f "$2"
	truncate -s 4G "$2" || die "no room for $2"
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$1" "$2" || die "mke2fs failed"
}
