# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The root: a Debian tree of its own, made by mmdebstrap, kept in the cache; as a
# directory to build in, and as a file system's image to boot from (a share of the
# directory would cost every boot ten seconds).
# Sourced by scripts/lab; uses its $suite, $cache, $lab_d, say and die.
# shellcheck disable=SC2154 # those are set there

# What the machine itself needs before the lab can start.
host_packages=(mmdebstrap qemu-system-x86 cpio busybox-static xz-utils kmod e2fsprogs debian-archive-keyring)

# Trees of kernel modules that no virtual machine of the lab can use: leaving
# them packed saves a minute of unpacking and most of depmod's work.
unused_modules=(sound drivers/gpu drivers/media drivers/infiniband drivers/iio
	drivers/staging drivers/scsi drivers/usb drivers/input drivers/hwmon
	drivers/mtd drivers/ata drivers/mmc drivers/bluetooth drivers/isdn
	drivers/net/ethernet drivers/net/wireless drivers/net/usb drivers/net/can
	net/wireless net/mac80211 net/bluetooth)

# What is unpacked of the kernel's source: enough for KVM's selftests, the
# headers they need, and the netlink specification tools.
kernel_source=6.12
kernel_source_parts=(Makefile Kbuild Kconfig tools scripts include usr
	Documentation/netlink arch/x86/Makefile\* arch/x86/include arch/x86/lib
	arch/x86/entry/syscalls arch/x86/tools)

# Kernel series that a suite has, the first being its own.
series_of_suite() {
	case $1 in
	bookworm) echo 6.1 6.12 ;;
	*) die "no such suite here: $1 (there is: bookworm)" ;;
	esac
}

root_key() {
	{ echo "$suite"; cat "$lab_d/packages" "$lab_d/root.sh"; } | sha256sum | cut -c1-12
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
		apt-get -q update &&
			DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends \
				install "${missing[@]}"
	} >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die "apt-get could not install ${missing[*]}"
	fi
	rm -f "$log"
}

# The machine's own package sources, as far as they are Debian's and of the
# suite: others may be configured beside them and have no business in the root.
debian_sources() {
	# shellcheck disable=SC2016 # apt's own fields
	apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
		'Created-By: Packages' |
		awk -F'|' -v suite="$suite" '
			$1 == "Debian" && ($2 == suite || $2 == suite "-security" || $2 == suite "-updates") {
				print "deb", $3, $4, $5 }' |
		sort -u
}

# The machine's way to its mirrors: proxies, retries, validity checks.
apt_options() {
	apt-config dump | grep -E '^Acquire::[A-Za-z:-]+ "[^"]+";$' |
		grep -vE '^Acquire::(Languages|IndexTargets|Changelogs|CompressionTypes)' || true
}

# The suite's own kernel has a package of an unchanging name; of the others the
# highest version is taken, whatever it is today.
kernel_of_series() {
	local version
	if [[ $1 == "$(series_of_suite "$suite" | cut -d' ' -f1)" ]]; then
		echo linux-image-amd64 linux-headers-amd64
		return
	fi
	version=$(apt-cache search --names-only "^linux-image-${1//./\\.}\.[0-9]+\+deb[0-9]+-amd64\$" |
		cut -d' ' -f1 | sort -V | tail -n 1)
	version=${version#linux-image-}
	[[ $version ]] || die "apt knows no linux-image-$1.*-amd64 for $suite"
	echo "linux-image-$version" "linux-headers-$version"
}

kernel_packages() {
	local series
	for series in $(series_of_suite "$suite"); do
		kernel_of_series "$series" || exit
	done
}

# Packages of which single files are wanted are unpacked, not installed.
# Runs in mmdebstrap's hook, while the new root can still reach the mirror.
root_unpack_extras() {
	local root=$1 wanted
	chroot "$root" sh -c "cd /tmp && apt-get -q download prometheus linux-source-$kernel_source" >&2
	dpkg-deb --fsys-tarfile "$root"/tmp/prometheus_*.deb | tar -xC "$root" ./usr/bin/promtool
	# What "make bench" compares with; not in every suite. Its service is not wanted.
	if chroot "$root" sh -c "cd /tmp && apt-get -q download prometheus-libvirt-exporter" >&2; then
		dpkg-deb --fsys-tarfile "$root"/tmp/prometheus-libvirt-exporter_*.deb |
			tar -xC "$root" ./usr/bin/prometheus-libvirt-exporter
	fi
	wanted=("${kernel_source_parts[@]/#/linux-source-$kernel_source/}")
	dpkg-deb --fsys-tarfile "$root"/tmp/linux-source-*.deb |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc |
		tar -xC "$root/usr/src" --wildcards "${wanted[@]}"
	rm "$root"/tmp/*.deb
}

# Things that a first boot would otherwise do every time.
root_settle() {
	local root=$1
	rm -rf "$root"/etc/systemd/system/{timers,multi-user,getty,graphical}.target.wants
	rm -f "$root"/etc/machine-id "$root"/var/lib/dbus/machine-id "$root/.dockerenv"
	: >"$root/etc/fstab"
	passwd -qR "$root" -d root
	mkdir "$root/kvmward"
}

# mmdebstrap's hook, called by way of "lab root-customize ROOT".
root_customize() {
	set -e
	root_unpack_extras "$1"
	root_settle "$1"
}

root_make() {
	local target=$1 work option exclude include kernels sources
	local options=()
	apt-get -q update >&2 || die "apt-get update failed"
	sources=$(debian_sources)
	[[ $sources ]] || die "apt has no Debian package source for $suite: see 'apt-get indextargets'"
	kernels=$(kernel_packages) || exit
	include=$(sed -E 's/[[:space:]]*#.*//; /^$/d' "$lab_d/packages"; echo "$kernels")

	while read -r option; do
		[[ $option ]] && options+=(--aptopt="$option")
	done < <(apt_options)
	for exclude in "${unused_modules[@]}"; do
		options+=(--dpkgopt="path-exclude=/lib/modules/*/kernel/$exclude/*")
	done

	work=$target.new
	rm -rf --one-file-system "$work"
	say "making the root of $suite, which takes some minutes (log: $target.log)"
	# Mounts made on the way end with the private namespace, come what may.
	# shellcheck disable=SC2016 # the hooks' $1 is mmdebstrap's
	unshare -m mmdebstrap --mode=root --variant=minbase --format=directory \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--include="$(tr -s '\n ' ',' <<<"$include")" \
		--aptopt='APT::Install-Recommends "false"' "${options[@]}" \
		--dpkgopt=force-confold \
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

# Sets $root; makes it if there is none of this key.
root_prepare() {
	local dir=$cache/lab/$suite lock
	mkdir -p "$dir"
	root=$dir/root-$(root_key)
	host_install
	[[ -d $root ]] && return
	exec {lock}>"$root.lock"
	flock "$lock"
	[[ -d $root ]] || root_make "$root"
	exec {lock}>&-
}

# Full release of the root's kernel of a series: 6.1 -> 6.1.0-56-amd64.
root_release() {
	local image
	image=$(find "$root/boot" -name "vmlinuz-$1.*" | sort -V | tail -n 1)
	[[ $image ]] || die "the root has no kernel of series $1"
	echo "${image##*/vmlinuz-}"
}
