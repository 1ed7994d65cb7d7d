# SPDX-License-Identifier: GPL-2.0-or-later
"""Watches a guest on both hosts at once: whether it ever ran on both."""

import shlex
import subprocess
import threading
import time

from side import H2, ON_H2, SIDES

# A scope of libvirt's is there for as long as its QEMU; a word of it five times a second.
# Without a program in the loop: to start one costs a simulated processor more than the look.
LOOP = """exec 3<> <(:)
while ! read -r -t 0.2 -u 3; do
	set -- /sys/fs/cgroup/machine.slice/machine-qemu*{}.scope
	[[ ! -e $1 ]] || echo "$EPOCHREALTIME"
done"""
GAP_S = 2.0
# Looks come late on a machine that is busy, and a scope goes a moment after its QEMU.
SLACK_S = 1.0


def clock_offset():
    """How far h2's clock is ahead of this host's, in seconds."""
    before = time.time()
    there = float(H2.must("date", "+%s.%N"))
    return there - (before + time.time()) / 2


def spans(times):
    """[begin, end] of each time that it ran, from single moments."""
    found = []
    for moment in times:
        if found and moment - found[-1][1] < GAP_S:
            found[-1][1] = moment
        else:
            found.append([moment, moment])
    return found


class Watch:
    """While it is open, the guest of this name is watched."""

    def __init__(self, name):
        self.offset = clock_offset()
        self.seen = {side.name: [] for side in SIDES}
        self.processes = []
        loop = LOOP.format(name)
        for side in SIDES:
            argv = ["bash", "-c", loop] if side.here else [*ON_H2, shlex.join(["bash", "-c", loop])]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, encoding="utf-8")
            self.processes.append(process)
            threading.Thread(target=self._read, args=(process, side), daemon=True).start()

    def _read(self, process, side):
        for line in process.stdout:
            self.seen[side.name].append(float(line) - (0 if side.here else self.offset))

    def runs_twice(self):
        """For how long it ran on both hosts at most, in seconds; below 0 never."""
        here, there = (spans(self.seen[side.name]) for side in SIDES)
        return max((min(a[1], b[1]) - max(a[0], b[0]) for a in here for b in there), default=-1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.wait(30)
