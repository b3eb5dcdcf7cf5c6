# SPDX-License-Identifier: Apache-2.0
"""Without privileges: rt as an ordinary user, who has one id and no cgroup of his own."""

import os
import stat

import pytest

from bundle import label

UID = 1000


@pytest.fixture
def user_box(new_box, rt):
    """A bundle that an ordinary user can run, and `act (...)`, which runs rt as him."""
    box = new_box("report", "read /proc/self/uid_map", "read /proc/self/gid_map",
                  "read /proc/self/setgroups", "create /tmp/x")
    del box.linux["resources"], box.linux["cgroupsPath"], box.process["rlimits"]
    box.namespace("cgroup", absent=True)
    box.namespace("user")
    for kind in ("uidMappings", "gidMappings"):
        box.linux[kind] = [{"containerID": 0, "hostID": UID, "size": 1}]
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] not in ("/sys/fs/cgroup", "/dev/pts")]
    box.mount("/dev/pts", "devpts", "devpts", ["newinstance", "ptmxmode=0666", "mode=0620"])
    for path, names, files in os.walk(box.dir):
        for each in [path] + [os.path.join(path, name) for name in names + files]:
            os.lchown(each, UID, UID)
    runtime = os.path.join(box.dir, "run")
    os.mkdir(runtime, 0o700)
    os.chown(runtime, UID, UID)
    rt.root = os.path.join(runtime, "state")

    def act(verb, *flags, root=True, **options):
        box.save()
        environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": runtime}
        return rt.call(verb, *flags, *(["-b", box.dir] if verb in ("run", "create") else []),
                       *([box.id] if verb != "list" else []), root=root, user=UID, group=UID,
                       extra_groups=[], env=environment, **options)
    box.act, box.runtime = act, runtime
    return box


@pytest.mark.rows("UID-09", "UID-10", "UID-13", "UID-14", "UID-15", "ENG-32", "DEV-15", "CGM-08")
@pytest.mark.own
def test_run(user_box):
    told = user_box.act("run")
    assert told.code == 0, told
    assert told.report["status"]["Uid"].split() == ["0"] * 4
    assert told.text("/proc/self/uid_map").split() == ["0", str(UID), "1"]
    assert told.text("/proc/self/gid_map").split() == ["0", str(UID), "1"]
    assert told.text("/proc/self/setgroups") == "deny\n"
    assert told.errno("create", "/tmp/x") is None
    assert os.stat(user_box.path("/tmp/x")).st_uid == UID


@pytest.mark.rows("UID-10", "VRB-23", "UID-14")
@pytest.mark.own
def test_life(user_box):
    box = user_box
    box.ops("pause")
    assert box.act("create").code == 0
    box.pid = box.state()["pid"]
    assert box.status() == "created"
    assert box.act("start").code == 0
    assert box.status() == "running"
    told = box.act("delete", "-f")
    assert told.code == 0, told
    box.wait()


@pytest.mark.rows("UID-11", "PRC-13")
@pytest.mark.own
def test_additional_groups(user_box, fails):
    user_box.process["user"]["additionalGids"] = [0]
    told = user_box.act("run")
    fails(told, "groups", at="/process/user/additionalGids")


@pytest.mark.rows("UID-14", "CRT-27")
@pytest.mark.own
@pytest.mark.parametrize("resources", [{"pids": {"limit": 5}}, {"memory": {"limit": 1 << 26}}],
                         ids=label)
def test_limits_that_cannot_be_set(user_box, fails, resources):
    """What was asked for and cannot be had is an error, not forgotten."""
    user_box.linux["resources"] = resources
    fails(user_box.act("run"), "permission denied", "cgroup")


@pytest.mark.rows("UID-08", "UID-05")
@pytest.mark.own
def test_mappings_that_the_user_may_not_have(user_box, fails):
    user_box.linux["uidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]
    fails(user_box.act("run"), at="/linux/uidMappings")


@pytest.mark.rows("CLI-03", "CLI-04")
@pytest.mark.own
def test_default_state_root(user_box, rt):
    user_box.ops("pause")
    assert user_box.act("create", root=False).code == 0
    directory = os.path.join(user_box.runtime, "rt")
    assert os.listdir(directory) == [user_box.id]
    assert stat.S_IMODE(os.stat(directory).st_mode) & 0o777 == 0o700
    rt.root = directory
    user_box.pid = user_box.state()["pid"]
    assert user_box.act("delete", "-f", root=False).code == 0
    user_box.wait()


@pytest.mark.rows("UID-04", "NSP-36")
@pytest.mark.own
def test_no_user_namespace(user_box, fails):
    user_box.namespace("user", absent=True)
    del user_box.linux["uidMappings"], user_box.linux["gidMappings"]
    fails(user_box.act("run"), "operation not permitted")
