# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that wait for a slot: in order, cancelled cleanly, over a restart of kvmwardd.

Two of them, so that it is quick; more with E2E=all in the environment.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading

import host
import ktap
from host import SevVm, guest, kvmward, pools, run, virsh_create, wait_for
from ktap import user_space_test


class Waiter:
    """A running 'kvmward launch --wait --json': its lines, and what it says besides."""

    def __init__(self, name, *options, **how):
        path = host.file_of(host.domain(name, **how), name)
        self.name, self.lines, self.notes = name, [], []
        self.process = subprocess.Popen(
            ["kvmward", "launch", "--paused", "--json", *(options or ["--wait"]), path],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self.readers = [threading.Thread(target=self._read, daemon=True),
                        threading.Thread(target=self._read_notes, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def _read_notes(self):
        for line in self.process.stderr:
            self.notes.append(line)

    def place(self):
        """(place, count, code) as it was told last."""
        told = [line["waiting"] for line in self.lines if "waiting" in line]
        return told and (told[-1]["place"], told[-1]["count"], told[-1]["verdict"]["code"])

    def wait_for_place(self, *place):
        wait_for(f"{self.name} is told {place}", lambda: self.place() == place, 20)

    def end(self, number=None, seconds=120):
        """Its exit status, after a signal if one is given."""
        if number:
            self.process.send_signal(number)
        status = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(30)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
        ktap.diagnose("".join(self.notes))


def waiting():
    return pools()["sev"]["waiting"]


def is_clean():
    return waiting() == 0 and not host.pending()


@user_space_test
def waiting_order():
    """two wait for one slot: the first gets it, nobody slips past, the second is cancelled"""
    others = SevVm("--type=sev", f"--count={pools()['sev']['free'] - 1}")
    last = SevVm("--type=sev")
    try:
        with Waiter("first") as first:
            first.wait_for_place(1, 1, "slot-full")
            with Waiter("second") as second:
                second.wait_for_place(2, 2, "slot-full")
                first.wait_for_place(1, 2, "slot-full")
                assert waiting() == 2 and pools()["sev"]["held"] == 0
                assert "SEV: 2 guests wait" in kvmward("slots").out
                metrics = host.must("kvmward", "metrics")
                assert 'kvmward_slots_waiting{pool="sev"} 2\n' in metrics, metrics
                last.__exit__()
                second.wait_for_place(1, 1, "slot-full")
                late = virsh_create("late")
                assert late.status == 1 and "slot-full:" in late.err, str(late)
                assert "1 to guests that wait for one" in late.err, str(late)
                assert first.end() == 0, first.notes
                assert first.lines[-1]["launched"] and guest("first")["asid"], first.lines
                assert second.place() == (1, 1, "slot-full")
                assert second.end(signal.SIGINT) == 1
                assert "waits no more" in "".join(second.notes), second.notes
                assert guest("second") is None
                wait_for("nobody waits", is_clean, 5)
    finally:
        others.__exit__()
        last.__exit__()


@user_space_test
def waiting_ends():
    """time-out, SIGTERM and kill -9 leave the line; what can never start does not get into it"""
    with SevVm("--type=sev", f"--count={pools()['sev']['free']}"):
        with Waiter("late", "--wait=2") as late:
            assert late.end(seconds=30) == 3
            assert "waited 2 s" in "".join(late.notes), late.notes
            assert late.lines[-1]["verdict"]["code"] == "slot-full", late.lines
        for number, status in ((signal.SIGTERM, 1), (signal.SIGKILL, -signal.SIGKILL)):
            with Waiter("gone") as gone:
                gone.wait_for_place(1, 1, "slot-full")
                assert gone.end(number, seconds=10) == status
            wait_for("nobody waits", is_clean, 5)
        huge = kvmward("launch", "--wait",
                       host.file_of(host.domain("huge", mem_mib=1 << 20), "huge"))
        assert huge.status == 3 and "memory-full: even with no other guest" in huge.err, str(huge)
        # another pool, another line
        with Waiter("es", kind="sev-es") as es:
            assert es.end() == 0 and es.place() == [], es.notes
    assert run("kvmward", "launch", "--wait=soon", "/dev/null").status == 2


@user_space_test
def waiting_over_restart():
    """kvmwardd is killed while two wait: both say so and wait again, and then start"""
    full = SevVm("--type=sev", f"--count={pools()['sev']['free']}")
    try:
        with Waiter("one") as one, Waiter("two") as two:
            wait_for("both wait", lambda: waiting() == 2, 20)
            old = host.daemon_pid()
            host.daemon_kill()
            wait_for("the daemon is back",
                     lambda: host.daemon_pid() not in (0, old) and host.daemon_answers(), 30)
            wait_for("both wait again", lambda: waiting() == 2, 20)
            for waiter in (one, two):
                assert "waits again, at the end" in "".join(waiter.notes), waiter.notes
            full.__exit__()
            assert one.end() == 0 and two.end() == 0, one.notes + two.notes
            assert guest("one")["asid"] != guest("two")["asid"]
            wait_for("nobody waits", is_clean, 5)
    finally:
        full.__exit__()


@user_space_test
def waiting_many():
    """many wait for one slot that goes from hand to hand: each has its turn, in their order"""
    if os.environ.get("E2E") != "all":
        raise ktap.Skip("more than two in line take a minute: E2E=all")
    count = 12
    others = SevVm("--type=sev", f"--count={pools()['sev']['free'] - 1}")
    last = SevVm("--type=sev")
    try:
        with contextlib.ExitStack() as stack:
            line = []
            for number in range(count):
                line.append(stack.enter_context(Waiter(f"guest{number}")))
                line[-1].wait_for_place(number + 1, number + 1, "slot-full")
            last.__exit__()
            for number, waiter in enumerate(line):
                assert waiter.end() == 0, waiter.notes
                assert host.running() == [waiter.name], host.running()
                left = line[number + 1:]
                assert all(other.process.poll() is None for other in left)
                wait_for("the others have moved up",
                         lambda: not left or left[-1].place() == (len(left),) * 2 + ("slot-full",),
                         5)
                host.destroy(waiter.name)
            wait_for("nobody waits", is_clean, 5)
    finally:
        others.__exit__()
        last.__exit__()
