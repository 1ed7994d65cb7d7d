# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that report in KTAP: functions marked @test, run in the order they stand."""

import sys
import time
import traceback

_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def test(function):
    _tests.append(function)
    return function


def user_space_test(function):
    """One whose outcome no kernel decides: --kernel-only skips it, as another one runs it."""
    function.user_space = True
    return test(function)


def option(name, default):
    """The number that --name=N on the command line gives, or the default."""
    for word in sys.argv[1:]:
        if word.startswith(f"--{name}="):
            return int(word.partition("=")[2])
    return default


def diagnose(text):
    for line in str(text).splitlines():
        print("#", line, flush=True)


def run(words, before=lambda: None, after=lambda: None):
    """Runs the tests whose names are among the words (all when none is); the exit status.

    before and after bracket each test; what they raise fails it.
    """
    chosen = [word for word in words if not word.startswith("--")]
    tests = [t for t in _tests if not chosen or t.__name__ in chosen]
    kernel_only = "--kernel-only" in words
    print("TAP version 13")
    print(f"1..{len(tests)}", flush=True)
    passed = failed = skipped = 0
    for number, function in enumerate(tests, 1):
        title = function.__doc__.split("\n")[0] if function.__doc__ else function.__name__
        name = f"{function.__name__}: {title}"
        begin = time.monotonic()
        try:
            if kernel_only and getattr(function, "user_space", False):
                raise Skip("no kernel decides it: runs on one, with E2E=all on each")
            before()
            try:
                function()
            finally:
                after()
        except Skip as reason:
            skipped += 1
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
            continue
        except Exception:
            failed += 1
            diagnose(traceback.format_exc())
            print(f"not ok {number} {name}", flush=True)
            continue
        passed += 1
        diagnose(f"{time.monotonic() - begin:.1f} s")
        print(f"ok {number} {name}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    if not tests:
        print("no such test", file=sys.stderr)
    return 1 if failed or not tests else 0
