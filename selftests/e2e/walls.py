# SPDX-License-Identifier: GPL-2.0-or-later
"""The walls: limits in the kernel that hold where no hook is asked."""

import contextlib
import os

import host
import ktap
from host import SevVm, must, pools, run, wait_for
from ktap import test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
KEPT = "/etc/libvirt/10-kvmward.kept"
ROOT = "/sys/fs/cgroup"
SLICE = ROOT + "/machine.slice"
IN_SLICE = ("systemd-run", "--quiet", "--scope", "--slice=machine.slice")
MIB = 1 << 20
# Fills memory page by page, and says how far it came.
HOG = "import sys\nheld = []\nfor mib in range({}):\n    held.append(b'x' * (1 << 20))\n" \
      "    print(mib, flush=True)\n"


def walls():
    """What kvmwardd says of each wall, by name."""
    return {wall["wall"]: wall for wall in host.kvmward_json("host")["walls"]}


def checks():
    return {check["check"]: check for check in host.kvmward_json("host")["checks"]}


def memory_max():
    return host.read(SLICE + "/memory.max")


def misc_max():
    """Slots that machine.slice may have, by key; None for any number."""
    lines = host.read(SLICE + "/misc.max").splitlines()
    return {key: None if value == "max" else int(value) for key, value in
            (line.split() for line in lines)}


def meminfo(key):
    """Bytes."""
    for line in host.read("/proc/meminfo").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no {key} in /proc/meminfo")


def memory_limit(reserve_mib=512):
    return str((meminfo("MemTotal") - reserve_mib * MIB - meminfo("Hugetlb")) >> 16 << 16)


def misc_enabled():
    """The file comes a moment after the word."""
    return ("misc" in host.read(ROOT + "/cgroup.subtree_control").split()
            and os.path.exists(SLICE + "/misc.max"))


def command(path, text):
    """One write to a file of the kernel's."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def settled(memory=None, **slots):
    """The walls come to stand there within a few seconds."""
    wait_for(f"memory.max is {memory or memory_limit()}, not {memory_max()}",
             lambda: memory_max() == (memory or memory_limit()), 10)
    for key, value in slots.items():
        wait_for(f"misc.max of {key} is {value}, not {misc_max()}",
                 lambda key=key, value=value: misc_max()[key] == value, 10)


@contextlib.contextmanager
def config(text):
    """With this configuration in force; afterwards there is none again, and the walls stand."""
    with host.config(text):
        yield
    settled(sev=pools()["sev"]["capacity"], sev_es=pools()["sev-es"]["capacity"])


@contextlib.contextmanager
def no_hook():
    """The hook is there and asks nobody, as after somebody's repair."""
    os.rename(HOOK, KEPT)  # libvirt runs all that is in its folder
    host.write(HOOK, "#!/bin/sh\nexit 0\n")
    os.chmod(HOOK, 0o755)
    try:
        yield
    finally:
        os.rename(KEPT, HOOK)


@test
def walls_stand():
    """memory.max and misc.max of machine.slice are what the rules leave, and are told as such"""
    capacity = {key: pools()[key.replace("_", "-")]["capacity"] for key in ("sev", "sev_es")}
    settled(**capacity)
    assert misc_enabled() and misc_max() == capacity, misc_max()
    told = walls()
    assert {wall["state"] for wall in told.values()} == {"ok"}, told
    assert str(told["memory_max"]["limit_bytes"]) == memory_max(), told
    assert told["misc_max_sev"]["limit_slots"] == capacity["sev"], told
    assert all(c["state"] == "ok" for name, c in checks().items() if name.startswith("wall_"))
    text = must("kvmward", "metrics")
    assert f"\nkvmward_wall_memory_bytes {memory_max()}\n" in text, text
    assert f'\nkvmward_wall_slots{{key="sev"}} {capacity["sev"]}\n' in text, text
    with config("[memory]\nreserved_host_memory_mb = 1024\n[slots]\nsev_reserve = 1\n"):
        settled(memory_limit(1024), sev=capacity["sev"] - 1, sev_es=capacity["sev_es"])
        # what is charged outside the slice is taken off, what is inside is not
        with SevVm("--type=sev"):
            settled(memory_limit(1024), sev=capacity["sev"] - 2)
            with SevVm("--type=sev", prefix=IN_SLICE):
                wait_for("it is seen", lambda: pools()["sev"]["charged"] == 2, 5)
                settled(memory_limit(1024), sev=capacity["sev"] - 2)
        settled(memory_limit(1024), sev=capacity["sev"] - 1)


@test
def walls_alone():
    """without any hook the kernel refuses the guest for which hardware has a slot, and we do not"""
    capacity = pools()["sev"]["capacity"]
    with no_hook(), config("[slots]\nsev_reserve = 1\n"):
        settled(sev=capacity - 1)
        with SevVm("--type=sev", f"--count={capacity - 1}", prefix=IN_SLICE):
            assert host.kernel_slots()["charged"] == capacity - 1 < capacity
            result = host.virsh_create("walled")
            assert result.status == 1, str(result)
            host.qemu_says("walled", "failed to initialize ret=-16")
            assert "walled" not in host.running()
            # undone by hand: up again before the next one is there
            command(SLICE + "/misc.max", "sev max")
            settled(sev=capacity - 1)
            refused("Device or resource busy")
            # the whole controller: guests that run are no longer counted in the slice
            command(ROOT + "/cgroup.subtree_control", "-misc")
            wait_for("misc is enabled again", misc_enabled, 10)
            settled(sev=0)
            refused("Device or resource busy")
            # it was the wall, and nothing else
            host.configure("[walls]\nmisc_max = no\n")
            assert walls()["misc_max_sev"]["state"] == "off", walls()
            assert misc_max() == {"sev": None, "sev_es": None}, misc_max()
            result = host.virsh_create("fits")
            assert result.status == 0, str(result)
            assert host.kernel_slots()["charged"] == capacity


def refused(why):
    """One more guest in machine.slice gets no slot."""
    result = run(*IN_SLICE, "sev_vm", "--type=sev", "--seconds=0")
    assert result.status != 0 and why in result.out + result.err, str(result)


@test
def memory_hog():
    """what eats memory in machine.slice is killed at the wall; the reserve stays, guests run on"""
    assert host.virsh_create("bystander", kind="plain").status == 0
    reserve = meminfo("MemTotal") // MIB - 300
    with config(f"[memory]\nreserved_host_memory_mb = {reserve}\n"):
        settled(memory_limit(reserve))
        before = int(host.read(SLICE + "/memory.peak"))  # may be of a time with a higher wall
        result = run("systemd-run", "--quiet", "--wait", "--pipe", "--collect",
                     "--slice=machine.slice", "python3", "-c", HOG.format(600))
        reached = int(result.out.split()[-1])
        ktap.diagnose(f"killed after {reached} MiB, of {int(memory_max()) // MIB} for all guests")
        assert result.status != 0 and 50 < reached < 300, str(result)[:500]
        events = dict(line.split() for line in host.read(SLICE + "/memory.events").splitlines())
        assert int(events["oom_kill"]) > 0, events
        peak = int(host.read(SLICE + "/memory.peak"))
        assert peak <= max(before, int(memory_max())), (before, peak, memory_max())
        assert host.running() == ["bystander"]
        # a wall that guests are above already would kill them, and is not built
        host.configure(f"[memory]\nreserved_host_memory_mb = {reserve + 290}\n")
        wait_for("it is said", lambda: walls()["memory_max"]["state"] == "missing", 10)
        assert "would kill some of them" in walls()["memory_max"]["reason"], walls()
        assert memory_max() == memory_limit(reserve)
        assert checks()["wall_memory_max"]["remedy"], checks()
    assert host.running() == ["bystander"]


def taken_down_by_systemd():
    """Somebody has systemd lift the limit of memory; returns once kvmwardd has had it put back."""
    must("systemctl", "set-property", "--runtime", "machine.slice", "MemoryMax=infinity")
    wait_for("systemd has it again", lambda: must(
        "systemctl", "show", "-P", "MemoryMax", "machine.slice").strip() == memory_limit(), 10)


@test
def walls_reasserted():
    """systemd's reload and reexec leave the walls; what others undo is put up again; guests run on"""
    capacity = {key: pools()[key.replace("_", "-")]["capacity"] for key in ("sev", "sev_es")}
    assert host.virsh_create("bystander").status == 0
    pid = host.guest("bystander")["pid"]
    for verb in ("daemon-reload", "daemon-reexec"):
        must("systemctl", verb)
        wait_for("systemd is back", lambda: run(
            "busctl", "get-property", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager", "Version").status == 0, 30)
        assert memory_max() == memory_limit() and misc_max() == capacity and misc_enabled(), verb
    command(SLICE + "/memory.max", "max")
    settled(**capacity)
    taken_down_by_systemd()
    settled(**capacity)
    assert {wall["state"] for wall in walls().values()} == {"ok"}, walls()
    # a lower limit is an operator's own
    lower = str(1024 * MIB)
    must("systemctl", "set-property", "--runtime", "machine.slice", f"MemoryMax={lower}")
    wait_for("it is taken", lambda: str(walls()["memory_max"]["limit_bytes"]) == lower, 5)
    assert memory_max() == lower
    taken_down_by_systemd()
    settled(**capacity)
    assert host.guest("bystander")["pid"] == pid and host.running() == ["bystander"]


@test
def walls_off():
    """walls stay when kvmwardd ends, go by configuration or --walls-down, and come back"""
    capacity = {key: pools()[key.replace("_", "-")]["capacity"] for key in ("sev", "sev_es")}
    nothing = {"sev": None, "sev_es": None}
    with config("[walls]\nmemory_max = no\nmisc_max = no\n"):
        settled("max", **nothing)
        assert {wall["state"] for wall in walls().values()} == {"off"}, walls()
        assert checks()["wall_memory_max"]["state"] == "off", checks()
        assert "kvmward_wall" not in must("kvmward", "metrics")
        host.daemon("restart")
        assert memory_max() == "max" and misc_max() == nothing
    busy = run("kvmwardd", "--walls-down")
    assert busy.status == 1 and "another kvmwardd" in busy.err, str(busy)
    host.daemon("stop")
    try:
        assert memory_max() == memory_limit() and misc_max() == capacity
        must("kvmwardd", "--walls-down")
        settled("max", **nothing)
    finally:
        host.daemon("start")
    settled(**capacity)
