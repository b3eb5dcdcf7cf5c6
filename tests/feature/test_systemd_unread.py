# SPDX-License-Identifier: Apache-2.0
"""The unit of a container whose record is damaged."""

import os

import pytest

import host
from fake_systemd import write
from systemd_box import systemd, unit_box, up  # noqa: F401

pytestmark = [pytest.mark.own, pytest.mark.needs("v2-tree", "root: the bus of the system")]


@pytest.mark.rows("VRB-23")
@pytest.mark.parametrize("before", ["bundle", "systemdUnit"])
def test_a_unit_is_found_without_the_record(unit_box, systemd, before):
    """By the name that the stored document gives it, and by its description."""
    box = unit_box()
    up(box)
    path = os.path.join(box.rt.root, box.id, "record.json")
    with open(path, encoding="utf-8") as file:
        os.truncate(path, file.read().index(f'"{before}"'))
    told = box.delete("--force")
    assert "damaged record" in told.err
    box.wait()
    assert not systemd.units and not box.cgroups.dirs(box.unit)


@pytest.mark.rows("VRB-23")
def test_the_unit_of_another_is_not_stopped_without_the_record(unit_box, systemd):
    box = unit_box()
    up(box)
    path = os.path.join(box.rt.root, box.id, "record.json")
    with open(path, encoding="utf-8") as file:
        kept = file.read()
    os.truncate(path, 20)
    described = systemd.units[box.unit]["Description"]
    systemd.units[box.unit]["Description"] = "a login session"
    told = box.delete("--force", code=None)
    assert told.code == 1 and "no cgroup or unit" in told.err, told
    assert host.stat_state(box.pid) in ("R", "S") and systemd.units
    systemd.units[box.unit]["Description"] = described
    write(path, kept)
