# SPDX-License-Identifier: Apache-2.0
"""exec: which process it makes: from a process.json, from the container's own, from the flags."""

import json
import os

import pytest

import who
from bundle import label
from executed import process_file, up_box  # noqa: F401 (a fixture)


@pytest.mark.rows("EXE-01", "CLI-32")
def test_options_end_at_the_id(up_box):
    told = up_box().exec("-e", "B=2", ops=[["echo", "-t"], ["echo", "--cwd=/tmp"], "report"])
    assert told.out.startswith("-t\n--cwd=/tmp\n")
    assert "B=2" in told.report["env"]


@pytest.mark.rows("EXE-02", "EXE-07")
@pytest.mark.needs("ids")
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


@pytest.mark.rows("EXE-02")
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
@pytest.mark.needs("ids")
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
@pytest.mark.needs("ids")
def test_user(up_box):
    def change(box):
        box.file("/etc/passwd", "1:x:0:0::/root:\nx:x:1:2::/home/one:\n")
        box.process["env"].append("HOME=/home/init")
    box = up_box(change=change)
    high = 65000 if who.ROOTLESS else 4294967294
    for flag, uid, gid, home in (("1", 1, 0, "/home/one"), ("1:2", 1, 2, "/home/one"),
                                 ("0", 0, 0, "/home/init"), (f"{high}:5", high, 5, "/")):
        report = box.exec("-u", flag).report
        assert report["status"]["Uid"].split() == [str(uid)] * 4
        assert report["status"]["Gid"].split() == [str(gid)] * 4
        assert f"HOME={home}" in report["env"]


@pytest.mark.rows("EXE-08", "PRC-12")
@pytest.mark.own
@pytest.mark.needs("ids")
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
@pytest.mark.needs("ids")
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
    path = process_file(box, execCPUAffinity={"initial": "", "final": ""})  # the same as absent
    assert box.rt.call("exec", "-p", path, box.id).report["cpus"] == told.report["cpus"]


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
