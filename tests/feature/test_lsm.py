# SPDX-License-Identifier: Apache-2.0
"""lsm: AppArmor profiles and SELinux labels, where the kernel enforces those of tests/vm
(tests/vm/run-lsm.sh), and where the module is off."""

import json

import pytest

PROFILE = "rt-test"
ATTR = "/proc/self/attr"
PROCESS = "rt_u:rt_r:container_t:s0:c0,c1"
FILES = "rt_u:rt_r:container_file_t:s0:c0,c1"
HOST = "rt_u:rt_r:host_t:s0"
MADE = "rt_u:object_r:container_file_t:s0"      # by the policy, for what is made there
SECRET = "rt_u:rt_r:secret_t:s0"

apparmor = pytest.mark.needs("apparmor-test")
selinux = pytest.mark.needs("selinux-test")
in_userns = pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])


def bare(text):
    """Labels end with a zero byte or a newline, as the kernel likes."""
    return text.rstrip("\0\n ")


def current(told):
    return bare(told.text(f"{ATTR}/current"))


# ---- AppArmor

LOOK = (f"read {ATTR}/current", "write /etc/locked x", "write /etc/open x")


def look_box(new_box, userns=False, profile=PROFILE, more=()):
    box = new_box(*LOOK, *more)
    box.file("/etc/locked", mode=0o666)
    box.file("/etc/open", mode=0o666)
    if profile is not None:
        box.process["apparmorProfile"] = profile
    if userns:
        box.userns()
    return box


def is_confined(told):
    assert current(told) == f"{PROFILE} (enforce)", told
    assert told.errno("write", "/etc/locked") == "EACCES", told
    assert told.errno("write", "/etc/open") is None, told


def is_free(told):
    assert current(told) == "unconfined", told
    assert told.errno("write", "/etc/locked") is None, told


@pytest.mark.rows("LSM-01", "LSM-04", "LSM-08", "PRC-34")
@apparmor
@in_userns
@pytest.mark.parametrize("no_new_privs", [True, False], ids=["nnp", "no-nnp"])
def test_apparmor_profile(new_box, userns, no_new_privs):
    box = look_box(new_box, userns)
    box.process["noNewPrivileges"] = no_new_privs
    is_confined(box.run())


@pytest.mark.rows("LSM-03")
@apparmor
@pytest.mark.parametrize("no_new_privs", [True, False], ids=["nnp", "no-nnp"])
def test_apparmor_profile_under_another_one(new_box, no_new_privs):
    """no_new_privs lets a confined process only be confined more."""
    box = look_box(new_box)
    box.process["noNewPrivileges"] = no_new_privs
    told = box.run(shell='exec aa-exec -p rt-outer -- "$@"')
    assert told.errno("write", "/etc/locked") == "EACCES", told
    profiles = set(current(told).removesuffix(" (enforce)").split("//&"))
    assert profiles == ({PROFILE, "rt-outer"} if no_new_privs else {PROFILE})


@pytest.mark.rows("LSM-01", "LSM-04")
@apparmor
@in_userns
def test_apparmor_profile_of_a_user(new_box, userns):
    box = look_box(new_box, userns)
    box.process["user"] = {"uid": 1000, "gid": 1000}
    box.process["capabilities"] = {}
    is_confined(box.run())


@pytest.mark.rows("LSM-01", "PRC-34")
@apparmor
@pytest.mark.parametrize("profile", [None, "", "unconfined"])
def test_without_an_apparmor_profile(new_box, profile):
    is_free(look_box(new_box, profile=profile).run())


@pytest.mark.rows("LSM-01", "LSM-04", "PRC-34")
@apparmor
@in_userns
def test_exec_has_the_profile_of_the_container(new_box, userns):
    box = look_box(new_box, userns, more=["pause"])
    is_confined(box.up())
    is_confined(box.exec(ops=LOOK))


@pytest.mark.rows("LSM-01")
@apparmor
def test_exec_with_a_profile_of_its_own(new_box, fails):
    box = look_box(new_box, profile=None, more=["pause"])
    is_free(box.up())
    is_confined(box.exec("--apparmor", PROFILE, ops=LOOK))
    fails(box.exec("--apparmor", "rt-not-loaded", code=None), "rt-not-loaded")


@pytest.mark.rows("LSM-02")
@apparmor
@in_userns
def test_apparmor_profile_that_is_not_loaded(new_box, fails, userns):
    box = look_box(new_box, userns, profile="rt-not-loaded")
    fails(box.create(code=None), "apparmor", "rt-not-loaded", own=["not loaded"],
          at="/process/apparmorProfile")


@pytest.mark.rows("LSM-02")
@pytest.mark.needs("no-apparmor")
@pytest.mark.own
def test_apparmor_profile_without_apparmor(new_box, fails):
    box = new_box()
    box.process["apparmorProfile"] = PROFILE
    fails(box.create(code=None), PROFILE, "AppArmor is not enabled", at="/process/apparmorProfile")


# ---- SELinux


def label_box(new_box, *ops, userns=False, label=PROCESS):
    """With a file on /secret that only the host's type may write."""
    box = new_box(f"read {ATTR}/current", *ops)
    if label is not None:
        box.process["selinuxLabel"] = label
    if userns:
        box.userns()
    return box


@pytest.mark.rows("LSM-05", "LSM-08", "PRC-34")
@selinux
@in_userns
@pytest.mark.parametrize("no_new_privs", [True, False], ids=["nnp", "no-nnp"])
def test_selinux_label(new_box, userns, no_new_privs):
    box = label_box(new_box, "create /secret/x", "write /secret/x y", "create /open/x",
                    "write /open/x y", f"read {ATTR}/exec", userns=userns)
    box.mount("/secret", options=["mode=777", f"context={SECRET}"])
    box.mount("/open", options=["mode=777"])
    box.process["noNewPrivileges"] = no_new_privs
    told = box.run()
    assert current(told) == PROCESS
    assert told.errno("write", "/secret/x") == "EACCES", told
    assert told.errno("write", "/open/x") is None, told
    assert bare(told.text(f"{ATTR}/exec")) == ""


@pytest.mark.rows("LSM-05", "PRC-34")
@selinux
@pytest.mark.parametrize("label", [None, ""])
def test_without_a_selinux_label(new_box, label):
    assert current(label_box(new_box, label=label).run()) == HOST


@pytest.mark.rows("LSM-05")
@selinux
@in_userns
def test_exec_has_the_label_of_the_container(new_box, userns):
    box = label_box(new_box, "pause", userns=userns)
    assert current(box.up()) == PROCESS
    assert current(box.exec(ops=[f"read {ATTR}/current"])) == PROCESS
    other = PROCESS.replace("c0,c1", "c1")
    told = box.exec("--process-label", other, ops=[f"read {ATTR}/current"])
    assert current(told) == other


@pytest.mark.rows("LSM-05")
@selinux
@in_userns
def test_selinux_label_that_the_policy_does_not_know(new_box, fails, userns):
    label = PROCESS.replace("container_t", "no_such_t")
    box = label_box(new_box, userns=userns, label=label)
    fails(box.create(code=None), label, at="/process/selinuxLabel")


@pytest.mark.rows("LSM-05")
@selinux
def test_selinux_label_that_the_policy_forbids(new_box, fails):
    box = label_box(new_box, label=PROCESS.replace("container_t", "forbidden_t"))
    told = box.create(code=None)
    fails(box.start(code=None) if told.code == 0 else told, "permission denied")


@pytest.mark.rows("LSM-05")
@pytest.mark.needs("no-selinux")
@pytest.mark.own
def test_selinux_label_without_selinux(new_box, fails):
    box = new_box()
    box.process["selinuxLabel"] = PROCESS
    fails(box.create(code=None), PROCESS, "SELinux is not enabled", at="/process/selinuxLabel")


# ---- labels of mounts


def labels(told):
    return {line["path"]: bare(line.get("data", line.get("errno", ""))) for line in told.lines
            if line["op"] == "xattr"}


def xattrs(*paths):
    return [f"xattr {path} security.selinux" for path in paths]


@pytest.mark.rows("LSM-06", "MNT-67", "MNT-58", "MPH-09", "DEV-19")
@selinux
@in_userns
def test_mount_label(new_box, userns):
    ours = ["/dev", "/dev/null", "/dev/pts", "/dev/shm", "/dev/mqueue", "/mine", "/masked"]
    others = ["/proc", "/sys", "/sys/fs/cgroup", "/bound"]
    box = new_box(*xattrs(*ours, *others, "/kept"))
    box.linux["mountLabel"] = FILES
    box.linux["maskedPaths"].append("/masked")
    box.file("/masked/x")
    box.mount("/mine")
    box.mount("/kept", options=[f"context={SECRET}"])
    box.bind(box.beside("bound"), "/bound")
    if userns:
        box.userns()
        ours.remove("/dev/null")    # the host's own, bound
    told = labels(box.run())
    assert {path: told[path] for path in ours} == dict.fromkeys(ours, FILES)
    assert {told[path].split(":")[2] for path in others} == {"host_t"}
    assert told["/kept"] == SECRET


@pytest.mark.rows("LSM-06", "MNT-67")
@selinux
def test_mount_label_that_the_policy_does_not_know(new_box, fails):
    label = FILES.replace("container_file_t", "no_such_t")
    box = new_box()
    box.linux["mountLabel"] = label
    fails(box.create(code=None), "/dev", at="/mounts/1")
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["type"] in ("mqueue", "proc")]
    fails(box.create(code=None), label, at="/mounts/1")


@pytest.mark.rows("LSM-07", "ANN-04")
@selinux
@pytest.mark.own
@pytest.mark.parametrize("kind, top, below", [
    ("context", FILES, FILES), ("fscontext", MADE, MADE), ("rootcontext", FILES, MADE)])
def test_mount_context_type(new_box, kind, top, below):
    box = new_box("create /mine/x", *xattrs("/mine", "/mine/x"))
    box.config["annotations"] = {"run.oci.mount_context_type": kind}
    box.linux["mountLabel"] = FILES
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] == "proc"]
    box.mount("/mine")
    told = labels(box.run())
    assert (told["/mine"], told["/mine/x"]) == (top, below)


@pytest.mark.rows("LSM-07", "ANN-04")
@pytest.mark.own
def test_mount_context_type_that_is_none(box, fails):
    box.config["annotations"] = {"run.oci.mount_context_type": "nocontext"}
    fails(box.create(code=None), "nocontext", at="/annotations/run.oci.mount_context_type")


# ---- keyrings


@pytest.mark.rows("LSM-09", "LSM-10")
@selinux
@in_userns
def test_label_of_the_keyring(new_box, userns):
    box = label_box(new_box, "keyring", f"read {ATTR}/keycreate", "pause", userns=userns)
    told = box.up()
    for each in (told, box.exec(ops=["keyring", f"read {ATTR}/keycreate"])):
        assert box.id in each.line("keyring")["describe"]
        assert bare(each.line("keyring")["label"]) == PROCESS
        assert bare(each.text(f"{ATTR}/keycreate")) == ""


# ---- what a host has is told


@pytest.mark.rows("FEA-08")
@pytest.mark.own
def test_features_tell_of_the_modules(rt):
    told = rt.call("features")
    assert told.code == 0, told
    linux = json.loads(told.out)["linux"]
    assert "enabled" in linux["apparmor"] and "enabled" in linux["selinux"]
