# SPDX-License-Identifier: GPL-2.0-or-later
"""What admission adds to the start of a guest."""

import os
import statistics
import time
import uuid

import report
from accounting import Accounting
from measure import SCRATCH, bounds, cost, run, write

NAME = "bench-start"
HOOK = "/etc/libvirt/hooks/qemu.d/10-kvmward"
ASIDE = "/etc/libvirt/hooks/10-kvmward"
CALLS = ("prepare", "start", "started")  # then, of the end, stopped and release
PAIRS = 15


def domain_file(*options):
    """An encrypted guest of its own UUID, that halts at once."""
    os.makedirs(SCRATCH, exist_ok=True)
    os.chmod(SCRATCH, 0o755)
    xml = run("lab-domain", NAME, "--type", "sev", "--mem", "32", *options)
    path = f"{SCRATCH}/{NAME}.xml"
    write(path, xml.replace("</name>", f"</name><uuid>{uuid.uuid4()}</uuid>", 1))
    return path


def start_s(path):
    """Starts the guest and ends it; how long the start took."""
    began = time.monotonic()
    run("virsh", "create", path)
    took = time.monotonic() - began
    run("virsh", "destroy", NAME)
    return took


def start_without_s(path):
    os.rename(HOOK, ASIDE)
    try:
        return start_s(path)
    finally:
        os.rename(ASIDE, HOOK)


def bench_starts():
    run("lab-libvirt")
    run("systemctl", "start", "kvmwardd")
    report.heading("An allowed start of an encrypted guest")
    path = domain_file()
    start_s(path)  # asks what QEMU can do
    bench_pairs(path)
    bench_client(path)
    run("systemctl", "stop", "kvmwardd")


def bench_pairs(path):
    """Each start with the hook has one without it as its neighbour."""
    hooked, bare = [], []
    for turn in range(PAIRS):
        for method, times in ((start_s, hooked), (start_without_s, bare))[::1 - turn % 2 * 2]:
            times.append(method(path))
    ratios = sorted(a / b for a, b in zip(hooked, bare))
    ratio = statistics.median(ratios)
    quarter = PAIRS // 4
    report.line("a start", f"{statistics.median(hooked):.2f} s with the hook, "
                f"{statistics.median(bare):.2f} without it")
    report.line("with over without", f"{ratio:.3f}, the median of {PAIRS} pairs (half of them "
                f"within {ratios[quarter]:.3f}-{ratios[-1 - quarter]:.3f})")
    bounds.at_most(1.03, ratio, "a start with the hook, times one without")
    bench_share(path)


def bench_share(path):
    """Of the calls alone, which the differences of starts do not drown."""
    with Accounting(f"{SCRATCH}/accounting") as accounting:
        took_s = start_s(path)
    calls = [p for p in accounting.processes if p.command == os.path.basename(HOOK)][:len(CALLS)]
    spent_ms = sum(call.elapsed_ms for call in calls)
    share = spent_ms / took_s / 10
    report.line("its calls in a start", f"{len(calls)}, {spent_ms:.0f} ms from fork to end: "
                f"{share:.1f} % of {took_s:.2f} s")
    bounds.at_most(3, share, "hook calls of a start, percent of it")


def bench_client(path):
    """The hook beside an empty program: what it takes to ask, the answer included."""
    measures = hook_cost(path, "empty", "hook")
    with open(path, encoding="utf-8") as file:
        run("kvmward-hook", NAME, "release", "end", "-", stdin=file)
    times = measures["hook"].ratio
    report.line("kvmward-hook, admits", f"{measures['hook'].us / 1000:.1f} ms: {times:.1f} x an "
                f"empty C program ({measures['empty'].us / 1000:.1f} ms)")
    bounds.at_most(5, times, "hook, times an empty C program")


def bench_look(what):
    """A call that is answered by a look at the host and nothing else."""
    measures = hook_cost(domain_file(), "hook-help", "look")
    took_ms = (measures["look"].us - measures["hook-help"].us) / 1000
    report.line("a look", f"{took_ms:.1f} ms at {what}, the way there and back included")


def hook_cost(path, *methods):
    os.environ["BENCH_INPUT"] = path
    try:
        return cost(*methods, rounds=9)
    finally:
        del os.environ["BENCH_INPUT"]
