#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's own YNL client, unmodified, reads the module by the YAML alone, and
# agrees with kvmward: KTAP.
#   ynl_test.sh [BUILD_DIR]
# facts_print and sev_vm lie there, where the kernel's make says, or here.
here=$(cd "$(dirname "$0")" && pwd)
if ! python3 -c 'import yaml, jsonschema' 2>/dev/null; then
	echo "TAP version 13"
	echo "1..0 # SKIP Python with yaml and jsonschema is needed"
	exit 4
fi
exec python3 -B "$here/ynl.py" "${1:-${OUTPUT:-$here}}"
