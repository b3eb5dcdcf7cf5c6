# SPDX-License-Identifier: Apache-2.0
"""update of a container in a systemd scope: the limits are systemd's, too, and outlive a
daemon-reload, after which systemd writes again what it knows."""

import os
import subprocess

import pytest

from limits import MIB, bandwidth_of, limit_of, pids_of

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own]


def shown(unit, *names):
    told = subprocess.run(["systemctl", "show", "-p", ",".join(names), unit], check=True,
                          stdout=subprocess.PIPE, text=True)
    return dict(line.split("=", 1) for line in told.stdout.splitlines())


@pytest.mark.rows("UPD-18")
def test_limits_outlive_a_reload(new_box, update, cgroups):
    box = new_box("pause")
    box.linux["cgroupsPath"] = f"system.slice:rt:{box.id}"
    box.linux["resources"].update(pids={"limit": 100}, memory={"limit": 64 * MIB},
                                  cpu={"quota": 50000, "period": 100000})
    box.up(globals=("--systemd-cgroup",))
    update(box, "--pids-limit", "50", "--memory", "96M", "--cpu-quota", "20000")
    assert shown(f"rt-{box.id}.scope", "TasksMax", "MemoryMax", "CPUQuotaPerSecUSec") == {
        "TasksMax": "50", "MemoryMax": str(96 * MIB), "CPUQuotaPerSecUSec": "200ms"}
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    assert (pids_of(box), limit_of(box)) == ("50", str(96 * MIB))
    assert bandwidth_of(box) == ("20000", "100000")
    scope = os.path.dirname(cgroups.dir(box.pid, ""))
    with open(f"{scope}/memory.max", encoding="ascii") as file:
        assert file.read().strip() == str(96 * MIB)
