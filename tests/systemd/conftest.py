# SPDX-License-Identifier: Apache-2.0
"""The fixtures of tests/feature, on a host whose first process is systemd (tests/vm/run-systemd.sh)."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "feature")]

from fixtures import *  # noqa: E402,F401,F403

import pytest  # noqa: E402

import units  # noqa: E402

DRIVER = ("--systemd-cgroup",)


@pytest.fixture
def scope_box(new_box):
    """Containers whose cgroups systemd makes; when they are gone it knows nothing of them any more."""
    boxes = []

    def make(*ops):
        box = new_box(*(ops or ("pause",)))
        box.unit = f"rt-{box.id}.scope"
        box.linux["cgroupsPath"] = f"system.slice:rt:{box.id}"
        boxes.append(box)
        box.enter = lambda **options: box.up(globals=DRIVER, **options)
        return box
    yield make
    for box in boxes:
        if box.exists:
            box.delete("-f")
            box.wait()
        assert not units.exists(box.unit), units.show(box.unit)
