# SPDX-License-Identifier: GPL-2.0-or-later
"""The two hosts, and what each says of itself: the same questions for either."""

import contextlib
import json
import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))
import host  # pylint: disable=wrong-import-position
from host import wait_for  # pylint: disable=wrong-import-position

SHARED = "/shared"
FIRMWARE = "/usr/share/kvmward-lab/OVMF_{}_4M.fd"
# One connection for all that the tests ask h2: each of its own costs seconds.
MASTER = f"{host.SCRATCH}/ssh"
# What guests that are gone would leave behind: a line for each thing.
LEFTOVERS = r"""
set -e -o pipefail
virsh list --all --name | sed '/^$/d; s/^/domain /'
{ pgrep -f '^/usr/bin/qemu-system-x86_64 -name guest=' || true; } | sed 's/^/process /'
ls -d /sys/fs/cgroup/machine.slice/machine-* /var/lib/kvmward/moves/*.json 2>/dev/null || true
[ ! -e /run/kvmward/ledger.json ] ||
	jq -r '.holds[] | "hold " + .uuid' /run/kvmward/ledger.json
kvmward slots --json |
	jq -r '.pools[] | select(.in_use + .charged + .held > 0) | .pool + " slots " + tostring'
"""


class Side:
    """A host by its name."""

    def __init__(self, name):
        self.name = name
        self.uri = f"qemu+ssh://root@{name}/system"
        self.here = name == os.uname().nodename

    def run(self, *argv, **more):
        if self.here:
            return host.run(*argv, **more)
        return host.run("ssh", "-S", MASTER, self.name, shlex.join(argv), **more)

    def must(self, *argv, **more):
        result = self.run(*argv, **more)
        assert result.status == 0, f"on {self.name}: {result}"
        return result.out

    def virsh(self, *args, **more):
        return self.must("virsh", *args, **more)

    def create(self, xml):
        return self.run("virsh", "create", "/dev/stdin", text=xml)

    def running(self):
        return self.virsh("list", "--name").split()

    def defined(self):
        return self.virsh("list", "--all", "--name", "--persistent").split()

    def state(self, name):
        """What libvirt says of a domain: running, paused, ...; None when it knows of none."""
        result = self.run("virsh", "domstate", name)
        return result.out.strip() if result.status == 0 else None

    def qemu(self, name):
        """Process ids of this guest, whether or not libvirt knows of it."""
        return self.run("pgrep", "-f", f"^/usr/bin/qemu-system-x86_64 -name guest={name},"
                        ).out.split()

    def pool(self, name="sev"):
        pools = json.loads(self.must("kvmward", "slots", "--json"))["pools"]
        return next(pool for pool in pools if pool["pool"] == name)

    def leftovers(self):
        return self.must("bash", "-c", LEFTOVERS).splitlines()

    def clear(self):
        """Ends and forgets every guest, with what libvirt keeps of one that is gone."""
        for name in self.virsh("list", "--all", "--name").split():
            self.run("virsh", "destroy", name)
            self.run("virsh", "undefine", "--nvram", "--managed-save", name)
        self.must("sh", "-c", "rm -f /var/lib/libvirt/qemu/nvram/*")


# Before a command, for host.SevVm: the terminal ends what runs in it when ssh ends.
ON_H2 = ("ssh", "-tt", "h2")
H1, H2 = SIDES = (Side("h1"), Side("h2"))


def connect():
    """Opens the connection that run() uses; without it, it works too, but slowly."""
    tries = []

    def is_there():
        if os.path.exists(MASTER):
            return True
        if not tries or tries[-1].poll() is not None:
            tries.append(subprocess.Popen(
                ["ssh", "-M", "-N", "-S", MASTER, H2.name], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return False
    os.makedirs(host.SCRATCH, exist_ok=True)
    wait_for("ssh is there", is_there, 60)


def disconnect():
    host.run("ssh", "-S", MASTER, "-O", "exit", H2.name)


@contextlib.contextmanager
def link_cut():
    """Without a word between the two hosts meanwhile."""
    disconnect()
    host.must("lab-link", "cut")
    try:
        yield
    finally:
        host.must("lab-link", "mend")
        connect()


def assert_empty():
    left = {}

    def empty():
        left.update({side.name: side.leftovers() for side in SIDES}, shared=os.listdir(SHARED))
        return not any(left.values())
    try:
        wait_for("both hosts are empty", empty, 60)
    except AssertionError as error:
        # not "from None": that would hide what the test itself has failed of
        raise AssertionError(f"{error}: {left}") from error


def clean():
    for side in SIDES:
        side.clear()
    assert_empty()
