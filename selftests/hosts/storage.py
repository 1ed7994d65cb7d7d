# SPDX-License-Identifier: GPL-2.0-or-later
"""A file server that is gone, and what goes on without it."""

import contextlib
import os

import host
from host import must, run
from ktap import test

HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
PLACE = "/run/kvmward-lab-nfs"
UUID = "5e12e12a-0000-4000-8000-{:012}"


@contextlib.contextmanager
def mounted():
    """NFS as it waits for its server for ever, and asks it for every name."""
    os.makedirs(PLACE, exist_ok=True)
    must("mount", "-t", "nfs4", "-o", "hard,noac,lookupcache=none", "127.0.0.1:/", PLACE)
    try:
        yield PLACE
    finally:
        run("umount", "-f", "-l", PLACE)
        os.rmdir(PLACE)


@contextlib.contextmanager
def server_deaf():
    """Nothing passes on the loopback; kvmwardd, libvirt and the bus have no need of it."""
    must("tc", "qdisc", "add", "dev", "lo", "clsact")
    try:
        must("tc", "filter", "add", "dev", "lo", "ingress", "matchall", "action", "drop")
        yield
    finally:
        must("tc", "qdisc", "del", "dev", "lo", "clsact")


def call(operation, xml):
    return run(HOOK, "there", operation, "begin", "-", text=xml)


def on(place, kind, number):
    """A guest with its firmware variables on that server."""
    xml = host.domain("there", kind=kind, complete=True, uuid=UUID.format(number))
    assert "OVMF_VARS_4M.fd'/>" in xml
    return xml.replace("OVMF_VARS_4M.fd'/>", f"OVMF_VARS_4M.fd'>{place}/there.fd</nvram>")


@test
def server_gone():
    """firmware variables on a server that is gone: kvmwardd answers, for these guests and others"""
    with mounted() as place:
        guests = [on(place, kind, number) for number, kind in enumerate(("sev", "sev", "plain"))]
        elsewhere = host.domain("there", complete=True, uuid=UUID.format(9))
        with server_deaf():
            # only kvmwardd admits encrypted guests
            for xml in (*guests, elsewhere):
                result = call("prepare", xml)
                assert result.status == 0 and not result.err, str(result)
            assert len(host.pending()) >= 3, host.pending()
            for xml in (*guests, elsewhere):
                assert call("release", xml).status == 0
            assert not host.pending(), host.pending()
