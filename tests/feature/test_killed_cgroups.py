# SPDX-License-Identifier: Apache-2.0
"""Cgroups that cgroup.kill was used on, and that live on: Linux 6.14 and later kill what is cloned into one, or out of
one into another, at its birth."""

import os

import pytest

import host

CGROUPS = host.Cgroups()
TREE = "/sys/fs/cgroup" if CGROUPS.layout == "v2" else "/sys/fs/cgroup/unified"

pytestmark = [pytest.mark.rows("CGM-13", "NSP-35"), pytest.mark.needs("v2-tree"), pytest.mark.own]


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def kill_all_of(cgroup):
    write(f"{cgroup}/cgroup.kill", "1")


def test_into_a_killed_cgroup(new_box):
    box = new_box("report")
    box.save()
    name = box.linux["cgroupsPath"].strip("/")
    os.makedirs(f"{TREE}/{name}")
    kill_all_of(f"{TREE}/{name}")
    assert box.run().report["pid"] == 1


def test_out_of_a_killed_cgroup(new_box):
    box = new_box("report")
    cgroup = f"{TREE}/{box.id}-killed"
    os.mkdir(cgroup)
    kill_all_of(cgroup)

    def enter():
        write(f"{cgroup}/cgroup.procs", "0")

    try:
        for number in range(5):
            box.save()
            told = box.rt.execute([box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id],
                                  preexec_fn=enter)
            assert told.code == 0, (number, told)
            assert told.report["pid"] == 1
    finally:
        os.rmdir(cgroup)
