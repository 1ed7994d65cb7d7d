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
import time

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = sys.argv[1]
SKIP = 4
# Beside this file, in a kernel tree, or of the distribution's kernel source.
TREE = os.path.join(HERE, "../../../..")
SOURCES = [TREE] + sorted(glob.glob("/usr/src/linux-source-*"), reverse=True)
EVENT_SECONDS = 3


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


def side_by_side(spec, name, answer, other):
    print(f"# {name + ' attribute':24} {'YNL client':24} kvmward --json")
    for key, value in facts(spec, name, answer).items():
        print(f"# {key:24} {'-' if value is None else value!s:24} "
              f"{json.dumps(other.get(key)).replace('null', '-')}")


class Guests:
    """Bare guests, held by sev_vm until the end."""

    def __init__(self):
        self.processes = []

    def hold(self, *args):
        process = subprocess.Popen([BUILD + "/sev_vm", *args], stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return any(line.strip() == "ready" for line in process.stdout)

    def hold_all(self):
        if not os.path.exists("/dev/kvm"):
            return []
        kinds = [("plain", ("--type=plain", "--count=2", "--mem=48", "--vcpus=2")),
                 ("SEV and a mirror", ("--type=sev", "--mem=16", "--pin=2", "--mirrors=1")),
                 ("SEV-ES", ("--type=sev-es", "--mem=32", "--pin=1"))]
        return [name for name, args in kinds if self.hold(*args)]

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def slots_take(client):
    """Takes a slot and gives it back, until the client has ended; says by which processes."""
    pids = []
    while client.poll() is None:
        taker = subprocess.Popen([BUILD + "/sev_vm", "--type=sev", "--", "true"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pids.append(taker.pid)
        if taker.wait():
            break
    return pids


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


def events_test(ynl, host, held):
    """The client hears of slots that change hands, and in what state that leaves the pool."""
    name = "slot-ntf: each slot taken and given back, as slot-get has it"
    ynl.used.add("slot-ntf")
    if not (host or {}).get("slot-events"):
        skip(name, (host or {}).get("slot-events-reason", "the module sends no events"))
        return
    if "SEV and a mirror" not in held:
        skip(name, "no SEV here")
        return
    pool = ynl.run("slot-get", "--dump", "slot-get")[0][0]
    client = subprocess.Popen(ynl.command("--subscribe", "slots", *listening_time()),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pids = slots_take(client)
    said = client.communicate()[0]
    events = events_said(said) if client.returncode == 0 else []
    faults = event_faults(events, pids, pool)
    result(events and not faults, name, "\n".join(faults[:10]) or said)
    comment(f"{len(events)} events, the last: {json.dumps(events[-1:])}")


def host_test(ynl, spec):
    answer, why = ynl.run("host-get", "--do", "host-get")
    result(answer is not None, "host-get is read by the YAML", why)
    if not shutil.which("kvmward"):
        skip("host-get: kvmward agrees", "kvmward, the command, is not installed")
        return answer
    other, said = kvmward("host")
    wrong = differences(spec, "host", answer, other["host"]) if answer and other else [why, said]
    result(not wrong, "host-get: kvmward agrees", "\n".join(wrong))
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
    for answer in (answers or [])[-1:]:
        side_by_side(spec, "guest", answer,
                     next((g for g in other["guests"] if key_of(g) == key_of(answer)), {}))
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
        print("1..0 # SKIP no YNL client: the kernel's source is needed, as linux-source has it")
        return SKIP
    if subprocess.run([BUILD + "/facts_print"], capture_output=True).returncode == SKIP:
        print("1..0 # SKIP the module kvmward is not loaded and cannot be")
        return SKIP
    with open(SPEC_FILE, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    print("TAP version 13")
    comment(f"client {os.path.realpath(CLIENT)}, schema {os.path.realpath(SCHEMA)}")
    ynl, guests = Ynl(), Guests()
    try:
        held = guests.hold_all()
        time.sleep(0.3)  # an answer of the firmware may be 100 ms old
        host = host_test(ynl, spec)
        slots_test(ynl, spec)
        guest_test(ynl, guests_test(ynl, spec, held))
        refusal_test(ynl)
        events_test(ynl, host, held)
    finally:
        guests.end()
    unread = {operation["name"] for operation in spec["operations"]["list"]} - ynl.used
    result(not unread, "every operation of the YAML has been read", ", ".join(unread))
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
