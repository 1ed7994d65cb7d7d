# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The second of two hosts, h2: it has a link to h1 that nobody else can reach, is
# there before h1's command begins, and goes when that ends.
# Sourced by scripts/lab; uses its options, $run, $qemu and die.
# shellcheck disable=SC2154 # those are set there

# What hosts with a link have loaded besides.
link_modules=(virtio_net nfsd nfsv4)

# Adds this host's end of the link to $qemu.  A socket with a name needs no free port.
link_arguments() {
	local role=off
	((host != 1)) || role=on
	# shellcheck disable=SC2054 # QEMU's own commas
	qemu+=(-uuid "4c61622e-0000-4000-8000-00000000000$host"
		-netdev "stream,id=link,server=$role,addr.type=unix,addr.path=$run/link"
		-device "virtio-net-pci,netdev=link,mac=52:54:00:09:09:0$host,romfile=")
}

# One pair of keys is everything that either host shows to the other, and all that
# it accepts: sets up $run/layer, which lies over both roots.
peer_keys() {
	local ssh=$run/layer/etc/ssh home=$run/layer/root public
	mkdir -p "$ssh" "$home/.ssh"
	chmod 700 "$home" "$home/.ssh"
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$ssh/ssh_host_ed25519_key" || die "ssh-keygen failed"
	public=$(<"$ssh/ssh_host_ed25519_key.pub")
	cp "$ssh/ssh_host_ed25519_key" "$home/.ssh/id_ed25519"
	echo "$public" >"$home/.ssh/authorized_keys"
	echo "h1,h2,10.9.9.1,10.9.9.2 $public" >"$home/.ssh/known_hosts"
}

# with_peer COMMAND...: run it with all options as they are for h2. Another suite has
# kernels of its own, of which the newest is taken.
with_peer() {
	local max_asid=$max_asid min_sev_asid=$min_sev_asid sev=$sev snp=$snp kvm=$kvm cpu=$cpu \
		mem=$mem smp=$smp series=$series append=$append qemu_extra=("${qemu_extra[@]}") \
		unit=lab.target host=2 suite=$suite root=${peer_root:-}
	[[ $peer_options != *--suite* ]] || series=''
	# shellcheck disable=SC2086 # options, of which none has a blank
	parse_options $peer_options
	"$@"
}

# Sets $peer_root and $peer_series.
peer_choose() {
	local chosen=()
	root_prepare
	series_choose
	peer_root=$root peer_series=$series
}

peer_describe() {
	local machine qemu series=$peer_series
	build "$series"
	machine_prepare
	build_unlock
	peer_qemu=("${qemu[@]}" -serial "file:$machine/console")
}

# Sets $peer_qemu.
peer_prepare() {
	peer_keys
	with_peer peer_describe
}

# Starts h2 as soon as h1 has put up its end of the link.
peer_boot() {
	: >"$run/2/console"
	: >"$run/2/qemu.log"
	(
		for _ in {1..100}; do
			[[ ! -S $run/link ]] || break
			sleep 0.1
		done
		exec timeout --kill-after=5 $((time_limit + 60)) "${peer_qemu[@]}"
	) </dev/null >>"$run/2/qemu.log" 2>&1 &
	peer_pid=$!
}

# h2 has ended.  The command may want that; h1 that waits for it would wait in vain.
peer_ended() {
	peer_pid=
	vm_is_up || kill "$qemu_pid"
}

peer_end() {
	[[ ! $peer_pid ]] || kill "$peer_pid"
	[[ ! $peer_pid ]] || wait "$peer_pid"
	peer_pid=
	rm -f "$run/link"
}
