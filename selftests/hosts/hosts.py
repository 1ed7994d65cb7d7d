# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that go from one host to another: module, supervisor, libvirt and QEMU on both.

Each test leaves both hosts empty, which also is what each begins by proving. With E2E=all
in the environment they are longer.
"""

import sys

import side  # first: it knows where the others' modules are

import broken  # pylint: disable=unused-import
import cold  # pylint: disable=unused-import
import copying  # pylint: disable=unused-import
import emptying  # pylint: disable=unused-import
import encrypted  # pylint: disable=unused-import
import evacuation  # pylint: disable=unused-import
import foretold  # pylint: disable=unused-import
import live  # pylint: disable=unused-import
import storage  # pylint: disable=unused-import
import ktap

if __name__ == "__main__":
    side.connect()
    sys.exit(ktap.run(sys.argv[1:], before=side.assert_empty, after=side.clean))
