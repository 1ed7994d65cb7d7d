# SPDX-License-Identifier: GPL-2.0-or-later
"""How changes are learnt: at once, without polling, and without a stale figure."""

import json
import os
import signal
import statistics
import subprocess
import threading
import time

import host
import ktap
from host import SevVm, kernel_slots, must, pools, run, wait_for
from ktap import test, user_space_test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
AS_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
PPOLL = "271"


def waits_for(pid):
    """What a watch is waiting for: "news", "timer" (or news, whichever is first), None: it runs.

    For news is for all four of its sources, so it has looked at what it had heard of.
    """
    call = host.read(f"/proc/{pid}/syscall").split()
    if call[0] != PPOLL or call[2] != "0x4":
        return None  # one that runs has no call to show
    return "news" if call[3] == "0x0" else "timer"


class Watch:
    """A running 'kvmward watch --json': its lines, each with the time when it came."""

    def __init__(self, *prefix):
        self.process = subprocess.Popen([*prefix, "kvmward", "watch", "--json"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        encoding="utf-8")
        self.lines, self.notes = [], []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_notes, daemon=True).start()
        wait_for("watch waits for news", self.wait, 30)

    def _read(self):
        for line in self.process.stdout:
            self.lines.append({**json.loads(line), "seen": time.monotonic()})

    def _read_notes(self):
        for line in self.process.stderr:
            self.notes.append(line)

    def wait(self):
        return waits_for(self.process.pid)

    def changes(self):
        return [line["change"] for line in self.lines]

    def find(self, change, **guest):
        for line in self.lines:
            if line["change"] == change and all((line.get("guest") or {}).get(k) == v
                                                for k, v in guest.items()):
                return line
        return None

    def with_asid(self):
        """The lines about a guest that has an ASID."""
        return [line for line in self.lines if (line.get("guest") or {}).get("asid")]

    def taken(self, pool="sev"):
        """The slots taken as its last line about the pool has it; None before the first."""
        views = [line["pool"] for line in self.lines if line.get("pool")]
        taken = [view["taken"] for view in views if view["pool"] == pool]
        return taken[-1] if taken else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        ktap.diagnose("".join(self.notes))


def needs_slot_events():
    """Skips on a module that does not even say whether it tells of slots."""
    if host.host_facts()["slot_events"] is None:
        raise ktap.Skip("this module does not say whether it tells of slots (slot-events)")


def changes_from():
    """How kvmwardd learns of changes."""
    out = must("busctl", "get-property", "--json=short", "org.kvmward1", "/org/kvmward1",
               "org.kvmward1.Manager", "ChangesFrom")
    return json.loads(out)["data"][0]


def status_line():
    """What kvmwardd tells systemd without being asked."""
    return must("systemctl", "show", "-P", "StatusText", "kvmwardd").strip()


def is_idle(watch):
    """Neither of the two has a timer that runs: nothing but news can wake them."""
    timers = host.read_each(f"/proc/{host.daemon_pid()}/fdinfo/*")
    armed = [t for t in timers if "it_value:" in t and "it_value: (0, 0)" not in t]
    return not armed and watch.wait() == "news"


def switches(pid):
    """How often the threads of a process went to sleep so far."""
    return sum(int(line.split()[1]) for status in host.read_each(f"/proc/{pid}/task/*/status")
               for line in status.splitlines()
               if line.startswith("voluntary_ctxt_switches"))


@test
def slot_events():
    """watch tells of a slot at once, and when it is given back; no figure stays that is stale"""
    needs_slot_events()
    assert host.host_facts()["slot_events"] is True, host.host_facts()
    assert changes_from() == "slot-events"
    checks = host.host_checks()
    assert checks["slot_events"] == checks["hearing"] == "ok", checks
    delays = []
    with Watch() as watch:
        for _ in range(5):
            del watch.lines[:]
            with SevVm("--type=sev") as vm:
                wait_for("a line with its ASID", watch.with_asid, 5)
                line = watch.with_asid()[0]
                assert line["pool"]["taken"] == kernel_slots()["charged"] == 1, line
                delays.append(line["seen"] - vm.taken())
                vm.process.kill()
                vm.process.wait(10)
            wait_for("its end", lambda: watch.find("guest-went"), 5)
            wait_for("the last figure is right", lambda: watch.taken() == 0, 3)
            assert kernel_slots()["charged"] == 0 and host.simulator_asids() == []
            wait_for("so is kvmwardd's", lambda: status_line().startswith("SEV 0 of "), 3)
        assert not watch.notes, watch.notes
    ktap.diagnose("lines after " + ", ".join(f"{d * 1000:.0f}" for d in delays) + " ms, median "
                  f"{statistics.median(delays) * 1000:.0f}")
    assert statistics.median(delays) < 1, delays


@test
def no_polling():
    """with a guest there and nothing happening, neither kvmwardd nor watch ever wakes up"""
    needs_slot_events()
    seconds = 10
    with SevVm("--type=sev", "--vcpus=1"), Watch() as watch:
        wait_for("no timer runs", lambda: is_idle(watch), 10)
        time.sleep(1)
        pids = {"kvmwardd": host.daemon_pid(), "watch": watch.process.pid}
        before = {name: switches(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        woken = {name: switches(pid) - before[name] for name, pid in pids.items()}
        ktap.diagnose(f"woken up in {seconds} s: {woken}")
        assert not any(woken.values()), woken


@test
def module_reloaded():
    """watch and kvmwardd see the module go, leave it out, and hear again when it is back"""
    needs_slot_events()
    with Watch() as watch:
        host.module("rmmod")
        try:
            wait_for("watch knows", lambda: "module-lost" in watch.changes(), 5)
            wait_for("kvmwardd knows", lambda: changes_from() == "uevents", 5)
            wait_for("and says so", lambda: status_line().startswith("slots not known"), 5)
            with SevVm("--type=plain"):
                time.sleep(1)
            assert not os.path.exists("/sys/module/kvmward"), "loaded again by nobody's wish"
            wait_for("no timer runs", lambda: is_idle(watch), 10)
        finally:
            host.module("modprobe")
        wait_for("watch is back", lambda: "module-back" in watch.changes(), 5)
        wait_for("kvmwardd hears again", lambda: changes_from() == "slot-events", 5)
        with SevVm("--type=sev"):
            wait_for("a line", lambda: watch.taken() == 1, 5)
            wait_for("kvmwardd's figure", lambda: status_line().startswith("SEV 1 of "), 3)


@user_space_test
def refusals():
    """watch shows refusals to root; an ordinary user is shown the pools and told why not more"""
    xml = host.domain("late", uuid="5ea15ea1-0000-4000-8000-000000000002", complete=True)
    with Watch() as watch, Watch(*AS_USER) as user:
        with SevVm("--type=sev", f"--count={pools()['sev']['free']}"):
            result = run(HOOK, "late", "prepare", "begin", "-", text=xml)
            assert result.status != 0, str(result)
            wait_for("a line", lambda: "refused" in watch.changes(), 5)
            refused = watch.find("refused")
            assert refused["name"] == "late" and refused["uuid"].endswith("2"), refused
            assert refused["verdict"]["code"] == "slot-full", refused
            wait_for("the pool is full for the user too",
                     lambda: user.lines and user.taken() == pools()["sev"]["capacity"], 5)
        wait_for("and empty again", lambda: user.taken() == 0, 10)
        assert set(user.changes()) == {"pool-changed"}, user.changes()
        assert any("CAP_NET_ADMIN" in note for note in user.notes), user.notes


@test
def no_slot_events():
    """where the module cannot tell of slots: said so, uevents do, and no figure stays stale"""
    needs_slot_events()
    kprobes("0")
    try:
        assert host.host_facts()["slot_events"] is False, host.host_facts()
        assert host.host_facts()["slot_events_reason"], host.host_facts()
        wait_for("kvmwardd knows", lambda: changes_from() == "uevents", 5)
        with Watch() as watch:
            wait_for("no timer runs", lambda: is_idle(watch), 10)
            with SevVm("--type=sev") as vm:
                wait_for("a line", lambda: watch.lines and watch.taken() == 1, 6)
                wait_for("kvmwardd's figure", lambda: status_line().startswith("SEV 1 of "), 3)
                ktap.diagnose(f"line after {(watch.lines[-1]['seen'] - vm.taken()) * 1000:.0f} ms")
            wait_for("its end", lambda: watch.taken() == 0, 6)
            wait_for("kvmwardd's figure", lambda: status_line().startswith("SEV 0 of "), 3)
            assert any("KVM's uevents" in note for note in watch.notes), watch.notes
            with SevVm("--type=plain"):
                # it has no vCPU, so it could still take a slot, of which nobody would tell
                wait_for("watch looks now and then", lambda: watch.wait() == "timer", 5)
                time.sleep(5)  # KVM's last look is over then
                assert not is_idle(watch)
            wait_for("no timer runs", lambda: is_idle(watch), 10)
    finally:
        kprobes("1")
    wait_for("kvmwardd hears again", lambda: changes_from() == "slot-events", 5)


def kprobes(enabled):
    """Loads the module with probes that work, or with none that does."""
    host.module("rmmod")
    host.write("/sys/kernel/debug/kprobes/enabled", enabled)
    host.module("modprobe")
