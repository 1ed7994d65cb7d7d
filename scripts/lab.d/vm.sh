# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The virtual machine: initial RAM disk, QEMU, and the way back of what the
# command says.  Sourced by scripts/lab; uses its options, $root, say and die.
# shellcheck disable=SC2154 # those are set there

# The kernel modules that stand between the kernel and its root.
initrd_modules=(virtio_pci virtio_blk ext4 virtio_console 9pnet_virtio 9p overlay)

# What the host has loaded, as a KVM host has.
host_modules=(kvm_amd vhost_net tun)

# Sets $initrd: the part of the initial RAM disk that all runs of a kernel share.
initrd_prepare() {
	local release=$1 key lock
	key=$(cat "$lab_d/init" "$lab_d/vm.sh" | sha256sum | cut -c1-12)
	initrd=$root.initrd-$release-$key
	[[ ! -e $initrd ]] || return 0
	exec {lock}>"$root.lock"
	flock "$lock"
	[[ -e $initrd ]] || initrd_make "$release" || die "could not make $initrd"
	exec {lock}>&-
}

initrd_make() (
	set -e
	dir=$(mktemp -d "$initrd.XXXXXX")
	trap 'rm -r "$dir"' EXIT
	mkdir -p "$dir/tree"
	cd "$dir/tree"
	mkdir bin modules proc sys dev rw new ro ro/root ro/checkout
	cp /bin/busybox bin/
	for applet in sh mount umount insmod mkdir switch_root cp sed echo poweroff; do
		ln -s busybox "bin/$applet"
	done
	cp "$lab_d/init" init

	count=10
	for module in "${initrd_modules[@]}"; do
		modprobe -d "$(kernel_tree "$series")" -S "$1" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
		name=modules/$count-$(basename "${file%.xz}")
		case $file in
		*.xz) xz -dc "$file" >"$name" ;;
		*) cp "$file" "$name" ;;
		esac
		count=$((count + 1))
	done

	find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 >"$dir/initrd"
	mv "$dir/initrd" "$initrd"
)

# The initial RAM disk of this run, with two more trees: /lab, what is wanted, and
# /layer, what lies over the root.
run_initrd() (
	set -e
	mkdir "$run/lab" "$run/layer"
	cp -a "$b/image/." "$b/$series/modules-$layer/." "$run/layer"
	cd "$run"
	: >lab/argv
	(($# == 0)) || printf '%s\0' "$@" >lab/argv
	cat >lab/env <<-END
		LAB_UNIT=$unit
		LAB_SUITE=$suite
		LAB_SERIES=$series
		LAB_SEV=$sev
		LAB_SNP=$snp
		LAB_ROWS=$(tput lines 2>/dev/null || echo 24)
		LAB_COLS=$(tput cols 2>/dev/null || echo 80)
		LAB_TERM=${TERM:-dumb}
	END
	find lab layer | cpio --quiet -o -H newc -R 0:0
	cat "$initrd"
)

cpu_is_amd() {
	[[ $cpu == max* || $cpu == EPYC* || $cpu == Opteron* || $cpu == Dhyana* ]]
}

kernel_arguments() {
	local modules=("${host_modules[@]}")
	cpu_is_amd || modules=(vhost_net tun)
	((kvm)) || modules=(tun)
	# An oops must not pass for a test that went on.
	echo console=ttyS0 quiet loglevel=4 panic=-1 oops=panic mitigations=off
	echo "modules_load=$(IFS=,; echo "${modules[*]}")"
	((!sev)) || echo "psp_sim.max_asid=$max_asid psp_sim.min_sev_asid=$min_sev_asid psp_sim.snp=$snp"
	# Under so much watching, even its own complaints are many.
	[[ $series != debug ]] || echo log_buf_len=8M
	((kvm)) || echo module_blacklist=kvm,kvm_amd,kvm_intel
	echo "$append"
}

# Sets $qemu to the command line, as far as both kinds of run share it.
qemu_command() {
	# shellcheck disable=SC2054 # QEMU's own commas
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none
		-machine q35 -accel tcg,thread=multi,tb-size=512 -cpu "$cpu" -smp "$smp" -m "$mem"
		-kernel "$(kernel_tree "$series")/boot/vmlinuz-$release" -initrd "$run/initrd"
		-append "$(kernel_arguments | tr '\n' ' ')"
		-drive "if=none,id=root,format=raw,readonly=on,file=$root.img"
		-device virtio-blk-pci,drive=root
		-fsdev "local,id=checkout,path=$top,security_model=none,readonly=on,multidevs=remap"
		-device virtio-9p-pci,fsdev=checkout,mount_tag=checkout
		"${qemu_extra[@]}")
}

# What both kinds of run need before QEMU: sets $run, $initrd, $release, $qemu.
vm_prepare() {
	build "$series"
	release=$(root_release "$series") || exit
	initrd_prepare "$release"
	layer=plain
	((!sev)) || layer=sev
	run=$(mktemp -d "${TMPDIR:-/tmp}/kvmward-lab.XXXXXX") || die "no temporary directory"
	trap 'rm -rf "$run"' EXIT
	run_initrd "$@" >"$run/initrd" || die "could not make $run/initrd"
	build_unlock
	qemu_command
}

# One boot.  Sets $status to the command's, or leaves it empty.
vm_boot() {
	local stdout stderr ended=0 relays=()
	: >"$run/console"
	: >"$run/status"
	status=
	# QEMU writes to pipes whatever our own output is; cat ends when QEMU does.
	exec {stdout}> >(cat) && relays+=($!)
	exec {stderr}> >(cat >&2) && relays+=($!)
	timeout --kill-after=5 "$time_limit" "${qemu[@]}" -serial "file:$run/console" \
		-add-fd "set=1,fd=$stdout" -add-fd "set=2,fd=$stderr" \
		-chardev file,id=stdout,path=/dev/fdset/1,append=on \
		-chardev file,id=stderr,path=/dev/fdset/2,append=on \
		-chardev "file,id=status,path=$run/status" \
		-device virtio-serial-pci \
		-device virtserialport,chardev=stdout,name=lab.stdout \
		-device virtserialport,chardev=stderr,name=lab.stderr \
		-device virtserialport,chardev=status,name=lab.status \
		</dev/null >"$run/qemu.log" 2>&1 &
	qemu_pid=$!
	exec {stdout}>&- {stderr}>&-
	wait "$qemu_pid" || ended=$?
	qemu_pid=
	wait "${relays[@]}"
	timed_out=0
	((ended != 124 && ended != 137)) || timed_out=1
	read -r status <"$run/status"
}

vm_fail() {
	{
		cat "$run/qemu.log"
		echo "lab: the end of the console:"
		tail -n 60 "$run/console" | tr -d '\r'
	} >&2
	die "$*"
}

vm_run() {
	vm_prepare "$@"
	trap 'vm_interrupted INT' INT
	trap 'vm_interrupted TERM' TERM
	vm_boot
	if [[ ! $status ]] && ((!timed_out)) && grep -q 'Oops: int3' "$run/console"; then
		# Kernel text patching meets TCG's cache of translated code, now and
		# then.  It is QEMU's doing and no finding about what is tested.
		say "the machine died of TCG's 'Oops: int3'; once more from the start"
		vm_boot
	fi
	[[ ! ${LAB_CONSOLE:-} ]] || cp "$run/console" "$LAB_CONSOLE"
	((!timed_out)) || vm_fail "no end after $time_limit seconds"
	[[ $status ]] || vm_fail "the machine ended without the command's status"
	exit "$status"
}

vm_interrupted() {
	trap - INT TERM
	[[ ! $qemu_pid ]] || kill "$qemu_pid"
	rm -rf "$run"
	kill -"$1" $$
}

vm_shell() {
	vm_prepare
	"${qemu[@]}" -chardev stdio,id=tty,signal=off -serial chardev:tty
}
