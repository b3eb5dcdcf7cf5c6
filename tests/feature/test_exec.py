# SPDX-License-Identifier: Apache-2.0
"""exec: one more process in a container: where it runs, what it is, and how rt tells of its end."""

import os
import signal
import subprocess

import pytest

import host
import who
from bundle import label, probe_args
from executed import detached, end, process_file, up_box  # noqa: F401 (a fixture)

NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
LIKE_INIT = ["umask", "cwd", "env", "rlimits", "groups", "hostname", "nnp", "securebits",
             "personality", "policy", "nice", "ioprio", "oom_score_adj", "namespaces", "root"]


def same_place(box, pid):
    for name in NAMESPACES:
        inside, init = (os.readlink(f"/proc/{each}/ns/{name}") for each in (pid, box.pid))
        assert inside == init, name
    assert box.cgroups.of(pid) == box.cgroups.of(box.pid)


# ---- where -----------------------------------------------------------------------------------

@pytest.mark.rows("EXE-01", "EXE-13", "EXE-27", "EXE-29", "CGM-13", "ENG-11", "CRT-14", "EXE-12")
def test_stands_where_init_stands(up_box):
    box = up_box()
    pid = detached(box)
    assert pid in host.children()
    same_place(box, pid)
    end(pid)


@pytest.mark.rows("EXE-01", "EXE-04", "EXE-38", "EXE-36", "EXE-35", "EXE-31", "EXE-34", "PER-04")
@pytest.mark.needs("ids")
def test_is_as_init_is(up_box):
    def change(box):
        box.process["user"] = {"uid": 0, "gid": 3, "umask": 0o27, "additionalGids": [4, 5]}
        box.process.update(cwd="/tmp", oomScoreAdj=321, noNewPrivileges=False,
                           ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6},
                           scheduler={"policy": "SCHED_BATCH", "nice": 7})
        box.linux["personality"] = {"domain": "LINUX32"}
    box = up_box(change=change)
    report, init = box.exec().report, box.told.report
    for name in LIKE_INIT:
        assert report[name] == init[name], name
    for name in ("Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Seccomp",
                 "SigBlk", "SigIgn", "SigCgt"):
        assert report["status"][name] == init["status"][name], name
    assert report["umask"] == 0o27 and report["oom_score_adj"] == 321
    assert report["pid"] == report["pgid"] == report["sid"] != 1
    assert report["pdeathsig"] == 0
    assert set(report["fds"]) == {"0", "1", "2"}


@pytest.mark.rows("EXE-34", "MPL-05")
@pytest.mark.needs("numa")
def test_memory_policy(up_box):
    def change(box):
        box.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0"}
    box = up_box(change=change)
    told = box.exec(ops=["read /proc/self/numa_maps"])
    if "errno" not in told.line("read"):
        assert "bind:0" in told.text("/proc/self/numa_maps")


@pytest.mark.rows("NSP-30", "EXE-27")
@pytest.mark.needs("time")
def test_time_namespace(up_box):
    def change(box):
        box.namespace("time")
        box.linux["timeOffsets"] = {"boottime": {"secs": 1000000}}
    box = up_box("clock", "pause", change=change)
    boottime = box.told.line("clock")["boottime"]
    assert 0 <= box.exec(ops=["clock"]).line("clock")["boottime"] - boottime < 60


@pytest.mark.rows("EXE-27", "EXE-28", "UID-19")
@pytest.mark.parametrize("host_net", [False, True])
@pytest.mark.needs("root: a namespace of the host's user namespace")
def test_user_namespace(up_box, host_net):
    """Also with a namespace that belongs to the host's user namespace."""
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 1000"],
                              stdout=subprocess.PIPE)
    holder.stdout.readline()
    try:
        def change(box):
            box.userns()
            if host_net:
                box.namespace("network", f"/proc/{holder.pid}/ns/net")
        box = up_box(change=change)
        report = box.exec().report
        assert report["status"]["Uid"].split() == ["0"] * 4
        assert report["groups"] == []
        assert report["namespaces"] == box.told.report["namespaces"]
        pid = detached(box, "-u", "5:6")
        assert os.stat(f"/proc/{pid}").st_uid == 100005
        same_place(box, pid)
        end(pid)
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.rows("EXE-01", "EXE-27")
def test_shared_pid_namespace(up_box):
    box = up_box(change=lambda box: box.namespace("pid", absent=True))
    pid = detached(box)
    same_place(box, pid)
    assert box.exec().report["ppid"] != 0
    box.delete("-f")
    assert host.reap(pid) == 137


@pytest.mark.rows("EXE-01", "CRT-29", "EXE-44")
def test_needs_only_the_state(up_box):
    """Neither the bundle's document nor its directory is asked again."""
    box = up_box()
    os.rename(box.dir, box.dir + ".away")
    try:
        assert box.exec().report["hostname"] == "inside"
    finally:
        os.rename(box.dir + ".away", box.dir)


@pytest.mark.rows("MPH-13")
def test_sees_the_masks(up_box):
    def change(box):
        box.linux["maskedPaths"] = ["/proc/version"]
        box.linux["readonlyPaths"] = ["/proc/sys"]
    told = up_box(change=change).exec(ops=["read /proc/version", "umount /proc/version",
                                           "write /proc/sys/kernel/domainname x"])
    assert told.text("/proc/version") == ""
    assert told.errno("umount") == "EPERM"
    assert told.errno("write") == who.READ_ONLY_SYSCTL


# ---- states ----------------------------------------------------------------------------------

@pytest.mark.rows("EXE-25")
def test_created(new_box):
    box = new_box("pause")
    box.create()
    told = box.exec(ops=["report", "exit 4"], code=4)
    assert told.report["hostname"] == "inside"
    assert box.status() == "created"
    box.start()
    assert box.status() == "running"


@pytest.mark.rows("EXE-25", "ENG-16", "EXE-26")
def test_stopped(new_box, fails):
    box = new_box("exit 0")
    box.create()
    box.start()
    box.wait()
    assert fails(box.exec(code=None), "not running", own=("container not running", box.id)).code


@pytest.mark.rows("EXE-25", "EXE-26")
@pytest.mark.own
def test_exit_code_of_rt_itself(new_box, rt, fails):
    assert fails(rt.call("exec", "nobody", "x"), "does not exist", "nobody").code == 255
    assert fails(rt.call("exec", "../x", "x"), "id").code == 255
    assert fails(rt.call("exec", "nobody"), "executed").code == 255
    assert fails(rt.call("exec", "-p", "/no/such", "nobody"), "/no/such").code == 255


@pytest.mark.rows("EXE-18", "EXE-25")
def test_paused(up_box, fails):
    box = up_box()
    box.cgroups.freeze(box.pid, True)
    try:
        fails(box.exec(code=None), "paused", own=(box.id, "--ignore-paused"))
        told = subprocess.Popen([box.rt.path, "--root", box.rt.root, "exec", "--ignore-paused",
                                 box.id, "/bin/probe", "exit", "6"])
        with pytest.raises(subprocess.TimeoutExpired):
            told.wait(0.2)
    finally:
        box.cgroups.freeze(box.pid, False)
    assert told.wait(host.PATIENCE) == 6


# ---- the end ---------------------------------------------------------------------------------

@pytest.mark.rows("EXE-26")
@pytest.mark.parametrize("ops, code", [(["exit 0"], 0), (["exit 3"], 3), (["exit 255"], 255),
                                       (["signal 9"], 137), (["signal 15"], 143)], ids=label)
def test_exit_code(up_box, ops, code):
    up_box().exec(ops=ops, code=code)


@pytest.mark.rows("EXE-39", "EXE-40", "ENG-17", "EXE-26", "PRC-04")
@pytest.mark.parametrize("command, words", [
    ("none", "executable file not found in $PATH"), ("plain", "executable file not found in $PATH"),
    ("/bin/none", "no such file or directory"), ("/etc", "permission denied"),
    ("/etc/plain", "permission denied"), ("./none", "no such file or directory"),
])
def test_what_cannot_be_executed(up_box, fails, rt, command, words):
    box = up_box(change=lambda box: box.file("/etc/plain", "x"))
    path = box.dir + "/pid"
    for flags in ([], ["-d"]):
        told = rt.call("exec", *flags, "--pid-file", path, box.id, command)
        fails(told, words, command)
        assert told.code in (255, 1)
        assert not os.path.exists(path)


@pytest.mark.rows("PRC-44", "EXE-39", "EXE-12", "ENG-10")
@pytest.mark.own
@pytest.mark.parametrize("content, words", [
    ("no program", "exec format error"), ("#!/none\n", "no such file or directory")])
def test_what_the_kernel_refuses(up_box, fails, rt, content, words):
    box = up_box(change=lambda box: box.file("/bin/broken", content, 0o755))
    path = box.dir + "/pid"
    told = rt.call("exec", "-d", "--pid-file", path, box.id, "broken")
    assert fails(told, words, "/bin/broken").code == 255
    assert not os.path.exists(path)


@pytest.mark.rows("EXE-40")
def test_path_of_its_own(up_box, rt):
    box = up_box(change=lambda box: os.link(box.path("/bin/probe"), box.path("/tmp/mine")))
    told = rt.call("exec", "-e", "PATH=/tmp", box.id, "mine", "exit", "9",
                   env={"PATH": "/usr/bin:/bin"})
    assert told.code == 9


@pytest.mark.rows("EXE-06", "EXE-26")
def test_cwd_that_is_missing(up_box, fails):
    box = up_box()
    fails(box.exec("--cwd", "/none", code=None), "/none", "no such file")
    fails(box.exec("--cwd", "/bin/probe", code=None), "not a directory")


@pytest.mark.rows("ENG-10", "EXE-13")
@pytest.mark.own
def test_pid_file_that_cannot_be(up_box, fails):
    box = up_box()
    told = box.exec("--pid-file", "/none/pid", ops=["pause"], code=None)
    assert fails(told, "/none/pid").code == 255


@pytest.mark.rows("EXE-32", "CAP-02", "HDN-12")
@pytest.mark.own
def test_limits_that_cannot_be(up_box, fails, rt):
    box = up_box()
    path = process_file(box, rlimits=[{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1 << 40}])
    fails(rt.call("exec", "-p", path, box.id), "RLIMIT_NOFILE", "process.json", "/rlimits/0")


@pytest.mark.rows("ENG-13")
def test_outlives_rt(up_box):
    """The death of rt, even by its parent's, is not that of the process."""
    box = up_box()
    read, write = os.pipe()
    front = subprocess.Popen([box.rt.path, "--root", box.rt.root, "exec", box.id, "/bin/probe",
                              "echo", "up", ";", "pause"], stdout=write, stdin=subprocess.DEVNULL)
    os.close(write)
    assert os.read(read, 100) == b"up\n"
    before = set(host.children())
    front.kill()
    front.wait()
    (pid,) = set(host.children()) - before
    assert host.stat_state(pid) in "SR"
    end(pid)
    os.close(read)


@pytest.mark.rows("EXE-41", "CRT-22")
def test_forwards_signals(up_box):
    box = up_box()
    front = subprocess.Popen([box.rt.path, "--root", box.rt.root, "exec", box.id, "/bin/probe",
                              *probe_args(["trap 15", "echo up", "until 15", "exit 9"])],
                             stdout=subprocess.PIPE)
    assert front.stdout.readline() == b"up\n"
    front.send_signal(signal.SIGTERM)
    assert front.wait(host.PATIENCE) == 9
    front.stdout.close()


@pytest.mark.rows("EXE-43", "PRC-17")
@pytest.mark.needs("ids")
def test_dev_null_keeps_its_owner(up_box):
    before = os.stat("/dev/null")
    up_box().exec("-u", "1000:1000")
    after = os.stat("/dev/null")
    assert (before.st_uid, before.st_gid) == (after.st_uid, after.st_gid)


@pytest.mark.rows("ENG-02", "EXE-13")
def test_conmon_line(up_box, rt):
    box = up_box()
    path, pid_file = process_file(box, args=["/bin/probe", "exit", "5"]), box.dir + "/pid"
    told = rt.call("exec", "--pid-file", pid_file, "--process", path, "--detach", box.id)
    assert told.code == 0 and told.err == ""
    with open(pid_file, encoding="ascii") as file:
        assert host.reap(int(file.read())) == 5


@pytest.mark.rows("EXE-01", "EXE-25")
def test_many_at_once(up_box):
    box = up_box()
    front = [subprocess.Popen([box.rt.path, "--root", box.rt.root, "exec", box.id, "/bin/probe",
                               "exit", str(number)]) for number in range(20)]
    assert [each.wait(host.PATIENCE) for each in front] == list(range(20))


@pytest.mark.rows("EXE-01", "VRB-26")
@pytest.mark.parametrize("shared", [False, True])
def test_delete_meanwhile(up_box, shared):
    """Whenever the container goes away, nothing of the exec stays."""
    for delay in range(8):
        box = up_box(change=lambda box: box.namespace("pid", absent=True) if shared else None)
        front = subprocess.Popen([box.rt.path, "--root", box.rt.root, "exec", box.id, "/bin/probe",
                                  "pause"], stderr=subprocess.DEVNULL)
        if delay:
            try:
                front.wait(delay / 2000)
            except subprocess.TimeoutExpired:
                pass
        box.delete("-f")
        box.wait()
        assert front.wait(host.PATIENCE) in (137, 255)


@pytest.mark.rows("EXE-01", "CRT-30")
def test_without_pivot(new_box):
    """The root of the namespace is that of the container, not what lies below it."""
    box = new_box("report", "pause")
    told = box.up("--no-pivot")
    report = box.exec(ops=["report", "stat /bin/probe", "ls /"]).report
    assert report["root"] == told.report["root"] == "/"
