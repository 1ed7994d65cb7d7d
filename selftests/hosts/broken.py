# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves that break in the middle: the guest runs on where it was, and nothing stays elsewhere."""

import contextlib
import subprocess
import time

import ktap
from host import must, wait_for
from ktap import test
from live import busy_guest, start, ticks
from side import H1, H2, link_cut


def copying(name):
    """True while the memory of the guest is on its way from h1."""
    result = H1.run("virsh", "domjobinfo", name)
    return "Outgoing migration" in result.out and "Data processed" in result.out


@contextlib.contextmanager
def moving(name, *options):
    """A move from h1 to h2 that would take minutes, in the middle of it."""
    start(busy_guest(name))
    process = subprocess.Popen(["virsh", "migrate", "--live", "--bandwidth", "1", *options, name,
                                H2.uri], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               encoding="utf-8")
    try:
        wait_for("memory is copied", lambda: copying(name), 120)
        yield process
    finally:
        process.kill()
        process.wait(10)


def assert_broken(process, seconds):
    """The move ends by itself, in an error; what it says."""
    out, _ = process.communicate(timeout=seconds)
    assert process.returncode == 1, out
    ktap.diagnose(out)


def assert_runs_on(name):
    """It runs at h1, and only there."""
    assert H1.state(name) == "running" and len(H1.qemu(name)) == 1
    before = ticks(H1, name)
    wait_for("it goes on", lambda: ticks(H1, name) > before, 20)
    wait_for("nothing is left at h2", lambda: not H2.leftovers(), 60)


@test
def destination_killed():
    """QEMU of the destination is killed in the middle: the guest runs on at the source"""
    with moving("mover") as process:
        H2.must("kill", "-KILL", *H2.qemu("mover"))
        assert_broken(process, 60)
    assert_runs_on("mover")


@test
def link_lost():
    """the link is cut in the middle and stays so: both hosts give up, the guest runs on"""
    with moving("mover", "--p2p") as process:
        with link_cut():
            assert_broken(process, 180)
            before = ticks(H1, "mover")
            wait_for("it runs on", lambda: ticks(H1, "mover") > before, 60)
        assert_runs_on("mover")


@test
def link_lost_by_kvmward():
    """the same by 'kvmward migrate': it tells nothing before it has seen the other host again"""
    start(busy_guest("mover"))
    must("virsh", "migrate-setspeed", "mover", "1")
    process = subprocess.Popen(["kvmward", "migrate", "--live", "mover", H2.uri],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, encoding="utf-8")
    try:
        wait_for("memory is copied", lambda: copying("mover"), 120)
        with link_cut():
            wait_for("libvirt has given up", lambda: not copying("mover"), 180)
            before = ticks(H1, "mover")
            wait_for("it runs on", lambda: ticks(H1, "mover") > before, 60)
            time.sleep(5)
            assert process.poll() is None, process.communicate()
        assert_broken(process, 180)
    finally:
        process.kill()
        process.wait(10)
    assert_runs_on("mover")
