# SPDX-License-Identifier: GPL-2.0-or-later
"""The table, in 80 columns, and what of the budget holds."""


def number(value, digits=3):
    """As many digits as say something: 0.0123, 1.23, 12.3, 123, 12345."""
    if value is None:
        return "-"
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in text or value >= 10 ** (digits - 1) else text


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def columns():
    print(f"{'':26}{'ms':>9}{'us/guest':>10}{'calls':>9}{'bytes/guest':>13}{'x dump':>11}")


def row(title, measure):
    guests = measure.guests
    per_guest = measure.us / guests if guests else None
    bytes_each = measure.bytes / guests if guests and measure.bytes is not None else None
    print(f"{title:26}{number(measure.us / 1000):>9}{number(per_guest):>10}"
          f"{number(measure.calls, 9):>9}{number(bytes_each):>13}{number(measure.ratio):>11}",
          flush=True)


def line(title, text):
    print(f"{title:26}{text}", flush=True)


class Bounds:
    """What the budget in the design allows, beside what was found."""

    def __init__(self):
        self.lines = []

    def add(self, held, what, bound, found):
        self.lines.append(f"{'held' if held else 'MISSED':8}{what:48}{bound:>12}{found:>11}")

    def at_least(self, least, found, what):
        self.add(found >= least, what, f">= {least:,}x", f"{number(found)}x")

    def at_most(self, most, found, what):
        self.add(found <= most, what, f"<= {most}", number(found))

    def between(self, low, high, found, what):
        self.add(low <= found <= high, what, f"{low}-{high}", f"{found:.3f}")

    def unmeasured(self, part):
        self.lines.append(f"{'UNKNOWN':8}{part}: could not be measured, see above")

    def show(self):
        heading("Budget")
        print("\n".join(self.lines), flush=True)
