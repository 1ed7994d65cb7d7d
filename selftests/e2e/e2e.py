# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole way through: module, supervisor, hook, libvirt, QEMU, real guests.

Each test leaves the host empty, which also is what each test begins by proving.
Expects a host with at least 2 SEV slots and 1 SEV-ES slot, and libvirt running.
"""

import concurrent.futures
import glob
import os
import signal
import subprocess
import sys
import threading
import time

import causes  # pylint: disable=unused-import # its tests come first, and so do the others'
import changes
import claims  # pylint: disable=unused-import
import classes  # pylint: disable=unused-import
import crashes  # pylint: disable=unused-import
import doors  # pylint: disable=unused-import
import draining  # pylint: disable=unused-import
import host
import ktap
import memory  # pylint: disable=unused-import
import waiting  # pylint: disable=unused-import
import walls  # pylint: disable=unused-import
from host import SevVm, guest, guests, kvmward, launch, must, pools, run, virsh_create, wait_for
from ktap import test, user_space_test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
SABOTAGE = "/etc/libvirt/hooks/qemu.d/20-e2e"
UUID = "5ea15ea1-0000-4000-8000-000000000001"


def kernel_count(pool):
    """Slots taken by a count that is not kvmward's: misc.current, or on a kernel whose root
    cgroup has none (6.1) the ASIDs that the firmware has activated."""
    current = host.misc("current")
    if current:
        return current[pool.replace("-", "_")]
    low, _ = host.asid_range()
    return sum((asid >= low) == (pool == "sev") for asid in host.simulator_asids())


def assert_empty():
    wait_for("the host is empty",
             lambda: all(host.kernel_slots(p)["charged"] == host.kernel_slots(p)["in-use"] == 0
                         for p in ("sev", "sev-es")) and not host.pending(), 10)


def clean():
    host.destroy_all()
    assert_empty()


def fill(pool="sev"):
    """Launches guests until the pool is full; their names."""
    names = []
    for number in range(pools()[pool]["free"]):
        names.append(f"{pool}{number}")
        must_launch(names[-1], kind=pool)
    return names


def must_launch(name, **how):
    result = launch(name, **how)
    assert result.status == 0, str(result)


def assert_refused(result, code, status=3):
    assert result.status == status, str(result)
    assert f"{code}:" in result.err, f"no '{code}:' in\n{result}"


def no_qemu(name):
    """QEMU never ran for this domain: libvirt's log of it has no start in it."""
    log = host.qemu_log(name)
    return not os.path.exists(log) or "starting up" not in host.read(log)


def proc_status(pid, key):
    for line in host.read(f"/proc/{pid}/status").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise AssertionError(f"no {key} in /proc/{pid}/status")


@test
def host_facts():
    """host and slots agree with the simulated processor and misc.capacity"""
    facts = host.host_facts()
    low, high = host.asid_range()
    assert (facts["min_sev_asid"], facts["max_asid"]) == (low, high), facts
    assert facts["sev_enabled"] == 1 and facts["sev_es_enabled"] == 1, facts
    assert facts["facts_source"] == "btf", facts
    capacity = host.misc("capacity")
    assert pools()["sev"]["capacity"] == high - low + 1 == capacity["sev"]
    assert pools()["sev-es"]["capacity"] == low - 1 == capacity["sev_es"]


@test
def fill_and_refuse():
    """guests are launched until the pool is full, the next one is refused by us and virsh"""
    low, high = host.asid_range()
    names = fill("sev")
    assert len(names) == high - low + 1, names
    seen = {g["name"]: g for g in guests()}
    assert sorted(seen) == sorted(names), seen
    assert len({g["asid"] for g in seen.values()}) == len(names), seen
    for g in seen.values():
        assert low <= g["asid"] <= high and g["type"] == "sev", g
        assert g["pinned_bytes"] >= 64 << 20, g
        assert proc_status(g["pid"], "VmPin") == proc_status(g["pid"], "VmLck") == 0, g
    assert pools()["sev"]["free"] == 0
    assert pools()["sev"]["in_use"] == pools()["sev"]["charged"] == kernel_count("sev")

    assert_refused(launch("toomany"), "slot-full")
    assert no_qemu("toomany")
    result = virsh_create("toomany2")
    assert_refused(result, "slot-full", status=1)
    assert no_qemu("toomany2")
    assert pools()["sev"]["held"] == 0

    must_launch("es", kind="sev-es")
    assert 1 <= guest("es")["asid"] < low and guest("es")["type"] == "sev-es"
    assert kernel_count("sev-es") == pools()["sev-es"]["in_use"] == 1

    host.destroy(names[0])
    took = wait_for("its slot is free",
                    lambda: host.kernel_slots("sev")["charged"] == len(names) - 1, 5)
    ktap.diagnose(f"slot free {took:.2f} s after destroy")
    assert took < 1
    assert pools()["sev"]["free"] == 1
    result = launch("next")
    assert result.status == 0, str(result)


def assert_agreement(count, pool):
    """kvmward, the kernel's count and the firmware agree on so many guests of 2 MiB each."""
    seen = guests()
    assert len(seen) == count, seen
    assert sorted(g["asid"] for g in seen) == host.simulator_asids(), seen
    assert all(g["pinned_bytes"] == 2 << 20 and g["type"] == pool for g in seen), seen
    assert pools()[pool]["in_use"] == pools()[pool]["charged"] == kernel_count(pool) == count


@test
def levels():
    """ASIDs, slots and pinned bytes are the firmware's and the kernel's, at every level"""
    for pool in ("sev", "sev-es"):
        capacity = pools()[pool]["capacity"]
        assert_agreement(0, pool)
        for count in sorted({1, capacity - 1, capacity}):
            with SevVm(f"--type={pool}", f"--count={count}", "--pin=2"):
                assert_agreement(count, pool)


@test
def snp_shares_slots():
    """bare SNP and SEV-ES guests fill the pool they share: nothing more of either is admitted"""
    if not host.host_facts()["snp_enabled"]:
        raise ktap.Skip("KVM offers no SEV-SNP here")
    capacity = pools()["sev-es"]["capacity"]
    with SevVm("--type=snp", "--count=1", "--mem=8", "--pin=2"):
        seen, = guests()
        assert seen["type"] == "snp" and [seen["asid"]] == host.simulator_asids(), seen
        assert (seen["pinned_bytes"], seen["unmovable_bytes"]) == (0, 2 << 20), seen
        with SevVm("--type=sev-es", f"--count={capacity - 1}"):
            assert pools()["sev-es"]["in_use"] == kernel_count("sev-es") == capacity
            assert pools()["sev-es"]["free"] == 0
            assert_refused(launch("toomany", kind="sev-es"), "slot-full")
            assert_refused(virsh_create("toomany", kind="sev-es"), "slot-full", status=1)
        must_launch("es", kind="sev-es")


def snp_beside_sev_es():
    """Two guests fill the pool that both kinds share; a third of either is refused."""
    must_launch("es", kind="sev-es")
    assert host.pools()["sev-es"]["in_use"] == kernel_count("sev-es") == 2
    with SevVm("--type=snp", f"--count={pools()['sev-es']['free']}", "--keep-going"):
        assert pools()["sev-es"]["free"] == 0
        for kind in ("snp", "sev-es"):
            assert_refused(launch("toomany", kind=kind), "slot-full")
            assert_refused(virsh_create("toomany", kind=kind), "slot-full", status=1)
            assert no_qemu("toomany")
    wait_for("the slots are back", lambda: host.kernel_slots("sev-es")["in-use"] == 2, 10)


@test
def snp_domain():
    """a real sev-snp domain: a slot that SEV-ES could have had, memory unmovable, not pinned"""
    if not host.host_facts()["snp_enabled"]:
        raise ktap.Skip("KVM offers no SEV-SNP here")
    if host.libvirt_version() < (10, 5):
        assert_refused(launch("snp", kind="snp"), "software-old")
        assert no_qemu("snp")
        return
    if not os.path.exists(host.SNP_FIRMWARE):
        raise ktap.Skip(f"this Debian's ovmf has no stateless firmware ({host.SNP_FIRMWARE})")
    low, _ = host.asid_range()
    must_launch("snp", kind="snp")
    # QEMU gives a guest its first pages when it is to run.
    must("virsh", "resume", "snp")
    wait_for("its firmware is launched", lambda: guest("snp")["unmovable_bytes"] > 1 << 20, 30)
    wait_for("its launch is finished",
             lambda: "running" in [g["state"] for g in host.simulator_guests()], 30)
    seen = guest("snp")
    assert seen["type"] == "snp" and 1 <= seen["asid"] < low, seen
    assert seen["pinned_bytes"] == 0, seen
    assert proc_status(seen["pid"], "VmPin") == proc_status(seen["pid"], "VmLck") == 0, seen
    known = [g for g in host.simulator_guests() if g["type"] == "snp"]
    assert [int(g["asid"]) for g in known] == [seen["asid"]] and known[0]["state"] == "running"
    # What the processor has put down to the guest is in guest_memfd, but for its one VMSA.
    assert (int(known[0]["pages"]) - 1) * 4096 == seen["unmovable_bytes"], (known, seen)
    assert pools()["sev-es"]["in_use"] == kernel_count("sev-es") == 1
    stateful = host.domain("stateful", kind="snp").replace("type='rom' stateless='yes'",
                                                           "readonly='yes' type='pflash'")
    result = kvmward("plan", host.file_of(stateful, "stateful"))
    assert result.status == 3 and "not-stateless:" in result.out, str(result)
    snp_beside_sev_es()
    host.destroy("snp")
    wait_for("its slot is free", lambda: host.kernel_slots("sev-es")["in-use"] == 1, 5)


@test
def outside_guest_counts():
    """a guest that libvirt knows nothing of lowers what can be admitted, and is shown as such"""
    free = pools()["sev"]["free"]
    with SevVm("--type=sev", f"--count={free}", "--pin=1"):
        assert pools()["sev"]["free"] == 0
        assert all(g["libvirt"] is False for g in guests()), guests()
        assert "outside" in must("kvmward", "guests")
        assert_refused(launch("late"), "slot-full")
        assert_refused(virsh_create("late2"), "slot-full", status=1)
    wait_for("slots are back", lambda: pools()["sev"]["free"] == free, 5)


@test
def outside_qemu_counts():
    """plain QEMU started by hand takes a slot that kvmward counts"""
    free = pools()["sev"]["free"]
    cbitpos, lost = host.sev_numbers()
    qemu = subprocess.Popen([
        "qemu-system-x86_64", "-machine", "q35,confidential-guest-support=sev0", "-accel", "kvm",
        "-cpu", "host", "-m", "64", "-nodefaults", "-display", "none", "-S", "-name", "claimed",
        "-object", f"sev-guest,id=sev0,cbitpos={cbitpos},reduced-phys-bits={lost},policy=1",
        "-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"],
        stderr=subprocess.PIPE, encoding="utf-8")
    try:
        wait_for("it has a slot or has failed",
                 lambda: qemu.poll() is not None or host.kernel_slots("sev")["in-use"] == 1, 60)
        assert qemu.poll() is None, qemu.stderr.read()
        mine = [g for g in guests() if g["pid"] == qemu.pid]
        assert mine and mine[0]["libvirt"] is False and mine[0]["type"] == "sev", guests()
        # what it says of itself is not read
        assert not mine[0]["name"] and mine[0]["comm"] == "qemu-system-x86", mine
        assert pools()["sev"]["free"] == free - 1
    finally:
        qemu.kill()
        qemu.wait(10)


@test
def mirror_and_orphan():
    """a mirror takes no slot; an orphan is shown and still counts"""
    with SevVm("--type=sev", "--count=1", "--mirrors=1"):
        pool = pools()["sev"]
        assert (pool["in_use"], pool["mirrors"]) == (1, 1), pool
        assert kernel_count("sev") == 1
        assert sorted(g["mirror"] for g in guests()) == [False, True], guests()
    assert_empty()
    with SevVm("--type=sev", "--count=1", "--orphan"):
        assert pools()["sev"]["in_use"] == 1 == kernel_count("sev")
        assert [g["orphan"] for g in guests()] == [True], guests()


@test
def parallel_starts():
    """more starts at once than slots are free: exactly as many run, no hold is left"""
    free = pools()["sev"]["free"]
    names = [f"race{n}" for n in range(free + 2)]
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        results = list(pool.map(virsh_create, names))
    started = [r for r in results if r.status == 0]
    assert len(started) == free, "\n".join(map(str, results))
    for result in results:
        if result.status:
            assert "slot-full:" in result.err, str(result)
    assert len(host.running()) == free
    wait_for("nothing is held", lambda: pools()["sev"]["held"] == 0, 10)


def assert_right_again(charged):
    """Within a second of kvmwardd's return nothing is held and the kernel counts so many slots."""
    wait_for("the daemon is back", host.daemon_answers, 30)
    took = wait_for("slots are right", lambda: not host.pending()
                    and host.kernel_slots("sev")["charged"] == charged, 5)
    ktap.diagnose(f"slots right after {took:.2f} s")
    assert took < 1


@test
def daemon_killed_between_steps():
    """kvmwardd is killed with -9 after each step of a start and a stop: slots right in a second"""
    must_launch("bystander")
    pid = guest("bystander")["pid"]
    try:
        for steps in (("prepare", "stopped"), ("start", "release"), ("started",)):
            sabotage("systemctl kill -s KILL kvmwardd", *steps)
            result = virsh_create("victim")
            up = result.status == 0
            ktap.diagnose(f"killed after {steps[0]}: guest {'runs' if up else 'was refused'}")
            assert up or "daemon-unreachable" in result.err, str(result)
            assert_right_again(2 if up else 1)
            if up:
                host.destroy("victim")
            assert not armed(), f"no kill after {armed()}"
            assert_right_again(1)
            assert host.running() == ["bystander"] and guest("bystander")["pid"] == pid
    finally:
        sabotage("true")


@test
def daemon_stopped_between_steps():
    """kvmwardd ends for good between hold and start: refused, and nothing stays held"""
    sabotage("systemctl stop kvmwardd", "prepare")
    try:
        result = virsh_create("victim")
        assert_refused(result, "daemon-unreachable", status=1)
    finally:
        sabotage("true")
        host.daemon("start")
    took = wait_for("nothing is held", lambda: not host.pending(), 5)
    assert took < 1, took


@test
def holds_survive():
    """a hold outlives kvmwardd, and ends when its time is over"""
    xml = host.domain("ghost", uuid=UUID, complete=True)
    with host.config("[daemon]\nhold_timeout = 600\n"):
        assert run(HOOK, "ghost", "prepare", "begin", "-", text=xml).status == 0
        assert run(HOOK, "ghost", "prepare", "begin", "-", text=xml).status == 0
        assert pools()["sev"]["held"] == 1
        old = host.daemon_pid()
        host.daemon_kill()
        wait_for("the daemon is back",
                 lambda: host.daemon_pid() not in (0, old) and host.daemon_answers(), 30)
        assert host.pending() == [UUID] and pools()["sev"]["held"] == 1
        host.configure("[daemon]\nhold_timeout = 1\n")
        wait_for("the hold ends", lambda: not host.pending(), 15)


@user_space_test
def libvirtd_restart():
    """libvirtd restarts with guests running, with and without kvmwardd: none is killed"""
    must_launch("stays")
    must_launch("stays-plain", kind="plain")
    pid = guest("stays")["pid"]
    for stopped in (False, True):
        if stopped:
            host.daemon("stop")
        try:
            must("systemctl", "restart", "libvirtd")
            wait_for("libvirtd answers", lambda: run("virsh", "list").status == 0, 60)
        finally:
            host.daemon("start")
        assert sorted(host.running()) == ["stays", "stays-plain"]
        assert guest("stays")["pid"] == pid


@user_space_test
def libvirtd_frozen():
    """a libvirtd that does not answer: launch says so and can be interrupted"""
    path = host.file_of(host.domain("waits"), "waits")
    must("systemctl", "kill", "-s", "STOP", "libvirtd")
    try:
        waiting = subprocess.Popen(["kvmward", "launch", path], stderr=subprocess.PIPE,
                                   encoding="utf-8")
        assert "libvirt has not answered for 5 s" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        assert "nothing was started" in waiting.stderr.read()
        assert waiting.wait(5) == 1
        assert pools()["sev"]["held"] == 0
    finally:
        must("systemctl", "kill", "-s", "CONT", "libvirtd")


@test
def daemon_away():
    """with kvmwardd stopped an encrypted guest is refused in under 2 s, a plain one starts"""
    host.daemon("stop")
    try:
        bare = run(HOOK, "away", "reconnect", "begin", "-", text="").seconds
        result = run(HOOK, "away", "prepare", "begin", "-", text=host.domain("away", complete=True))
        assert result.status != 0 and "daemon-unreachable:" in result.err, str(result)
        ktap.diagnose(f"refused after {result.seconds:.2f} s, {bare:.2f} s to start the program")
        assert result.seconds - bare < 2, result.seconds
        assert_refused(virsh_create("away"), "daemon-unreachable", status=1)
        assert no_qemu("away")
        assert_refused(launch("away"), "daemon-unreachable")
        plain = virsh_create("away-plain", kind="plain")
        assert plain.status == 0, str(plain)
        assert "held" in must("kvmward", "slots").lower()
        assert pools()["sev"]["held"] is None
    finally:
        host.daemon("start")


@test
def module_away():
    """rmmod at any time, also under kvmwardd; modprobe gives the same answers again"""
    must_launch("stays")
    before = (host.host_facts(), pools(), guests())
    host.module("rmmod")
    try:
        # kvmwardd asks for the family by name, and the kernel loads the module again
        xml = host.domain("again", uuid=UUID, complete=True)
        result = run(HOOK, "again", "prepare", "begin", "-", text=xml)
        assert result.status == 0, str(result)
        run(HOOK, "again", "release", "end", "-", text=xml)
    finally:
        host.module("modprobe")
    assert (host.host_facts(), pools(), guests()) == before


@test
def family_autoload():
    """the module is loaded by its family name when somebody asks"""
    host.module("rmmod")
    assert pools()["sev"]["capacity"] is not None
    assert os.path.exists("/sys/module/kvmward")


HOSTILE = {
    "empty": "",
    "not XML": "launch me",
    "truncated": host.domain("bad")[:200],
    "not a domain": "<network/>",
    "external entity": "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/shadow'>]>"
                       + host.domain("bad").replace("bad", "&x;", 1),
    "billion laughs": "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 10}'>" for n in range(9))
        + "]>" + host.domain("bad").replace("bad", "&j;", 1),
    "deep": "<domain type='kvm'>" + "<a>" * 100000 + "</a>" * 100000 + "</domain>",
    "latin-1": "<?xml version='1.0' encoding='ISO-8859-1'?>" + host.domain("bad"),
    "negative memory": host.domain("bad").replace(">64<", ">-64<"),
    "huge memory": host.domain("bad").replace(">64<", ">99999999999999999999<"),
}


@user_space_test
def bad_xml():
    """malformed and hostile XML: a clear error each from plan, launch and hook; none admitted"""
    for what, xml in HOSTILE.items():
        path = host.file_of(xml, "bad")
        for result in (kvmward("plan", path), kvmward("launch", path)):
            assert result.status in (1, 3), f"{what}: {result}"
            assert "bad.xml" in result.err + result.out, f"{what}: {result}"
            assert "shadow" not in result.err and "root:" not in result.err + result.out
        result = run(HOOK, "bad", "prepare", "begin", "-", text=xml)
        assert result.status != 0 and "kvmward: " in result.err, f"{what}: {result}"
        assert result.err.count("\n") == 1, f"{what}: {result}"
    path = f"{host.SCRATCH}/huge.xml"
    with open(path, "wb") as file:
        file.write(b"<domain type='kvm'><name>")
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b"</name></domain>")
    result = kvmward("launch", path)
    assert result.status in (1, 3) and "huge.xml" in result.err, str(result)
    with open(path, "rb") as file:
        done = subprocess.run([HOOK, "huge", "prepare", "begin", "-"], stdin=file,
                              capture_output=True, timeout=10, check=False)
    assert done.returncode != 0 and b"kvmward: " in done.stderr, done
    os.unlink(path)
    assert pools()["sev"]["held"] == 0 and host.running() == []
    assert run("systemctl", "is-active", "kvmwardd").out.strip() == "active"


@user_space_test
def impossible_domains():
    """what cannot work as an encrypted guest is refused with the rule and the line"""
    cases = {
        "no-uefi": {"loader": False},
        "not-q35": {"machine": "pc"},
        "passthrough": {"devices": "<hostdev mode='subsystem' type='pci'><source>"
                        "<address domain='0' bus='0' slot='3' function='0'/></source></hostdev>"},
        "ide-disk": {"devices": "<disk type='file' device='disk'><source file='/x'/>"
                     "<target dev='hda' bus='ide'/></disk>"},
        "memlock-small": {"extra": "<memtune><hard_limit unit='MiB'>64</hard_limit></memtune>"},
    }
    for code, how in cases.items():
        result = launch("impossible", **how)
        assert_refused(result, code)
        assert "line " in result.err or "impossible.xml:" in result.err, str(result)
        assert no_qemu("impossible")
    path = host.file_of(host.domain("impossible", **cases["memlock-small"]), "impossible")
    with host.config("[hook]\nsmall_memory_lock = admit\n"):
        result = kvmward("plan", path)
        assert result.status == 0, str(result)


@user_space_test
def bad_config():
    """a malformed configuration is refused with file and line; the old one stays in force"""
    with host.config("[slots]\nsev_reserve = 1\n"):
        assert pools()["sev"]["reserved"] == 1
        for text in ("[slots]\nsev_reserve = many\n", "[slots]\nsev_reserve = -1\n", "[slots]\nx = 1\n",
                     "[what]\n", "sev_reserve\n", "[slots]\nsev_reserve = 1\nsev_reserve = 2\n",
                     "[slots]\nsev_reserve = 99999999999999999999\n"):
            host.write(host.CONFIG, text)
            result = kvmward("reload")
            assert result.status == 1 and f"{host.CONFIG}:" in result.err, f"{text!r}: {result}"
            assert pools()["sev"]["reserved"] == 1
        with SevVm("--type=sev", f"--count={pools()['sev']['free']}"):
            assert_refused(launch("reserved"), "slot-reserved")


@user_space_test
def bad_hook_calls():
    """a hook call with arguments missing, stdin closed or never ending: an error in time"""
    xml = host.domain("odd", uuid=UUID, complete=True)
    for argv in ([], ["odd"], ["odd", "prepare"], ["", "prepare", "begin", "-"]):
        result = run(HOOK, *argv, text=xml)
        assert result.status != 0 and "kvmward: " in result.err, str(result)
    result = run("sh", "-c", f"{HOOK} odd prepare begin - <&-")
    assert result.status != 0 and "kvmward: " in result.err, str(result)
    begin = time.monotonic()
    hook = subprocess.Popen([HOOK, "odd", "prepare", "begin", "-"], stdin=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    assert hook.wait(10) != 0
    took = time.monotonic() - begin
    ktap.diagnose(f"open stdin: refused after {took:.2f} s")
    bare = run(HOOK, "odd", "reconnect", "begin", "-", text="").seconds
    assert took - bare < 2, (took, bare)
    hook.stdin.close()
    for text in ("", "junk", xml):
        assert run(HOOK, "odd", "reconnect", "begin", "-", text=text).status == 0
    assert pools()["sev"]["held"] == 0


@user_space_test
def ordinary_user():
    """an ordinary user sees host and slots, and is told what the rest needs"""
    as_user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    assert run(*as_user, "kvmward", "host").status == 0
    assert run(*as_user, "kvmward", "slots").status == 0
    result = run(*as_user, "kvmward", "guests")
    assert result.status == 1 and "CAP_NET_ADMIN" in result.err, str(result)
    result = run(*as_user, HOOK, "user", "prepare", "begin", "-",
                 text=host.domain("user", uuid=UUID, complete=True))
    assert result.status != 0, "an ordinary user took a hold"
    assert run(*as_user, "kvmward", "reload").status == 1


@user_space_test
def usage():
    """wrong usage exits 2 and says how; help and version exit 0"""
    for argv in (["nonsense"], ["slots", "--nonsense"], ["launch"], ["plan", "a", "b"], []):
        result = kvmward(*argv)
        assert result.status == 2 and result.err, str(result)
    for command in ("host", "slots", "guests", "plan", "launch", "watch", "metrics", "verdicts"):
        assert kvmward(command, "--help").status == 0, command
    assert kvmward("launch", "/nonexistent.xml").status == 1
    assert run("sh", "-c", "kvmward slots >/dev/full").status == 1


@user_space_test
def tables_fit():
    """no human table is wider than 80 columns on a terminal"""
    must_launch("a-guest-with-a-rather-long-name-as-nova-likes-them-instance-00000001")
    for command in ("host", "slots", "guests", "verdicts"):
        out = must("script", "-qec", f"stty cols 80; kvmward {command}", "/dev/null")
        for line in out.replace("\r", "").splitlines():
            assert len(line) <= 80, f"{command}: {len(line)} columns: {line}"


@user_space_test
def metrics():
    """metrics are clean under promtool and say what slots and guests say"""
    must_launch("measured")
    text = must("kvmward", "metrics")
    result = run("promtool", "check", "metrics", text=text)
    assert result.status == 0 and not result.err.strip(), str(result)
    values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
              for line in text.splitlines() if line and line[0] != "#"}
    used = [v for k, v in values.items() if "slots" in k and 'pool="sev"' in k and v == 1]
    assert used, text
    pinned = guest("measured")["pinned_bytes"]
    assert any("pinned_bytes" in k and 'name="measured"' in k and v == pinned
               for k, v in values.items()), text


@test
def watch():
    """watch prints a line when a guest comes and when it goes"""
    process = subprocess.Popen(["kvmward", "watch"], stdout=subprocess.PIPE, encoding="utf-8")
    lines = []
    threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")),
                     daemon=True).start()
    try:
        wait_for("watch waits for news", lambda: changes.waits_for(process.pid), 30)
        must_launch("seen")
        wait_for("a line for the guest", lambda: any("seen" in line and "+" in line
                                                    for line in lines), 10)
        host.destroy("seen")
        wait_for("a line for its end", lambda: any("seen" in line and " -" in line
                                                  for line in lines), 10)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
    ktap.diagnose("".join(lines))


ARMED = f"{host.SCRATCH}/armed-"


def armed():
    """The steps whose hook has yet to do harm."""
    return [path[len(ARMED):] for path in glob.glob(ARMED + "*")]


def sabotage(action, *steps):
    """The next time libvirt calls hooks for one of these steps, one does harm after ours."""
    for step in armed():
        os.unlink(ARMED + step)
    for step in steps:
        host.write(ARMED + step, "")
    host.write(SABOTAGE, f'''#!/bin/sh
[ -e {ARMED}$2 ] && rm {ARMED}$2 && {action}
exit 0
''')


if __name__ == "__main__":
    for leftover in glob.glob(f"{host.SCRATCH}/*"):
        os.unlink(leftover)
    sys.exit(ktap.run(sys.argv[1:], before=assert_empty, after=clean))
