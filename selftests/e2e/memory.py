# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's memory: plain guests count too, whoever started them, and are refused when it is full."""

import concurrent.futures
import contextlib
import json
import os
import subprocess

import host
from host import guest, kvmward_json, launch, must, run, virsh_create, wait_for
from ktap import test, user_space_test
from waiting import Waiter

MIB = 1 << 20
SAVED = "/var/lib/libvirt/images/kvmward-e2e-saved"


def total_mib():
    for line in host.read("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("no MemTotal in /proc/meminfo")


def leaving(mib, ratio="1.0"):
    """A configuration that leaves guests so much of the host's memory."""
    return (f"[memory]\nreserved_host_memory_mb = {total_mib() - mib}\n"
            f"ram_allocation_ratio = {ratio}\n[walls]\nmemory_max = no\n")


def started(result):
    assert result.status == 0, str(result)


def refused(result, status=3):
    assert result.status == status and "memory-full: " in result.err, str(result)


def plan(name, **how):
    """What is planned for it: its claim, and the verdict."""
    result = host.kvmward("plan", "--json", host.file_of(host.domain(name, **how), name))
    return json.loads(result.out)


def code(name, **how):
    """The code of the verdict."""
    return plan(name, **how)["verdict"]["code"]


@contextlib.contextmanager
def saved(name):
    """A running guest is saved; restored, it would run again."""
    must("virsh", "save", name, SAVED)
    try:
        yield
    finally:
        os.unlink(SAVED)


@user_space_test
def plain_guests_fill_the_host():
    """plain guests are refused at every door once the memory is given out; a ratio makes room"""
    with host.config(leaving(190)):
        started(virsh_create("one", kind="plain"))
        started(launch("two", kind="plain"))
        assert not host.pending() and guest("two")["memory_bytes"] >= 64 * MIB, guest("two")
        refused(virsh_create("three", kind="plain"), status=1)
        refused(launch("three", kind="plain"))
        assert code("three", kind="plain") == "memory-full"
        assert code("small", kind="plain", mem_mib=32) == "admitted"
        with saved("two"):
            started(virsh_create("three", kind="plain"))
            refused(run("virsh", "restore", SAVED, "--paused"), status=1)
            host.destroy("three")
            started(run("virsh", "restore", SAVED, "--paused"))
        with Waiter("three", kind="plain") as three:
            three.wait_for_place(1, 1, "memory-full")
            host.destroy("two")
            assert three.end() == 0, three.notes
        host.configure(leaving(190, "2.0"))
        for name in ("four", "five"):
            started(virsh_create(name, kind="plain"))
        refused(virsh_create("six", kind="plain", mem_mib=192), status=1)
        # whoever is refused leaves nothing behind
        assert not host.pending()


@user_space_test
def plain_guests_and_encrypted_ones():
    """plain guests keep memory from an encrypted one, at their ratio; it counts in full"""
    with host.config(leaving(200)):
        assert code("vault") == "admitted"
        started(virsh_create("one", kind="plain"))
        refused(launch("vault"))
        host.configure(leaving(200, "2.0"))
        started(launch("vault"))
        # what the encrypted one may come to use is not divided by anything
        refused(virsh_create("two", kind="plain", mem_mib=80), status=1)
        host.destroy("vault")
        started(virsh_create("two", kind="plain", mem_mib=80))


def memory_of(pid):
    """Bytes of the guest of that process; None while there is none."""
    return next((g["memory_bytes"] for g in host.guests() if g["pid"] == pid), None)


@test
def qemu_without_libvirt():
    """a guest that plain QEMU runs counts like any other"""
    with host.config(leaving(200)):
        assert code("one", kind="plain") == "admitted"
        qemu = subprocess.Popen(["qemu-system-x86_64", "-accel", "kvm", "-m", "160", "-S",
                                 "-nodefaults", "-display", "none"])
        try:
            wait_for("it is seen", lambda: memory_of(qemu.pid), 60)
            refused(launch("one", kind="plain"))
            refused(launch("vault"))
        finally:
            qemu.kill()
            qemu.wait(30)
        wait_for("it is gone", lambda: not memory_of(qemu.pid), 10)
        started(launch("one", kind="plain"))
    assert kvmward_json("slots")["classes"] == []


@user_space_test
def plain_guests_without_kvmwardd():
    """a plain guest starts while kvmwardd is down, however full the host is"""
    with host.config(leaving(50)):
        refused(virsh_create("one", kind="plain"), status=1)
        host.daemon("stop")
        try:
            started(virsh_create("one", kind="plain"))
        finally:
            host.daemon("start")


POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
ON_DEMAND = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages"
HUGE = {"kind": "plain", "extra": "<memoryBacking><hugepages/></memoryBacking>"}


@contextlib.contextmanager
def hugepages(count):
    """A pool of so many pages of 2 MiB."""
    def is_there():
        host.write("/proc/sys/vm/drop_caches", "3")
        host.write("/proc/sys/vm/compact_memory", "1")
        host.write(POOL, str(count))
        return host.read(POOL) == str(count)
    try:
        wait_for("the pool is there", is_there, 20)
        yield
    finally:
        host.write(POOL, "0")


@test
def hugepages_on_demand():
    """pages that the kernel would make of other memory are no room for a guest of hugepages"""
    before = host.read(ON_DEMAND)
    host.write(ON_DEMAND, "64")
    try:
        result = launch("none", **HUGE)
        refused(result)
        assert "takes 32 hugepages of 2048 KiB and 0 are left" in result.err, result.err
    finally:
        host.write(ON_DEMAND, before)


@test
def hugepage_guests():
    """a guest of hugepages needs room in its pool and none besides; other guests not in the pool"""
    refused(launch("none", **HUGE))
    with hugepages(40), host.config(leaving(130)):  # the pool is 80 MiB of it
        refused(launch("plain", kind="plain"))
        started(launch("one", **HUGE))
        assert not host.pending()
        result = launch("two", **HUGE)
        refused(result)
        assert "takes 32 hugepages of 2048 KiB and 8 are left: of 40" in result.err, result.err
        assert "nr_hugepages by 24" in result.err, result.err
        # what is in hugepages counts for nothing else
        started(launch("small", kind="plain", mem_mib=32))
        with Waiter("two", **HUGE) as two:
            two.wait_for_place(1, 1, "memory-full")
            host.destroy("one")
            assert two.end() == 0, two.notes
        host.destroy("two")


def looked_at_while_it_starts(name):
    """Launches a guest at which kvmwardd looks while its firmware is pinned twice."""
    claimed = plan(name)["claim"]["pinned_bytes"]
    host.write("/sys/kernel/debug/psp_sim/slow", "LAUNCH_UPDATE_DATA 15000 1")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        launching = pool.submit(launch, name)
        wait_for("its firmware is pinned twice",
                 lambda: ((host.guest(name) or {}).get("pinned_bytes") or 0) > claimed, 60)
        must("kvmward", "reload")
        return launching.result()


@test
def more_than_claimed():
    """a guest that pins more than its claim is told: once in the journal, in guests and metrics"""
    card = ("<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            "<qemu:arg value='-device'/><qemu:arg value='secondary-vga'/></qemu:commandline>")
    started(looked_at_while_it_starts("as-claimed"))
    started(launch("more", extra=card))
    wait_for("it is known", lambda: host.guest("more")["claimed_pinned_bytes"], 10)
    for _ in range(2):
        must("kvmward", "reload")
        seen = {g["name"]: g for g in host.guests()}
        assert seen["as-claimed"]["claimed_pinned_bytes"] is None, seen
        more = seen["more"]["pinned_bytes"] - seen["more"]["claimed_pinned_bytes"]
        assert 15 * MIB < more < 18 * MIB, seen
    lines = must("kvmward", "guests").splitlines()
    assert [line.split()[0] for line in lines if line.endswith("differs")] == ["more"], lines
    metrics = must("kvmward", "metrics")
    told = [line for line in metrics.splitlines()
            if line.startswith("kvmward_guest_claimed_pinned_bytes{")]
    assert len(told) == 1 and 'name="more"' in told[0], told
    must("journalctl", "--sync")
    journal = must("journalctl", "-u", "kvmwardd", "-o", "cat", "-p", "warning",
                   "DOMAIN_UUID=" + seen["more"]["uuid"])
    assert journal.count(" was claimed for it") == 1, journal
