# SPDX-License-Identifier: GPL-2.0-or-later
"""What "kvmward migrate --dry-run" says beforehand: each obstacle provoked, none imagined."""

import glob
import json
import os

import host
import ktap
from host import SevVm, must, run
from ktap import test
from live import busy_guest, shared_disk, start
from side import FIRMWARE, H1, H2, ON_H2, SHARED, SIDES

LOCAL = f"{host.SCRATCH}/local.raw"
PASSED = ("<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='0' "
          "slot='31' function='0'/></source></hostdev>")
MDEV = ("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address "
        "uuid='5ea15ea1-0000-4000-8000-00000000000d'/></source></hostdev>")


def disk(bus, path=LOCAL):
    return (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{path}'/>"
            f"<target dev='{'hda' if bus == 'ide' else 'vda'}' bus='{bus}'/></disk>")


def plan_of(name, *options, uri=H2.uri, where=H1):
    """What "kvmward migrate" would do."""
    result = where.run("kvmward", "migrate", "--dry-run", "--json", *options, name, uri)
    assert result.status in (0, 3), str(result)
    plan = json.loads(result.out)
    assert plan["possible"] == (result.status == 0), str(result)
    assert plan["possible"] == all(o["weight"] != "bars" for o in plan["obstacles"]), plan
    return plan


def dry_run(name, *options, uri=H2.uri):
    """(kind, {code: (weight, sentence)}) of what would happen."""
    plan = plan_of(name, *options, uri=uri)
    return plan["kind"], {o["code"]: (o["weight"], o["sentence"]) for o in plan["obstacles"]}


def assert_said(name, *options, kind=None, uri=H2.uri, **expected):
    """All of these are said and nothing else; a code's _ stands for -, the value is
    (weight, words of the sentence)."""
    got, said = dry_run(name, *options, uri=uri)
    wanted = {code.replace("_", "-"): what for code, what in expected.items()}
    for code in sorted(said):
        ktap.diagnose(f"{name} {' '.join(options)}: {code} ({said[code][0]}): {said[code][1]}")
    assert kind in (None, got), (kind, got, said)
    assert set(said) == set(wanted), (sorted(said), sorted(wanted))
    for code, (weight, words) in wanted.items():
        assert said[code][0] == weight and words in said[code][1], (code, said[code])


def define(xml, where=H1):
    result = where.run("virsh", "define", "/dev/stdin", text=xml)
    assert result.status == 0, str(result)


@test
def nothing_in_the_way():
    """a plain guest moves live, an encrypted one cold, and it is said; nothing has changed"""
    start(busy_guest("web"))
    start(host.domain("vault", complete=True))
    assert_said("web", kind="live")
    # a transient guest has nothing to be started from
    assert_said("vault", "--live", kind="live",
                live_encrypted=("bars", "<launchSecurity type='sev'>"))
    assert_said("vault", kind="cold", live_encrypted=("not-live", "moves cold only"),
                guest_transient=("bars", "virsh define"))
    define(host.domain("vault", complete=True, uuid=H1.virsh("domuuid", "vault").strip()))
    assert_said("vault", kind="cold", live_encrypted=("not-live", "moves cold only"))
    assert not H2.leftovers() and sorted(H1.running()) == ["vault", "web"]


@test
def of_the_guest():
    """what ties a guest to its host: devices, local disks, saved memory, snapshots, its state"""
    must("truncate", "-s", "1M", LOCAL)
    try:
        define(host.domain("tied", kind="plain", devices=disk("virtio") + PASSED))
        assert_said("tied", kind="cold", host_device=("bars", "pci"), disk_local=("bars", LOCAL))
        assert_said("tied", "--live", "--copy-storage", kind="live", host_device=("bars", "pci"),
                    live_off=("bars", "off"), disk_copy=("bars", "no storage pool"))
        define(host.domain("ide", machine="pc", complete=True, devices=disk("ide") + MDEV))
        assert_said("ide", "--copy-storage", kind="cold",
                    disk_local=("bars", "copied by a live move only"),
                    disk_copy=("bars", "no storage pool"),
                    host_device=("bars", "mdev"), passthrough=("bars", ""),
                    ide_disk=("bars", "'ide'"), not_q35=("bars", "q35"))
    finally:
        H1.clear()
        os.unlink(LOCAL)
    define(busy_guest("kept", devices=shared_disk("kept")))
    try:
        must("virsh", "start", "kept")
        assert_said("kept", disk_unseen=("warns", "storage pool"))
        # with firmware of its own a guest has external snapshots only
        must("virsh", "snapshot-create-as", "kept", "now", "--disk-only", "--diskspec",
             f"vda,file={SHARED}/kept.now")
        must("virsh", "suspend", "kept")
        assert_said("kept", "--cold", guest_state=("bars", "virsh resume"),
                    disk_unseen=("warns", ""), snapshots_kept=("bars", "1 snapshot"))
        must("virsh", "snapshot-delete", "kept", "now", "--metadata")
        must("virsh", "managedsave", "kept")
        assert_said("kept", saved_state=("bars", "managedsave-remove"),
                    disk_unseen=("warns", ""))
    finally:
        run("virsh", "managedsave-remove", "kept")
        H1.clear()
        for name in glob.glob(f"{SHARED}/kept.*"):
            os.unlink(name)


@test
def of_what_is_defined():
    """a guest that runs starts there as it is defined: what it has not got yet bars a cold move"""
    must("truncate", "-s", "1M", LOCAL)
    try:
        define(busy_guest("web"))
        must("virsh", "start", "web")
        for xml in (disk("virtio"), PASSED):
            must("virsh", "attach-device", "web", "/dev/stdin", "--config", text=xml)
        assert_said("web", kind="live")
        assert_said("web", "--cold", disk_local=("bars", LOCAL), host_device=("bars", "pci"))
    finally:
        H1.clear()
        os.unlink(LOCAL)


@test
def of_an_unfinished_move():
    """a guest with a move that is not finished begins no other, and that is said beforehand"""
    define(host.domain("web", kind="plain"))
    job = f"/var/lib/kvmward/moves/{H1.virsh('domuuid', 'web').strip()}.json"
    must("mkdir", "-p", "-m", "700", os.path.dirname(job))
    must("touch", job)
    try:
        assert_said("web", guest_moving=("bars", "kvmward job resume web"))
        result = run("kvmward", "drain", "--dry-run", "--json", H2.uri)
        assert result.status == 3, str(result)
        web, = json.loads(result.out)["guests"]
        assert not web["moves"] and [v["code"] for v in web["bars"]] == ["guest-moving"], web
        result = run("kvmward", "migrate", "web", H2.uri)
        assert result.status == 3 and "guest-moving" in result.err, str(result)
    finally:
        os.unlink(job)


@test
def of_the_destination():
    """no slot, no memory, a guest of that name, the same host, no kvmwardd, no host at all"""
    define(host.domain("vault", complete=True))
    free = H2.pool()["free"]
    with SevVm("--type=sev", f"--count={free}", prefix=ON_H2):
        assert_said("vault", slot_full=("bars", "h2"))
    host.wait_for("h2's slots are free again", lambda: H2.pool()["free"] == free, 30)
    define(host.domain("huge", kind="plain", mem_mib=1 << 20))
    assert_said("huge", memory_full=("bars", "h2"))
    define(host.domain("vault", complete=True), H2)
    assert_said("vault", dest_taken=("bars", "rename"))
    H2.clear()
    assert_said("vault", uri=H1.uri, dest_same=("bars", "this host"))
    H2.must("systemctl", "stop", "kvmwardd")
    try:
        assert_said("vault", dest_unguarded=("bars", "--unguarded"))
        assert_said("vault", "--unguarded", dest_unguarded=("warns", "nothing is held"))
    finally:
        H2.must("systemctl", "start", "kvmwardd")
    assert_said("vault", uri="qemu+ssh://root@10.9.9.9/system",
                dest_unreachable=("bars", "10.9.9.9"))


@test
def of_nested_guests():
    """a guest that runs guests does not move live now; what says so is the kernel's count"""
    start(host.domain("nests", kind="plain").replace(host.FIRMWARE, FIRMWARE.format("NESTED")))
    host.wait_for("it runs a guest", lambda: host.guest("nests")["nested_vcpus"] == 1, 30)
    assert_said("nests", kind="live", live_nested=("bars", "1 of its vCPUs"))


@test
def of_processors():
    """what the other host's processor lacks bars, live and cold; a difference bars live"""
    lacking = "<cpu mode='custom' match='exact'><model>qemu64</model>" \
        "<feature policy='require' name='avx512f'/></cpu>"
    define(host.domain("modern", kind="plain").replace("<cpu mode='host-passthrough'/>", lacking))
    assert_said("modern", cpu_lacks=("bars", "h2"))


@test
def differing_hosts():
    """host-passthrough where processor and kernel differ: not live, and it says what differs"""
    kernels = [side.must("uname", "-r") for side in (H1, H2)]
    if kernels[0] == kernels[1]:
        raise ktap.Skip("both hosts have one kernel: lab run --h2 '-k 6.1 --cpu max,-rdrand'")
    start(busy_guest("web"))
    _, said = dry_run("web", "--live")
    weight, sentence = said["cpu-differs"]
    ktap.diagnose(sentence)
    assert weight == "bars" and all(k.strip() in sentence for k in kernels), said


def software_said(here, there, way):
    """What is said of QEMU's and libvirt's versions: {(code, weight, program)}."""
    plan = plan_of("web", way, uri=there.uri, where=here)
    found = [o for o in plan["obstacles"] if o["code"] in ("dest-older", "dest-newer")]
    for obstacle in found:
        ktap.diagnose(f"{here.name} to {there.name}, {way}: {obstacle['code']} "
                      f"({obstacle['weight']}): {obstacle['sentence']}")
    return {(o["code"], o["weight"], o["sentence"].split()[2]) for o in found}


@test
def differing_software():
    """to a later QEMU a guest goes live, with no way back; to an earlier one not live"""
    version = {side: host.libvirt_version(side.must) for side in SIDES}
    older, newer = sorted(SIDES, key=version.get)
    if version[older] == version[newer]:
        raise ktap.Skip("both hosts have one libvirt: lab run --h2 '--suite sid'")
    for here, there, live, cold in (
            (older, newer, {("dest-newer", "warns", "QEMU")}, set()),
            (newer, older, {("dest-older", "bars", "QEMU"), ("dest-older", "warns", "libvirt")},
             {("dest-older", "warns", "libvirt")})):
        define(host.domain("web", kind="plain"), here)
        assert software_said(here, there, "--cold") == cold
        here.virsh("start", "web")
        assert software_said(here, there, "--live") == live
        here.clear()
