# SPDX-License-Identifier: Apache-2.0
"""Containers whose cgroups a systemd makes that does as it is told (fake_systemd)."""

import os

import pytest

from fake_systemd import FakeSystemd

DRIVER = ("--systemd-cgroup",)


@pytest.fixture
def systemd(work, cgroups, monkeypatch):
    os.mkdir(os.path.join(work, "bus"))
    with FakeSystemd(os.path.join(work, "bus"), cgroups) as fake:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", fake.address)
        yield fake


@pytest.fixture
def unit_box(new_box, systemd, cgroups):
    """Containers below a slice of this test's own. In hierarchies that systemd does not manage the
    slice is rt's, which, as with every path, leaves behind what others may use by now."""
    boxes = []

    def make(*ops):
        box = new_box(*(ops or ("pause",)))
        box.cgroup = box.id     # a dash would be one more slice
        box.slice = f"{box.cgroup}.slice"
        box.linux["cgroupsPath"] = f"{box.slice}:libpod:{box.id}"
        box.unit = f"libpod-{box.id}.scope"
        boxes.append(box)
        return box

    yield make
    for box in boxes:
        if box.exists:
            end(box)
        for path in cgroups.dirs(box.slice):
            if not any(path.startswith(root + "/") for root in systemd.roots):
                os.rmdir(path)


def up(box, **options):
    return box.up(globals=DRIVER, **options)


def end(box):
    box.delete("-f")
    box.wait()
