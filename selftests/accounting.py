# SPDX-License-Identifier: GPL-2.0-or-later
"""What processes took, as the kernel notes at their end: acct(5), which costs them nothing."""

import ctypes
import os
import statistics
import struct

# struct acct_v3: flag, version, tty, exitcode, uid, gid, pid, ppid, btime, etime, eight of
# comp_t (utime and stime first), comm
RECORD = struct.Struct("=BB H 6I f 8H 16s")
TICKS_PER_S = 100
_libc = ctypes.CDLL(None, use_errno=True)


def _acct(path):
    if _libc.acct(path.encode() if path else None):
        raise OSError(ctypes.get_errno(), "acct", path)


def _ticks(comp):
    """comp_t: three bits of exponent to the base 8, thirteen of fraction."""
    return (comp & 0x1fff) << 3 * (comp >> 13)


class Process:
    def __init__(self, fields):
        self.command = fields[-1].rstrip(b"\0").decode(errors="replace")
        self.status = fields[3] >> 8
        self.elapsed_ms = fields[9] / TICKS_PER_S * 1000
        self.cpu_ms = (_ticks(fields[10]) + _ticks(fields[11])) / TICKS_PER_S * 1000


class Accounting:
    """Of the processes that end while it is on."""

    def __init__(self, path):
        self.path = path
        self.processes = []

    def __enter__(self):
        with open(self.path, "wb"):
            pass
        _acct(self.path)
        return self

    def __exit__(self, *_):
        _acct(None)
        with open(self.path, "rb") as file:
            self.processes = [Process(fields) for fields in RECORD.iter_unpack(file.read())]
        os.unlink(self.path)

    def summary(self, command):
        """Number, and time from fork to end, of those that ran this command."""
        found = [p for p in self.processes if p.command == command]
        if not found:
            return f"no {command}"
        times = sorted(p.elapsed_ms for p in found)
        cpu_ms = statistics.mean(p.cpu_ms for p in found)
        return (f"{len(times)} {command}: median {statistics.median(times):.0f} ms, 95 % within "
                f"{times[int(0.95 * (len(times) - 1))]:.0f}, all within {times[-1]:.0f}; "
                f"processor {cpu_ms:.0f} each")
