#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ciphertext hiding splits the slots that SEV-ES and SNP share: the pools for each
# split against what kvm_amd itself says of its ASIDs: KTAP.
#   split_test.sh [BUILD_DIR]
# facts_print, snp_test and events_test lie there, where the kernel's make says, or here.
set -u

build=${1:-${OUTPUT:-$(dirname "$0")}}
parameter=/sys/module/kvm_amd/parameters/ciphertext_hiding_asids

skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

[[ -e $parameter ]] || skip_all "this kernel's kvm_amd has no ciphertext hiding"
[[ $(<"${parameter%/*}/sev_snp") = Y ]] || skip_all "KVM offers no SEV-SNP here"
lsmod | grep -q '^kvm_amd .* 0 *$' || skip_all "kvm_amd is in use"
min_sev_asid=$(cat /sys/module/psp_sim/parameters/min_sev_asid 2>/dev/null) ||
	skip_all "no simulator: a real firmware may not take it back"
((min_sev_asid > 3)) || skip_all "too few slots to split"
"$build/facts_print" >/dev/null || skip_all "the module kvmward is not loaded and cannot be"

number=0 failed=0
# result NAME STATUS
result() {
	number=$((number + 1))
	if (($2)); then
		echo "not ok $number $1"
		failed=1
	else
		echo "ok $number $1"
	fi
}

# What kvm_amd said when it was loaded last: "FIRST LAST" of a kind of guest.
said() {
	dmesg | sed -nE "s/.*kvm_amd: $1 [a-z]+ \(ASIDs ([0-9]+) - ([0-9]+)\).*/\1 \2/p" | tail -n 1
}

# Attribute of a pool in the output of facts_print, "" when it is not there; it is
# printed byte by byte, the lowest first.
attribute() {
	local hex
	hex=$(sed -n "s/^slot\.$1\.$2 //p" <<<"$facts")
	[[ ! $hex ]] || echo $((16#${hex:6:2}${hex:4:2}${hex:2:2}${hex:0:2}))
}

# Is the pool that range, or empty when the range is?
pool_is() {
	local pool=$1 first=$2 last=$3 is wanted="$2 $3 $(($3 - $2 + 1))"
	((first <= last)) || wanted="  0"
	is="$(attribute "$pool" 2) $(attribute "$pool" 3) $(attribute "$pool" 4)"
	[[ $is == "$wanted" ]] && return
	echo "# pool $pool is '$is', kvm_amd says '$wanted'"
	return 1
}

pools_are_as_said() {
	local es snp sev
	read -ra sev < <(said SEV)
	read -ra es < <(said SEV-ES)
	read -ra snp < <(said SEV-SNP)
	echo "# SEV ${sev[*]}, SEV-ES ${es[*]}, SEV-SNP ${snp[*]}"
	pool_is 0 "${sev[@]}" && pool_is 1 "${es[@]}" || return
	if [[ ${es[0]} = "${snp[0]}" ]]; then
		[[ ! $(attribute 2 1) ]]
	else
		pool_is 2 "${snp[@]}" && [[ ! $(attribute 1 5) && ! $(attribute 2 5) ]]
	fi
}

load() {
	rmmod kvm_amd && modprobe kvm_amd "ciphertext_hiding_asids=$1" &&
		facts=$("$build/facts_print")
}

# all_of TEST WHAT
all_of() {
	local output status
	output=$("$build/$1" 2>&1)
	status=$?
	((!status)) || echo "# ${output//$'\n'/$'\n'# }"
	result "with 2: all that is tested of $2" "$status"
}

echo "TAP version 13"
echo "1..8"
for asids in 1 2 $((min_sev_asid - 2)) $((min_sev_asid - 1)) $((min_sev_asid + 7)) 0; do
	load "$asids" && pools_are_as_said
	result "$asids asked for SNP alone: the pools are kvm_amd's" $?
	((asids == 2)) || continue
	all_of snp_test "SNP guests"
	all_of events_test "events"
done
exit "$failed"
