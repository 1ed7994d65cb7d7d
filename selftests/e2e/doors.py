# SPDX-License-Identifier: GPL-2.0-or-later
"""Doors other than a plain start: boot, saved states, reset."""

import os

import host
import ktap
from host import guest, must, run, wait_for
from ktap import user_space_test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
# libvirtd starts guests by itself once after each boot, and keeps that in mind here.
AUTOSTARTED = "/run/libvirt/qemu/autostarted"
BOOT = "/run/systemd/system/e2e-boot.target"
DAEMONS = ("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket")


def entered(unit, moment):
    """When systemd saw that of the unit, in us."""
    return int(must("systemctl", "show", "-P", moment, unit))


@user_space_test
def autostart():
    """libvirtd and kvmwardd started together, as at boot: an encrypted guest autostarts"""
    must("virsh", "define", host.file_of(host.domain("boots", complete=True), "boots"))
    host.write(BOOT, "[Unit]\nWants=libvirtd.service kvmwardd.service\n")
    must("systemctl", "daemon-reload")
    try:
        must("virsh", "autostart", "boots")
        must("systemctl", "stop", *DAEMONS, "kvmwardd")
        if os.path.exists(AUTOSTARTED):
            os.unlink(AUTOSTARTED)
        # in one transaction, which two names on the command line are not
        must("systemctl", "start", os.path.basename(BOOT))
        wait_for("the guest runs", lambda: guest("boots"), 60)
        assert entered("kvmwardd", "ActiveEnterTimestampMonotonic") <= \
            entered("libvirtd", "ExecMainStartTimestampMonotonic")
        # not the other way round: libvirtd does without
        host.daemon("stop")
        assert run("systemctl", "is-active", "libvirtd").out.strip() == "active"
        assert host.running() == ["boots"]
    finally:
        must("systemctl", "start", "kvmwardd", *DAEMONS)
        run("virsh", "undefine", "--nvram", "boots")
        must("systemctl", "stop", os.path.basename(BOOT))
        os.unlink(BOOT)


@user_space_test
def saved_states():
    """an encrypted guest is neither saved nor restored; a reset leaves it its slot, or ends it"""
    must("kvmward", "launch", "--define", host.file_of(host.domain("stays"), "stays"))
    try:
        never_saved()
    finally:
        host.destroy("stays")
        must("virsh", "undefine", "--nvram", "stays")
    xml = host.domain("again", uuid="5ea15ea1-0000-4000-8000-000000000009", complete=True)
    result = run(HOOK, "again", "restore", "begin", "-", text=xml)
    assert result.status == 1 and "no-restore:" in result.err, str(result)
    assert "managedsave-remove again" in result.err and not host.pending(), str(result)
    plain_state_as_encrypted()
    reset_ends_sev_es()


def reset_ends_sev_es():
    """Its vCPUs cannot be reset: QEMU ends, and the slot is free."""
    must("kvmward", "launch", host.file_of(host.domain("es", kind="sev-es"), "es"))
    must("virsh", "reset", "es")
    wait_for("its slot is free", lambda: host.kernel_slots("sev-es")["charged"] == 0, 10)
    wait_for("libvirt knows", lambda: "es" not in host.running(), 10)


def never_saved():
    """QEMU refuses by itself, and the guest runs on."""
    pid, asid = guest("stays")["pid"], guest("stays")["asid"]
    for attempt in (["save", "stays", f"{host.SCRATCH}/state"], ["managedsave", "stays"],
                    ["snapshot-create-as", "stays", "--memspec", f"file={host.SCRATCH}/memory"]):
        result = run("virsh", *attempt)
        assert result.status != 0 and "Migration is not implemented" in result.err, str(result)
        ktap.diagnose(f"{attempt[0]}: {' '.join(result.err.split())}")
        assert host.running() == ["stays"] and guest("stays")["pid"] == pid, str(result)
    must("virsh", "reset", "stays")
    assert (guest("stays")["pid"], guest("stays")["asid"]) == (pid, asid)


def plain_state_as_encrypted():
    """What was saved in the clear is not restored as an encrypted guest."""
    name = "was-plain"
    assert host.virsh_create(name, kind="plain").status == 0
    path = f"{host.SCRATCH}/{name}.state"
    must("virsh", "save", name, path)
    encrypted = must("virsh", "save-image-dumpxml", path).replace(
        "</devices>", "</devices><launchSecurity type='sev'><policy>0x0033</policy>"
        "</launchSecurity>")
    result = run("virsh", "restore", "--xml", host.file_of(encrypted, name), path)
    assert result.status == 1 and "no-restore:" in result.err, str(result)
    must("virsh", "restore", "--paused", path)
    assert guest(name)["type"] == "plain"
    os.unlink(path)
