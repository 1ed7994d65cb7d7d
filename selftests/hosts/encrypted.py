# SPDX-License-Identifier: GPL-2.0-or-later
"""Encrypted guests between two hosts: they do not move live, and a slot has one taker."""

import concurrent.futures

import host
import ktap
from host import SevVm, wait_for
from ktap import test
from live import migrate, start
from side import H1, H2, ON_H2

UUID = "5ea15ea1-0000-4000-8000-000000000021"


def sev_guest(name, **how):
    return host.domain(name, complete=True, **how)


@test
def sev_stays():
    """a SEV guest that virsh shall move live stays as it is, and takes nothing at the other host"""
    start(sev_guest("stays"))
    pid, before = H1.qemu("stays"), host.guest("stays")
    result = migrate("stays", H1, H2)
    ktap.diagnose(result.err)
    assert result.status == 1, str(result)
    assert H1.state("stays") == "running" and H1.qemu("stays") == pid
    assert host.guest("stays")["asid"] == before["asid"]
    wait_for("nothing is left at h2", lambda: not H2.leftovers(), 30)


def create_at_once(*xmls):
    """Starts these on h2 at the same time, one from each host in turn; the results."""
    def create(index):
        if index % 2:
            return H2.create(xmls[index])
        return host.run("virsh", "-c", H2.uri, "create", "/dev/stdin", text=xmls[index])
    with concurrent.futures.ThreadPoolExecutor(len(xmls)) as pool:
        return list(pool.map(create, range(len(xmls))))


@test
def last_slot():
    """the last slot of a host, wanted from two hosts at once: one gets it, nothing stays held"""
    free = H2.pool()["free"]
    assert free > 1, H2.pool()
    with SevVm("--type=sev", f"--count={free - 1}", prefix=ON_H2):
        for xmls in ((sev_guest("one"), sev_guest("two")),
                     (sev_guest("same", uuid=UUID), sev_guest("same", uuid=UUID))):
            results = create_at_once(*xmls)
            assert sorted(r.status for r in results) == [0, 1], "\n".join(map(str, results))
            lost = next(r for r in results if r.status)
            ktap.diagnose(lost.err)
            assert xmls[0] == xmls[1] or "slot-full:" in lost.err, str(lost)
            pool = H2.pool()
            assert (pool["free"], pool["held"], pool["charged"]) == (0, 0, free), pool
            H2.clear()
            wait_for("the slot is free", lambda: H2.pool()["free"] == 1, 20)
