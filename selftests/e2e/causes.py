# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts that fail in QEMU or in the firmware all the same: launch says why."""

import json
import os
import shutil
import signal

import host
import ktap
from host import SevVm, kvmward, must, pools, run, wait_for
from ktap import test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
UUID = "5ea15ea1-0000-4000-8000-000000000003"
SIMULATOR = "/sys/kernel/debug/psp_sim/fail"
SABOTAGE = "/etc/libvirt/hooks/qemu.d/20-e2e"
THIEF = f"{host.SCRATCH}/thief"


def fails(name, *words, xml=None):
    """Launches a guest that fails, and whose cause is told in these words."""
    path = host.file_of(xml or host.domain(name), name)
    result = kvmward("launch", "--paused", "--json", path)
    assert result.status == 1, str(result)
    answer = json.loads(result.out)
    ktap.diagnose(f"{answer['cause']}; {answer['remedy']}")
    assert answer["launched"] is False and answer["error"], answer
    assert f"{name}: the cause: {answer['cause']}; {answer['remedy']}\n" in result.err, str(result)
    for word in words:
        assert word in result.err, f"no '{word}' in\n{result}"
    wait_for("nothing is held", lambda: not host.pending(), 10)


@test
def failed_start():
    """a start that the firmware, KVM or QEMU refuses: the cause and what to do"""
    host.write(SIMULATOR, "LAUNCH_START 21 1")
    fails("unsupported", "CVE-2025-48514", "fw_error=21")
    host.write(SIMULATOR, "LAUNCH_UPDATE_DATA 20 1")
    fails("unsafe", "error 20, HWSEV_RET_UNSAFE", "fw_error=20")
    wrong = host.domain("wrong").replace("<policy>", "<cbitpos>60</cbitpos><policy>")
    fails("wrong", "remove <cbitpos>", "requested '60'", xml=wrong)


@test
def failed_by_theft():
    """somebody takes every slot between the last hook and QEMU: KVM's errno is explained"""
    host.write(SABOTAGE, f'''#!/bin/sh
[ "$1 $2" = "robbed start" ] || exit 0
setsid {shutil.which("sev_vm")} --type=sev --count={pools()["sev"]["free"]} >{THIEF} 2>&1 </dev/null &
echo $! >{THIEF}.pid
for _ in $(seq 100); do grep -q ready {THIEF} && exit 0; sleep 0.1; done
''')
    try:
        fails("robbed", "KVM has no key slot left", "misc.max", "ret=-16")
    finally:
        host.write(SABOTAGE, "#!/bin/sh\n")
        if os.path.exists(f"{THIEF}.pid"):
            os.kill(int(host.read(f"{THIEF}.pid")), signal.SIGKILL)


@test
def failed_by_memory_lock():
    """QEMU dies of libvirt's own memory lock: its words are those that launch has a cause for"""
    xml = host.domain("tight", mem_mib=128, complete=True)
    tune = xml[xml.index("<memtune>"):xml.index("</memtune>") + len("</memtune>")]
    path = host.file_of(xml.replace(tune, ""), "tight")
    refused = run("virsh", "create", "--paused", path)
    assert refused.status != 0 and "memlock-small: " in refused.err, str(refused)
    with host.config("[hook]\nsmall_memory_lock = admit\n"):
        died = run("virsh", "create", "--paused", path)
    assert died.status != 0, str(died)
    lines = [line for line in died.err.splitlines() if "register region" in line]
    assert lines and "Cannot allocate memory" in lines[0], str(died)


def in_journal(code):
    """Messages of kvmwardd about our UUID that have this code."""
    must("journalctl", "--sync")
    out = must("journalctl", "-b", "-o", "json", "_COMM=kvmwardd", f"DOMAIN_UUID={UUID}",
               f"KVMWARD_CODE={code}")
    return [json.loads(line)["MESSAGE"] for line in out.splitlines()]


@test
def refusals_in_journal():
    """a refusal is in the journal by UUID and code, of a hook call and of one that would wait"""
    xml = host.domain("logged", uuid=UUID, complete=True)
    with SevVm("--type=sev", f"--count={pools()['sev']['free']}"):
        assert run(HOOK, "logged", "prepare", "begin", "-", text=xml).status != 0
    path = host.file_of(host.domain("logged", uuid=UUID, mem_mib=1 << 20), "logged")
    assert kvmward("launch", "--wait", path).status == 3
    for code, words in (("slot-full", "prepare logged: slot-full: no SEV slot is free: "),
                        ("memory-full", "wait logged: refused: memory-full: even with no other")):
        found = in_journal(code)
        assert len(found) == 1 and found[0].startswith(words), f"{code}: {found}"
