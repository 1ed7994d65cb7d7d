# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's memory: plain guests count too, whoever started them, and are refused when it is full."""

import contextlib
import os
import subprocess

import host
from host import guest, kvmward_json, launch, must, run, virsh_create, wait_for
from ktap import test
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
    """The code of the verdict."""
    result = host.kvmward("plan", "--json", host.file_of(host.domain(name, **how), name))
    return host.json.loads(result.out)["verdict"]["code"]


@contextlib.contextmanager
def saved(name):
    """A running guest is saved; restored, it would run again."""
    must("virsh", "save", name, SAVED)
    try:
        yield
    finally:
        os.unlink(SAVED)


@test
def plain_guests_fill_the_host():
    """plain guests are refused at every door once the memory is given out; a ratio makes room"""
    with host.config(leaving(190)):
        started(virsh_create("one", kind="plain"))
        started(launch("two", kind="plain"))
        assert not host.pending() and guest("two")["memory_bytes"] >= 64 * MIB, guest("two")
        refused(virsh_create("three", kind="plain"), status=1)
        refused(launch("three", kind="plain"))
        assert plan("three", kind="plain") == "memory-full"
        assert plan("small", kind="plain", mem_mib=32) == "admitted"
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


@test
def plain_guests_and_encrypted_ones():
    """plain guests keep memory from an encrypted one, at their ratio; it counts in full"""
    with host.config(leaving(200)):
        assert plan("vault") == "admitted"
        started(virsh_create("one", kind="plain"))
        refused(launch("vault"))
        host.configure(leaving(200, "2.0"))
        started(launch("vault"))
        # what the encrypted one may come to use is not divided by anything
        refused(virsh_create("two", kind="plain", mem_mib=80), status=1)
        host.destroy("vault")
        started(virsh_create("two", kind="plain", mem_mib=80))


@test
def qemu_without_libvirt():
    """a guest that plain QEMU runs counts like any other"""
    with host.config(leaving(200)):
        assert plan("one", kind="plain") == "admitted"
        qemu = subprocess.Popen(["qemu-system-x86_64", "-accel", "kvm", "-m", "160", "-S",
                                 "-nodefaults", "-display", "none", "-name", "stranger"])
        try:
            wait_for("it is seen", lambda: (guest("stranger") or {}).get("memory_bytes"), 60)
            refused(launch("one", kind="plain"))
            refused(launch("vault"))
        finally:
            qemu.kill()
            qemu.wait(30)
        wait_for("it is gone", lambda: not guest("stranger"), 10)
        started(launch("one", kind="plain"))
    assert kvmward_json("slots")["classes"] == []


@test
def plain_guests_without_kvmwardd():
    """a plain guest starts while kvmwardd is down, however full the host is"""
    with host.config(leaving(50)):
        refused(virsh_create("one", kind="plain"), status=1)
        host.daemon("stop")
        try:
            started(virsh_create("one", kind="plain"))
        finally:
            host.daemon("start")
