# SPDX-License-Identifier: GPL-2.0-or-later
"""What kvmward says that a guest will pin, held against what the kernel then has pinned.

Few domains, so that it is quick; all of DOMAINS with E2E=all in the environment.
"""

import contextlib
import json
import os

import host
import ktap
from host import guest, must, run
from ktap import test

MIB = 1 << 20
ACPI = (2048 + 64 + 4) << 10  # etc/acpi/tables, table-loader, rsdp at their maxima
SHARE = "/usr/share/OVMF/"
NVDIMM = "/var/lib/libvirt/images/kvmward-e2e-nvdimm"
GRAPHICS = "<graphics type='vnc' autoport='yes'/>"
NO_ROM = "<rom enabled='no'/>"
NO_BAR = "<rom bar='off'/>"
BIG_ROM = f"<rom file='{SHARE}OVMF_VARS_4M.fd'/>"
PLUGGABLE = "<maxMemory slots='4' unit='MiB'>1024</maxMemory>"
SHMEM = ("<shmem name='kvmward-e2e'><model type='ivshmem-plain'/><size unit='M'>8</size></shmem>")


def video(model, more="", rom=""):
    return f"<video><model type='{model}' {more}/>{rom}</video>"


def nic(model="virtio", rom=""):
    return f"<interface type='user'><model type='{model}'/>{rom}</interface>"


def numa(*mib):
    cells = "".join(f"<cell id='{i}' cpus='{i}' memory='{m}' unit='MiB'/>"
                    for i, m in enumerate(mib))
    return f"<cpu mode='host-passthrough'><numa>{cells}</numa></cpu>"


def module(model, mib, source=""):
    return (f"<memory model='{model}'>{source}<target><size unit='MiB'>{mib}</size>"
            "<node>0</node></target></memory>")


# What host.domain() is called with; besides that before (what stands before <memory>), cpu,
# vcpus and firmware (code, variables) replace what every domain has.
DOMAINS = {
    "128-mib": {"mem_mib": 128},
    "odd-kib": {"mem_mib": None},
    "vga": {"devices": GRAPHICS + video("vga")},
    "vga-32-mib": {"devices": GRAPHICS + video("vga", "vram='32768'", NO_ROM)},
    "qxl-4-nics": {"devices": GRAPHICS + video("qxl", "ram='65536' vram='32768'") + 4 * nic(),
                   "mem_mib": 96},
    "qxl-outgrown": {"devices": GRAPHICS + video("qxl", "ram='16384' vgamem='16384' "
                                                 "vram='8192' vram64='32768'")},
    "virtio-no-roms": {"devices": GRAPHICS + video("virtio") + 4 * nic(rom=NO_ROM)},
    "cirrus": {"devices": GRAPHICS + video("cirrus")},
    "bochs": {"devices": GRAPHICS + video("bochs")},
    "vmvga": {"devices": GRAPHICS + video("vmvga")},
    "ramfb": {"devices": GRAPHICS + video("ramfb")},
    "3-videos": {"devices": GRAPHICS + video("virtio") + video("virtio") + video("qxl")},
    "libvirts-video": {"devices": GRAPHICS + nic()},
    "no-video": {"devices": GRAPHICS + video("none")},
    "4-nics": {"devices": nic("e1000e") + nic("rtl8139") + nic("vmxnet3") + nic(rom=NO_BAR)},
    "big-rom": {"devices": nic(rom=BIG_ROM)},
    "second-build": {"firmware": (SHARE + "OVMF_CODE.fd", SHARE + "OVMF_VARS.fd")},
    "vnuma": {"mem_mib": 150, "cpu": numa(70, 80), "vcpus": 2},
    "hot-plug": {"cpu": numa(64), "before": PLUGGABLE},
    "dimm": {"cpu": numa(64), "before": PLUGGABLE, "devices": module("dimm", 128)},
    "nvdimm": {"cpu": numa(64), "before": PLUGGABLE,
               "devices": module("nvdimm", 32, f"<source><path>{NVDIMM}</path></source>")},
    "shmem": {"devices": SHMEM},
    "sev-es": {"kind": "sev-es", "vcpus": 2},
    "largest": {"mem_mib": -1},
}
QUICK = ("libvirts-video", "second-build", "dimm")


def largest_mib():
    """Half of what the host has available: QEMU and the page cache want some too."""
    available, = [int(line.split()[1]) for line in host.read("/proc/meminfo").splitlines()
                  if line.startswith("MemAvailable:")]
    return available // 2048


def xml_of(name):
    how = {"mem_mib": 64, **DOMAINS[name]}
    cpu, vcpus = how.pop("cpu", None), how.pop("vcpus", 1)
    code, variables = how.pop("firmware", (host.FIRMWARE, SHARE + "OVMF_VARS_4M.fd"))
    before = how.pop("before", "")
    kib = {None: 100001, -1: largest_mib() * 1024}.get(how["mem_mib"], 1024 * (how["mem_mib"] or 0))
    xml = host.domain(name, complete=True, **{**how, "mem_mib": 1})
    for old, new in (("<memory unit='MiB'>1<", f"{before}<memory unit='KiB'>{kib}<"),
                     ("<hard_limit unit='MiB'>201<", "<hard_limit unit='GiB'>8<"),
                     ("<vcpu>1<", f"<vcpu>{vcpus}<"),
                     ("<cpu mode='host-passthrough'/>", cpu or "<cpu mode='host-passthrough'/>"),
                     (host.FIRMWARE, code), (SHARE + "OVMF_VARS_4M.fd'/>", variables + "'/>")):
        assert old in xml, (old, xml)
        xml = xml.replace(old, new, 1)
    return xml


def create(path):
    return run("virsh", "create", "--paused", path)


def plan(path):
    """The claim that kvmward makes of a file as it is."""
    return json.loads(run("kvmward", "plan", "--as-is", "--json", path).out)["claim"]


def hold(name):
    """The claim that it made of what libvirt made of the file."""
    found, = [h for h in json.loads(host.read(host.LEDGER))["holds"] if h["name"] == name]
    return found


def compare(name):
    """Pinned bytes: of the file, of the hook, of the kernel."""
    path = host.file_of(xml_of(name), name)
    claimed = plan(path)["pinned_bytes"]
    result = create(path)
    assert result.status == 0, f"{name}: {result}"
    held, pinned = hold(name)["pinned_bytes"], guest(name)["pinned_bytes"]
    ktap.diagnose(f"{name}: the kernel has pinned {pinned // 1024} KiB, the claim was "
                  f"{(claimed - pinned) // 1024:+} KiB, the hook's {(held - pinned) // 1024:+}")
    host.destroy(name)
    return 0 <= claimed - pinned <= MIB and 0 <= held - pinned <= MIB


@test
def claims():
    """the claim is never below what the kernel then has pinned, and at most 1 MiB above"""
    chosen = DOMAINS if os.environ.get("E2E") == "all" else QUICK
    with open(NVDIMM, "wb") as file:
        file.truncate(32 * MIB)
    chosen = [name for name in chosen if has_firmware(name)]
    wrong = [name for name in chosen if not compare(name)]
    assert not wrong, wrong
    ktap.diagnose(f"{len(chosen)} domains")


def has_firmware(name):
    """Debian 13 has dropped OVMF's build with 2 MiB of flash."""
    code, _ = DOMAINS[name].get("firmware", (host.FIRMWARE, ""))
    if not os.path.exists(code):
        ktap.diagnose(f"{name}: left out, since this Debian's ovmf has no {code}")
    return os.path.exists(code)


@contextlib.contextmanager
def libvirt_memlock(lock_bytes):
    """QEMU inherits the limit of libvirt's daemon, alone: hard_limit is its cgroup's limit too."""
    pid = must("systemctl", "show", "-P", "MainPID", "libvirtd").strip()
    before = must("prlimit", "--pid", pid, "--memlock", "--raw", "--noheadings",
                  "--output=SOFT,HARD").split()
    try:
        must("prlimit", "--pid", pid, f"--memlock={lock_bytes}:{before[1]}")
        yield
    finally:
        must("prlimit", "--pid", pid, f"--memlock={':'.join(before)}")


@test
def memory_lock():
    """a guest runs with the claimed memory lock, and not with 1 MiB less than the kernel needs"""
    xml = host.domain("locked", complete=True, mem_mib=32)
    limit = xml[xml.index("<memtune>"):xml.index("</memtune>") + len("</memtune>")]
    path = host.file_of(xml.replace(limit, ""), "locked")
    claimed = plan(path)
    with libvirt_memlock(claimed["memlock_bytes"]):
        result = create(path)
        assert result.status == 0, str(result)
        # The firmware is pinned once more while it is encrypted, and ACPI's blocks come later.
        needed = guest("locked")["pinned_bytes"] + os.path.getsize(host.FIRMWARE) - ACPI
        host.destroy("locked")
    with libvirt_memlock(needed - MIB):
        result = create(path)
        assert result.status == 1 and "kvmward: memlock-small: " in result.err, str(result)
        assert f"which is {(needed - MIB) // 1024} KiB" in result.err, str(result)
        assert "add <memtune><hard_limit unit='KiB'>" in result.err, str(result)
        with host.config("[hook]\nsmall_memory_lock = admit\n"):
            result = create(path)
            assert result.status == 1 and "kvmward: " not in result.err, str(result)
            host.qemu_says("locked", "ret=-12|Cannot allocate memory")
            ktap.diagnose(result.err)
            assert guest("locked") is None
    with libvirt_memlock(needed), host.config("[hook]\nsmall_memory_lock = admit\n"):
        result = create(path)
        assert result.status == 0, str(result)
