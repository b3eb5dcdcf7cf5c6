# SPDX-License-Identifier: Apache-2.0
"""update: its documents, and what it refuses: then nothing has changed."""

import json
import os

import pytest

from bundle import label
from limits import MIB, all_of, bandwidth_of, limit_of, pids_of, shares_of, value

OWN = pytest.mark.own


# ---- documents


@pytest.mark.rows("UPD-01")
@pytest.mark.needs("memory", "pids")
@pytest.mark.parametrize("flags", [("--resources", "FILE"), ("--resources=FILE",), ("-r", "FILE")],
                         ids=label)
def test_a_file(new_box, update, flags):
    box = new_box("pause")
    box.up()
    path = box.beside("limits.json", json.dumps({"memory": {"limit": 64 * MIB},
                                                 "pids": {"limit": 20}}))
    update(box, *[each.replace("FILE", path) for each in flags])
    assert limit_of(box) == str(64 * MIB) and pids_of(box) == "20"


@pytest.mark.rows("UPD-01", "UPD-02", "UPD-17")
@pytest.mark.needs("pids")
def test_the_whole_of_the_resources_again(new_box, resources):
    """As Kubernetes' engines do: everything that create had, with some of it changed."""
    box = new_box("pause")
    box.linux["resources"].update(pids={"limit": 100}, cpu={"shares": 512},
                                  memory={"limit": 64 * MIB, "swap": 64 * MIB})
    box.up()
    whole = json.loads(json.dumps(box.linux["resources"]))
    whole["memory"] = {"limit": 96 * MIB, "swap": 96 * MIB}
    told = resources(box, whole)
    assert told.err == ""
    assert limit_of(box) == str(96 * MIB) and pids_of(box) == "100"


@pytest.mark.rows("UPD-17")
@OWN
def test_devices_are_not_touched(new_box, resources):
    box = new_box("pause")
    box.linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}]
    box.up()
    told = resources(box, {"devices": [{"allow": False, "type": "c", "major": 1, "minor": 3,
                                        "access": "rwm"}], "pids": {"limit": 20}})
    assert "device rules stay as they are" in told.err
    assert pids_of(box) == "20"
    assert box.exec(ops=("open /dev/null 2",)).errno("open") is None


@pytest.mark.rows("UPD-01")
@OWN
def test_a_document_wins_over_options(new_box, resources, rt):
    box = new_box("pause")
    box.up()
    told = rt.call("update", "--resources", "-", "--pids-limit", "5", box.id,
                   text='{"pids": {"limit": 20}}')
    assert told.code == 0 and "--resources alone" in told.err
    assert pids_of(box) == "20"


@pytest.mark.rows("UPD-01", "UPD-24")
@OWN
@pytest.mark.parametrize("text, words", [
    ("", ("stdin",)), ("{", ("stdin",)), ("[]", ("stdin", "object")),
    ('{"pids": {"limit": "x"}}', ("stdin:1:20", "/pids/limit")),
    ('{"memory": {"limit": 1e3}}', ("stdin:1:22", "/memory/limit")),
    ('{"pids": {"limit": 20},\n "memory": {"limit": -5}}', ("stdin:2:22", "/memory/limit")),
    ('{"cpu": {"quota": 1000, "burst": 5000}}', ("/cpu/burst", "quota")),
    ('{"hugepageLimits": [{"pageSize": "../x", "limit": 1}]}', ("/hugepageLimits/0/pageSize",)),
    ('{"unified": {"../memory.max": "1"}}', ("memory.max",)),
    ('{"pids": {"limit": 1}, "pids": {"limit": 2}}', ("pids",)),
], ids=range(10))
def test_bad_documents(new_box, rt, fails, text, words):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 100}
    box.up()
    fails(rt.call("update", "-r", "-", box.id, text=text), *words)
    assert pids_of(box) == "100"


@pytest.mark.rows("UPD-01")
@OWN
def test_no_such_file(new_box, update, fails):
    box = new_box("pause")
    box.up()
    fails(update(box, "--resources", "/nonexistent", code=None), "/nonexistent", "No such file")


# ---- all or nothing


@pytest.mark.rows("UPD-22", "UPD-24")
@pytest.mark.needs("memory", "pids", "cpu")
@OWN
@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_a_failure_takes_all_back(new_box, rt, resources, fails, paused):
    box = new_box("pause")
    box.linux["resources"].update(memory={"limit": 64 * MIB, "swap": 96 * MIB},
                                  pids={"limit": 100},
                                  cpu={"shares": 512, "quota": 20000, "period": 50000})
    box.up()
    if paused:
        rt.call("pause", box.id)
    before = all_of(box)
    # The last one fails: there are not so many processors, or there is no cpuset at all.
    told = resources(box, {"memory": {"limit": 128 * MIB, "swap": 256 * MIB},
                           "pids": {"limit": 20},
                           "cpu": {"shares": 1024, "quota": 90000, "period": 100000,
                                   "cpus": "4000"}}, code=None)
    fails(told, "no limit is changed", "cpuset", at="/cpu/cpus")
    assert all_of(box) == before
    assert box.status() == ("paused" if paused else "running")
    resources(box, {"memory": {"limit": 65 * MIB}})     # stands on what was before, too
    assert limit_of(box) == str(65 * MIB) and all_of(box)[2:] == before[2:]


@pytest.mark.rows("UPD-22", "UPD-08")
@pytest.mark.needs("cpu")
@OWN
@pytest.mark.parametrize("idle", [0, 1])
def test_a_failure_takes_idle_back(new_box, resources, fails, idle):
    """Who is idle takes no shares, so the order of the way back matters."""
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"shares": 512, "idle": idle}
    box.up()
    before = shares_of(box)
    told = resources(box, {"cpu": {"shares": 2048, "idle": 1 - idle, "cpus": "4000"}}, code=None)
    fails(told, "no limit is changed")      # and no warning beside it
    assert value(box, "cpu", "cpu.idle", "cpu.idle") == str(idle)
    assert shares_of(box) == before


@pytest.mark.rows("UPD-22", "UPD-23")
@pytest.mark.needs("memory", "pids")
@OWN
def test_a_state_that_cannot_be_written(new_box, rt, resources, fails):
    box = new_box("pause")
    box.linux["resources"].update(memory={"limit": 64 * MIB}, pids={"limit": 100})
    box.up()
    obstacle = f"{rt.root}/{box.id}/resources.json.new"
    os.mkdir(obstacle)
    fails(resources(box, {"memory": {"limit": 96 * MIB}, "pids": {"limit": 20}}, code=None),
          "resources.json")
    assert limit_of(box) == str(64 * MIB) and pids_of(box) == "100"
    os.rmdir(obstacle)
    resources(box, {"memory": {"limit": 96 * MIB}})
    assert limit_of(box) == str(96 * MIB)


@pytest.mark.rows("UPD-25")
@pytest.mark.needs("v1:cpu")
@OWN
def test_above_the_parent(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.linux["cgroupsPath"] = f"/{box.cgroup}/below"
    box.linux["resources"]["cpu"] = {"quota": 20000, "period": 100000}
    box.up()
    with open(os.path.join(os.path.dirname(cgroups.dir(box.pid, "cpu")), "cpu.cfs_quota_us"), "w",
              encoding="ascii") as file:
        file.write("50000")
    told = update(box, "--cpu-quota", "80000", code=None)
    fails(told, "--cpu-quota", "cpu.cfs_quota_us", "the cgroup above has 50000 us of each 100000")
    assert bandwidth_of(box) == ("20000", "100000")
    # The period alone would be too much, with the quota of before.
    update(box, "--cpu-period", "20000", "--cpu-quota", "10000")
    assert bandwidth_of(box) == ("10000", "20000")
    update(box, "--cpu-period", "100000", "--cpu-quota", "50000")
    assert bandwidth_of(box) == ("50000", "100000")
    box.delete("-f")
    box.wait()
    for top in cgroups.dirs(box.cgroup):
        os.rmdir(top)


# ---- states and usage


@pytest.mark.rows("UPD-24")
@pytest.mark.needs("cpu")
@OWN
def test_what_the_kernel_refuses(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.up()
    fails(update(box, "--cpu-period", "100", code=None), "--cpu-period",
          "cpu.max" if cgroups.is_v2("cpu") else "cpu.cfs_period_us", "invalid argument")


@pytest.mark.rows("UPD-20", "UPD-23")
@pytest.mark.needs("pids")
def test_states(new_box, rt, update, fails):
    box = new_box("pause")
    box.create()
    update(box, "--pids-limit", "30")       # created: before its process runs
    assert pids_of(box) == "30" and box.status() == "created"
    box.start()
    update(box, "--pids-limit", "20")
    assert pids_of(box) == "20"
    box.kill("KILL")
    box.wait()
    fails(update(box, "--pids-limit", "10", code=None), "not running")
    fails(rt.call("update", "--pids-limit", "10", "absent"), "does not exist")
    fails(rt.call("update", "--pids-limit", "10", "../x"), "id")
    assert not os.path.exists(f"{rt.root}/absent")


@pytest.mark.rows("UPD-26")
def test_nothing_to_do(new_box, update, fails):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 100}
    box.up()
    update(box)
    assert pids_of(box) == "100"
    box.kill("KILL")
    box.wait()
    fails(update(box, code=None), "not running")


@pytest.mark.rows("UPD-24", "UPD-08")
@OWN
@pytest.mark.parametrize("flags", [
    ("--memory", "10x"), ("--memory", ""), ("--memory", "-2"), ("--memory", "M"),
    ("--memory", "1.5.5"), ("--memory", "0x10"), ("--memory", "10 M"), ("--memory", "9000000000g"),
    ("--memory", "10Mi"), ("--memory", "10bb"), ("--cpu-quota", "5%"), ("--cpu-period", "-1"),
    ("--cpu-share", "1e3"), ("--cpu-idle", "yes"), ("--pids-limit", "many"),
    ("--pids-limit", "-5"), ("--cpuset-cpus", ""), ("--blkio-weight", "70000"),
    ("--cpuset-mems", "0\n1"),
], ids=label)
def test_bad_values(new_box, update, fails, flags):
    box = new_box("pause")
    box.up()
    before = all_of(box)
    fails(update(box, *flags, code=None), flags[0])
    assert all_of(box) == before


@pytest.mark.rows("UPD-24")
@OWN
def test_usage(rt, fails):
    fails(rt.call("update"), "ID")
    fails(rt.call("update", "--memry", "1", "x"), "--memory")
    fails(rt.call("update", "a", "b"), "exactly 1")


@pytest.mark.rows("UPD-24")
@OWN
def test_without_a_cgroup(new_box, rt, update, fails):
    box = new_box("pause")
    box.linux.pop("resources")
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    box.save()
    told = rt.call("run", "-d", "-b", box.dir, box.id, globals=("--cgroup-manager", "disabled"))
    assert told.code == 0, told
    fails(update(box, "--pids-limit", "20", code=None), "--pids-limit", "no cgroup")
    box.delete("--force")


@pytest.mark.rows("CGR-32", "UPD-01")
@pytest.mark.parametrize("key", ["cgroup.procs", "cgroup.kill", "cgroup.freeze"])
def test_unified_of_the_runtime(new_box, fails, resources, key):
    """A document of update that stops or kills the container, or moves another process into it."""
    box = new_box("pause")
    box.up()
    fails(resources(box, {"unified": {key: "1"}}, code=None), key, at=f"/unified/{key}")
    assert box.status() == "running"
