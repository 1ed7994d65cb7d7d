# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's YNL client against kvmward: see ynl_test.sh.

usage: ynl.py BUILD_DIR

Two readers that share nothing but the YAML: the client of the kernel's source
(tools/net/ynl), run as it is, and kvmward --json. Every operation of the YAML has
to be read here, and every attribute that either gives has to be the same.
"""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from itertools import zip_longest

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = sys.argv[1]
SKIP = 4
# Beside this file, in a kernel tree, or of the distribution's kernel source.
TREE = os.path.join(HERE, "../../../..")
SOURCES = [TREE] + sorted(glob.glob("/usr/src/linux-source-*"), reverse=True)
EVENT_SECONDS = 3
TELL_SECONDS = 5
TESTS = 15

# What sev_vm holds, and what of kvm_amd's parameters says whether it can.
KINDS = {
    "plain": (None, ("--type=plain", "--count=2", "--mem=48", "--vcpus=2")),
    "SEV and a mirror": ("sev", ("--type=sev", "--mem=16", "--pin=2", "--mirrors=1")),
    "SEV-ES": ("sev_es", ("--type=sev-es", "--mem=32", "--pin=1")),
    "SEV-SNP": ("sev_snp", ("--type=snp", "--mem=16", "--pin=1")),
}


def first(*names):
    return next((name for name in names if os.path.exists(name)), None)


SPEC_FILE = first(HERE + "/kvmward.yaml", HERE + "/../uapi/kvmward.yaml",
                  TREE + "/Documentation/netlink/specs/kvmward.yaml")
CLIENT = first(*(f"{where}/{cli}" for where in [HERE + "/ynl"] +
                 [f"{source}/tools/net/ynl" for source in SOURCES]
                 for cli in ("pyynl/cli.py", "cli.py")))
SCHEMA = first(HERE + "/genetlink.yaml",
               *(f"{source}/Documentation/netlink/genetlink.yaml" for source in SOURCES))

number = 0
failed = False


def comment(text):
    for line in text.splitlines():
        print("#", line)


def result(ok, name, why=""):
    global number, failed
    number += 1
    if not ok:
        failed = True
        comment(why)
    print("ok" if ok else "not ok", number, name, flush=True)


def skip(name, why):
    global number
    number += 1
    print(f"ok {number} {name} # SKIP {why}", flush=True)


class Ynl:
    """The client, and which operations it has been used for."""

    def __init__(self):
        self.used = set()

    def command(self, *args):
        return [sys.executable, CLIENT, "--spec", SPEC_FILE, "--schema", SCHEMA, "--output-json",
                *args]

    def run(self, operation, *args):
        """Returns the answer, or None and what the client said."""
        self.used.add(operation)
        done = subprocess.run(self.command(*args), capture_output=True, text=True)
        text = done.stdout + done.stderr
        return (json.loads(done.stdout), "") if done.returncode == 0 else (None, text)


def kvmward(*args):
    done = subprocess.run(["kvmward", *args, "--json"], capture_output=True, text=True)
    try:
        return json.loads(done.stdout), done.stderr
    except ValueError:
        return None, done.stdout + done.stderr


def attributes(spec, name):
    for attribute_set in spec["attribute-sets"]:
        if attribute_set["name"] == name:
            return [attribute["name"] for attribute in attribute_set["attributes"]]
    raise KeyError(name)


def flags_of(spec):
    for definition in spec["definitions"]:
        if definition["name"] == "guest-flags":
            return [entry["name"] for entry in definition["entries"]]
    raise KeyError("guest-flags")


def facts(spec, name, answer):
    """An answer of the client's, under the names and in the types that kvmward prints."""
    table = {}
    for attribute in attributes(spec, name):
        value = answer.get(attribute)
        if attribute == "flags":
            table.update({flag: flag in (value or []) for flag in flags_of(spec)})
        else:
            table[attribute.replace("-", "_")] = value
    unknown = set(answer) - set(attributes(spec, name))
    return table | {key: answer[key] for key in unknown}


def same(one, other):
    """Yes and no are 1 and 0 in netlink."""
    if isinstance(other, bool):
        one = bool(one) if one in (0, 1) else one
    return type(one) is type(other) and one == other


def differences(spec, name, answer, other):
    lines = []
    for key, value in facts(spec, name, answer).items():
        if key not in other:
            if value is not None:
                lines.append(f"{key}: {value!r} in YNL, not in kvmward --json at all")
        elif not same(value, other[key]):
            lines.append(f"{key}: {value!r} in YNL, {other[key]!r} in kvmward --json")
    return lines


def key_of(guest):
    return guest.get("pid"), guest.get("vm-fd", guest.get("vm_fd"))


def guest_differences(spec, answers, others):
    lines = []
    theirs = {key_of(guest): guest for guest in others}
    if len(answers) != len(others) or {key_of(guest) for guest in answers} != set(theirs):
        lines.append(f"{[key_of(g) for g in answers]} in YNL, {list(theirs)} in kvmward --json")
    for guest in answers:
        if key_of(guest) in theirs:
            lines += [f"pid {guest['pid']}: {line}" for line in
                      differences(spec, "guest", guest, theirs[key_of(guest)])]
    return lines


def cell(value):
    """Lines of 27 characters."""
    if value is None:
        return ["-"]
    return textwrap.wrap(value if isinstance(value, str) else json.dumps(value), 27)


def side_by_side(spec, name, answer, other):
    """In 80 columns, what either has."""
    rows = [([name], ["YNL client"], ["kvmward --json"])]
    rows += [([key], cell(value), cell(other.get(key)))
             for key, value in facts(spec, name, answer).items()
             if value is not None or key in other]
    for row in rows:
        for line in zip_longest(*row, fillvalue=""):
            comment("{:22} {:27} {}".format(*line).rstrip())


def why_not(parameter):
    """Why KVM offers no such guest; None when it does."""
    if not os.path.exists("/dev/kvm"):
        return "no KVM"
    if not parameter:
        return None
    file = "/sys/module/kvm_amd/parameters/" + parameter
    if not os.path.exists(file):
        return f"kvm_amd is not loaded, or has no parameter {parameter}"
    with open(file, encoding="utf-8") as text:
        if text.read().strip() not in ("Y", "1"):
            return f"KVM offers none: kvm_amd's parameter {parameter}"
    return None if os.path.exists("/dev/sev") else "no /dev/sev"


class Guests:
    """Bare guests, held by sev_vm until the end."""

    def __init__(self):
        self.processes = []

    def hold(self, *args):
        """Returns the process, and what it said when it could not."""
        process = subprocess.Popen([BUILD + "/sev_vm", *args], stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT)
        self.processes.append(process)
        said = []
        for line in process.stdout:
            if line.strip() == "ready":
                return process, None
            said.append(line)
        return process, "".join(said)

    def hold_all(self):
        """Returns the names of the kinds that are held."""
        held = []
        for kind, (parameter, args) in KINDS.items():
            name = f"guests are held: {kind}"
            why = why_not(parameter)
            if why:
                skip(name, why)
                continue
            said = self.hold(*args)[1]
            result(said is None, name, said)
            if said is None:
                held.append(kind)
        return held

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


class Watch:
    """kvmward watch --json: its lines as they come."""

    def __init__(self):
        self.lines = []
        self.process = subprocess.Popen(["kvmward", "watch", "--json"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        self.lines += map(json.loads, self.process.stdout)

    def told(self, since, pid, change):
        """The guest that came or went, and the pool as told last, as slot-ntf has them."""
        kinds = ("guest-came", "guest-changed") if change == 1 else ("guest-went",)
        lines = self.lines[since:]
        event = {}
        for line in lines:
            if line["change"] in kinds and line["guest"]["pid"] == pid:
                event = {"change": change, "pid": pid,
                         "start_time_ns": line["guest"]["start_time_ns"]}
        pools = [line["pool"] for line in lines if line.get("pool")]
        return event | (pools[-1] if pools and event else {})

    def wait(self, since, pid, change, charged, seconds=TELL_SECONDS):
        """A line may be of the moment before: it waits for one with that count."""
        end = time.monotonic() + seconds
        event = {}
        while event.get("charged", -1) != charged and time.monotonic() < end:
            time.sleep(0.01)
            event = self.told(since, pid, change)
        return event

    def end(self):
        self.process.kill()
        self.process.wait()


def slot_take(guests, watch, charged, seconds=TELL_SECONDS):
    """Takes a slot and gives it back; says by which process, and what watch tells of both."""
    since = len(watch.lines) if watch else 0
    taker, why = guests.hold("--type=sev")
    if why is not None:
        raise RuntimeError(f"a slot cannot be taken: {why}")
    told = {}
    if watch:
        more = None if charged is None else charged + 1
        told[taker.pid, 1] = watch.wait(since, taker.pid, 1, more, seconds)
        since = len(watch.lines)
    taker.terminate()
    taker.wait()
    if watch:
        told[taker.pid, -1] = watch.wait(since, taker.pid, -1, charged, seconds)
    return taker.pid, told


def watch_start(guests, charged):
    """It tells of nothing before its first look: slots are taken until it does."""
    watch = Watch()
    for _ in range(20):
        if all(slot_take(guests, watch, charged, 0.5)[1].values()):
            break
    return watch


def listening_time():
    """Since Linux 6.13 or so the client listens for a time; before, it sleeps and then looks."""
    with open(CLIENT, encoding="utf-8") as file:
        return "--duration" if "--duration" in file.read() else "--sleep", str(EVENT_SECONDS)


def events_said(text):
    """One event a line, or all of them on one."""
    events = []
    for line in text.splitlines():
        value = json.loads(line)
        events += value if isinstance(value, list) else [value]
    return events


def event_faults(events, pids, pool):
    """The client may have begun to listen in the midst of it."""
    order = [event["msg"].get("pid") for event in events]
    faults = []
    for event, before in zip(events, [None] + events):
        msg = event["msg"]
        change = msg.get("change")
        base = pool.get("charged", msg.get("charged"))
        expected = {key: pool[key] for key in ("pool", "first-asid", "last-asid", "capacity")}
        if event["name"] != "slot-ntf" or expected.items() - msg.items():
            faults.append(f"not as slot-get says: {event}")
        if change not in (1, -1) or (before and before["msg"]["change"] == change):
            faults.append(f"not in turn: {event}")
        if msg.get("pid") not in pids or not msg.get("start-time-ns"):
            faults.append(f"not by one of {pids}: {event}")
        if "charged" in pool and msg.get("charged") != base + (change == 1):
            faults.append(f"charged is not {base + (change == 1)}: {event}")
    if order != sorted(order, key=pids.index):
        faults.append(f"not in the order of {pids}: {order}")
    return faults


def told_of(spec, event, told):
    """What watch told of it, without what only slot-get has."""
    operation = next(o for o in spec["operations"]["list"] if o["name"] == "slot-ntf")
    keys = [attribute.replace("-", "_") for attribute in operation["event"]["attributes"]]
    other = told.get((event.get("pid"), event.get("change")), {})
    return {key: other[key] for key in keys if key in other}


def watch_faults(spec, events, told):
    return [f"pid {event['msg'].get('pid')}: {line}" for event in events
            for line in differences(spec, "slot", event["msg"], told_of(spec, event["msg"], told))]


def events_test(ynl, spec, host, guests, held):
    """The client hears of slots that change hands, and in what state that leaves the pool."""
    name = "slot-ntf: each slot taken and given back, as slot-get has it"
    watch_name = "slot-ntf: kvmward watch tells the same"
    ynl.used.add("slot-ntf")
    why = None if "SEV and a mirror" in held else "no SEV here"
    if not (host or {}).get("slot-events"):
        why = (host or {}).get("slot-events-reason", "the module sends no events")
    if why:
        skip(name, why)
        skip(watch_name, why)
        return
    pool = ynl.run("slot-get", "--dump", "slot-get")[0][0]
    charged = pool.get("charged")
    watch = watch_start(guests, charged) if shutil.which("kvmward") else None
    client = subprocess.Popen(ynl.command("--subscribe", "slots", *listening_time()),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pids, told = [], {}
    while client.poll() is None:
        pid, lines = slot_take(guests, watch, charged)
        pids.append(pid)
        told |= lines
    said = client.communicate()[0]
    events = events_said(said) if client.returncode == 0 else []
    faults = event_faults(events, pids, pool)
    result(events and not faults, name, "\n".join(faults[:10]) or said)
    comment(f"{len(events)} events, the last: {json.dumps(events[-1:])}")
    if not watch:
        skip(watch_name, "kvmward, the command, is not installed")
        return
    watch.end()
    faults = watch_faults(spec, events, told)
    result(events and not faults, watch_name, "\n".join(faults[:10]) or said)
    for event in events[-1:]:
        side_by_side(spec, "slot", event["msg"], told_of(spec, event["msg"], told))


def host_test(ynl, spec):
    answer, why = ynl.run("host-get", "--do", "host-get")
    result(answer is not None, "host-get is read by the YAML", why)
    if not shutil.which("kvmward"):
        skip("host-get: kvmward agrees", "kvmward, the command, is not installed")
        return answer
    other, said = kvmward("host")
    wrong = differences(spec, "host", answer, other["host"]) if answer and other else [why, said]
    result(not wrong, "host-get: kvmward agrees", "\n".join(wrong))
    side_by_side(spec, "host", answer or {}, (other or {}).get("host", {}))
    return answer


def slots_test(ynl, spec):
    answers, why = ynl.run("slot-get", "--dump", "slot-get")
    result(answers is not None and len(answers) >= 2, "slot-get is read by the YAML", why)
    if not shutil.which("kvmward"):
        skip("slot-get: kvmward agrees", "kvmward, the command, is not installed")
        return
    other, said = kvmward("slots")
    wrong = [why, said]
    if answers and other:
        pools = other["pools"]
        wrong = [] if len(pools) == len(answers) else [f"{len(answers)} and {len(pools)} pools"]
        for answer, pool in zip(answers, pools):
            wrong += differences(spec, "slot", answer, pool)
    result(not wrong, "slot-get: kvmward agrees", "\n".join(wrong))
    for answer, pool in zip(answers or [], (other or {}).get("pools", [])):
        side_by_side(spec, "slot", answer, pool)


def guests_test(ynl, spec, held):
    name = f"guest-get of all: kvmward agrees ({', '.join(held) or 'no KVM, no guests'})"
    answers, why = ynl.run("guest-get", "--dump", "guest-get")
    result(answers is not None and (answers or not held), "guest-get of all is read by the YAML", why)
    if not shutil.which("kvmward"):
        skip(name, "kvmward, the command, is not installed")
        return answers
    other, said = kvmward("guests")
    wrong = [why, said]
    if answers is not None and other:
        wrong = guest_differences(spec, answers, other["guests"])
    result(not wrong, name, "\n".join(wrong))
    theirs = {key_of(guest): guest for guest in (other or {}).get("guests", [])}
    kinds = {(guest.get("type"), *guest.get("flags", [])): guest for guest in answers or []}
    for answer in kinds.values():
        side_by_side(spec, "guest", answer, theirs.get(key_of(answer), {}))
    return answers


def guest_test(ynl, answers):
    if not answers:
        skip("guest-get of a pid: the same as of all", "no guests here")
        return
    pid = answers[-1]["pid"]
    expected = next(guest for guest in answers if guest["pid"] == pid)
    answer, why = ynl.run("guest-get", "--do", "guest-get", "--json", json.dumps({"pid": pid}))
    result(answer == expected, "guest-get of a pid: the same as of all",
           why or f"{answer} instead of {expected}")


def refusal_test(ynl):
    answer, why = ynl.run("guest-get", "--do", "guest-get", "--json", '{"pid": 1}')
    result(answer is None and "no process of that pid holds a guest" in why and
           re.search(r"bad-attr.*\.pid", why),
           "a refusal comes with its words and its attribute", why or str(answer))


def main():
    if not SPEC_FILE or not CLIENT or not SCHEMA:
        print("TAP version 13\n1..0 # SKIP no YNL client: the kernel's source is needed, as linux-source has it")
        return SKIP
    if subprocess.run([BUILD + "/facts_print"], capture_output=True).returncode == SKIP:
        print("TAP version 13\n1..0 # SKIP the module kvmward is not loaded and cannot be")
        return SKIP
    with open(SPEC_FILE, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    print(f"TAP version 13\n1..{TESTS}")
    comment(f"client {os.path.realpath(CLIENT)}, schema {os.path.realpath(SCHEMA)}")
    ynl, guests = Ynl(), Guests()
    try:
        held = guests.hold_all()
        time.sleep(0.3)  # an answer of the firmware may be 100 ms old
        host = host_test(ynl, spec)
        slots_test(ynl, spec)
        guest_test(ynl, guests_test(ynl, spec, held))
        refusal_test(ynl)
        events_test(ynl, spec, host, guests, held)
    finally:
        guests.end()
    unread = {operation["name"] for operation in spec["operations"]["list"]} - ynl.used
    result(not unread, "every operation of the YAML has been read", ", ".join(unread))
    return 1 if failed or number != TESTS else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
