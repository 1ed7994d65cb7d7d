# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The virtual machine: initial RAM disk, QEMU, and the way back of what the
# command says.  Sourced by scripts/lab; uses its options, $root, say and die.
#
#   $run/1, $run/2   a machine each: initrd, console, qemu.log; status of the first
# shellcheck disable=SC2154 # those are set there
# shellcheck disable=SC2086 # $peer_pid: a word, or none with one host

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
	mkdir -p "$machine/lab" "$machine/layer"
	cp -a "$b/image/." "$b/$series/modules-$layer/." "$machine/layer"
	((hosts == 1)) || cp -a "$run/layer/." "$machine/layer"
	cd "$machine"
	: >lab/argv
	(($# == 0)) || printf '%s\0' "$@" >lab/argv
	cat >lab/env <<-END
		LAB_UNIT=$unit
		LAB_HOSTS=$hosts
		LAB_HOST=$host
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

# QEMU's "max" is dear to emulate: kernels that are told that bytes are moved fast have
# it repeat an instruction for each byte of a page, and each miss of the TLB walks a
# fifth level of page tables.
cpu_model() {
	if [[ $cpu == max* ]]; then
		echo "max,la57=off,erms=off,fsrm=off${cpu#max}"
	else
		echo "$cpu"
	fi
}

kernel_arguments() {
	local modules=("${host_modules[@]}")
	cpu_is_amd || modules=(vhost_net tun)
	((kvm)) || modules=(tun)
	((hosts == 1)) || modules+=("${link_modules[@]}")
	# An oops must not pass for a test that went on.
	echo console=ttyS0 quiet loglevel=4 panic=-1 oops=panic mitigations=off sysrq_always_enabled
	echo "modules_load=$(IFS=,; echo "${modules[*]}")"
	((!sev)) || echo "psp_sim.max_asid=$max_asid psp_sim.min_sev_asid=$min_sev_asid psp_sim.snp=$snp"
	# Under so much watching, even its own complaints are many. Both processors of an
	# emulated machine stand still while its host does: 25 s of that were seen, so 120
	# make a soft lockup, as they make a stall of RCU's.
	[[ $series != debug ]] || echo log_buf_len=8M watchdog_thresh=60
	((kvm)) || echo module_blacklist=kvm,kvm_amd,kvm_intel
	((hosts == 1)) || echo net.ifnames=0
	echo "$append"
}

# QEMU as the machine has it, or unstable's out of its root.
qemu_program() {
	local lib
	qemu=(qemu-system-x86_64)
	[[ $threads = multi ]] || return 0
	lib=$qemu_root/usr/lib/x86_64-linux-gnu
	qemu=("$qemu_root/lib64/ld-linux-x86-64.so.2" --library-path "$lib:$lib/pulseaudio"
		"$qemu_root/usr/bin/qemu-system-x86_64"
		-L "$qemu_root/usr/share/qemu" -L "$qemu_root/usr/share/seabios")
}

# Sets $qemu to the command line, as far as both kinds of run share it.  All vCPUs
# run on one thread of QEMU's: with one each, QEMU before 8.1 (its deba78709ae8) may
# keep the translation of code that another vCPU patches at that moment, and kernels
# died of "Oops: int3".  Two labs on two processors are faster so.  The price: vCPUs
# take turns, so no two of them touch a word at the same moment, but with --threads.
qemu_command() {
	qemu_program
	# shellcheck disable=SC2054 # QEMU's own commas
	qemu+=(-nodefaults -no-user-config -no-reboot -display none
		-chardev "pipe,id=monitor,path=$machine/monitor" -mon chardev=monitor
		-machine q35 -accel "tcg,thread=$threads,tb-size=512"
		-cpu "$(cpu_model)" -smp "$smp" -m "$mem"
		-kernel "$(kernel_tree "$series")/boot/vmlinuz-$release" -initrd "$machine/initrd"
		-append "$(kernel_arguments | tr '\n' ' ')"
		-drive "if=none,id=root,format=raw,readonly=on,file=$root.img"
		-device virtio-blk-pci,drive=root
		-fsdev "local,id=checkout,path=$top,security_model=none,readonly=on,multidevs=remap"
		-device virtio-9p-pci,fsdev=checkout,mount_tag=checkout)
	((hosts == 1)) || link_arguments
	qemu+=("${qemu_extra[@]}")
}

# machine_prepare [COMMAND...]: what the machine of number $host needs before QEMU;
# sets $machine, $qemu.
machine_prepare() {
	local release layer=plain
	release=$(root_release "$series") || exit
	initrd_prepare "$release"
	((!sev)) || layer=sev
	machine=$run/$host
	mkdir "$machine"
	mkfifo "$machine/monitor.in" "$machine/monitor.out"
	run_initrd "$@" >"$machine/initrd" || die "could not make $machine/initrd"
	qemu_command
}

# What both kinds of run need before QEMU: sets $run, $machine, $qemu, and $peer_qemu
# with two hosts.
vm_prepare() {
	run=$(mktemp -d "${TMPDIR:-/tmp}/kvmward-lab.XXXXXX") || die "no temporary directory"
	trap 'rm -rf "$run"' EXIT
	((hosts == 1)) || peer_prepare
	build "$series"
	machine_prepare "$@"
	build_unlock
}

# Waits for the end of QEMU.
qemu_wait() {
	local first
	wait -n -p first "$qemu_pid" $peer_pid
	[[ $first != "$qemu_pid" ]] || return 0
	peer_ended
	wait "$qemu_pid"
}

# machine_examine DIR: makes a machine that hangs say on its console what it is at, by
# the kernel's own keys; QEMU adds at what instructions its processors are, for a
# kernel that is deaf.
machine_examine() {
	local key
	for key in 9 l w; do
		echo "sendkey alt-sysrq-$key"
		sleep 1
	done 1<>"$1/monitor.in"
	timeout 1 cat "$1/monitor.out" >/dev/null
	echo "info registers -a" 1<>"$1/monitor.in"
	timeout 1 cat "$1/monitor.out" | tr -d '\r' | grep -E '^(CPU#|.IP=)' >>"$1/qemu.log"
}

# Whether the command has begun.
vm_is_up() {
	grep -q 'lab: up after' "$run/1/console"
}

# vm_watch PID: beside a boot, ends QEMU when its time is over, or when the machine
# does not come up at all, and says which in $run/hung.
vm_watch() {
	local never machine
	trap exit TERM
	# A builtin that waits dies with this shell; a sleep would stay behind.
	exec {never}<> <(:)
	read -rt $((time_limit < boot_limit ? time_limit : boot_limit)) -u "$never"
	if ((boot_limit < time_limit)) && ! vm_is_up; then
		echo "not up after $boot_limit seconds" >"$run/hung"
	else
		((boot_limit >= time_limit)) || read -rt $((time_limit - boot_limit)) -u "$never"
		echo "no end after $time_limit seconds" >"$run/hung"
	fi
	for machine in "$run"/[12]; do
		machine_examine "$machine"
	done
	kill "$1"
}

watch_end() {
	[[ ! $watch_pid ]] || kill "$watch_pid" 2>/dev/null
	[[ ! $watch_pid ]] || wait "$watch_pid"
	watch_pid=
}

# One boot.  Sets $status to the command's, or leaves it empty.
vm_boot() {
	local stdout stderr relays=()
	rm -f "$run/hung"
	: >"$machine/console"
	: >"$machine/status"
	: >"$machine/qemu.log"
	status=
	# QEMU writes to pipes whatever our own output is; cat ends when QEMU does.
	exec {stdout}> >(cat) && relays+=($!)
	exec {stderr}> >(cat >&2) && relays+=($!)
	# The watch ends it earlier; this is for the case that the watch is killed.
	timeout --kill-after=5 $((time_limit + 60)) "${qemu[@]}" -serial "file:$machine/console" \
		-add-fd "set=1,fd=$stdout" -add-fd "set=2,fd=$stderr" \
		-chardev file,id=stdout,path=/dev/fdset/1,append=on \
		-chardev file,id=stderr,path=/dev/fdset/2,append=on \
		-chardev "file,id=status,path=$machine/status" \
		-device virtio-serial-pci \
		-device virtserialport,chardev=stdout,name=lab.stdout \
		-device virtserialport,chardev=stderr,name=lab.stderr \
		-device virtserialport,chardev=status,name=lab.status \
		</dev/null >>"$machine/qemu.log" 2>&1 &
	qemu_pid=$!
	exec {stdout}>&- {stderr}>&-
	((hosts == 1)) || peer_boot
	vm_watch "$qemu_pid" </dev/null >/dev/null 2>&1 &
	watch_pid=$!
	qemu_wait
	qemu_pid=
	watch_end
	peer_end
	wait "${relays[@]}"
	read -r status <"$machine/status"
}

# crash_line FILE: what the kernel said first when it died, if it did.
crash_line() {
	tr -d '\r' <"$1" | sed -nE '/(\[#1\]|BUG: |Kernel panic)/ { s/^\[[ 0-9.]+\] *//; p; q }'
}

# vm_show: what is to be seen of a boot that failed; sets $cause to the kernel's, if any.
vm_show() {
	local dir crash
	cause=
	for dir in "$run"/[12]; do
		echo "lab: the end of the console$( ((hosts == 1)) || echo " of h${dir##*/}"):"
		tail -n 240 "$dir/console" | tr -d '\r'
		cat "$dir/qemu.log"
		crash=$(crash_line "$dir/console")
		[[ ! $crash ]] || cause+=": $crash"
	done >&2
}

vm_fail() {
	local cause
	vm_show
	die "$*$cause"
}

vm_run() {
	vm_prepare "$@"
	trap 'vm_interrupted INT' INT
	trap 'vm_interrupted TERM' TERM
	vm_boot
	# Emulated machines hang on their way up now and then, with nothing of ours begun.
	if [[ -e $run/hung && $(<"$run/hung") = "not up"* ]]; then
		vm_show
		say "$(<"$run/hung"): once more"
		vm_boot
	fi
	consoles_keep
	[[ ! -e $run/hung ]] || vm_fail "$(<"$run/hung")"
	[[ $status ]] || vm_fail "the machine ended without the command's status"
	exit "$status"
}

# A console for each host, the second's with .h2 behind its name.
consoles_keep() {
	[[ ${LAB_CONSOLE:-} ]] || return 0
	cp "$run/1/console" "$LAB_CONSOLE"
	((hosts == 1)) || cp "$run/2/console" "$LAB_CONSOLE.h2"
}

vm_interrupted() {
	trap - INT TERM
	[[ ! $qemu_pid ]] || kill "$qemu_pid"
	watch_end
	peer_end
	rm -rf "$run"
	kill -"$1" $$
}

vm_shell() {
	vm_prepare
	((hosts == 1)) || peer_boot
	"${qemu[@]}" -chardev stdio,id=tty,signal=off -serial chardev:tty
	peer_end
}
