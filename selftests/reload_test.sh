#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module, and KVM below it, unloaded and loaded again: KTAP.
#   reload_test.sh [BUILD_DIR]
# facts_print and sev_vm lie there, where the kernel's make says, or here.
set -u

build=${1:-${OUTPUT:-$(dirname "$0")}}
sev_vm=$build/sev_vm
scratch=$(mktemp -d) || exit 1
holder=
# shellcheck disable=SC2317 # called by trap
cleanup() {
	[[ ! $holder ]] || kill "$holder" 2>/dev/null
	rm -rf "$scratch"
}
trap cleanup EXIT
number=0 failed=0

check() {
	local name=$1
	shift
	number=$((number + 1))
	if "$@" >"$scratch/out" 2>&1; then
		echo "ok $number $name"
	else
		sed 's/^/# /' "$scratch/out"
		echo "not ok $number $name"
		failed=1
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

# The guests of somebody else may move; ours and the host may not.
facts() {
	"$build/facts_print" >"$scratch/$1"
}

# shellcheck disable=SC2317 # called by check
same() {
	diff "$scratch/$1" "$scratch/$2"
}

# shellcheck disable=SC2317 # called by check
absent() {
	[[ ! -d /sys/module/kvmward ]]
}

# shellcheck disable=SC2317 # called by check
many_times() {
	local i
	for ((i = 0; i < 20; i++)); do
		rmmod kvmward && modprobe kvmward && "$build/facts_print" >/dev/null || return
	done
}

# shellcheck disable=SC2317 # called by check
while_asked() {
	local i asker
	unloads=0
	(while :; do "$build/facts_print" >/dev/null 2>&1; done) &
	asker=$!
	for ((i = 0; i < 20; i++)); do
		# It is refused while a dump is open, and asking loads it again.
		rmmod kvmward 2>/dev/null && unloads=$((unloads + 1))
		sleep 0.05
	done
	kill "$asker"
	wait "$asker" 2>/dev/null
	modprobe kvmward && "$build/facts_print" >/dev/null && ((unloads))
}

# shellcheck disable=SC2317 # called by check
kernel_is_quiet() {
	! dmesg | grep -E 'BUG:|WARNING:|Oops|general protection|Call Trace'
}

facts first
status=$?
echo "TAP version 13"
if ((status == 4)); then
	echo "1..0 # SKIP the module kvmward is not loaded and cannot be"
	exit 4
fi
echo "1..9"

type=plain
! "$sev_vm" --type=sev --count=3 -- true >"$scratch/vms" 2>&1 || type=sev
if [[ -c /dev/kvm && -x $sev_vm ]]; then
	"$sev_vm" --type=$type --count=3 --mem=16 --vcpus=1 >"$scratch/vms" &
	holder=$!
	until grep -q ready "$scratch/vms" || ! kill -0 "$holder" 2>/dev/null; do
		sleep 0.1
	done
	check "three guests are held" grep -q ready "$scratch/vms"
else
	skip "three guests are held" "no KVM"
fi

sleep 0.3 # an answer of the firmware may be 100 ms old
facts before
check "unloaded with guests running" rmmod kvmward
check "nothing is left of it" absent
check "asking by name loads it" "$build/facts_print"
facts after
check "the same answers as before" same before after
check "20 times more" many_times
check "unloaded while it is asked" while_asked
echo "# unloaded $unloads of 20 times"

if [[ $holder ]]; then
	kill "$holder"
	wait "$holder" 2>/dev/null
	holder=
fi
if lsmod | grep -q '^kvm_amd .* 0 *$'; then
	sleep 0.3
	facts before
	# shellcheck disable=SC2317 # called by check
	kvm_again() {
		rmmod kvm_amd && facts without && ! same before without >/dev/null &&
			modprobe kvm_amd && sleep 0.3 && facts after && same before after
	}
	check "kvm_amd loaded anew: the same answers, none in between" kvm_again
else
	skip "kvm_amd loaded anew" "it is not loaded, or in use"
fi
check "the kernel has not complained" kernel_is_quiet
exit "$failed"
