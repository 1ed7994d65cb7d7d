# SPDX-License-Identifier: GPL-2.0-or-later
"""What admission adds to the start of a guest."""

import os
import shutil
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
ROUNDS = 15


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


def start_with_s(path, program):
    """The same with that program in place of our hook; None: with none."""
    os.rename(HOOK, ASIDE)
    try:
        if program:
            os.symlink(program, HOOK)
        return start_s(path)
    finally:
        os.replace(ASIDE, HOOK)


def accounted_start_s(path):
    """The same with our hook, and how long its calls took from fork to end, in ms."""
    with Accounting(f"{SCRATCH}/accounting") as accounting:
        took_s = start_s(path)
    calls = [p for p in accounting.processes if p.command == os.path.basename(HOOK)][:len(CALLS)]
    assert len(calls) == len(CALLS), f"{len(calls)} calls of the hook, not {', '.join(CALLS)}"
    return took_s, sum(call.elapsed_ms for call in calls)


def bench_starts():
    run("lab-libvirt")
    run("systemctl", "start", "kvmwardd")
    report.heading("An allowed start of an encrypted guest")
    path = domain_file()
    start_s(path)  # asks what QEMU can do
    bench_neighbours(path)
    bench_client(path)
    run("systemctl", "stop", "kvmwardd")


def bench_neighbours(path):
    """Starts with our hook, with none and with one that does nothing, in turn and back."""
    hooked, bare, idle, accounted = [], [], [], []
    methods = [lambda: accounted.append(accounted_start_s(path)),  # is not compared
               lambda: hooked.append(start_s(path)),
               lambda: bare.append(start_with_s(path, None)),
               lambda: idle.append(start_with_s(path, shutil.which("empty")))]
    for turn in range(ROUNDS):
        for method in methods[::1 - turn % 2 * 2]:
            method()
    report.line("a start", f"{statistics.median(hooked):.2f} s with the hook, "
                f"{statistics.median(bare):.2f} without it")
    ratio = tell_ratio("with over without", hooked, bare)
    tell_ratio("with an empty C program", idle, bare)
    bounds.at_most(1.03, ratio, "a start with the hook, times one without")
    tell_share(accounted)


def tell_ratio(what, times, bare):
    ratios = sorted(a / b for a, b in zip(times, bare))
    quarter = len(ratios) // 4
    report.line(what, f"{statistics.median(ratios):.3f}, the median of {len(ratios)} pairs (half "
                f"of them within {ratios[quarter]:.3f}-{ratios[-1 - quarter]:.3f})")
    return statistics.median(ratios)


def tell_share(accounted):
    """Of the calls alone, which the differences of starts do not drown."""
    spent_ms = statistics.median(ms for _, ms in accounted)
    share = statistics.median(ms / s / 10 for s, ms in accounted)
    report.line("its calls in a start", f"{len(CALLS)}, {spent_ms:.0f} ms from fork to end: "
                f"{share:.1f} % of it")
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
