# SPDX-License-Identifier: GPL-2.0-or-later
"""What kvmward costs, beside every other way to learn the same, in one boot."""

import concurrent.futures
import contextlib
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
import traceback

import report
import starts
from measure import SCRATCH, bounds, cost, read, run, switches, write

LIBVIRT_GUESTS = 50
FROZEN_WAIT_S = 15
PEACE_S = 60
TRACING = "/sys/kernel/debug/tracing"
KPROBES = "/sys/kernel/debug/kprobes/list"
# Slots changing hands: taken, given back, moved to another guest.
OUR_PROBES = {"misc_cg_try_charge", "misc_cg_uncharge", "sev_vm_destroy",
              "sev_vm_move_enc_context_from"}

@contextlib.contextmanager
def forever(method):
    """Has the method run over and over, on the last processor."""
    last = os.cpu_count() - 1
    process = subprocess.Popen(["taskset", "-c", str(last), "cost", "-f", method],
                               stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        process.wait()


TITLES = {
    "dump": "kvmward, dump",
    "slots": "kvmward, slots",
    "walk": "/proc/*/fd walk, links",
    "walk-facts": "... and the facts there",
    "find": "... by the command find",
    "debugfs-list": "KVM debugfs, names only",
    "debugfs": "KVM debugfs, all files",
    "domstats": "libvirt, domstats",
    "exporter": "libvirt exporter, scrape",
    "guests": "command kvmward guests",
    "metrics": "command kvmward metrics",
    "virsh": "command virsh domstats",
    "empty": "an empty C program",
}


def show(measures, guests):
    for name, measure in measures.items():
        if measure.guests is None:
            measure.guests = guests
        assert measure.guests == guests, f"{name} sees {measure.guests} guests of {guests}"
        report.row(TITLES[name], measure)


# ---------------------------------------------------------------- bare guests

def wait_for_guests(count):
    """Guests that have ended take their time to go."""
    for _ in range(600):
        if cost("dump", rounds=1)["dump"].guests == count:
            return
        time.sleep(0.1)
    raise RuntimeError(f"not {count} guests after a minute")


class Crowd:
    """Bare guests, one a process, that come in lots and go together."""

    def __init__(self):
        self.lots, self.count, self.pid = [], 0, None

    def grow(self, count):
        process = subprocess.Popen(["crowd", str(count - self.count)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, encoding="utf-8")
        self.lots.append(process)
        self.pid = int(process.stdout.readline())
        self.count = count

    def end(self):
        for lot in self.lots:
            lot.stdin.close()
        for lot in self.lots:
            lot.wait()


def room_for(processes):
    """Limits of a small machine that a host of so many guests does not have."""
    if int(read("/proc/sys/kernel/pid_max")) < 8 * processes:
        write("/proc/sys/kernel/pid_max", str(8 * processes))
    run("systemctl", "set-property", "--runtime", "lab-command.service", "TasksMax=infinity")


def bench_crowd(*counts, rounds=7):
    room_for(max(counts))
    wait_for_guests(0)
    crowd = Crowd()
    for count in counts:
        began = time.monotonic()
        crowd.grow(count)
        made = time.monotonic() - began
        wait_for_guests(count)
        report.heading(f"{count:,} guests, one a process (made in {made:.0f} s)")
        report.columns()
        measures = cost("dump", "slots", "walk", "walk-facts", "find", "debugfs-list", "debugfs",
                        rounds=rounds)
        show(measures, count)
        if count == 1000:
            bench_thousand(crowd, measures)
    crowd.end()


def bench_thousand(crowd, measures):
    bounds.at_least(100, measures["walk"].ratio, "1,000 guests: dump against the /proc walk")
    bounds.at_most(512, measures["dump"].bytes / 1000, "1,000 guests: dump, bytes a guest")
    show({k: v for k, v in cost("dump", "guests", "metrics", "empty", rounds=5).items()
          if k != "dump"}, 1000)
    ratio = frozen_ratio(crowd.pid, "dump")
    report.line("one of them stopped", f"the dump takes {ratio:.2f} x its time, of all 1,000")
    bench_daemon()


def bench_daemon():
    """Memory of the supervisor, and whether it sleeps when nothing happens."""
    run("systemctl", "start", "kvmwardd")
    time.sleep(5)
    pid = run("systemctl", "show", "-P", "MainPID", "kvmwardd").strip()
    status = dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines()
                  if ":\t" in line)
    before, mib = switches(pid), int(status["VmRSS"].split()[0]) / 1024
    time.sleep(PEACE_S)
    woken = switches(pid) - before
    report.line("kvmwardd", f"{mib:.1f} MiB resident, woken {woken} times in {PEACE_S} s of peace")
    bounds.at_most(16, mib, "1,000 guests: kvmwardd, MiB resident")
    bounds.at_most(0, woken, f"1,000 guests: kvmwardd, woken in {PEACE_S} s of peace")
    starts.bench_look("1,000 guests")
    run("systemctl", "stop", "kvmwardd")


def frozen_ratio(pid, method, rounds=9):
    """What stopping one process does to the time of the method: median of ratios, in pairs."""
    ratios = []
    for turn in range(rounds):
        times = {}
        for stopped in (True, False) if turn % 2 else (False, True):
            os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)
            times[stopped] = cost(method, rounds=1)[method].us
        ratios.append(times[True] / times[False])
    os.kill(pid, signal.SIGCONT)
    return statistics.median(ratios)


# ---------------------------------------------------------------- libvirt's guests

def domain(name):
    """A guest with a disk and a network interface, that halts at once."""
    disk = f"{SCRATCH}/{name}.img"
    with open(disk, "wb") as file:
        file.truncate(1 << 20)
    xml = run("lab-domain", name, "--mem", "16", "--device",
              f"<disk type='file'><driver type='raw'/><source file='{disk}'/>"
              "<target dev='vda' bus='virtio'/></disk>"
              "<interface type='ethernet'><model type='virtio'/><rom enabled='no'/></interface>")
    path = f"{SCRATCH}/{name}.xml"
    write(path, xml)
    return path


def domain_start(name):
    began = time.monotonic()
    run("virsh", "create", domain(name))
    return time.monotonic() - began


def exporter_start():
    process = subprocess.Popen(["prometheus-libvirt-exporter"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for _ in range(100):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 9177)).close()
            return process
        time.sleep(0.1)
    raise RuntimeError("prometheus-libvirt-exporter does not listen")


def bench_libvirt(count):
    os.makedirs(SCRATCH, exist_ok=True)
    os.chmod(SCRATCH, 0o755)
    run("lab-libvirt")
    run("systemctl", "start", "kvmwardd")
    names = [f"bench{number}" for number in range(count)]
    # The first start asks what QEMU can do; the second is like any other.
    start_s = [domain_start(name) for name in names[:2]][1]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        list(pool.map(domain_start, names[2:]))
    wait_for_guests(count)
    time.sleep(5)
    pid = int(run("pgrep", "-f", f"guest=bench{count // 2},").split()[0])
    exporter = exporter_start()
    files = len(os.listdir(f"/proc/{pid}/fd"))
    report.heading(f"{count} guests of libvirt (a start takes {start_s:.1f} s; "
                   f"{files} open files each)")
    report.columns()
    measures = cost("dump", "domstats", "exporter", "walk", "debugfs-list", "debugfs", rounds=5)
    show(measures, count)
    bounds.at_least(1000, measures["domstats"].ratio,
                    f"{count} libvirt guests: dump against domstats")
    show({k: v for k, v in cost("dump", "guests", "metrics", "virsh", rounds=3).items()
          if k != "dump"}, count)
    bench_frozen(pid, count)
    exporter.kill()
    run("systemctl", "stop", "kvmwardd")
    for name in names:
        subprocess.run(["virsh", "destroy", name], capture_output=True, check=False)


def bench_frozen(pid, count):
    """One QEMU stopped: what goes on, and what waits for it."""
    report.heading(f"One of the {count} QEMUs stopped (SIGSTOP)")
    for method in ("dump", "guests", "metrics"):
        ratio = frozen_ratio(pid, method, rounds=5)
        report.line(TITLES[method], f"takes {ratio:.2f} x its time")
        bounds.at_most(2, ratio, f"one QEMU stopped: {TITLES[method]}, times")
    os.kill(pid, signal.SIGSTOP)
    seen = cost("dump", rounds=1)["dump"].guests
    listed = len(run("kvmward", "guests").splitlines()) - 1
    report.line("guests then seen", f"{seen} in the dump, {listed} by kvmward guests")
    os.kill(pid, signal.SIGCONT)
    bounds.add(seen == listed == count, "one QEMU stopped: guests seen", str(count),
               str(min(seen, listed)))
    for method in ("domstats", "exporter"):
        report.line(TITLES[method], waiting(pid, method))


def waiting(pid, method):
    """How long somebody waits for the process that is stopped."""
    os.kill(pid, signal.SIGSTOP)
    asker = subprocess.Popen(["cost", "-r", "1", method], stdout=subprocess.PIPE)
    try:
        asker.wait(FROZEN_WAIT_S)
        return f"answers within {FROZEN_WAIT_S} s"
    except subprocess.TimeoutExpired:
        pass
    finally:
        os.kill(pid, signal.SIGCONT)
    began = time.monotonic()
    asker.wait()
    return f"no answer in {FROZEN_WAIT_S} s; {time.monotonic() - began:.1f} s after SIGCONT"


# ---------------------------------------------------------------- a guest's running path

class Exits:
    """A guest on the first processor that does nothing but leave to the host."""

    def __init__(self):
        self.process = subprocess.Popen(["taskset", "-c", "0", "exits"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, encoding="utf-8")

    def sample(self):
        """Nanoseconds of one exit."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def module(there):
    """Loads or unloads it; the socket of a reader that was killed is freed a little later."""
    for _ in range(50):
        done = subprocess.run(["modprobe" if there else "rmmod", "kvmward"],
                              capture_output=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(done.stderr.decode())


def hooked():
    """Every function that anybody has put a hook on, by kprobe or by ftrace."""
    probes = {words.split()[2].split("+")[0] for words in read(KPROBES).splitlines()}
    traced = {words.split()[0] for words in read(f"{TRACING}/enabled_functions").splitlines()}
    return probes | traced


def bench_path(rounds=15):
    """The time of an exit, without the module, with it, and with it asked all the time."""
    report.heading("The running path of a guest")
    times = {"without": [], "with": [], "dumped": []}
    guest = Exits()
    for turn in range(rounds):
        order = list(times)
        for state in order[turn % 3:] + order[:turn % 3]:
            # Two processors share what the machine has: the other is busy in any case.
            if (state != "without") != os.path.exists("/sys/module/kvmward"):
                module(state != "without")
            with forever("dump" if state == "dumped" else "spin"):
                times[state].append(guest.sample())
    guest.end()
    without_us = statistics.median(times["without"]) / 1000
    report.line("an exit", f"{without_us:.1f} us without the module")
    for state, title in (("with", "with the module"), ("dumped", "and dumped all the time")):
        ratio = statistics.median(a / b for a, b in zip(times[state], times["without"]))
        report.line(title, f"{ratio:.3f} x that (median of {rounds} pairs)")
        bounds.between(0.95, 1.05, ratio, f"an exit {title}, ratio")
    bench_hooks()
    bench_calls()


def bench_hooks():
    """What the module hooks anywhere in the kernel: the difference that its loading makes."""
    module(False)
    before = hooked()
    module(True)
    ours = hooked() - before
    report.line("hooks of the module", ", ".join(sorted(ours)) or "none")
    bounds.add(ours <= OUR_PROBES, "hooks but on slots changing hands", "0",
               str(len(ours - OUR_PROBES)))


def calls_during(action):
    """How many calls of the module's functions the kernel's own tracer sees."""
    write(f"{TRACING}/trace", "")
    write(f"{TRACING}/current_tracer", "function")
    action()
    trace = read(f"{TRACING}/trace")  # another tracer begins with an empty one
    write(f"{TRACING}/current_tracer", "nop")
    return sum(not line.startswith("#") for line in trace.splitlines())


def bench_calls():
    """Counted, not timed: nothing of the module runs while a guest does."""
    write(f"{TRACING}/set_ftrace_filter", ":mod:kvmward")
    guest = Exits()
    exits = calls_during(lambda: [guest.sample() for _ in range(10)])
    dumps = calls_during(lambda: cost("dump", rounds=1))
    guest.end()
    write(f"{TRACING}/set_ftrace_filter", "")
    report.line("calls of its functions", f"{exits} in 40,000 exits ({dumps} traced in dumps)")
    bounds.add(exits == 0 and dumps > 0, "calls of ours during 40,000 exits", "0", str(exits))


# ----------------------------------------------------------------

PARTS = {
    "path": bench_path,
    "starts": starts.bench_starts,
    "libvirt": lambda: bench_libvirt(LIBVIRT_GUESTS),
    "crowd": lambda: bench_crowd(10, 100, 1000),
    "many": lambda: bench_crowd(10000, rounds=1),
}


def main(chosen):
    if not set(chosen) <= set(PARTS):
        sys.exit(f"usage: run [{'|'.join(PARTS)}]...")
    print(f"kvmward bench on Linux {platform.release()}, {os.cpu_count()} processors")
    print("Medians of rounds in which each has its turn; x dump: the median of its ratios")
    print("to the dump of the same round. calls: system calls. -: not known.")
    failed = False
    for name in chosen or PARTS:
        began = time.monotonic()
        try:
            PARTS[name]()
        except Exception as error:
            failed = True
            traceback.print_exc()
            print(getattr(error, "stderr", ""), file=sys.stderr)
            bounds.unmeasured(name)
        print(f"({name}: {time.monotonic() - began:.0f} s)", flush=True)
    bounds.show()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
