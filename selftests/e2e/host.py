# SPDX-License-Identifier: GPL-2.0-or-later
"""The host under test: commands, domains, and what others than kvmward say of it."""

import json
import os
import signal
import subprocess
import time

NS = "/run/kvmward-e2e"


class Result:
    def __init__(self, argv, status, out, err, seconds):
        self.argv, self.status, self.out, self.err, self.seconds = argv, status, out, err, seconds

    def __str__(self):
        return (f"{' '.join(self.argv)[:200]}: status {self.status} after {self.seconds:.1f} s\n"
                f"{self.out[-2000:]}{self.err[-2000:]}")


def run(*argv, text=None, timeout=180, **more):
    """Runs a command to its end. Never raises for its status."""
    begin = time.monotonic()
    done = subprocess.run(argv, input=text, capture_output=True, timeout=timeout,
                          encoding="utf-8", errors="replace", **more)
    return Result(argv, done.returncode, done.stdout, done.stderr, time.monotonic() - begin)


def must(*argv, **more):
    """Runs a command that has to succeed; its standard output."""
    result = run(*argv, **more)
    assert result.status == 0, str(result)
    return result.out


def wait_for(what, condition, seconds):
    """Waits until condition() holds; how long that took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - begin


def kvmward(*args, **more):
    return run("kvmward", *args, **more)


def kvmward_json(*args):
    return json.loads(must("kvmward", *args, "--json"))


def pools():
    """kvmward slots, by pool name."""
    return {pool["pool"]: pool for pool in kvmward_json("slots")["pools"]}


def guests():
    return kvmward_json("guests")["guests"]


def guest(name):
    found = [g for g in guests() if g["name"] == name]
    return found[0] if found else None


def asid_range():
    """(lowest SEV ASID, highest ASID), as the simulated processor has them."""
    base = "/sys/module/psp_sim/parameters/"
    return int(read(base + "min_sev_asid")), int(read(base + "max_asid"))


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def misc(which):
    """misc.capacity or misc.current of the root cgroup; None where the kernel has no such file."""
    path = f"/sys/fs/cgroup/misc.{which}"
    if not os.path.exists(path):
        return None
    return {key: int(value) for key, value in
            (line.split() for line in read(path).splitlines())}


def simulator_guests():
    """What the simulated firmware holds keys for: a list of (asid, es)."""
    rows = []
    for line in read("/sys/kernel/debug/psp_sim/guests").splitlines():
        words = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if "asid" in words:
            rows.append(words)
    return rows


def domain(name, kind="sev", mem_mib=256, uuid=None, complete=False, extra="", machine="q35",
           loader=True, devices="", features="<acpi/>"):
    """A domain XML as an operator would write it; complete: with all that plain virsh needs."""
    policy = {"sev": "0x0033", "sev-es": "0x0037"}.get(kind)
    security = ""
    if policy:
        caps = sev_caps() if complete else ""
        security = f"<launchSecurity type='sev'>{caps}<policy>{policy}</policy></launchSecurity>"
    firmware = ""
    if loader:
        firmware = ("<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
                    "<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>")
    tune = f"<memtune><hard_limit unit='MiB'>{mem_mib + 200}</hard_limit></memtune>" \
        if complete and policy else ""
    tag = f"<uuid>{uuid}</uuid>" if uuid else ""
    return f"""<domain type='kvm'>
  <name>{name}</name>{tag}
  <memory unit='MiB'>{mem_mib}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    {firmware}
  </os>
  <features>{features}</features>
  <cpu mode='host-passthrough'/>{tune}{extra}
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <serial type='file'><source path='/var/log/libvirt/qemu/{name}-serial.log'/></serial>
    <memballoon model='none'/>{devices}
  </devices>
  {security}
</domain>
"""


_caps = None


def sev_caps():
    global _caps
    if _caps is None:
        text = must("virsh", "domcapabilities")
        cut = lambda tag: text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        _caps = (f"<cbitpos>{cut('cbitpos')}</cbitpos>"
                 f"<reducedPhysBits>{cut('reducedPhysBits')}</reducedPhysBits>")
    return _caps


def file_of(xml, name):
    return write(f"{NS}/{name}.xml", xml)


def virsh_create(name, **how):
    """Starts a domain the way everybody does, without kvmward."""
    return run("virsh", "create", "--paused",
               file_of(domain(name, complete=True, **how), name))


def launch(name, *options, **how):
    return kvmward("launch", "--paused", *options, file_of(domain(name, **how), name))


def running():
    return must("virsh", "list", "--name").split()


def destroy(name):
    return must("virsh", "destroy", name)


def destroy_all():
    for name in running():
        run("virsh", "destroy", name)


def daemon(verb):
    return must("systemctl", verb, "kvmwardd")


def daemon_pid():
    return int(must("systemctl", "show", "-P", "MainPID", "kvmwardd"))


def daemon_kill():
    os.kill(daemon_pid(), signal.SIGKILL)


class SevVm:
    """Bare KVM guests held by a process that libvirt knows nothing of."""

    def __init__(self, *options):
        self.process = subprocess.Popen(["sev_vm", *options], stdout=subprocess.PIPE,
                                        encoding="utf-8")
        self.lines = []
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            self.lines.append(line.strip())
        raise AssertionError("sev_vm: " + "; ".join(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
