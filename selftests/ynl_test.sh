#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's own YNL client reads the module's answers by the YAML alone: KTAP.
#   ynl_test.sh BUILD_DIR
set -u

here=$(cd "$(dirname "$0")" && pwd)
shopt -s nullglob
tools=(/usr/src/linux-source-*/tools/net/ynl)
if ((!${#tools[@]})) || ! python3 -c 'import yaml, jsonschema' 2>/dev/null; then
	echo "1..0 # SKIP no YNL client: linux-source and Python's yaml and jsonschema are needed"
	exit 4
fi
tool=${tools[-1]}
# A package of its own since Linux 6.13.
client=$tool/cli.py
[[ ! -e $tool/pyynl/cli.py ]] || client=$tool/pyynl/cli.py
spec=$here/../uapi/kvmward.yaml
number=0 failed=0

# shellcheck disable=SC2317 # called by check
ynl() {
	python3 "$client" --spec "$spec" --schema "$tool/../../../Documentation/netlink/genetlink.yaml" \
		--output-json "$@"
}

# check NAME EXPRESSION ARGUMENT...: ok if the answer, `a` in Python, fulfils it.
check() {
	local name=$1 expression=$2 answer
	shift 2
	number=$((number + 1))
	if answer=$(ynl "$@" 2>&1) &&
		python3 -c "import json, sys; a = json.loads(sys.argv[1]); sys.exit(not ($expression))" "$answer"; then
		echo "ok $number $name"
	else
		echo "# ${answer//$'\n'/$'\n'# }"
		echo "not ok $number $name"
		failed=1
	fi
}

"${1:?}/facts_print" >/dev/null
if [[ $? = 4 ]]; then
	echo "1..0 # SKIP the module kvmward is not loaded and cannot be"
	exit 4
fi
echo "TAP version 13"
echo "1..4"
check "host-get" 'a["vendor"] in ("amd", "intel", "hygon", "other") and a["kvm-loaded"] in (0, 1) and a["facts-source"] in ("none", "btf")' \
	--do host-get
check "slot-get" '[p["pool"] for p in a] == ["sev", "sev-es"]' --dump slot-get
check "guest-get" 'isinstance(a, list) and all(g["pid"] > 0 for g in a)' --dump guest-get
number=$((number + 1))
if make -s -C "$here/../uapi" check YNL="$tool"; then
	echo "ok $number the header is what the YAML gives"
else
	echo "not ok $number the header is what the YAML gives"
	failed=1
fi
exit "$failed"
