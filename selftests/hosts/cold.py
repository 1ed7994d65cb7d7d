# SPDX-License-Identifier: GPL-2.0-or-later
"""Encrypted guests move cold, whatever is killed on the way: never two of them, never none.

With E2E=all each of HARMS is done at each of STEPS, which takes hours, and with --part=N
(1 to 8) an eighth of that: each step once and each harm once. Else only those of QUICK.
"""

import json
import os
import subprocess
import threading
import time

import host
import ktap
from host import must, run, wait_for
from ktap import test
from side import FIRMWARE, H1, H2, SIDES, link_cut
from watch import SLACK_S, Watch

UUID = "5ea15ea1-0000-4000-8000-00000000c01d"
UNIT = f"kvmward-move@{UUID}.service"
JOB = f"/var/lib/kvmward/moves/{UUID}.json"
STEPS = ("hold", "define-there", "shut-down", "mark-here", "copy", "give", "start-there",
         "undefine-here")
QUICK = (("give", "mover", "resume"), ("mark-here", "mover", "undo"),
         ("start-there", "qemu of h2", "resume"))
CUT_S = 40
QEMU_S = 15


def define(where=H1):
    """Defines an encrypted guest that shuts down when it is told to."""
    xml = host.domain("vault", uuid=UUID, complete=True)
    result = where.run("virsh", "define", "/dev/stdin",
                       text=xml.replace(host.FIRMWARE, FIRMWARE.format("BUTTON")))
    assert result.status == 0, str(result)


def start_plain():
    """A guest that hears nothing of a shutdown runs at h1."""
    result = H1.run("virsh", "define", "/dev/stdin",
                    text=host.domain("vault", kind="plain", uuid=UUID))
    assert result.status == 0, str(result)
    must("virsh", "start", "vault")


def cut_for_a_while():
    with link_cut():
        time.sleep(CUT_S)


def kill_unit(side, unit):
    side.run("systemctl", "kill", "-s", "KILL", unit)


def kill_qemu(side):
    """As soon as there is one: a step that starts it begins before that."""
    end = time.monotonic() + QEMU_S
    while side.run("pkill", "-KILL", "-f",
                   "^/usr/bin/qemu-system-x86_64 -name guest=vault,").status:
        if time.monotonic() > end:
            ktap.diagnose(f"there is no QEMU of it on {side.name} to kill")
            return


HARMS = {
    "mover": lambda: kill_unit(H1, UNIT),
    "kvmwardd of h1": lambda: kill_unit(H1, "kvmwardd"),
    "kvmwardd of h2": lambda: kill_unit(H2, "kvmwardd"),
    "libvirtd of h1": lambda: kill_unit(H1, "libvirtd"),
    "libvirtd of h2": lambda: kill_unit(H2, "libvirtd"),
    "qemu of h1": lambda: kill_qemu(H1),
    "qemu of h2": lambda: kill_qemu(H2),
    "link": cut_for_a_while,
}


def step():
    """The step that the job says was begun last, or None when there is no job."""
    try:
        with open(JOB, encoding="utf-8") as file:
            return json.load(file)["step"]
    except FileNotFoundError:
        return None


def inode(path):
    """With its time, since the number may be used again; None when there is no such file."""
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns


class Move:
    """A running "kvmward migrate --cold", from h1 to h2."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["kvmward", "migrate", "--cold", "vault", H2.uri], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")

    def wait_for_step(self, wanted):
        """Returns as soon as the step begins. The job's file is replaced with each."""
        begin, file, now = time.monotonic(), None, None
        while now != wanted:
            assert self.process.poll() is None, f"over before {wanted}: {self.end()}"
            assert time.monotonic() - begin < 180, f"no '{wanted}', but {now}"
            seen, file = file, inode(JOB)
            if file == seen:
                time.sleep(0.01)
            else:
                now = step()

    def end(self, seconds=400):
        """(exit status, what it said)"""
        out, _ = self.process.communicate(timeout=seconds)
        ktap.diagnose(out)
        return self.process.returncode, out

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)


def answers():
    """libvirtd and kvmwardd of both hosts can be asked."""
    return all(side.run("virsh", "list").status == 0 and
               side.run("kvmward", "slots").status == 0 for side in SIDES)


def finish(verb):
    """Ends what the harm has left of the job, until there is none."""
    for _ in range(3):
        if step() is None:
            return
        result = run("kvmward", "job", verb, "vault", timeout=400)
        ktap.diagnose(result)
        # Nothing takes a guest back that runs at its destination.
        verb = "resume"
    assert step() is None, run("kvmward", "job").out


def place():
    """(host, state) of the guest, which has to be in one place."""
    found = [(side, side.state("vault")) for side in SIDES]
    found = [(side.name, state) for side, state in found if state]
    assert len(found) == 1, f"it is in {len(found)} places: {found}"
    return found[0]


def assert_settled():
    """One definition, without a mark, that can be started; no hold; no more slots than guests."""
    where, state = place()
    side = H1 if where == "h1" else H2
    assert "kvmward:move" not in side.virsh("dumpxml", "--inactive", "vault")
    if state != "running":
        assert state == "shut off", (where, state)
        ktap.diagnose(f"off at {where}: it starts there")
        side.virsh("start", "vault")
    for each in SIDES:
        wait_for(f"slots of {each.name} are right", lambda each=each: (
            each.pool()["charged"], each.pool()["held"]) == (each == side, 0), 30)
    return where, state


def harmed(at, harm, verb):
    """A cold move to which something is done when a step begins; how it ended."""
    define()
    must("virsh", "start", "vault")
    with Watch("vault") as watch:
        with Move() as move:
            move.wait_for_step(at)
            hurt = threading.Thread(target=HARMS[harm])
            hurt.start()
            status, _ = move.end()
            hurt.join()
        wait_for("all daemons answer", answers, 90)
        finish(verb)
        where, state = assert_settled()
    twice = watch.runs_twice()
    ktap.diagnose(f"{at}, {harm}, {verb}: exit {status}; at last {state} at {where}; "
                  f"on both {max(twice, 0):.1f} s")
    assert twice < SLACK_S, (watch.seen, twice)
    clean_up()


def clean_up():
    for side in SIDES:
        side.clear()
    for side in SIDES:
        wait_for(f"{side.name} is empty", lambda side=side: not side.leftovers(), 30)


@test
def cold_there():
    """a SEV guest moves cold: shut down here, started there, and nothing of it stays here"""
    define()
    must("virsh", "start", "vault")
    must("virsh", "autostart", "vault")
    with Watch("vault") as watch, Move() as move:
        status, out = move.end()
    assert status == 0, out
    assert place() == ("h2", "running") and H2.pool()["charged"] == 1
    assert H1.pool()["charged"] == 0 and not os.path.exists(JOB)
    assert "Autostart:      enable" in H2.virsh("dominfo", "vault")
    assert not H1.run("sh", "-c", "ls /var/lib/libvirt/qemu/nvram").out.strip()
    assert watch.runs_twice() < SLACK_S, watch.seen
    assert_settled()


@test
def cold_saved():
    """a plain guest that is saved while it is to shut down stays here, off, and goes on later"""
    start_plain()
    with Move() as move:
        move.wait_for_step("shut-down")
        must("virsh", "managedsave", "vault")
        status, out = move.end()
    assert status == 1 and "it was saved, not shut down" in out, (status, out)
    assert place() == ("h1", "shut off") and step() is None
    assert "Managed save:   yes" in H1.virsh("dominfo", "vault")
    must("virsh", "start", "vault")
    assert H1.state("vault") == "running"


@test
def cold_frozen():
    """libvirt of the destination freezes: the guest runs here again; the job ends after a thaw"""
    start_plain()
    with Move() as move:
        move.wait_for_step("shut-down")
        H2.must("systemctl", "kill", "-s", "STOP", "libvirtd")
        try:
            must("virsh", "destroy", "vault")
            wait_for("it runs here again", lambda: H1.state("vault") == "running", 300)
        finally:
            H2.must("systemctl", "kill", "-s", "CONT", "libvirtd")
        status, out = move.end()
    assert status == 1, out
    assert place() == ("h1", "running") and step() is None


def cases_wanted():
    part = ktap.option("part", 0)
    if not part and os.environ.get("E2E") != "all":
        return QUICK
    return [(at, harm, ("resume", "undo")[(i // 2 + j) % 2])
            for i, at in enumerate(STEPS) for j, harm in enumerate(HARMS)
            if not part or (i + j) % len(STEPS) == part - 1]


@test
def cold_killed():
    """something is killed at a boundary of steps: afterwards the guest is in exactly one place"""
    failed, cases = [], cases_wanted()
    for case in cases:
        try:
            harmed(*case)
        except AssertionError as error:
            failed.append(case)
            ktap.diagnose(f"{case}: {error}")
            for side in SIDES:
                ktap.diagnose(side.virsh("list", "--all"))
            run("kvmward", "job", "undo", "vault", timeout=400)
            clean_up()
    ktap.diagnose(f"{len(cases)} cases, {len(failed)} failed")
    assert cases, f"--part goes from 1 to {len(STEPS)}"
    assert not failed, failed
