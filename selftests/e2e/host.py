# SPDX-License-Identifier: GPL-2.0-or-later
"""The host under test: commands, domains, and what others than kvmward say of it."""

import contextlib
import functools
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

KERNEL_SOURCE = max(glob.glob("/usr/src/linux-source-*"))
# A package of its own since Linux 6.13; what is there besides is in C.
sys.path[:0] = [KERNEL_SOURCE + "/tools/net/ynl/pyynl", KERNEL_SOURCE + "/tools/net/ynl"]
from lib import YnlFamily, ynl  # pylint: disable=wrong-import-position

SCRATCH = "/run/kvmward-e2e"
SPEC = os.path.join(os.path.dirname(__file__), "../../uapi/kvmward.yaml")
LEDGER = "/run/kvmward/ledger.json"
CONFIG = "/etc/kvmward/kvmward.conf"
FIRMWARE = "/usr/share/kvmward-lab/OVMF_HALT_4M.fd"
SNP_FIRMWARE = "/usr/share/ovmf/OVMF.amdsev.fd"


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
    """Waits until condition() holds; how long that took.

    Something that is not there yet, or goes away while it is looked at, does not hold.
    """
    begin = time.monotonic()
    while True:
        late = time.monotonic() - begin >= seconds
        try:
            if condition():
                return time.monotonic() - begin
        except (AssertionError, LookupError, OSError, TypeError, ValueError):
            if late:
                raise
        assert not late, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def kvmward(*args, **more):
    return run("kvmward", *args, **more)


def kvmward_json(*args):
    return json.loads(must("kvmward", *args, "--json"))


def host_facts():
    return kvmward_json("host")["host"]


def host_checks():
    """What kvmward host finds, by check."""
    return {check["check"]: check["state"] for check in kvmward_json("host")["checks"]}


def pools():
    """kvmward slots, by pool name."""
    return {pool["pool"]: pool for pool in kvmward_json("slots")["pools"]}


_ynl = None


def kernel_slots(pool="sev"):
    """SLOT_GET as the kernel's own YNL client reads it: quick, and not our code."""
    global _ynl
    if _ynl is None:
        _ynl = YnlFamily(SPEC, schema=KERNEL_SOURCE + "/Documentation/netlink/genetlink.yaml")
    return next(p for p in _ynl.dump("slot-get", {}) if p["pool"] == pool)


def qemu_log(name):
    """The file in which libvirt keeps what QEMU says of this guest."""
    return f"/var/log/libvirt/qemu/{name}.log"


def qemu_says(name, pattern):
    """Waits for a line of QEMU's in the guest's log that this is found in.

    libvirt's error has it too, but only where virtlogd had read it by then.
    """
    path = qemu_log(name)
    wait_for(f"'{pattern}' in {path}", lambda: re.search(pattern, read(path)), 10)


def module(verb):
    """rmmod or modprobe: a module that is loaded anew has another family id."""
    global _ynl
    _ynl = ynl.genl_family_name_to_id = None
    ynl.GenlProtocol.genl_family_name_to_id = {}
    # who reads a dump at this moment, kvmwardd for one, keeps the module in use
    wait_for(f"{verb} kvmward", lambda: run(verb, "kvmward").status == 0, 10)


def pending():
    """UUIDs of the holds that the ledger on disk has for guests that are not there yet."""
    try:
        holds = json.loads(read(LEDGER))["holds"]
    except FileNotFoundError:
        return []
    return [hold["uuid"] for hold in holds if not hold["pid"]]


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


def read_each(pattern):
    """What is in each file of this pattern, but for those that go away meanwhile."""
    texts = []
    for path in glob.glob(pattern):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            texts.append(read(path))
    return texts


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
    """What the simulated firmware knows of each guest: handle, asid, policy, type, state …"""
    lines = read("/sys/kernel/debug/psp_sim/guests").splitlines()
    return [dict(zip(line.split()[::2], line.split()[1::2])) for line in lines]


def simulator_asids():
    """ASIDs that the simulated firmware has activated, sorted."""
    return sorted(int(guest["asid"]) for guest in simulator_guests())


def libvirt_version(run_there=must):
    """(major, minor) of the running libvirtd, here or where run_there runs its commands."""
    for line in run_there("virsh", "version").splitlines():
        if line.startswith("Using library: libvirt "):
            return tuple(int(part) for part in line.split()[-1].split(".")[:2])
    raise AssertionError("virsh version does not tell libvirt's")


def domain(name, kind="sev", mem_mib=64, uuid=None, complete=False, extra="", machine="q35",
           loader=True, devices="", features="<acpi/>"):
    """A domain XML as an operator would write it; complete: with all that plain virsh needs."""
    policy = {"sev": "0x0033", "sev-es": "0x0037", "snp": "0x00030000"}.get(kind)
    security = ""
    if policy:
        caps = "<cbitpos>{}</cbitpos><reducedPhysBits>{}</reducedPhysBits>".format(
            *sev_numbers()) if complete else ""
        security = (f"<launchSecurity type='{'sev-snp' if kind == 'snp' else 'sev'}'>{caps}"
                    f"<policy>{policy}</policy></launchSecurity>")
    firmware = ""
    if loader and kind == "snp":
        firmware = f"<loader type='rom' stateless='yes'>{SNP_FIRMWARE}</loader>"
    elif loader:
        firmware = (f"<loader readonly='yes' type='pflash'>{FIRMWARE}</loader>"
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
    <controller type='usb' model='none'/>
    <memballoon model='none'/>{devices}
  </devices>
  {security}
</domain>
"""


@functools.cache
def sev_numbers():
    """(C-bit position, address bits lost), as QEMU wants them."""
    text = must("virsh", "domcapabilities")
    return tuple(text.split(f"<{tag}>")[1].split("<")[0] for tag in ("cbitpos", "reducedPhysBits"))


def file_of(xml, name):
    return write(f"{SCRATCH}/{name}.xml", xml)


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


def daemon_answers():
    return run("busctl", "get-property", "org.kvmward1", "/org/kvmward1",
               "org.kvmward1.Manager", "Version").status == 0


def daemon_kill():
    os.kill(daemon_pid(), signal.SIGKILL)


def configure(text):
    """Puts this configuration in force, in place of what there was."""
    write(CONFIG, text)
    must("kvmward", "reload")


@contextlib.contextmanager
def config(text):
    """With this configuration in force; afterwards there is none again."""
    write(CONFIG, text)
    try:
        must("kvmward", "reload")
        yield
    finally:
        os.unlink(CONFIG)
        wait_for("kvmwardd answers", daemon_answers, 60)
        must("kvmward", "reload")


class SevVm:
    """Bare KVM guests held by a process that libvirt knows nothing of.

    prefix: a command that starts it, elsewhere than here.
    """

    def __init__(self, *options, prefix=()):
        self.process = subprocess.Popen([*prefix, "sev_vm", *options], stdout=subprocess.PIPE,
                                        encoding="utf-8")
        self.lines = []
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            self.lines.append(line.strip())
        raise AssertionError("sev_vm: " + "; ".join(self.lines))

    def taken(self):
        """When the last of them had its slot, by time.monotonic()."""
        return int(self.lines[-1].split(" taken ")[1]) / 1e9

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
