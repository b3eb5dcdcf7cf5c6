# SPDX-License-Identifier: Apache-2.0
"""exec: which cgroup the process is in."""

import os

import pytest

from executed import detached, end, up_box  # noqa: F401 (a fixture)


def below(box, name):
    """Makes a cgroup below the container's in each hierarchy."""
    dirs = sorted({box.cgroups.dir(box.pid, each) for each in box.cgroups.of(box.pid)})
    made = []
    for each in dirs:
        if box.cgroup in each:
            made.append(os.path.join(each, name))
            os.mkdir(made[-1])
            for knob in ("cpuset.cpus", "cpuset.mems"):
                if os.path.exists(f"{made[-1]}/{knob}") and "cpuset" in each:
                    with open(f"{each}/{knob}", encoding="ascii") as file:
                        value = file.read().strip()
                    if value:
                        with open(f"{made[-1]}/{knob}", "w", encoding="ascii") as file:
                            file.write(value)
    assert made
    return made


@pytest.mark.rows("EXE-19", "EXE-21")
def test_sub_cgroup(up_box, fails):
    box = up_box(change=lambda box: box.namespace("cgroup", absent=True))
    below(box, "sub")
    for flag, want in (("sub", "/sub"), ("./sub/", "/sub"), ("/", "")):
        pid = detached(box, "--cgroup", flag)
        places, init = box.cgroups.of(pid), box.cgroups.of(box.pid)
        assert places == {name: path + want if box.cgroup in path else path
                          for name, path in init.items()}
        end(pid)
    fails(box.exec("--cgroup", "none", code=None), "cgroup", own=("none", "no such file"))


@pytest.mark.rows("EXE-19", "CGM-32")
@pytest.mark.parametrize("path", ["..", "../x", "sub/../..", "/../..", "x/..", "cpu:../x"])
def test_sub_cgroup_above(up_box, fails, path):
    fails(up_box().exec("--cgroup", path, code=None), "bad sub cgroup path" if ":" not in path
          else "cgroup")


@pytest.mark.rows("EXE-20")
@pytest.mark.needs("v1:memory", "v1:pids")
def test_sub_cgroup_of_controllers(up_box, fails):
    box = up_box(change=lambda box: box.namespace("cgroup", absent=True))
    below(box, "sub")
    pid = detached(box, "--cgroup", "memory:sub", "--cgroup", "pids:/sub/")
    init = box.cgroups.of(box.pid)
    for name, path in box.cgroups.of(pid).items():
        assert path == init[name] + ("/sub" if name in ("memory", "pids") else ""), name
    end(pid)
    fails(box.exec("--cgroup", "nothing:sub", code=None), "nothing")
    fails(box.exec("--cgroup", ":sub", code=None), ":sub")
    fails(box.exec("--cgroup", "sub", "--cgroup", "pids:sub", code=None), "--cgroup")


@pytest.mark.rows("EXE-20")
@pytest.mark.needs("v2")
def test_controllers_mean_nothing_on_v2(up_box, fails):
    fails(up_box().exec("--cgroup", "memory:sub", code=None), "memory")


def move(pids, directory):
    for pid in pids:
        with open(f"{directory}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(pid))


@pytest.mark.rows("EXE-22")
@pytest.mark.needs("v2", "pids")
def test_cgroup_that_is_no_leaf(up_box, fails):
    box = up_box(change=lambda box: box.namespace("cgroup", absent=True))
    top = box.cgroups.dir(box.pid, "")
    os.mkdir(f"{top}/init")
    move([box.pid], f"{top}/init")
    with open(f"{top}/cgroup.subtree_control", "w", encoding="ascii") as file:
        file.write("+pids")
    pid = detached(box)
    assert box.cgroups.of(pid) == box.cgroups.of(box.pid)
    end(pid)
    fails(box.exec("--cgroup", "/", code=None), "cgroup")


@pytest.mark.rows("EXE-23")
@pytest.mark.own
def test_cgroup_that_is_gone(up_box):
    box = up_box(change=lambda box: box.namespace("cgroup", absent=True))
    old = sorted({box.cgroups.dir(box.pid, each) for each in box.cgroups.of(box.pid)})
    old = [each for each in old if box.cgroup in each]
    for each in old:
        os.rename(each, each + "-moved") if each.startswith(tuple(box.cgroups.v1.values())) \
            else os.mkdir(each + "-moved")
    for each in old:
        if os.path.isdir(each):
            move([box.pid], each + "-moved")
            os.rmdir(each)
    try:
        pid = detached(box)
        assert box.cgroups.of(pid) == box.cgroups.of(box.pid)
        assert all("-moved" in path for path in box.cgroups.of(pid).values() if path != "/")
        end(pid)
    finally:
        box.delete("-f", code=None)
        box.wait()
        for each in old:
            os.rmdir(each + "-moved")
