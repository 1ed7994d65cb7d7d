# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that one host alone has go along with --copy-storage, and no others do."""

import contextlib
import json
import os

from foretold import assert_said, plan_of
from ktap import test
from live import busy_guest, shared_disk, start
from side import H1, H2, SHARED, SIDES

FOLDER = "/srv/kvmward-copies"
LOCAL = f"{FOLDER}/web.raw"
POOL = "kvmward-copies"
VDB = (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{LOCAL}'/>"
       "<target dev='vdb' bus='virtio'/></disk>")


def checksum(where):
    return where.must("sha256sum", LOCAL).split()[0]


@contextlib.contextmanager
def a_guest_with_both():
    """The guest "web" on h1, its vda on storage of both hosts, its vdb on h1's own."""
    devices = shared_disk("web") + VDB
    try:
        for side in SIDES:
            side.must("mkdir", "-p", FOLDER)
        H1.must("qemu-io", "-f", "qcow2", "-c", "write -P 0x11 0 16M", f"{SHARED}/web.qcow2")
        H1.must("qemu-img", "create", "-q", "-f", "raw", LOCAL, "8M")
        H1.must("qemu-io", "-f", "raw", "-c", "write -P 0x5a 0 8M", LOCAL)
        start(busy_guest("web", devices=devices))
        yield
    finally:
        for side in SIDES:
            side.clear()
            side.run("virsh", "pool-destroy", POOL)
            side.must("rm", "-rf", FOLDER)
        os.unlink(f"{SHARED}/web.qcow2")


def migrate():
    return H1.run("kvmward", "migrate", "--live", "--copy-storage", "--json", "web", H2.uri,
                  timeout=400)


def assert_refused(words):
    """Beforehand and in earnest; the guest runs on."""
    assert_said("web", "--copy-storage", kind="live", disk_copy=("bars", words),
                disk_unseen=("warns", "storage pool"))
    result = migrate()
    assert result.status == 3 and "disk-copy" in result.err, str(result)
    assert H1.running() == ["web"] and not H2.running()


@test
def local_disks_are_copied():
    """a local disk is copied, a shared one not; a file that the other host has stays as it is"""
    with a_guest_with_both():
        assert_refused("no storage pool")
        H2.virsh("pool-create-as", POOL, "dir", "--target", FOLDER)
        # behind libvirt's back, and as long as ours
        H2.must("truncate", "-s", "8M", LOCAL)
        another = checksum(H2)
        assert_refused(f"a file {LOCAL} already")
        assert checksum(H2) == another
        H2.must("rm", LOCAL)

        plan = plan_of("web", "--copy-storage")
        assert plan["possible"] and plan["copy_disks"] == ["vdb"], plan
        assert 8 << 20 <= plan["copy_bytes"] < 16 << 20, plan
        result = migrate()
        assert result.status == 0, str(result)
        end = json.loads(result.out.splitlines()[-1])
        assert (end["state"], end["kind"], end["runs"]) == ("moved", "live", True), end
        assert H2.running() == ["web"] and not H1.running()

        H2.virsh("destroy", "web")
        assert checksum(H2) == checksum(H1) != another
        H2.must("qemu-io", "-r", "-f", "qcow2", "-c", "read -P 0x11 0 16M", f"{SHARED}/web.qcow2")
