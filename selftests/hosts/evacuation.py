# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that is gone, and its guests on the other: h2 is cut off for longer than NFS waits."""

import contextlib
import glob
import json
import os
import shutil
import subprocess
import tempfile
import time

import host
import ktap
from host import must, run, wait_for
from ktap import test
from live import shared_disk
from side import H1, H2, SHARED, SIDES, link_cut

UUID = "5ea15ea1-0000-4000-8000-00000000e7ac"
OFF_UUID = "5ea15ea1-0000-4000-8000-00000000e7ad"
LOCAL_UUID = "5ea15ea1-0000-4000-8000-00000000e7ae"
MOVING_UUID = "5ea15ea1-0000-4000-8000-00000000e7af"
KEPT = f"{SHARED}/kvmward/h2"
NVRAM = "/var/lib/libvirt/qemu/nvram/vault_VARS.fd"
LEASE_S = 10  # in the lab
# h2 is told before it is cut off, and dies then: the storage hears nothing of that either.
DIE = """nohup sh -c '
	while timeout 5 bash -c "echo >/dev/tcp/h1/22"; do sleep 1; done
	systemctl kill -s KILL kvmward-keep
	pkill -KILL -f "^/usr/bin/qemu-system-x86_64 -name guest="
' >/dev/null 2>&1 &"""


def define(name, uuid, devices, started):
    xml = host.domain(name, uuid=uuid, complete=True, devices=devices)
    result = H2.run("virsh", "define", "/dev/stdin", text=xml)
    assert result.status == 0, str(result)
    if started:
        H2.virsh("start", name)


def local_disk():
    path = "/var/lib/libvirt/images/local.raw"
    H2.must("truncate", "-s", "1M", path)
    return (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>")


def kept(uuid):
    """What is kept of this guest; None when nothing is."""
    try:
        with open(f"{KEPT}/{uuid}.json", encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def guests_kept():
    """Four guests of h2, which keeps them meanwhile."""
    try:
        begin()
        yield
    except AssertionError:
        ktap.diagnose(H2.run("journalctl", "-b", "-u", "kvmward-keep", "-n", "20").out)
        raise
    finally:
        end()


def begin():
    os.mkdir(f"{SHARED}/kvmward", 0o700)
    for each in SIDES:
        each.must("sed", "-i", "s/^#definitions = /definitions = /", host.CONFIG)
    define("vault", UUID, shared_disk("vault"), started=True)
    H2.virsh("autostart", "vault")
    define("off", OFF_UUID, shared_disk("off"), started=False)
    define("moving", MOVING_UUID, shared_disk("moving"), started=False)
    H2.virsh("metadata", "moving", "urn:kvmward:move:1", "--config", "--key", "kvmward",
             "--set", "<move job='m7' peer='h3'>leaving</move>")
    H2.must("systemctl", "start", "kvmward-keep")
    wait_for("vault is kept", lambda: kept(UUID), 120)
    assert kept(UUID)["runs"] and not kept(OFF_UUID)["runs"]
    define("local", LOCAL_UUID, local_disk(), started=True)
    wait_for("what comes is kept", lambda: (kept(LOCAL_UUID) or {}).get("runs"), 120)
    assert os.stat(KEPT).st_mode & 0o077 == 0


def end():
    for each in SIDES:
        each.run("systemctl", "stop", "kvmward-keep")
        each.must("sed", "-i", "s/^definitions = /#definitions = /", host.CONFIG)
        each.clear()
    H2.must("rm", "-f", "/var/lib/libvirt/images/local.raw")
    must("sh", "-c", f"rm -rf {SHARED}/kvmward {SHARED}/*.qcow2")


def evacuate(*options, status):
    """(code of the verdict on h2, {guest: (act, codes)}) of what is said."""
    result = run("kvmward", "evacuate", "--json", *options, timeout=400)
    ktap.diagnose(result.err)
    assert result.status == status, str(result)
    said = json.loads(result.out)
    return said["verdict"]["code"], {
        guest["name"]: (guest["act"], [o["code"] for o in guest["obstacles"]])
        for guest in said["guests"]}


@contextlib.contextmanager
def mistaken():
    """h1 looks for h2 where nobody is, while h2 and its storage are well."""
    hosts = host.read("/etc/hosts")
    host.write("/etc/hosts", hosts.replace("10.9.9.2 h2", "10.9.9.77 h2") + "\n")
    try:
        yield
    finally:
        host.write("/etc/hosts", hosts + "\n")


@test
def evacuation_refused():
    """while a host answers, or its locks are there, its guests are not started elsewhere"""
    with guests_kept():
        assert evacuate("h2", status=3) == ("host-alive", {})
        with mistaken():
            assert evacuate("--force", "h2", status=3) == ("host-alive", {})
            H2.must("systemctl", "stop", "kvmward-keep")
            code, guests = evacuate("--force", "h2", "vault", status=3)
        assert code == "admitted", code
        assert guests == {"vault": ("stays", ["disk-locked"])}, guests
        assert not H1.leftovers() and H2.state("vault") == "running"


@test
def evacuation_lock_back():
    """a host that was cut off for long has its lock again once it is back, with nothing changed"""
    with guests_kept():
        for name in ("vault", "local"):
            H2.virsh("destroy", name)
        wait_for("it is kept that they are off",
                 lambda: not kept(UUID)["runs"] and not kept(LOCAL_UUID)["runs"], 120)
        with link_cut():
            wait_for_lock_to_end()
        with mistaken():
            wait_for("its lock is there again", lambda: "host-alive" in
                     run("kvmward", "evacuate", "--dry-run", "--force", "h2").err, 300)
        assert "the lock was lost" in H2.must("journalctl", "-b", "-u", "kvmward-keep")


def wait_for_lock_to_end():
    begin = time.monotonic()
    wait_for("its lock has ended", lambda: "host-alive" not in
             run("kvmward", "evacuate", "--dry-run", "h2").err, 6 * LEASE_S)
    ktap.diagnose(f"gone for {time.monotonic() - begin:.0f} s when its lock had ended")


@test
def evacuation():
    """a host is gone: its guests run here once its locks end, and not there when it is back"""
    with guests_kept():
        before = H2.must("sha256sum", NVRAM)
        H2.must("sh", "-c", DIE)
        with link_cut():
            cut = time.monotonic()
            wait_for_lock_to_end()
            ktap.diagnose(must("kvmward", "evacuate", "--dry-run", "h2", "vault"))
            assert evacuate("h2", status=3) == ("admitted", {
                "vault": ("starts", []), "off": ("is defined", []),
                "local": ("stays", ["disk-missing", "no-lock"]),
                "moving": ("stays", ["guest-moving"])})
            ktap.diagnose(f"and for {time.monotonic() - cut:.0f} s when its guests were here")
            assert H1.running() == ["vault"] and sorted(H1.defined()) == ["off", "vault"]
            assert must("sha256sum", NVRAM) == before
            assert H1.pool()["charged"] == 1
            assert kept(UUID) is None and os.path.exists(f"{KEPT}/{UUID}.taken")
        come_back()


def boot_again():
    """What starts when h2 does, in that order: libvirt would start a guest that runs elsewhere."""
    before = H2.must("systemctl", "show", "--value", "-p", "Before", "kvmward-taken").split()
    assert {"libvirtd.service", "virtqemud.service"} <= set(before), before
    H2.must("systemctl", "stop", "kvmward-keep")
    H2.must("rm", "-f", "/run/libvirt/qemu/autostarted")
    H2.must("systemctl", "start", "kvmward-taken")
    H2.must("systemctl", "restart", "libvirtd")
    told = ["journalctl", "-b", "-u", "libvirtd", "--since=-2min"]
    wait_for("libvirtd has tried to start it",
             lambda: "guest-moving: h1 has taken" in H2.must(*told), 120)
    assert "evacuated" not in H2.virsh("dumpxml", "--inactive", "vault")
    assert H2.state("vault") == "shut off"
    H2.must("systemctl", "start", "kvmward-keep")


def come_back():
    """h2 is back, where its guests are defined yet."""
    wait_for("QEMU of h2 is gone", lambda: not H2.qemu("vault"), 120)
    boot_again()
    wait_for("h2 has heard", lambda: "evacuated" in H2.virsh("dumpxml", "--inactive", "vault"), 120)
    refused = H2.run("virsh", "start", "vault")
    ktap.diagnose(refused.err)
    assert refused.status and "guest-moving: h1 has taken" in refused.err, str(refused)
    assert evacuate("h2", status=3) == ("host-alive", {})
    H2.virsh("start", "local")
    H2.virsh("undefine", "--nvram", "vault")
    wait_for("nothing is kept of it there",
             lambda: not [name for name in os.listdir(KEPT) if name.startswith(UUID)], 120)
    assert H1.state("vault") == "running"


# On h2: its guest moves to h1, as far as the begin of this step, and is off by then if it can be.
MOVE = """
set -e
kvmward migrate --cold vault {uri} >/dev/null 2>&1 &
until pid=$(systemctl show --value -p MainPID {unit}) && [[ $pid != 0 ]]; do sleep 0.2; done
at() {{
	local end=$((SECONDS + 120)) job=
	until [[ ${{job//[[:space:]]/}} = *'"step":"'$1'"'* ]]; do
		((SECONDS < end))
		read -r -d '' job <{job} || true
	done
}}
at shut-down
[[ {step} = shut-down ]] || {{ virsh -q destroy vault; at {step}; }}
kill -KILL $pid
wait
"""


def cut_short(step):
    """The mover of h2 is killed when this step begins, and the host does not live much longer."""
    H2.must("bash", "-c", MOVE.format(uri=H1.uri, unit=f"kvmward-move@{UUID}.service", step=step,
                                      job=f"/var/lib/kvmward/moves/{UUID}.json"))
    wait_for("its definition is here", lambda: "arriving" in H1.virsh("dumpxml", "vault"), 10)
    if step != "shut-down":
        wait_for("its mark is kept", lambda: "leaving" in kept(UUID)["xml"], 60)
    assert kept(UUID)["runs"]
    H2.must("sh", "-c", DIE)


def is_back_from_move():
    """h2 can neither take its guest back nor start it; without it, the move ends."""
    wait_for("QEMU of h2 is gone", lambda: not H2.qemu("vault"), 120)
    H2.must("systemctl", "restart", "kvmward-keep")
    wait_for("h2 has heard", lambda: "evacuated" in H2.virsh("dumpxml", "--inactive", "vault"), 120)
    for verb in ("undo", "resume"):
        ended = H2.run("kvmward", "job", verb, "vault", timeout=400)
        ktap.diagnose(ended)
        assert ended.status == 1, str(ended)
    assert H2.state("vault") == "shut off" and H1.state("vault") == "running"
    H2.virsh("undefine", "--nvram", "vault")
    H2.must("kvmward", "job", "resume", "vault", timeout=400)
    assert not H2.must("ls", "/var/lib/kvmward/moves").strip()


@test
def evacuation_of_a_move():
    """a host is gone in the middle of a cold move to here: its guest runs here, and only here"""
    for step in ("shut-down", "copy"):
        with guests_kept():
            nvram = H2.must("sha256sum", NVRAM)
            cut_short(step)
            with link_cut():
                wait_for_lock_to_end()
                assert evacuate("h2", "vault", status=0) == ("admitted", {"vault": ("starts", [])})
                is_here_once(nvram)
                assert "urn:kvmward:move" not in H1.virsh("dumpxml", "--inactive", "vault")
            is_back_from_move()


# What is there as soon as a step of an evacuation has been done.
MOMENTS = {
    "taken": lambda: os.path.exists(f"{KEPT}/{UUID}.taken"),
    "defined": lambda: os.path.exists("/etc/libvirt/qemu/vault.xml"),
    "in QEMU": lambda: H1.qemu("vault"),
    "settled": lambda: kept(UUID) is None,
}


def interrupted(moment, victim):
    """Somebody is killed with -9 once that is there. What is settled may be ended as well."""
    with subprocess.Popen(["kvmward", "evacuate", "h2", "vault"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8") as process:
        wait_for(moment, lambda: MOMENTS[moment]() or process.poll() is not None, 60)
        assert process.poll() is None or moment == "settled", f"over before it was {moment}"
        if victim == "kvmward":
            process.kill()
        else:
            must("systemctl", "kill", "-s", "KILL", victim)
        out, _ = process.communicate(timeout=400)
    ktap.diagnose(f"{victim} killed when {moment}: exit {process.returncode} {out}")


def is_here_once(nvram):
    """The guest runs here, with all that it had and nothing else, and will not be taken again."""
    assert H1.running() == ["vault"] == H1.defined(), H1.virsh("list", "--all")
    assert len(H1.qemu("vault")) == 1 and must("sha256sum", NVRAM) == nvram
    wait_for("its slot is the only one",
             lambda: (H1.pool()["charged"], H1.pool()["held"]) == (1, 0), 30)
    assert kept(UUID) is None and os.path.exists(f"{KEPT}/{UUID}.taken")


def as_before(copy):
    """Nothing is here, and all is kept of it again, from a copy."""
    H1.clear()
    wait_for("h1 is empty", lambda: not H1.leftovers(), 30)
    os.unlink(f"{KEPT}/{UUID}.taken")
    shutil.copytree(copy, KEPT, dirs_exist_ok=True)


@test
def evacuation_killed():
    """who evacuates, or libvirtd, is killed after any step: said again, the guest runs, and once"""
    with guests_kept(), tempfile.TemporaryDirectory() as copy:
        nvram = H2.must("sha256sum", NVRAM)
        H2.must("sh", "-c", DIE)
        with link_cut():
            wait_for_lock_to_end()
            for path in glob.glob(f"{KEPT}/{UUID}.*"):
                shutil.copy2(path, copy)
            for victim in ("kvmward", "libvirtd"):
                for moment in MOMENTS:
                    interrupted(moment, victim)
                    wait_for("libvirtd answers", lambda: not run("virsh", "list").status, 60)
                    if kept(UUID):
                        must("kvmward", "evacuate", "h2", "vault", timeout=400)
                    is_here_once(nvram)
                    as_before(copy)
