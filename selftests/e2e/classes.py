# SPDX-License-Identifier: GPL-2.0-or-later
"""Classes: what is set aside, what is limited, and how the class of a guest is known."""

import os

import host
from host import SevVm, guest, kvmward, kvmward_json, launch, must, virsh_create, wait_for
from ktap import user_space_test
from waiting import Waiter, is_clean



def of_class(name):
    """The element that puts a guest into a class."""
    return f"<metadata><k:class xmlns:k='urn:kvmward:1'>{name}</k:class></metadata>"


GOLD_SLICE = "<resource><partition>/machine/gold</partition></resource>"


def uses(of="sev"):
    """Slots (or bytes) that each class has."""
    return {use["class"]: use["used"] for use in kvmward_json("slots")["classes"]
            if use["of"] == of}


def refused(result, code, status=3):
    assert result.status == status and f"{code}: " in result.err, str(result)


def started(result):
    assert result.status == 0, str(result)


def known_without_ledger():
    """kvmwardd forgets all its holds: the slice still tells the class, the metadata is gone."""
    host.daemon("stop")
    os.unlink(host.LEDGER)
    host.daemon("start")
    wait_for("the classes are known", lambda: uses() == {"gold": 1, "batch": 0, None: 2}, 10)


def with_classes():
    """gold has a slot set aside, batch may have one, and two are free."""
    others_count = host.pools()["sev"]["free"] - 2
    others = SevVm("--type=sev", f"--count={others_count}")
    try:
        wait_for("they are counted", lambda: uses() == {
            "gold": 0, "batch": 0, None: others_count}, 10)
        refused(launch("odd", extra=of_class("silver")), "class-unknown")
        started(launch("batch", extra=of_class("batch")))
        refused(launch("second", extra=of_class("batch")), "class-full")
        refused(launch("plain-sev"), "class-reserved")
        refused(virsh_create("by-virsh"), "class-reserved", status=1)
        with Waiter("second", extra=of_class("batch")) as second:
            second.wait_for_place(1, 1, "class-full")
            # it keeps nothing from those that its own limit does not bind
            started(launch("gold", extra=GOLD_SLICE))
            assert "/machine-gold.slice/" in guest("gold")["cgroup"], guest("gold")
            assert uses() == {"gold": 1, "batch": 1, None: others_count}, uses()
            assert uses("memory")["gold"] >= 64 << 20, uses("memory")
            table = kvmward("slots").out
            assert "CLASS" in table and "\ngold " in table and "\n(default) " in table, table
            metrics = must("kvmward", "metrics")
            assert 'kvmward_class_slots_used{class="gold",pool="sev"} 1\n' in metrics, metrics
            host.destroy("batch")
            assert second.end() == 0, second.notes
        if others_count == 1:
            known_without_ledger()
    finally:
        others.__exit__()


@user_space_test
def classes():
    """a class's reserve and limit with real guests, by metadata and by slice; and waiting"""
    with host.config("[class gold]\nsev_reserve = 1\n[class batch]\nsev_limit = 1\n"):
        with_classes()
    wait_for("nobody waits", is_clean, 5)
    assert kvmward_json("slots")["classes"] == []
