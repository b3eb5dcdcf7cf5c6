# SPDX-License-Identifier: Apache-2.0
"""exec: one more process in a container: where it runs, what it is, and how rt tells of its end."""

import json
import os
import signal
import subprocess

import pytest

import host
from bundle import Told, label, probe_args

NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
LIKE_INIT = ["umask", "cwd", "env", "rlimits", "groups", "hostname", "nnp", "securebits",
             "personality", "policy", "nice", "ioprio", "oom_score_adj", "namespaces", "root"]


@pytest.fixture
def up_box(new_box):
    """A container that runs and waits."""
    def make(*ops, change=None):
        box = new_box(*(ops or ("report", "pause")))
        if change:
            change(box)
        box.told = box.up()
        return box
    return make


def detached(box, *flags, ops=("pause",)):
    """The pid of a process that was executed detached; ours to reap."""
    path = box.dir + "/exec.pid"
    out = os.open(os.devnull, os.O_WRONLY)
    try:
        box.exec("-d", "--pid-file", path, *flags, ops=ops, stdout=out)
    finally:
        os.close(out)
    with open(path, encoding="ascii") as file:
        text = file.read()
    assert text == str(int(text))
    os.unlink(path)
    return int(text)


def end(pid):
    os.kill(pid, signal.SIGKILL)
    assert host.reap(pid) == 137


def process_file(box, **changes):
    process = {"user": {"uid": 0, "gid": 0}, "args": ["/bin/probe", "report"],
               "env": ["PATH=/bin"], "cwd": "/"}
    process.update(changes)
    return box.beside("process.json", json.dumps(process))


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
    assert told.errno("write") == "EROFS"


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
    assert told.wait(20) == 6


# ---- which process ---------------------------------------------------------------------------

@pytest.mark.rows("EXE-01", "CLI-32")
def test_options_end_at_the_id(up_box):
    told = up_box().exec("-e", "B=2", ops=[["echo", "-t"], ["echo", "--cwd=/tmp"], "report"])
    assert told.out.startswith("-t\n--cwd=/tmp\n")
    assert "B=2" in told.report["env"]


@pytest.mark.rows("EXE-02", "EXE-07")
def test_process_file(up_box):
    box = up_box(change=lambda box: box.file("/etc/passwd", "x:x:7:8::/home/x:\n"))
    caps = {name: ["CAP_KILL"] for name in ("bounding", "permitted", "effective")}
    path = process_file(box, user={"uid": 7, "gid": 8, "additionalGids": [9], "umask": 0o77},
                        env=["PATH=/bin", "B=2"], cwd="/tmp", capabilities=caps,
                        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}],
                        args=["probe", "report"], noNewPrivileges=False)
    report = box.rt.call("exec", "-p", path, box.id).report
    assert report["env"] == ["PATH=/bin", "B=2", "HOME=/home/x"]
    assert report["cwd"] == "/tmp"
    assert report["umask"] == 0o77 and report["groups"] == [9]
    assert report["status"]["Uid"].split() == ["7"] * 4
    assert int(report["status"]["CapBnd"], 16) == 1 << 5
    assert report["rlimits"]["NOFILE"] == [100, 200]
    assert report["nnp"] == 0


@pytest.mark.rows("EXE-02", "EXE-35", "EXE-31", "CAP-03")
@pytest.mark.own
def test_process_file_leaves_out(up_box):
    """What it does not speak of is as in the container."""
    def change(box):
        box.process.update(oomScoreAdj=111)
        box.process["user"]["umask"] = 0o35
    box = up_box(change=change)
    process = {"user": {"uid": 0, "gid": 0}, "args": ["/bin/probe", "report"], "cwd": "/"}
    path = box.beside("process.json", json.dumps(process))
    report, init = box.rt.call("exec", "--process", path, box.id).report, box.told.report
    for name in ("env", "rlimits", "nnp", "oom_score_adj", "umask"):
        assert report[name] == init[name], name
    assert report["status"]["CapBnd"] == init["status"]["CapBnd"]


@pytest.mark.rows("EXE-03")
def test_process_from_a_pipe(up_box, rt):
    box = up_box()
    with open(process_file(box, env=[f"X{i}=" + "y" * 20000 for i in range(10)]), encoding="ascii") as file:
        text = file.read()
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        with os.fdopen(write, "w") as file:
            file.write(text)
        os._exit(0)
    os.close(write)
    try:
        report = rt.call("exec", "-p", "/dev/stdin", box.id, stdin=read).report
    finally:
        os.close(read)
        os.wait()
    assert len(report["env"]) == 11 and len(report["env"][9]) == 20003


@pytest.mark.rows("EXE-02", "CFG-03")
@pytest.mark.own
@pytest.mark.parametrize("changes, words", [
    ({"args": []}, ["args must not be empty", "process.json:1:", "/args"]),
    ({"cwd": "x"}, ["absolute", "/cwd"]),
    ({"user": {"uid": -1, "gid": 0}}, ["/user/uid"]),
    ({"args": ["nothing"]}, ["executable file not found in $PATH", "process.json:1:", "/args/0"]),
    ({"cwd": "/none"}, ["no such file", "process.json:1:", "/cwd"]),
], ids=label)
def test_broken_process_file(up_box, fails, rt, changes, words):
    box = up_box()
    told = rt.call("exec", "-p", process_file(box, **changes), box.id)
    assert fails(told, *words).code == 255


@pytest.mark.rows("EXE-02", "EXE-05", "EXE-06")
@pytest.mark.own
def test_flags_win_over_the_process_file(up_box, rt):
    box = up_box()
    told = rt.call("exec", "-p", process_file(box), "--cwd", "/tmp", "-e", "PATH=/x", "-e", "B=2",
                   "-u", "3:4", box.id, "/bin/probe", "echo", "mine", ";", "report")
    assert told.out.startswith("mine\n")
    assert told.report["cwd"] == "/tmp"
    assert told.report["env"] == ["PATH=/x", "B=2", "HOME=/"]
    assert told.report["status"]["Gid"].split() == ["4"] * 4


@pytest.mark.rows("EXE-05", "EXE-06")
def test_env_and_cwd(up_box):
    report = up_box().exec("-e", "A=2", "--env", "B=", "-e", "C=a=b,c", "--cwd", "/tmp").report
    env = dict(each.split("=", 1) for each in report["env"])
    assert env == {"PATH": "/sbin:/bin", "A": "2", "B": "", "C": "a=b,c", "HOME": "/"}
    assert report["cwd"] == "/tmp"


@pytest.mark.rows("EXE-05", "HDN-19")
@pytest.mark.own
@pytest.mark.parametrize("entry", ["SECRET", "=SECRET", ""], ids=label)
def test_env_without_a_value(up_box, fails, entry):
    """It means neither rt's own variable, nor is it shown."""
    told = fails(up_box().exec("-e", "A=1", "-e", entry, code=None), "--env", "2")
    assert "SECRET" not in told.err


@pytest.mark.rows("EXE-07", "PRC-07")
def test_user(up_box):
    def change(box):
        box.file("/etc/passwd", "1:x:0:0::/root:\nx:x:1:2::/home/one:\n")
        box.process["env"].append("HOME=/home/init")
    box = up_box(change=change)
    for flag, uid, gid, home in (("1", 1, 0, "/home/one"), ("1:2", 1, 2, "/home/one"),
                                 ("0", 0, 0, "/home/init"), ("4294967294:5", 4294967294, 5, "/")):
        report = box.exec("-u", flag).report
        assert report["status"]["Uid"].split() == [str(uid)] * 4
        assert report["status"]["Gid"].split() == [str(gid)] * 4
        assert f"HOME={home}" in report["env"]


@pytest.mark.rows("EXE-08", "PRC-12")
@pytest.mark.own
def test_additional_gids(up_box, fails):
    def change(box):
        box.process["user"]["additionalGids"] = [7]
    box = up_box(change=change)
    assert sorted(box.exec("-g", "8", "--additional-gids", "9").report["groups"]) == [7, 8, 9]
    for wrong in ("-1", "x", "4294967295", "1,2"):
        fails(box.exec("-g", wrong, code=None), wrong)


def sets(report):
    return [int(report["status"][name], 16) for name in
            ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]


@pytest.mark.rows("EXE-14", "HDN-11")
@pytest.mark.parametrize("inheritable", [False, True])
def test_cap(up_box, fails, inheritable):
    def change(box):
        box.process["user"] = {"uid": 1000, "gid": 1000}
        box.process["capabilities"] = {name: ["CAP_KILL"] for name in
                                       ("bounding", "effective", "permitted")}
        if inheritable:
            box.process["capabilities"].update(inheritable=["CAP_KILL"], ambient=["CAP_KILL"])
    box = up_box(change=change)
    kill, chroot = 1 << 5, 1 << 18
    mine = kill | chroot if inheritable else 0
    assert sets(box.exec("-c", "CAP_SYS_CHROOT").report) == [mine, mine, mine, kill | chroot, mine]
    assert sets(box.exec("-c", "CAP_SYS_CHROOT", "-u", "0").report) == \
        [mine, kill | chroot, kill | chroot, kill | chroot, mine]
    fails(box.exec("-c", "CAP_NET_RAV", code=None), "CAP_NET_RAV", own=("did you mean CAP_NET_RAW",))


@pytest.mark.rows("EXE-15")
@pytest.mark.own
def test_no_new_privs(up_box):
    box = up_box(change=lambda box: box.process.pop("noNewPrivileges"))
    assert box.exec().report["nnp"] == 0
    assert box.exec("--no-new-privs").report["nnp"] == 1
    assert up_box().exec("--no-new-privs=false").report["nnp"] == 1


@pytest.mark.rows("EXE-16", "LSM-01", "LSM-05")
@pytest.mark.own
@pytest.mark.parametrize("flag, word, path", [
    ("--apparmor", "apparmor", "/sys/kernel/security/apparmor"),
    ("--process-label", "selinux", "/sys/fs/selinux/enforce")])
def test_labels(up_box, fails, flag, word, path):
    """A host that cannot label says so; one that can has no such label."""
    told = up_box().exec(flag, "no_such_label", code=None)
    fails(told, word)
    if not os.path.exists(path):
        fails(told, "not", word)


@pytest.mark.rows("EXE-30", "SEC-24", "SEC-23")
@pytest.mark.parametrize("nnp", [False, True])
def test_seccomp(up_box, nnp):
    def change(box):
        box.process["noNewPrivileges"] = nnp
        box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}
    told = up_box(change=change).exec(ops=["mkdir /tmp/x", "report"])
    assert told.errno("mkdir") == "ENOSYS"
    assert told.report["status"]["Seccomp"] == "2"


@pytest.mark.rows("EXE-32", "PRC-32", "PRC-33")
@pytest.mark.own
def test_affinity(up_box):
    """Neither init's nor rt's own counts, but what the document says of exec."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor")
    first, second = sorted(os.sched_getaffinity(0))[:2]

    def change(box):
        box.process["execCPUAffinity"] = {"initial": str(first), "final": str(second)}
    box = up_box(change=change)
    assert box.exec().report["status"]["Cpus_allowed_list"] == str(second)
    box = up_box()
    told = box.exec(preexec_fn=lambda: os.sched_setaffinity(0, {first}))
    assert told.report["cpus"] == box.told.report["cpus"] >= 2


@pytest.mark.rows("EXE-32", "PRC-32")
@pytest.mark.own
def test_affinity_that_cannot_be(up_box, fails):
    box = up_box()
    path = process_file(box, execCPUAffinity={"final": "60000"})
    fails(box.rt.call("exec", "-p", path, box.id), "affinity", "process.json",
          "/execCPUAffinity/final")


@pytest.mark.rows("EXE-37", "LSM-13")
@pytest.mark.own
def test_keyring(up_box):
    box = up_box("keyring", "pause")
    ring = box.told.line("keyring")
    if "errno" in ring:
        pytest.skip("no keyrings")
    assert box.exec(ops=["keyring"]).line("keyring")["id"] == ring["id"]


@pytest.mark.rows("EXE-17", "ENG-06", "FDS-15")
def test_preserve_fds(up_box, fails):
    box = up_box()
    path = box.beside("kept", "x")
    kept = os.open(path, os.O_RDONLY)

    def hand_on():
        os.dup2(kept, 3)
        os.dup2(kept, 4)
    try:
        for count, want in (("1", {"0", "1", "2", "3"}), ("0", {"0", "1", "2"})):
            told = box.exec("--preserve-fds", count, preexec_fn=hand_on, close_fds=False)
            assert set(told.report["fds"]) == want
    finally:
        os.close(kept)
    fails(box.exec("--preserve-fds", "3", code=None), "3")


# ---- cgroups ---------------------------------------------------------------------------------

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
@pytest.mark.needs("any-v1", "memory", "pids")
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
    assert front.wait(20) == 9
    front.stdout.close()


@pytest.mark.rows("EXE-43", "PRC-17")
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
    assert [each.wait(30) for each in front] == list(range(20))


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
        assert front.wait(20) in (137, 255)
