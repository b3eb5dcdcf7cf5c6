# SPDX-License-Identifier: Apache-2.0
"""Without privileges: rt as an ordinary user, who has one id and no cgroup of his own."""

import json
import os
import shutil
import stat

import pytest

import host
from bundle import CAPS, label, probe_args

pytestmark = pytest.mark.needs("root: becomes an ordinary user by itself")

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

    def act(verb, *flags, root=True, before=None, as_root=False, env=(), **options):
        """before: what the process does as root before it becomes the user; as_root: what `shell`
        runs makes him that."""
        box.save()
        environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": runtime, **dict(env)}

        def become_user():
            if before:
                before()
            if as_root:
                return
            os.setgroups([])
            os.setresgid(UID, UID, UID)
            os.setresuid(UID, UID, UID)
        return rt.call(verb, *flags, *(["-b", box.dir] if verb in ("run", "create") else []),
                       *([box.id] if verb != "list" else []), root=root, env=environment,
                       preexec_fn=become_user, **options)
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


@pytest.mark.rows("UID-08")
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
    assert rt.call("state", user_box.id, user=0).code == 1      # of another user, also for root
    user_box.pid = json.loads(user_box.act("state", root=False).out)["pid"]
    assert user_box.act("delete", "-f", root=False).code == 0
    user_box.wait()


# ---- id mappings

@pytest.fixture
def subids(work):
    """The user has the ids from 300000 on and from 400000 on. Only in our mount namespace."""
    contents = {"/etc/passwd": f"root:x:0:0::/:/bin/sh\nuser:x:{UID}:{UID}::/:/bin/sh\n",
                "/etc/subuid": "user:300000:1000\nuser:400000:10\n",
                "/etc/subgid": "user:300000:1000\nuser:400000:10\n"}
    mounted = []
    try:
        for path, content in contents.items():
            mine = os.path.join(work, os.path.basename(path))
            with open(mine, "w", encoding="ascii") as file:
                file.write(content)
            host.mount(mine, path, flags=host.MS_BIND)
            mounted.append(path)
        yield
    finally:
        for path in reversed(mounted):
            host.umount(path)


def map_ranges(box):
    for kind in ("uidMappings", "gidMappings"):
        box.linux[kind] = [{"containerID": 0, "hostID": UID, "size": 1},
                           {"containerID": 1, "hostID": 300000, "size": 1000},
                           {"containerID": 5000, "hostID": 400000, "size": 10}]


needs_tools = pytest.mark.skipif(not shutil.which("newuidmap"), reason="no newuidmap (uidmap)")


@pytest.mark.rows("UID-12", "UID-04", "NSP-36")
@pytest.mark.own
def test_no_user_namespace(user_box):
    """It gets one, as nothing else can be had; and a word about it."""
    user_box.namespace("user", absent=True)
    del user_box.linux["uidMappings"], user_box.linux["gidMappings"]
    told = user_box.act("run", env={"PATH": "/nowhere"})
    assert told.code == 0, told
    assert told.text("/proc/self/uid_map").split() == ["0", str(UID), "1"]
    assert told.text("/proc/self/gid_map").split() == ["0", str(UID), "1"]
    assert told.err.count("\n") == 1 and f"root inside is user {UID}" in told.err


@pytest.mark.rows("UID-12")
@pytest.mark.own
def test_no_user_namespace_and_another_user(user_box, fails):
    user_box.namespace("user", absent=True)
    del user_box.linux["uidMappings"], user_box.linux["gidMappings"]
    user_box.process["user"]["uid"] = 7
    fails(user_box.act("run", env={"PATH": "/nowhere"}), f"7 is none of the ids that user {UID}",
          "/etc/subuid", at="/process/user/uid")


@needs_tools
@pytest.mark.rows("UID-12", "UID-08")
@pytest.mark.own
def test_no_user_namespace_but_subordinate_ids(user_box, subids):
    user_box.namespace("user", absent=True)
    del user_box.linux["uidMappings"], user_box.linux["gidMappings"]
    user_box.process["user"] = {"uid": 7, "gid": 1010}
    user_box.process["args"] = ["/bin/probe", "report", ";", "read", "/proc/self/uid_map"]
    told = user_box.act("run")
    assert told.code == 0, told
    assert told.text("/proc/self/uid_map").split() == [
        "0", str(UID), "1", "1", "300000", "1000", "1001", "400000", "10"]
    assert told.report["status"]["Uid"].split()[0] == "7"


@pytest.mark.rows("UID-12")
@pytest.mark.own
@pytest.mark.needs("mount-setattr")
def test_the_document_of_root(user_box, rt):
    """What `rt spec` writes for root runs for everybody."""
    told = rt.call("spec", root=False, cwd=user_box.dir)
    assert told.code == 0, told
    with open(os.path.join(user_box.dir, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["process"].update(terminal=False, args=user_box.process["args"])
    user_box.config = config
    told = user_box.act("run")
    assert told.code == 0, told
    assert told.report["pid"] == 1
    assert "gid=" in told.err   # the group of the terminals, which the warning tells


@needs_tools
@pytest.mark.rows("UID-01", "UID-02", "UID-08", "UID-10", "UID-11")
@pytest.mark.own
def test_ranges_by_the_tools(user_box, subids):
    map_ranges(user_box)
    user_box.process["user"] = {"uid": 7, "gid": 8, "additionalGids": [9, 5001]}
    os.chmod(user_box.path("/tmp"), 0o777)
    told = user_box.act("run")
    assert told.code == 0, told
    want = [["0", str(UID), "1"], ["1", "300000", "1000"], ["5000", "400000", "10"]]
    for path in ("/proc/self/uid_map", "/proc/self/gid_map"):
        assert [line.split() for line in told.text(path).splitlines()] == want
    assert told.text("/proc/self/setgroups") == "allow\n"
    status = told.report["status"]
    assert (status["Uid"].split()[0], status["Gid"].split()[0]) == ("7", "8")
    assert status["Groups"].split() == ["9", "5001"]
    found = os.stat(user_box.path("/tmp/x"))
    assert (found.st_uid, found.st_gid) == (300006, 300007)


@needs_tools
@pytest.mark.rows("UID-08", "UID-10")
@pytest.mark.own
def test_the_own_uid_and_ranges_of_groups(user_box, subids):
    """Each map is written in the way that it needs."""
    gids = user_box.linux["gidMappings"]
    gids.append({"containerID": 1, "hostID": 300000, "size": 10})
    told = user_box.act("run")
    assert told.code == 0, told
    assert told.text("/proc/self/uid_map").split() == ["0", str(UID), "1"]
    assert len(told.text("/proc/self/gid_map").splitlines()) == 2
    assert told.text("/proc/self/setgroups") == "allow\n"


@needs_tools
@pytest.mark.rows("UID-08")
@pytest.mark.own
def test_what_the_tool_refuses(user_box, subids, fails):
    map_ranges(user_box)
    user_box.linux["gidMappings"][1]["hostID"] = 299999
    fails(user_box.act("run"), "newgidmap", "not allowed", "/etc/subgid", at="/linux/gidMappings")


@pytest.mark.rows("UID-08", "UID-09")
@pytest.mark.own
def test_ranges_without_the_tools(user_box, fails, work):
    """Never fewer ids than were asked for."""
    map_ranges(user_box)
    told = user_box.act("run", env={"PATH": work})
    fails(told, "newuidmap", "no such file or directory", "uidmap", at="/linux/uidMappings")


# ---- what the kernel refuses in a user namespace

@pytest.mark.rows("UID-16")
@pytest.mark.own
@pytest.mark.parametrize("option", ["uid=5", "gid=5"])
def test_tmpfs_of_an_id_that_is_not_mapped(user_box, fails, option):
    at = user_box.mount("/tmp", options=[option])
    fails(user_box.act("run"), "/tmp", at=at)


@pytest.mark.rows("MNT-59")
@pytest.mark.own
@pytest.mark.parametrize("options", [["gid=5"], ["newinstance", "gid=5", "mode=0620"],
                                     ["ptmxmode=0666", "gid=5"]], ids=label)
def test_group_of_the_terminals_that_is_not_mapped(user_box, fails, options):
    """Terminals of another group than the one that was asked for are none."""
    at = f"/mounts/{len(user_box.config['mounts']) - 1}"
    user_box.config["mounts"][-1]["options"] = options
    fails(user_box.act("run"), "/dev/pts", "invalid argument", "gid=", at=at)


@pytest.mark.rows("UID-17", "MNT-55", "MNT-56")
@pytest.mark.own
@pytest.mark.parametrize("option", ["hidepid=2", "subset=pid", "gid=0", "sync"])
def test_options_of_a_proc_that_is_the_host_s(user_box, option):
    """The host's /proc takes its place, whose options are not the container's to say."""
    user_box.namespace("pid", absent=True)
    user_box.config["mounts"][0]["options"] = ["nosuid", option]
    told = user_box.act("run")
    assert told.code == 1
    for word in ("/proc", "operation not permitted", "no effect", "pid namespace", "/mounts/0;"):
        assert word in told.err, told


@pytest.mark.rows("UID-18", "MNT-57")
@pytest.mark.own
@pytest.mark.parametrize("option", ["nonsense", "sync"])
def test_options_of_a_sysfs_that_is_the_host_s(user_box, fails, option):
    user_box.namespace("network", absent=True)
    at = next(f"/mounts/{index}" for index, each in enumerate(user_box.config["mounts"])
              if each["destination"] == "/sys")
    user_box.config["mounts"][int(at.split("/")[2])]["options"] = ["ro", option]
    fails(user_box.act("run"), "/sys", "no effect", "network namespace", at=at)


@pytest.mark.rows("UID-17", "MNT-56")
@pytest.mark.own
def test_proc_of_the_host_s_processes(user_box):
    user_box.namespace("pid", absent=True)
    user_box.ops("report", f"read /proc/{os.getpid()}/status", "statfs /proc/sys",
                 "statfs /proc")
    told = user_box.act("run")
    assert told.code == 0, told
    assert f"Pid:\t{os.getpid()}\n" in told.text(f"/proc/{os.getpid()}/status")
    assert told.line("statfs", "/proc/sys")["flags"] & 1                 # readonlyPaths
    assert told.line("statfs", "/proc")["flags"] & 0b1110 == 0b1110      # nosuid, nodev, noexec


@pytest.mark.rows("UID-17", "MNT-56")
@pytest.mark.own
def test_proc_where_the_host_s_is_hidden_in_parts(user_box, fails):
    """The kernel does not show in a new one what is covered in the old ones."""
    def cover():
        host.own_mount_namespace()
        host.mount("tmpfs", "/proc/bus", "tmpfs")
    fails(user_box.act("run", before=cover), "operation not permitted", "pid namespace",
          at="/mounts/0")


@pytest.fixture
def own_cgroups(cgroups, work):
    """A directory in each hierarchy that belongs to the user, and that rt is started in."""
    name = f"rt-own-{os.getpid()}"
    made = []
    for root in cgroups.roots:
        for path in (f"{root}/{name}", f"{root}/{name}/caller"):
            os.mkdir(path)
            made.append(path)
            if "cpuset" in cgroups.v1 and root == cgroups.v1["cpuset"]:
                for each in ("cpus", "mems"):
                    with open(f"{os.path.dirname(path)}/cpuset.{each}", encoding="ascii") as file:
                        value = file.read()
                    with open(f"{path}/cpuset.{each}", "w", encoding="ascii") as file:
                        file.write(value)
            for each in [path] + [f"{path}/{file}" for file in os.listdir(path)]:
                os.chown(each, UID, UID)

    def enter():
        for path in made:
            if path.endswith("/caller"):
                with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                    file.write("0")
    yield name, enter
    for path in sorted(sum((cgroups.dirs(each) for each in (name, "caller", "x")), []),
                       key=len, reverse=True):
        if f"/{name}" in path:
            host.until(lambda path=path: host.removed(path), path)


@pytest.mark.rows("CGM-08", "UID-14")
@pytest.mark.own
@pytest.mark.needs("any-v1", "pids")
def test_limits_in_what_was_delegated(user_box, own_cgroups, cgroups):
    name, enter = own_cgroups
    user_box.linux["resources"] = {"pids": {"limit": 7}}
    user_box.ops("pause")
    told = user_box.act("create", before=enter)
    assert told.code == 0, told
    user_box.pid = user_box.state()["pid"]
    assert cgroups.of(user_box.pid)["pids"] == f"/{name}/{user_box.id}"
    assert cgroups.read(user_box.pid, "pids", "pids.max", "pids.max") == "7"
    told = user_box.act("delete", "-f")
    assert told.code == 0, told
    user_box.wait()
    assert not cgroups.dirs(user_box.id)


@pytest.mark.rows("HDN-10", "MNT-57", "UID-18")
@pytest.mark.own
@pytest.mark.needs("any-v1", "pids")
@pytest.mark.parametrize("how", ["rbind", "sysfs", "cgroup"])
@pytest.mark.needs("mount-setattr")
def test_cgroups_of_the_user_cannot_be_changed_from_inside(user_box, own_cgroups, cgroups, how):
    """They are his, so only the mounts keep the container from them (CVE-2023-25809)."""
    name, _ = own_cgroups
    path = f"{cgroups.v1['pids']}/{name}"
    user_box.namespace("network", absent=True)
    user_box.config["mounts"] = [each for each in user_box.config["mounts"]
                                 if each["destination"] != "/sys"]
    if how == "rbind":
        user_box.bind("/sys", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro")
    else:
        user_box.mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"])
    if how == "cgroup":
        user_box.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev"])
    user_box.ops("ls /sys/fs/cgroup", "ls /sys", f"mkdir {path}/x", f"write {path}/pids.max 5",
                 "statfs /sys", "create /sys/fs/cgroup/x")
    told = user_box.act("run")
    assert told.code == 0, told
    assert "kernel" in told.line("ls", "/sys")["names"]
    assert told.line("statfs", "/sys")["flags"] & 0b1111 == 0b1111
    want = "ENOENT" if how == "sysfs" else "EROFS"
    assert told.errno("mkdir", f"{path}/x") == want
    assert told.errno("write", f"{path}/pids.max") == want
    assert told.errno("create", "/sys/fs/cgroup/x") in ("EROFS", "EACCES")
    names = told.line("ls", "/sys/fs/cgroup")["names"]
    assert names == [] if how == "sysfs" else "pids" in names
    assert os.listdir(path) and not os.path.exists(f"{path}/x")


@pytest.mark.rows("MNT-27")
@pytest.mark.own
@pytest.mark.parametrize("options, want", [
    ([], 0b1111), (["ro"], 0b1111), (["nosuid", "nodev"], 0b1111), (["rw"], None),
    (["suid"], None), (["dev"], None), (["exec"], None),
], ids=label)
def test_flags_that_are_locked(user_box, fails, options, want):
    """Those of the source stay; to take one away by name is an error."""
    source = user_box.beside("d")
    host.mount("tmpfs", source, "tmpfs", 1 | 2 | 4 | 8)
    try:
        user_box.ops("statfs /data")
        at = user_box.bind(source, "/data", *options)
        told = user_box.act("run")
        if want is None:
            fails(told, "/data", "operation not permitted", "locked", at=at)
        else:
            assert told.code == 0, told
            assert told.line("statfs", "/data")["flags"] & 0b1111 == want
    finally:
        host.umount(source)


# ---- by hand

@pytest.mark.rows("UID-09", "UID-13", "UID-14", "MNT-57", "CLI-03")
@pytest.mark.own
def test_the_document_that_rt_writes(user_box, rt):
    """`rt spec --rootless`, `rt run`: no option, no privilege, no cgroup."""
    bundle = user_box.beside("mine")
    os.chown(bundle, UID, UID)
    os.rename(user_box.rootfs, f"{bundle}/rootfs")
    home = {"user": UID, "group": UID, "extra_groups": [], "cwd": bundle,
            "env": {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": user_box.runtime}}
    assert rt.execute([rt.path, "spec", "--rootless"], **home).code == 0
    with open(f"{bundle}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    config["process"].update(terminal=False, args=["/bin/probe"] + probe_args(
        ["report", "mkdir /sys/fs/cgroup/pids/x", "create /x", "write /dev/null x"]))
    with open(f"{bundle}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)
    told = rt.execute([rt.path, "run", user_box.id], **home)
    os.rename(f"{bundle}/rootfs", user_box.rootfs)
    assert told.code == 0, told
    assert told.report["pid"] == 1
    assert told.errno("mkdir", "/sys/fs/cgroup/pids/x") is not None
    assert told.errno("create", "/x") == "EROFS"
    assert told.errno("write", "/dev/null") is None


@pytest.mark.rows("CLI-03")
@pytest.mark.own
def test_no_place_for_the_state(user_box, fails):
    told = user_box.act("run", root=False, env={"XDG_RUNTIME_DIR": "/nowhere"})
    fails(told, "/nowhere/rt", "XDG_RUNTIME_DIR", "--root")


# ---- nested

@pytest.mark.rows("UID-24", "UID-13", "UID-21")
@pytest.mark.own
def test_as_root_of_a_user_namespace(user_box):
    """Who calls himself root there is the user all the same."""
    for kind in ("uidMappings", "gidMappings"):
        user_box.linux[kind][0]["hostID"] = 0
    told = user_box.act("run", shell='exec unshare -Ur "$@"')
    assert told.code == 0, told
    assert told.text("/proc/self/uid_map").split() == ["0", "0", "1"]
    assert os.stat(user_box.path("/tmp/x")).st_uid == UID


@pytest.mark.rows("UID-24", "UID-18", "MNT-57", "UID-15", "HDN-10")
@pytest.mark.own
@pytest.mark.needs("mount-setattr")
def test_without_a_namespace_of_its_own_in_a_user_namespace(user_box):
    """The document of a privileged container, run by who only calls himself root."""
    user_box.namespace("user", absent=True)
    user_box.namespace("network", absent=True)
    user_box.namespace("cgroup")
    del user_box.linux["uidMappings"], user_box.linux["gidMappings"]
    user_box.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev"])
    user_box.ops("report", "stat /dev/null", "stat /dev/pts/ptmx", "mkdir /sys/fs/cgroup/pids/x",
                 "ls /sys")
    told = user_box.act("run", shell='exec unshare -Ur "$@"')
    assert told.code == 0, told
    assert told.line("stat", "/dev/null")["type"] == "char"
    assert told.line("stat", "/dev/pts/ptmx")["type"] == "char"
    assert told.errno("mkdir", "/sys/fs/cgroup/pids/x") is not None
    assert "kernel" in told.line("ls", "/sys")["names"]


@pytest.mark.rows("UID-24", "DEV-13")
@pytest.mark.own
def test_devices_of_the_host_in_a_user_namespace(user_box):
    """A privileged container of a rootless podman: each node of the host's is mounted, the default ones
    too, and belongs to nobody there."""
    user_box.namespace("user", absent=True)
    user_box.namespace("network", absent=True)
    del user_box.linux["uidMappings"], user_box.linux["gidMappings"]
    user_box.bind("/dev/null", "/dev/null", "bind", "nosuid", "noexec")
    user_box.ops("stat /dev/null", "read /dev/null")
    told = user_box.act("run", shell='exec unshare -Ur "$@"')
    assert told.code == 0, told
    assert told.line("stat", "/dev/null")["type"] == "char" and told.text("/dev/null") == ""


@pytest.mark.rows("UID-24", "UID-09")
@pytest.mark.own
def test_as_root_without_rights(user_box, fails):
    """Root without CAP_SETUID may map himself, as any user may."""
    for kind in ("uidMappings", "gidMappings"):
        user_box.linux[kind][0]["hostID"] = 0
    drop = "setpriv --inh-caps -all,+{0} --bounding-set -all,+{0}"
    told = user_box.act("run", shell=f'exec unshare -Ur {drop.format("setfcap")} "$@"')
    assert told.code == 0, told
    assert told.report["status"]["Uid"].split() == ["0"] * 4
    told = user_box.act("run", shell=f'exec unshare -Ur {drop.format("setpcap")} "$@"')
    fails(told, "operation not permitted", "CAP_SETFCAP", at="/linux/uidMappings")


@pytest.mark.rows("UID-24")
@pytest.mark.own
def test_ids_that_the_outer_namespace_has_not(user_box, fails):
    for kind in ("uidMappings", "gidMappings"):
        user_box.linux[kind] = [{"containerID": 0, "hostID": 0, "size": 2}]
    fails(user_box.act("run", shell='exec unshare -Ur "$@"'), "operation not permitted",
          "user namespace", at="/linux/uidMappings")


@pytest.mark.rows("UID-23")
@pytest.mark.own
def test_no_user_namespaces_left(user_box, fails):
    told = user_box.act("run", shell='exec unshare -Ur /bin/sh -c \'echo 0 > /proc/sys/user/'
                                     'max_user_namespaces; exec "$@"\' sh "$@"')
    fails(told, "no space left on device", "/proc/sys/user/max_")


@pytest.mark.rows("UID-24", "UID-13")
@pytest.mark.own
@pytest.mark.parametrize("userns", [False, True], ids=["privileged", "userns"])
def test_rt_in_a_container_of_rt(new_box, userns):
    """The inner one has what the outer one gave it: its rights, /proc without masks, no cgroups."""
    outer, inner = new_box(), new_box("report", "stat /dev/null")
    everything = CAPS + ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]
    outer.process["capabilities"] = {name: everything
                                     for name in ("bounding", "effective", "permitted")}
    del outer.linux["maskedPaths"], outer.linux["readonlyPaths"]
    del inner.linux["resources"], inner.linux["cgroupsPath"], inner.process["rlimits"]
    inner.config["mounts"] = [each for each in inner.config["mounts"]
                              if each["destination"] != "/sys/fs/cgroup"]
    if userns:
        inner.userns(0, 1)
        inner.config["mounts"][2]["options"].remove("gid=5")
    inner.save()
    for path in ("/", "/lib", "/lib64", "/usr"):
        if path != "/" and os.path.isdir(path):
            outer.bind(os.path.realpath(path), path, "rbind", "ro")
    outer.bind(inner.dir, "/inner", "rbind", "rw")
    outer.bind(outer.rt.path, "/bin/rt", "ro")
    outer.mount("/run", options=["mode=0755"])
    outer.process["args"] = ["/bin/rt", "--cgroup-manager", "disabled", "run", "-b", "/inner",
                             "inner"]
    told = outer.run()
    assert told.report["pid"] == 1
    assert told.line("stat", "/dev/null")["type"] == "char"
