# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that may not start whatever room there is: on the move, or on a host that is drained."""

import contextlib
import os

import changes
import host
from host import kvmward, must, run, virsh_create, wait_for
from ktap import user_space_test

NAMESPACE = "urn:kvmward:move:1"


def mark(name, word, *where):
    """As a move writes it into the guest's definition."""
    must("virsh", "metadata", name, NAMESPACE, "--key", "kvmward",
         "--set", f"<move job='m7' peer='h2'>{word}</move>", *(where or ["--config"]))


def unmark(name):
    must("virsh", "metadata", name, NAMESPACE, "--remove", "--config")


@contextlib.contextmanager
def defined(*names, **how):
    for name in names:
        must("virsh", "define", host.file_of(host.domain(name, complete=True, **how), name))
    try:
        yield
    finally:
        for name in names:
            run("virsh", "destroy", name)
            must("virsh", "undefine", "--nvram", "--managed-save", name)


def refused(result, code):
    assert result.status in (1, 3) and f"{code}: " in result.err, str(result)


@user_space_test
def moving_guests():
    """a guest that is marked does not start, nor without kvmwardd; one that runs goes on"""
    with defined("plain", kind=None), defined("sealed"):
        for name, word in (("plain", "leaving"), ("sealed", "arriving"), ("plain", "sometime")):
            mark(name, word)
            refused(run("virsh", "start", name), "guest-moving")
        text = run("virsh", "start", "sealed").err
        assert "brings this guest from h2" in text and "kvmward job undo sealed" in text, text
        assert not host.pending()

        host.daemon("stop")
        try:
            with host_config("[hook]\nencrypted_when_unreachable = admit\n"):
                for name in ("plain", "sealed"):
                    refused(run("virsh", "start", name), "guest-moving")
        finally:
            host.daemon("start")

        for name in ("plain", "sealed"):
            unmark(name)
            must("virsh", "start", "--paused", name)
        # one that runs is left alone, also when libvirt comes back to it
        mark("plain", "leaving")
        mark("sealed", "leaving", "--config", "--live")
        must("systemctl", "restart", "libvirtd")
        assert sorted(host.running()) == ["plain", "sealed"]
        unmark("plain")


@contextlib.contextmanager
def host_config(text):
    """For a kvmwardd that does not run; host.config() reloads."""
    host.write(host.CONFIG, text)
    try:
        yield
    finally:
        os.unlink(host.CONFIG)


@contextlib.contextmanager
def drained():
    must("kvmward", "drain")
    try:
        yield
    finally:
        must("kvmward", "undrain")


def admits_nothing():
    refused(virsh_create("late"), "host-draining")
    refused(virsh_create("open", kind=None), "host-draining")
    refused(run("virsh", "start", "saved"), "host-draining")
    refused(run("virsh", "start", "off"), "host-draining")


@user_space_test
def draining():
    """a drained host lets nothing in, over a restart, and without kvmwardd; what runs goes on"""
    assert host.host_checks()["admits_guests"] == "ok"
    with changes.Watch() as watch, defined("here", "saved", "off", kind=None):
        must("virsh", "start", "here")
        must("virsh", "start", "saved")
        must("virsh", "managedsave", "saved")
        with drained():
            admits_nothing()
            refused(host.launch("late"), "host-draining")
            refused(kvmward("launch", "--wait", host.file_of(host.domain("late"), "late")),
                    "host-draining")
            assert host.host_checks()["admits_guests"] == "no"
            assert "\nkvmward_draining 1\n" in must("kvmward", "metrics")
            assert "drained" in kvmward("slots").err

            must("virsh", "reset", "here")
            must("systemctl", "restart", "libvirtd")
            assert host.running() == ["here"]

            host.daemon("restart")
            admits_nothing()
            host.daemon("stop")
            try:
                admits_nothing()
            finally:
                host.daemon("start")

            host.destroy("here")
            refused(run("virsh", "start", "here"), "host-draining")
        must("virsh", "start", "here")
        must("virsh", "start", "saved")
        wait_for("both are told", lambda: "draining-ended" in watch.changes(), 5)
        assert "draining-began" in watch.changes(), watch.changes()


@user_space_test
def draining_is_roots():
    """others see that a host is drained, and cannot change it"""
    with drained():
        seen = run("busctl", "get-property", "org.kvmward1", "/org/kvmward1",
                   "org.kvmward1.Manager", "Draining")
        assert seen.out.strip() == "b true", str(seen)
        result = run(*changes.AS_USER, "kvmward", "undrain")
        assert result.status == 1 and "lets root do that only" in result.err, str(result)
        assert run(*changes.AS_USER, "kvmward", "host").out.count("'kvmward undrain'") == 1
