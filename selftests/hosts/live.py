# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain guests move live, by plain virsh, under kvmwardd's eyes."""

import json
import os
import re

import host
import ktap
from host import must, wait_for
from ktap import test
from side import FIRMWARE, H1, H2, SHARED


def busy_guest(name, **how):
    """The XML of a plain guest that changes its memory all the time."""
    return host.domain(name, kind="plain", **how).replace(host.FIRMWARE, FIRMWARE.format("BUSY"))


def shared_disk(name):
    """The XML of a disk that both hosts see, of which there is a file from now on."""
    path = f"{SHARED}/{name}.qcow2"
    must("qemu-img", "create", "-q", "-f", "qcow2", path, "16M")
    return (f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>")


def start(xml, where=H1):
    result = where.create(xml)
    assert result.status == 0, str(result)


def ticks(where, name):
    """How often the guest has changed its memory: rises from 0 on, for as long as it runs."""
    out = where.virsh("qemu-monitor-command", "--hmp", name, "xp /1wx 0x500")
    return int(out.split(": ")[1], 16)


def migrate(name, source, destination, *options):
    return source.run("virsh", "migrate", "--live", *options, name, destination.uri, timeout=300)


def by_virsh(source, destination):
    """Moves the guest "web"; (all of it, its standstill) in ms."""
    result = migrate("web", source, destination)
    assert result.status == 0, str(result)
    out = destination.virsh("domjobinfo", "web", "--completed")
    return tuple(int(re.search(rf"{key}: +(\d+)", out)[1])
                 for key in ("Time elapsed", "Total downtime"))


def by_kvmward(source, destination):
    """The same."""
    result = source.run("kvmward", "migrate", "--live", "--json", "web", destination.uri,
                        timeout=400)
    assert result.status == 0, str(result)
    end = json.loads(result.out.splitlines()[-1])
    assert (end["state"], end["kind"], end["runs"]) == ("moved", "live", True), end
    return end["total_ms"], end["downtime_ms"]


@test
def both_hosts():
    """kvmwardd answers on both; that of the other is asked through ssh, as libvirt is"""
    for side in (H1, H2):
        out = must("busctl", "--host", f"root@{side.name}", "get-property", "org.kvmward1",
                   "/org/kvmward1", "org.kvmward1.Manager", "Version")
        assert out.startswith('s "'), out
        assert f"root@{side.name}" in must("virsh", "-c", side.uri, "uri")
        assert side.must("hostname").strip() == must("virsh", "-c", side.uri, "hostname").strip()
    ids = [re.search("<uuid>(.*)</uuid>", side.virsh("capabilities"))[1] for side in (H1, H2)]
    assert len(set(ids)) == 2, ids


def there_and_back(move, times):
    """Moves the guest "web" from h1 to h2 and back so often."""
    ticked, costs = -1, []
    for source, destination in ((H1, H2), (H2, H1)) * times:
        costs.append(move(source, destination))
        assert source.state("web") is None, source.state("web")
        wait_for(f"{source.name} is empty", lambda side=source: not side.leftovers(), 30)
        assert destination.running() == ["web"], destination.running()
        now = ticks(destination, "web")
        # one that had been started anew would begin at 0
        assert now > ticked, (ticked, now)
        ticked = now
        seen = json.loads(destination.must("kvmward", "guests", "--json"))["guests"]
        assert [g["name"] for g in seen] == ["web"], seen
    ktap.diagnose("ms in all/at a standstill: " + ", ".join(f"{a}/{b}" for a, b in costs))


@test
def plain_there_and_back():
    """a busy plain guest with a disk on shared storage goes there and back by plain virsh"""
    start(busy_guest("web", devices=shared_disk("web")))
    try:
        image_is_locked()
        there_and_back(by_virsh, 1)
        image_is_locked()
    finally:
        H1.clear()
        os.unlink(f"{SHARED}/web.qcow2")


@test
def kvmward_there_and_back():
    """the same by 'kvmward migrate', defined for good; 20 times with E2E=all"""
    result = H1.run("virsh", "define", "/dev/stdin", text=busy_guest("web"))
    assert result.status == 0, str(result)
    must("virsh", "start", "web")
    there_and_back(by_kvmward, 20 if os.environ.get("E2E") == "all" else 1)
    assert H1.defined() == ["web"] and not H2.defined()


def image_is_locked():
    """Locks on images hold from one host to the other: no second guest can write to it."""
    result = H2.run("qemu-io", "-c", "quit", f"{SHARED}/web.qcow2")
    assert result.status != 0 and "lock" in result.err, str(result)
