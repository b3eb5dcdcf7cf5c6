# SPDX-License-Identifier: Apache-2.0
"""Limits with the systemd cgroup driver: systemd is told, the files hold the same, both still do so
after a daemon-reload, and they bite."""

import os
import shutil

import pytest

import host
from conftest import DRIVER
from units import show, systemctl

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own]


def files_of(box, names):
    directory = box.cgroups.dir(box.pid, "")
    values = {}
    for name in names:
        with open(os.path.join(directory, name), encoding="ascii") as file:
            values[name] = file.read().strip()
    return values


@pytest.mark.rows("CGS-15", "CGS-16", "CGS-17", "CGS-18", "CGS-20", "CGR-01", "CGR-14", "CGR-15")
@pytest.mark.parametrize("resources, properties, files", [
    ({"memory": {"limit": 64 << 20, "reservation": 32 << 20, "swap": 96 << 20},
      "cpu": {"shares": 512, "quota": 50000, "period": 200000}, "pids": {"limit": 20}},
     {"MemoryMax": str(64 << 20), "MemoryLow": str(32 << 20), "MemorySwapMax": str(32 << 20),
      "CPUWeight": "59", "CPUQuotaPerSecUSec": "250ms", "CPUQuotaPeriodUSec": "200ms",
      "TasksMax": "20"},
     {"memory.max": str(64 << 20), "memory.low": str(32 << 20), "memory.swap.max": str(32 << 20),
      "cpu.weight": "59", "cpu.max": "50000 200000", "pids.max": "20"}),
    ({"memory": {"limit": -1}, "cpu": {"quota": 33333, "period": 100000}, "pids": {"limit": -1}},
     {"MemoryMax": "infinity", "CPUQuotaPerSecUSec": "340ms", "TasksMax": "infinity"},
     {"memory.max": "max", "cpu.max": "34000 100000", "pids.max": "max"}),
    ({"cpu": {"idle": 1}, "pids": {"limit": 3},
      "unified": {"memory.min": "4194304", "memory.high": "50331648"}},
     {"CPUWeight": "idle", "TasksMax": "3", "MemoryMin": "4194304", "MemoryHigh": "50331648"},
     {"cpu.idle": "1", "pids.max": "3", "memory.min": "4194304", "memory.high": "50331648"}),
], ids=["limits", "infinite", "unified"])
def test_told_and_written(scope_box, resources, properties, files):
    box = scope_box()
    box.linux["resources"].update(resources)
    box.enter()
    for _ in range(2):
        unit = show(box.unit)
        assert {name: unit[name] for name in properties} == properties
        assert files_of(box, files) == files
        systemctl("daemon-reload")


@pytest.mark.rows("CGS-21")
@pytest.mark.needs("disk")
def test_block_io(scope_box, cgroups):
    device = cgroups.disks()[-1]
    major, minor = (int(number) for number in device.split(":"))
    box = scope_box()
    box.linux["resources"]["blockIO"] = {
        "throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": 1048576}],
        "throttleWriteIOPSDevice": [{"major": major, "minor": minor, "rate": 100}]}
    box.enter()
    for _ in range(2):
        unit = show(box.unit)
        assert unit["IOReadBandwidthMax"].endswith(" 1048576"), unit["IOReadBandwidthMax"]
        assert unit["IOWriteIOPSMax"].endswith(" 100"), unit["IOWriteIOPSMax"]
        line = files_of(box, ["io.max"])["io.max"]
        assert line.startswith(device) and "rbps=1048576" in line and "wiops=100" in line
        systemctl("daemon-reload")


@pytest.mark.rows("CGS-20", "CGR-21")
@pytest.mark.parametrize("limit", [2, 5, 12])
def test_no_more_processes(scope_box, limit):
    box = scope_box("children 20", "pause")
    box.linux["resources"]["pids"] = {"limit": limit}
    assert box.enter().line("children")["ret"] == limit - 1


@pytest.mark.rows("CGS-16", "CGR-01")
def test_no_more_memory(scope_box):
    box = scope_box("memory 1048576", "memory 67108864", "echo alive")
    box.linux["resources"]["memory"] = {"limit": 16 << 20, "swap": 16 << 20}
    told = box.run(globals=DRIVER, code=137)
    assert told.errno("memory", "1048576") is None
    assert "alive" not in told.out


@pytest.mark.rows("CGS-18", "CGR-15")
def test_no_more_time(scope_box, cgroups):
    box = scope_box()
    shutil.copy("/bin/busybox", box.path("/bin/busybox"))
    box.process["args"] = ["/bin/busybox", "sh", "-c", "while :; do :; done"]
    box.linux["resources"]["cpu"] = {"quota": 5000, "period": 100000}
    box.create(globals=DRIVER)
    box.start()

    def throttled():
        text = cgroups.read(box.pid, "cpu", "", "cpu.stat")
        return int(dict(line.split() for line in text.splitlines())["nr_throttled"]) > 1
    host.until(throttled, "throttled", 30)


# ---- devices

NODES = ("mknod /tmp/node c 1 99", "mknod /tmp/kmsg c 1 11", "mknod /tmp/null c 1 3")
TRIES = ("open /tmp/node r", "open /tmp/node w", "open /tmp/kmsg r", "open /tmp/null rw")
RULES = [{"allow": False, "access": "rwm"},
         {"allow": True, "type": "c", "major": 1, "minor": 99, "access": "r"}]
WANT = ["ENXIO", "EPERM", "EPERM", None]    # no driver has 1:99: what the rules allow is ENXIO


@pytest.mark.rows("CGS-22", "CGS-15", "CGD-01")
def test_devices(scope_box):
    box = scope_box(*NODES, *TRIES, "pause")
    box.linux["resources"]["devices"] = RULES
    told = box.enter()
    assert [line.get("errno") for line in told.lines if line["op"] == "open"] == WANT
    unit = show(box.unit)
    assert unit["DevicePolicy"] == "strict"
    assert "/dev/null rwm" in unit["DeviceAllow"] or "/dev/char/1:3 rwm" in unit["DeviceAllow"]
    for change in (["daemon-reload"], ["daemon-reexec"], ["set-property", "--runtime", box.unit,
                                                          "CPUWeight=50"]):
        systemctl(*change)
        told = box.exec(ops=TRIES)
        assert [line.get("errno") for line in told.lines if line["op"] == "open"] == WANT, change


@pytest.mark.rows("CGS-22")
def test_all_devices(scope_box):
    box = scope_box(*NODES, *TRIES, "pause")
    box.linux["resources"]["devices"] = [{"allow": True, "access": "rwm"}]
    want = ["ENXIO", "ENXIO", None, None]
    told = box.enter()
    assert [line.get("errno") for line in told.lines if line["op"] == "open"] == want
    assert show(box.unit)["DevicePolicy"] == "auto"
    systemctl("daemon-reload")
    told = box.exec(ops=TRIES)
    assert [line.get("errno") for line in told.lines if line["op"] == "open"] == want
