# SPDX-License-Identifier: GPL-2.0-or-later
""""kvmward drain": what its table says beforehand, and what then happens."""

import json

import host
from host import must, run, wait_for
from ktap import test, diagnose
from side import FIRMWARE, H1, H2

PASSED = ("<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='0' "
          "slot='31' function='0'/></source></hostdev>")


def define(name, kind, firmware="BUTTON", started=True, **how):
    xml = host.domain(name, kind=kind, complete=True, **how)
    result = run("virsh", "define", "/dev/stdin",
                 text=xml.replace(host.FIRMWARE, FIRMWARE.format(firmware)))
    assert result.status == 0, str(result)
    if started:
        must("virsh", "start", name)


def drain(*options, status):
    """What "kvmward drain" says of each guest, by name."""
    result = run("kvmward", "drain", "--json", *options, H2.uri, timeout=900)
    diagnose(result)
    assert result.status == status, str(result)
    return {guest["name"]: guest for guest in json.loads(result.out)["guests"]}


@test
def drain_mixed():
    """five guests of all kinds: how each goes is said beforehand, and so they go"""
    define("web", "plain", "BUSY")
    define("vault", "sev")
    define("deaf", "sev", "HALT")
    define("off", "plain", started=False)
    define("tied", "plain", started=False, devices=PASSED)
    try:
        said = drain("--dry-run", status=3)
        assert {name: (g["moves"], g["kind"], g["stops"]) for name, g in said.items()
                if g["moves"]} == {"web": (True, "live", False), "vault": (True, "cold", True),
                                   "deaf": (True, "cold", True), "off": (True, "cold", False)}
        assert not said["tied"]["moves"], said["tied"]
        assert [v["code"] for v in said["tied"]["bars"]] == ["host-device"], said["tied"]
        assert not H2.leftovers() and len(H1.defined()) == 5
        # who does not shut down stays, and says so
        done = drain("-j", "2", "--shutdown-timeout", "60", status=1)
        assert {name: g["result"]["end"] for name, g in done.items() if g["result"]} == {
            "web": "moved", "vault": "moved", "deaf": "stayed", "off": "moved"}, done
        assert sorted(H1.defined()) == ["deaf", "tied"] and H1.running() == ["deaf"]
        assert sorted(H2.defined()) == ["off", "vault", "web"]
        assert sorted(H2.running()) == ["vault", "web"]
        late = run("virsh", "start", "tied")
        assert late.status == 1 and "host-draining:" in late.err, str(late)
        done = drain("--force", "--shutdown-timeout", "2", status=3)
        assert done["deaf"]["result"]["end"] == "moved" and H1.defined() == ["tied"], done
        wait_for("no slot is taken here", lambda: H1.pool()["charged"] == 0, 20)
        assert H2.pool()["charged"] == 2
    finally:
        run("kvmward", "undrain")
