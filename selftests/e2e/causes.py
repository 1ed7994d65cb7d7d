# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts that fail in QEMU or in the firmware all the same: launch says why."""

import concurrent.futures
import json
import os
import shutil
import signal

import host
import ktap
from host import SevVm, kvmward, must, pools, run, wait_for
from ktap import test, user_space_test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
UUID = "5ea15ea1-0000-4000-8000-000000000003"
SIMULATOR = "/sys/kernel/debug/psp_sim/fail"
SABOTAGE = "/etc/libvirt/hooks/qemu.d/20-e2e"
QEMU = "/usr/bin/qemu-system-x86_64"
THIEF = f"{host.SCRATCH}/thief"


def fails(name, words, of_qemu, xml=None):
    """Launches a guest that fails, and whose cause is told in these words, by QEMU's."""
    path = host.file_of(xml or host.domain(name), name)
    result = kvmward("launch", "--paused", "--json", path)
    assert result.status == 1, str(result)
    answer = json.loads(result.out)
    ktap.diagnose(f"{answer['cause']}; {answer['remedy']}")
    assert answer["launched"] is False and answer["error"], answer
    assert f"{name}: the cause: {answer['cause']}; {answer['remedy']}\n" in result.err, str(result)
    assert words in result.err, f"no '{words}' in\n{result}"
    host.qemu_says(name, of_qemu)
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
        fails("robbed", "KVM has no key slot left for it: all are taken, or the limit of a cgroup "
              "(misc.max)", "ret=-16")
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
    host.qemu_says("tight", "register region.*Cannot allocate memory")


def words_of_late_qemu():
    """Holds what QEMU said back from its log until libvirt is through with its start."""
    path = f"{host.SCRATCH}/late"
    wait_for("QEMU has died", lambda: os.path.exists(f"{path}.words")
             and "fw_error" in host.read(f"{path}.words"), 60)
    pid = host.read("/run/libvirt/qemu/late.pid")
    with open(f"/proc/{pid}/fd/1", "w", encoding="utf-8") as pipe:
        host.write(f"{path}.go", "")
        wait_for("libvirt has given up",
                 lambda: "shutting down" in host.read(host.qemu_log("late")), 60)
        pipe.write(host.read(f"{path}.words"))


@user_space_test
def failed_with_late_words():
    """QEMU's last words are not there yet when libvirt gives up: launch finds them in the log"""
    path = f"{host.SCRATCH}/late"
    for old in (f"{path}.go", f"{path}.words", host.qemu_log("late")):
        if os.path.exists(old):
            os.remove(old)
    host.write(path, f'''#!/bin/sh
{QEMU} "$@" 2>{path}.words
status=$?
grep -q fw_error {path}.words || exit $status
until [ -e {path}.go ]; do sleep 0.1; done
exit $status
''')
    os.chmod(path, 0o755)
    host.write(SIMULATOR, "LAUNCH_START 21 1")
    xml = host.file_of(host.domain("late").replace(QEMU, path), "late")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        late = pool.submit(words_of_late_qemu)
        result = kvmward("launch", "--paused", xml)
        late.result()
    assert result.status == 1, str(result)
    said, _, cause = result.err.partition("the cause: ")
    assert "fw_error" not in said and "CVE-2025-48514" in cause, str(result)


def in_journal(code):
    """Messages of kvmwardd about our UUID that have this code."""
    must("journalctl", "--sync")
    out = must("journalctl", "-b", "-o", "json", "_COMM=kvmwardd", f"DOMAIN_UUID={UUID}",
               f"KVMWARD_CODE={code}")
    return [json.loads(line)["MESSAGE"] for line in out.splitlines()]


@user_space_test
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
