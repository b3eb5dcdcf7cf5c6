# SPDX-License-Identifier: Apache-2.0
"""Namespaces, id mappings, time offsets, host name and sysctl."""

import json
import os
import signal
import subprocess
import time

import pytest

import blocked
import host
import who
from bundle import NAMESPACE_FILES as FILES, label

def mine(kind):
    return os.stat(f"/proc/self/ns/{FILES[kind]}").st_ino


@pytest.fixture
def donor():
    """A process with namespaces of its own, to be joined."""
    made = []

    def make(*kinds, user=None):
        words = {"pid": "-p", "network": "-n", "ipc": "-i", "uts": "-u", "cgroup": "-C",
                 "user": "-U", "time": "-T", "mount": "-m"}
        argv = ["unshare", "--fork", "--kill-child"] + [words[kind] for kind in kinds]
        if who.ROOTLESS and "user" not in kinds:
            argv.append("-U")
        if user or who.ROOTLESS:
            argv += ["--map-root-user"] + (["--map-auto"] if who.AS == "user" else [])
        process = subprocess.Popen(argv + ["/bin/sh", "-c", "echo up; exec /bin/cat"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        made.append(process)
        assert process.stdout.readline() == b"up\n"
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    yield make
    for process in made:
        process.stdin.close()
        process.wait(host.PATIENCE)
        process.stdout.close()


@pytest.mark.rows("NSP-02", "NSP-11", "NSP-17", "NSP-20", "NSP-22", "NSP-15", "NSP-09")
def test_new_namespaces(new_box):
    box = new_box("report")
    report = box.run().report
    for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup"):
        assert report["namespaces"][FILES[kind]] != mine(kind), kind
    assert (report["namespaces"]["user"] == mine("user")) == (not who.ROOTLESS)
    assert report["pid"] == 1


@pytest.mark.rows("NSP-20", "NSP-09")
@pytest.mark.own
@pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])
def test_mqueue_belongs_to_root(new_box, userns):
    box = new_box("stat /dev/mqueue")
    if userns:
        box.userns()
    line = box.run().line("stat")
    assert (line["uid"], line["gid"]) == (0, 0)


@pytest.mark.rows("NSP-03", "NSP-13")
@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "cgroup"])
def test_shared_namespace(new_box, kind):
    box = new_box("report")
    box.namespace(kind, absent=True)
    if kind == "uts":
        del box.config["hostname"]
    if kind == "ipc" and who.ROOTLESS:      # the host's queues are none of his
        del box.config["mounts"][4]
    if kind == "network":
        box.config["mounts"][5] = {"destination": "/sys", "type": "bind", "source": "/sys",
                                   "options": ["rbind", "ro"]}
        del box.config["mounts"][6]
    report = box.run().report
    assert report["namespaces"][FILES[kind]] == mine(kind)


@pytest.mark.rows("NSP-04", "NSP-12", "NSP-16", "NSP-24", "NSP-07")
@pytest.mark.parametrize("kind", ["network", "ipc", "uts", "cgroup", "pid"])
def test_joined_namespace(new_box, donor, kind):
    pid = donor(kind)
    path = f"/proc/{pid}/ns/{FILES[kind]}"
    box = new_box("report", "interface lo", "pause")
    box.join(kind, pid)
    if kind == "pid" and "fsopen" in blocked.CALLED:    # mount(2) would have to be called in there
        told = box.create(code=None)
        assert told.code == 1 and 'mounting "proc"' in told.err, told
        return
    report = box.up().report
    assert report["namespaces"][FILES[kind]] == os.stat(path).st_ino != mine(kind)
    if kind == "network":
        assert box.pid > 1
    if kind == "pid":
        assert report["pid"] > 1            # the donor's init is there already
        with open(f"/proc/{box.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("NSpid"))
        assert line.split()[1:] == [str(box.pid), str(report["pid"])]
    box.kill("KILL")
    assert box.wait() == 137


@pytest.mark.rows("NSP-16")
def test_lo_of_a_joined_network_namespace_is_left_alone(new_box, donor):
    pid = donor("network")
    box = new_box("interface lo")
    box.join("network", pid)
    assert box.run().line("interface")["up"] == 0


@pytest.mark.rows("NSP-15")
def test_lo_is_up(new_box):
    assert new_box("interface lo").run().line("interface")["up"] == 1


@pytest.mark.rows("NSP-01")
@pytest.mark.parametrize("kind", ["pids", "", "net", "mnt", "PID"])
def test_unknown_type(box, fails, kind):
    box.linux["namespaces"].append({"type": kind})
    fails(box.create(code=None), "namespace", at=f"/linux/namespaces/{len(box.linux['namespaces']) - 1}/type")


@pytest.mark.rows("NSP-06")
def test_duplicate_type(box, fails):
    box.linux["namespaces"].append({"type": "ipc"})
    fails(box.create(code=None), "ipc", at=f"/linux/namespaces/{len(box.linux['namespaces']) - 1}")


@pytest.mark.rows("NSP-04")
@pytest.mark.parametrize("path", ["/proc/nowhere/ns/net", "proc/self/ns/net", ""])
def test_path_that_cannot_be_joined(box, fails, path):
    box.namespace("network", absent=True)
    box.linux["namespaces"].append({"type": "network", "path": path})
    if path == "":      # the peers take it for absent
        told = box.create(code=None)
        assert told.code in (0, 1)
        return
    fails(box.create(code=None), path, at=f"/linux/namespaces/{len(box.linux['namespaces']) - 1}/path")


@pytest.mark.rows("NSP-05")
@pytest.mark.parametrize("kind", sorted(FILES))
def test_path_of_a_wrong_type(box, fails, kind):
    wrong = "uts" if kind != "uts" else "ipc"
    box.namespace(kind, f"/proc/self/ns/{wrong}")
    if kind in ("user", "time"):
        box.namespace(kind, absent=True)
        box.linux["namespaces"].append({"type": kind, "path": f"/proc/self/ns/{wrong}"})
    if kind == "mount":     # one that is joined takes none of these
        box.config["mounts"] = box.linux["maskedPaths"] = box.linux["readonlyPaths"] = []
    at = len(box.linux["namespaces"]) - 1
    told = box.create(code=None)
    fails(told, own=(kind,), at=f"/linux/namespaces/{at}")


@pytest.mark.rows("NSP-05")
@pytest.mark.own
def test_path_that_is_no_namespace(box, fails):
    box.namespace("ipc", "/proc/self/status")
    fails(box.create(code=None), "/proc/self/status", at=f"/linux/namespaces/{len(box.linux['namespaces']) - 1}/path")


@pytest.mark.rows("NSP-23")
def test_cgroup_namespace_shows_the_own_root(new_box):
    box = new_box("read /proc/self/cgroup", "pause")
    told = box.up()
    for line in told.text("/proc/self/cgroup").splitlines():
        assert line.endswith(":/"), line
    assert box.cgroups.of(box.pid)


def seconds():
    return {"monotonic": int(time.clock_gettime(time.CLOCK_MONOTONIC)),
            "boottime": int(time.clock_gettime(time.CLOCK_BOOTTIME))}


@pytest.mark.rows("NSP-26", "NSP-28")
@pytest.mark.own
@pytest.mark.needs("time")
def test_time_offsets(new_box):
    box = new_box("report", "clock", "pause")
    box.namespace("time")
    box.linux["timeOffsets"] = {"monotonic": {"secs": 100000, "nanosecs": 5},
                                "boottime": {"secs": 7000000}}
    before = seconds()
    told = box.up()
    clock, after = told.line("clock"), seconds()
    assert before["monotonic"] <= clock["monotonic"] - 100000 <= after["monotonic"] + 1
    assert before["boottime"] <= clock["boottime"] - 7000000 <= after["boottime"] + 1
    assert told.report["namespaces"]["time"] != mine("time")
    with open(f"/proc/{box.pid}/timens_offsets", encoding="ascii") as file:
        assert [line.split() for line in file] == [["monotonic", "100000", "5"],
                                                   ["boottime", "7000000", "0"]]


@pytest.mark.rows("NSP-27")
@pytest.mark.own
@pytest.mark.needs("time")
@pytest.mark.parametrize("offsets, space, at", [
    ({"monotonic": {"secs": 1}}, None, ""), ({"realtime": {"secs": 1}}, "new", "/realtime"),
    ({"monotonic": {"secs": 1, "nanosecs": 1000000000}}, "new", "/monotonic/nanosecs"),
    ({"monotonic": {"secs": 1}}, "/proc/self/ns/time", ""),
], ids=["no-namespace", "clock", "nanosecs", "joined"])
def test_bad_time_offsets(box, fails, offsets, space, at):
    if space:
        box.namespace("time", None if space == "new" else space)
    box.linux["timeOffsets"] = offsets
    fails(box.create(code=None), at="/linux/timeOffsets" + at)


# ---- user namespaces

@pytest.mark.rows("UID-01", "UID-07", "UID-21", "NSP-31", "NSP-09", "UID-15", "UID-19")
def test_user_namespace(new_box):
    box = new_box("report", "read /proc/self/uid_map", "read /proc/self/gid_map", "stat /dev/null",
                  "write /dev/null x", "create /tmp/x", "stat /tmp/x")
    box.userns()
    told = box.run()
    assert told.report["status"]["Uid"].split() == ["0"] * 4
    assert told.report["namespaces"]["user"] != mine("user")
    for name in ("uid_map", "gid_map"):
        assert told.text(f"/proc/self/{name}").split() == [str(each) for each in sum(who.RANGES, [])]
    assert told.line("stat", "/dev/null")["type"] == "char"
    assert told.errno("write", "/dev/null") is None
    assert told.line("stat", "/tmp/x")["uid"] == 0
    assert os.stat(box.path("/tmp/x")).st_uid == who.host_id(0)


@pytest.mark.rows("NSP-09", "UID-01")
def test_other_namespaces_belong_to_the_user_namespace(new_box):
    box = new_box("call sethostname 0 0", "report")
    box.userns()
    box.process["capabilities"] = {name: ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"] for name in
                                   ("bounding", "effective", "permitted")}
    assert box.run().errno("call", "sethostname") is None


@pytest.mark.rows("UID-02")
@pytest.mark.needs("root: chooses ids")
def test_several_ranges(new_box):
    box = new_box("read /proc/self/uid_map")
    box.userns()
    box.linux["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 10},
                                {"containerID": 10, "hostID": 200000, "size": 5},
                                {"containerID": 1000, "hostID": 300000, "size": 1}]
    lines = [line.split() for line in box.run().text("/proc/self/uid_map").splitlines()]
    assert lines == [["0", "100000", "10"], ["10", "200000", "5"], ["1000", "300000", "1"]]


@pytest.mark.rows("UID-03")
@pytest.mark.own
@pytest.mark.needs("root: no mappings beside what is looked at")
def test_mappings_without_a_user_namespace(box, fails):
    box.linux["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 10}]
    fails(box.create(code=None), "user", at="/linux/uidMappings")


@pytest.mark.rows("UID-04")
@pytest.mark.needs("root: no mappings beside what is looked at")
def test_user_namespace_without_mappings(box, fails):
    box.namespace("user")
    fails(box.create(code=None), "mapping", own=("uidMappings",))


@pytest.mark.rows("UID-05")
@pytest.mark.own
@pytest.mark.parametrize("mappings, at", [
    ([{"containerID": 0, "hostID": 100000, "size": 0}], "/0"),
    ([{"containerID": 0, "hostID": 100000, "size": 10},
      {"containerID": 5, "hostID": 200000, "size": 10}], ""),
    ([{"containerID": 0, "hostID": 4294967295, "size": 10}], "/0"),
], ids=["size", "overlap", "range"])
def test_bad_mappings(new_box, fails, mappings, at):
    box = new_box("report")
    box.userns()
    box.linux["uidMappings"] = mappings
    fails(box.create(code=None), at="/linux/uidMappings" + at)


@pytest.mark.rows("UID-06")
@pytest.mark.own
def test_root_is_not_mapped(new_box, fails):
    box = new_box("report")
    box.userns()
    box.linux["uidMappings"] = [{"containerID": 1, "hostID": 100001, "size": 10}]
    fails(box.create(code=None), "root", at="/linux/uidMappings")


@pytest.mark.rows("PRC-12", "UID-06")
@pytest.mark.parametrize("user, at", [({"uid": 70000, "gid": 0}, "/process/user/uid"),
                                      ({"uid": 0, "gid": 70000}, "/process/user/gid"),
                                      ({"uid": 0, "gid": 0, "additionalGids": [1, 70000]},
                                       "/process/user/additionalGids/1")], ids=label)
def test_ids_that_are_not_mapped(new_box, fails, user, at):
    box = new_box("report")
    box.userns()
    box.process["user"] = user
    fails(box.create(code=None), at=at, own=("70000",))


@pytest.mark.rows("UID-20", "UID-19")
@pytest.mark.own
@pytest.mark.needs("root: files of several owners")
@pytest.mark.needs("open-tree")
def test_sources_that_the_mapped_root_cannot_reach(new_box):
    box = new_box("read /data/f")
    box.beside("hidden")
    box.beside("hidden/f", "content")
    box.userns()
    os.chmod(box.dir + "/hidden", 0o755)
    secret = box.beside("closed")
    os.rename(box.dir + "/hidden", secret + "/hidden")
    os.chown(secret, 0, 0)
    os.chmod(secret, 0o700)
    box.bind(secret + "/hidden", "/data", "ro")
    assert box.run().text("/data/f") == "content"


@pytest.mark.rows("NSP-08", "NSP-33", "NSP-32")
@pytest.mark.own
def test_joined_user_namespace_with_its_network(new_box, donor):
    """The network namespace belongs to the user namespace that is joined with it."""
    pid = donor("user", "network", user=True)
    box = new_box("report", "pause")
    box.join("user", pid)
    box.without_tty_group()
    box.namespace("network", f"/proc/{pid}/ns/net")
    report = box.up().report
    assert report["namespaces"]["user"] == os.stat(f"/proc/{pid}/ns/user").st_ino
    assert report["namespaces"]["net"] == os.stat(f"/proc/{pid}/ns/net").st_ino
    assert report["status"]["Uid"].split() == ["0"] * 4


@pytest.mark.rows("NSP-10", "UID-01")
@pytest.mark.own
@pytest.mark.needs("root: knows the mappings of the joined namespace")
@pytest.mark.parametrize("changed", [None, "uidMappings", "gidMappings"])
def test_joined_user_namespace_and_mappings(new_box, donor, fails, changed):
    """Engines write both for the containers of a pod; where they differ, ids would not be what they say."""
    box = new_box("read /proc/self/uid_map")
    box.join("user", donor("user", user=True))
    box.without_tty_group()
    for kind in ("uidMappings", "gidMappings"):
        box.linux[kind] = [{"containerID": 0, "hostID": 0, "size": 1}]
    if not changed:
        assert box.run().text("/proc/self/uid_map").split() == ["0", "0", "1"]
        return
    box.linux[changed] = [{"containerID": 0, "hostID": 777000, "size": 5}]
    fails(box.create(code=None), "user namespace that is joined", changed[:3] + "_map",
          at=f"/linux/{changed}")


@pytest.mark.rows("NSP-10", "NSP-09")
@pytest.mark.own
def test_joined_user_namespace_and_new_others(new_box, donor):
    """What is made new belongs to the root of the namespace that was joined."""
    pid = donor("user", user=True)
    box = new_box("report", "stat /dev/mqueue", "stat /dev/shm", "write /proc/sys/kernel/hostname x",
                  "create /tmp/x")
    box.join("user", pid)
    box.without_tty_group()
    box.linux["readonlyPaths"] = []
    os.chmod(box.path("/tmp"), 0o777)
    told = box.run()
    assert told.report["namespaces"]["user"] == os.stat(f"/proc/{pid}/ns/user").st_ino
    assert told.report["status"]["Uid"].split() == ["0"] * 4
    assert told.report["namespaces"]["ipc"] != mine("ipc")
    for path in ("/dev/mqueue", "/dev/shm"):
        assert told.line("stat", path)["uid"] == 0, path
    if not who.ROOTLESS:    # the kernel gives it to the host's root
        assert told.errno("write", "/proc/sys/kernel/hostname") is None
    assert told.errno("create", "/tmp/x") is None


@pytest.mark.rows("NSP-29")
@pytest.mark.own
@pytest.mark.needs("time")
def test_time_offsets_with_a_user_namespace(new_box):
    """Set with the rights of the host, which the container's root does not have."""
    box = new_box("report", "clock", "pause")
    box.userns()
    box.namespace("time")
    box.linux["timeOffsets"] = {"boottime": {"secs": 7000000}}
    before = seconds()
    told = box.up()
    assert before["boottime"] <= told.line("clock")["boottime"] - 7000000 <= seconds()["boottime"] + 1
    assert told.report["namespaces"]["time"] != mine("time")


@pytest.mark.rows("NSP-14", "HDN-02")
@pytest.mark.own
@pytest.mark.needs("root: makes a pid namespace")
@pytest.mark.needs("copy-without-memfd")
def test_runtime_in_a_pid_namespace_of_its_own(new_box):
    """The pid that it tells is one of that namespace; where the sysctl forbids memfds that can be
    executed, rt's copy of itself is not one."""
    box = new_box("pause")
    box.save()
    script = """
        [ ! -e /proc/sys/vm/memfd_noexec ] || echo 2 >/proc/sys/vm/memfd_noexec || exit 90
        rt=$1 root=$2 bundle=$3 id=$4
        "$rt" --root "$root" create -b "$bundle" --pid-file "$bundle/pid" "$id" || exit 91
        "$rt" --root "$root" start "$id" || exit 92
        "$rt" --root "$root" state "$id"
        tr '\\0' ' ' <"/proc/$(cat "$bundle/pid")/cmdline"
        "$rt" --root "$root" delete -f "$id" || exit 93
    """
    told = box.rt.execute(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script, "sh",
                           box.rt.path, box.rt.root, box.dir, box.id])
    assert told.code == 0, told
    state, end = json.JSONDecoder().raw_decode(told.out)
    assert 1 < state["pid"] < 100
    assert told.out[end:].split() == ["/bin/probe", "pause"]


@pytest.mark.rows("MNT-62")
@pytest.mark.needs("pids")
def test_cgroups_with_a_user_namespace_and_without_one_of_theirs(new_box, cgroups):
    """No cgroup file system can be mounted then: the container's own cgroup is shown."""
    path = "/sys/fs/cgroup" + ("/pids" if cgroups.layout != "v2" else "")
    box = new_box(f"read {path}/pids.max", f"write {path}/pids.max max",
                  f"read {path}/cgroup.procs", f"statfs {path}")
    box.userns()
    box.namespace("cgroup", absent=True)
    box.linux["resources"]["pids"] = {"limit": 77}
    told = box.run()
    assert told.text(f"{path}/pids.max") == "77\n"
    assert told.errno("write", f"{path}/pids.max") in ("EROFS", "EACCES")
    assert told.line("statfs")["flags"] & os.ST_RDONLY
    assert told.text(f"{path}/cgroup.procs").split() == ["1"]


@pytest.mark.rows("NSP-08", "EXE-28")
@pytest.mark.own
@pytest.mark.needs("root: a namespace of the host's user namespace")
def test_network_of_the_host_with_a_new_user_namespace(new_box, donor):
    pid = donor("network")
    box = new_box("report", "pause")
    box.userns()
    box.namespace("network", f"/proc/{pid}/ns/net")
    box.config["mounts"][5] = {"destination": "/sys", "type": "bind", "source": "/sys",
                               "options": ["rbind", "ro"]}
    del box.config["mounts"][6]
    report = box.up().report
    assert report["namespaces"]["net"] == os.stat(f"/proc/{pid}/ns/net").st_ino


@pytest.mark.rows("UID-24")
@pytest.mark.own
def test_inside_of_a_user_namespace(new_box):
    """rt as root of a user namespace with the one id that is its own."""
    box = new_box("report")
    box.namespace("user", absent=True)
    for kind in ("uidMappings", "gidMappings"):
        box.linux.pop(kind, None)
    box.linux.pop("resources")
    box.linux.pop("cgroupsPath")
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev", "/dev/shm")]
    box.namespace("cgroup", absent=True)
    box.process.pop("rlimits")
    box.save()
    os.makedirs(box.rt.root, mode=0o700)
    told = box.rt.execute(["unshare", "-Urm", "--propagation", "private", box.rt.path, "--root",
                           box.rt.root, "run", "-b", box.dir, box.id])
    assert told.code == 0, told
    assert told.report["pid"] == 1


# ---- host name and sysctl

@pytest.mark.rows("NET-01", "NET-02")
def test_names(new_box):
    box = new_box("report")
    box.config.update(hostname="h" * 64)
    before = os.uname()
    assert box.run().report["hostname"] == "h" * 64
    assert os.uname() == before


@pytest.mark.rows("NET-02")
@pytest.mark.own
def test_domain_name(new_box):
    box = new_box("report")
    box.config.update(domainname="d.example")
    assert box.run().report["domainname"] == "d.example"


@pytest.mark.rows("NET-01", "NET-02")
@pytest.mark.parametrize("name", ["hostname", "domainname"])
@pytest.mark.own
def test_name_that_is_too_long(box, fails, name):
    box.config[name] = "x" * 65
    fails(box.create(code=None), name, at=f"/{name}")


@pytest.mark.rows("NET-01", "NET-02")
@pytest.mark.own
@pytest.mark.parametrize("name", ["hostname", "domainname"])
def test_name_without_uts_namespace(box, fails, name):
    box.namespace("uts", absent=True)
    box.config.pop("hostname")
    box.config[name] = "x"
    fails(box.create(code=None), "uts", at=f"/{name}")


@pytest.mark.rows("NET-03")
def test_name_in_a_joined_namespace(new_box, donor):
    pid = donor("uts")
    box = new_box("report")
    box.join("uts", pid)
    assert box.run().report["hostname"] == "inside"


@pytest.mark.rows("NET-04", "NET-05", "NET-06", "RFS-17")
def test_sysctl(new_box):
    box = new_box("read /proc/sys/net/ipv4/ip_forward", "read /proc/sys/kernel/msgmax",
                  "read /proc/sys/fs/mqueue/msg_max", "read /proc/sys/net/ipv4/conf/lo/forwarding")
    box.linux["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9000",
                           "fs.mqueue.msg_max": "20", "net/ipv4/conf/lo/forwarding": "0"}
    told = box.run()
    assert told.text("/proc/sys/kernel/msgmax") == "9000\n"
    assert told.text("/proc/sys/fs/mqueue/msg_max") == "20\n"
    assert told.text("/proc/sys/net/ipv4/conf/lo/forwarding") == "0\n"


@pytest.mark.rows("NET-06", "NET-09", "NET-07")
@pytest.mark.parametrize("name, absent", [
    ("kernel.msgmax", "ipc"), ("net.ipv4.ip_forward", "network"), ("fs.mqueue.msg_max", "ipc"),
    ("vm.swappiness", None), ("kernel.core_pattern", None), ("kernel.hostname", None),
    ("kernel.panic", None), ("fs.file-max", None), ("", None), ("kernel", None),
])
def test_sysctl_of_the_host_is_refused(box, fails, name, absent):
    if absent:
        box.namespace(absent, absent=True)
    box.linux["sysctl"] = {name: "1"}
    fails(box.create(code=None), "sysctl", own=(name,), at="/linux/sysctl")


@pytest.mark.rows("NET-10")
@pytest.mark.parametrize("name, value, words", [
    ("net.no.such", "1", "no such file or directory"),
    ("kernel.msgmax", "many", "invalid argument"),
])
def test_sysctl_that_the_kernel_refuses(box, fails, name, value, words):
    box.linux["sysctl"] = {name: value}
    fails(box.create(code=None), words, own=(name,), at="/linux/sysctl")


@pytest.mark.rows("ENG-13", "CRT-22")
@pytest.mark.own
def test_the_container_does_not_die_with_the_runtime(new_box):
    """Not even when `run` is killed: conmon's runtime may go at any time."""
    box = new_box("echo up", "until 15")
    box.process["args"][1:1] = ["trap", "15", ";"]
    box.save()
    read, write = os.pipe()
    process = subprocess.Popen([box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id],
                               stdin=subprocess.DEVNULL, stdout=write)
    os.close(write)
    box.exists, box.pipe = True, read
    box.lines_until("up")
    box.pid = box.state()["pid"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert box.status() == "running"
    box.kill("TERM")
    assert box.line() == "signal 15"
    host.reap(box.pid)


@pytest.mark.rows("UID-22")
def test_no_project_ids_are_mapped(new_box):
    box = new_box("read /proc/self/projid_map")
    box.userns()
    assert box.run().text("/proc/self/projid_map") == ""


@pytest.mark.rows("NSP-21")
@pytest.mark.own
@pytest.mark.needs("root: a namespace of the host's user namespace", "fsopen")
def test_mqueue_of_an_ipc_namespace_of_others(new_box, donor):
    """In a user namespace that does not own it nobody may mount it; rt does before."""
    box = new_box("report", "read /proc/self/mountinfo")
    box.userns()
    path = f"/proc/{donor ('ipc')}/ns/ipc"
    box.namespace("ipc", path=path)
    told = box.run()
    assert told.report["namespaces"]["ipc"] == os.stat(path).st_ino
    line = next(each.split() for each in told.text("/proc/self/mountinfo").splitlines()
                if each.split()[4] == "/dev/mqueue")
    assert line[line.index("-") + 1] == "mqueue"
    assert {"nosuid", "nodev", "noexec"} <= set(line[5].split(","))
