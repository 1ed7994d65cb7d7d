# SPDX-License-Identifier: GPL-2.0-or-later
"""What all parts of the bench measure with."""

import os
import subprocess

import report

SCRATCH = "/run/kvmward-bench"

bounds = report.Bounds()


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, encoding="utf-8", check=True, **more).stdout


class Measure:
    """One line of "cost"."""

    def __init__(self, words):
        fields = dict(word.split("=") for word in words.split())
        self.method = fields["method"]
        self.us, self.ratio = float(fields["us"]), float(fields["ratio"])
        self.guests, self.calls, self.bytes = (
            int(fields[key]) if key in fields else None for key in ("guests", "calls", "bytes"))


def cost(*methods, rounds=7):
    """Measures the methods beside each other; by name."""
    out = run("cost", "-r", str(rounds), *methods)
    measures = [Measure(words) for words in out.splitlines()]
    return {measure.method: measure for measure in measures}


def switches(pid):
    """How often any thread of the process went to sleep of its own will."""
    count = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        for words in read(f"/proc/{pid}/task/{task}/status").splitlines():
            if words.startswith("voluntary_ctxt_switches:"):
                count += int(words.split()[1])
    return count
