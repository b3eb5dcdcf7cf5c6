# SPDX-License-Identifier: Apache-2.0
"""process: the program and its environment, identity, limits and scheduling."""

import os
import subprocess

import pytest

import host
from bundle import Told, label


@pytest.mark.rows("PRC-01", "PRC-02", "PRC-06")
@pytest.mark.parametrize("name, cwd, env", [
    ("/bin/probe", "/", []), ("./probe", "/bin", []), ("bin/probe", "/", []),
    ("probe", "/", ["PATH=/sbin:/bin"]), ("probe", "/", ["PATH=/none:/bin:/"]),
    pytest.param("probe", "/bin", ["PATH=/none:"], marks=pytest.mark.own),
    pytest.param("probe", "/bin", ["PATH=."], marks=pytest.mark.own),
])
def test_program_lookup(new_box, name, cwd, env):
    box = new_box("report")
    box.process.update(cwd=cwd, env=env)
    box.process["args"][0] = name
    assert box.run().report["pid"] == 1


@pytest.mark.rows("PRC-02", "PRC-03", "PRC-05", "ENG-17")
@pytest.mark.parametrize("env", [["PATH=/sbin"], ["PATH="], []], ids=label)
def test_program_not_in_path(new_box, fails, env):
    box = new_box()
    box.process.update(args=["sh", "-c", "x"], env=env)
    fails(box.create(code=None), "executable file not found in $PATH", "sh", at="/process/args/0")


@pytest.mark.rows("PRC-01", "PRC-04", "ENG-17")
@pytest.mark.parametrize("name, words", [
    ("/bin/none", "no such file or directory"), ("/etc", "permission denied"),
    ("/etc/plain", "permission denied"), ("./none", "no such file or directory"),
    ("/bin/probe/x", "not a directory"),
])
def test_program_that_cannot_be_run(new_box, fails, name, words):
    box = new_box()
    box.file("/etc/plain", "x")
    box.process["args"] = [name]
    fails(box.create(code=None), words, name, at="/process/args/0")


@pytest.mark.rows("PRC-04")
def test_program_without_a_name(new_box, fails):
    box = new_box()
    box.process["args"] = [""]
    fails(box.create(code=None), at="/process/args/0")


@pytest.mark.rows("PRC-05", "HKS-03")
def test_program_that_a_hook_brings(new_box):
    box = new_box("exit 6")
    box.process["args"][0] = "/tmp/late"
    script = box.beside("hook.sh", f"#!/bin/sh\ncp {box.probe} {box.path('/tmp/late')}\n")
    os.chmod(script, 0o755)
    box.hook("createRuntime", path=script, env=["PATH=/usr/bin:/bin"])
    box.run(code=6)


@pytest.mark.rows("PRC-02", "PRC-01")
def test_args_arrive_as_they_are(new_box):
    box = new_box(["report", "a b", "", "ä\n", "$HOME", "'\""])
    assert [each.encode("latin-1").decode() for each in box.run().report["argv"]] \
        == ["report", "a b", "", "ä\n", "$HOME", "'\""]


@pytest.mark.rows("PRC-06", "LCY-02", "PRC-09")
def test_env(new_box):
    box = new_box("report")
    box.process["env"] = ["PATH=/bin", "HOME=/h", "X=one\ntwo=three", "EMPTY=", "Y=a=b"]
    assert sorted(box.run().report["env"]) == sorted(box.process["env"])


@pytest.mark.rows("ANN-02")
@pytest.mark.own
@pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])
@pytest.mark.needs("root: has groups")
def test_groups_of_the_caller_stay_where_asked(new_box, userns):
    """Engines let a container reach files of a group that has no id inside (podman: keep-groups)."""
    box = new_box("report", "pause")
    box.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [7]}
    box.config["annotations"] = {"run.oci.keep_original_groups": "1"}
    if userns:
        box.userns()
    groups = [65534, 65534] if userns else [4321, 4322]
    told = box.up(extra_groups=[4321, 4322])
    assert told.report["groups"] == groups
    assert box.exec(extra_groups=[4321, 4322]).report["groups"] == groups


@pytest.mark.rows("PRC-06")
@pytest.mark.own
def test_env_duplicates_the_last_wins(new_box):
    box = new_box("report")
    box.process["env"] = ["X=1", "PATH=/bin", "X=2", "HOME=/"]
    assert sorted(box.run().report["env"]) == ["HOME=/", "PATH=/bin", "X=2"]


@pytest.mark.rows("PRC-06", "HDN-19")
@pytest.mark.parametrize("entry", ["PATH", "=x", ""])
@pytest.mark.own
def test_env_without_a_name_or_value(new_box, fails, entry):
    box = new_box("report")
    box.process["env"] = ["SECRET=hidden-word", entry]
    told = fails(box.create(code=None), at="/process/env/1")
    assert "hidden-word" not in told.err


@pytest.mark.rows("PRC-07", "PRC-08")
@pytest.mark.parametrize("uid, passwd, home", [
    (0, "root:x:0:0:root:/root:/bin/sh\n", "/root"), (7, "a:x:1:1::/a:\nb:x:7:7::/b:/c\n", "/b"),
    (9, "a:x:1:1::/a:\n", "/"), (0, None, "/"), (7, "b:x:7:7::/b", "/b"),
    (7, "broken\n:::\nb:x:7:7::/b:/c\n", "/b"),
    pytest.param(7, "x" * 100000 + "\nb:x:7:7::/b:/c\n", "/b", marks=pytest.mark.own),
    (7, "7:x:8:8::/wrong:\nc:x:7:7::/c:\n", "/c"),
], ids=["root", "other", "unknown", "no-passwd", "no-newline", "malformed", "long", "numeric-name"])
@pytest.mark.needs("ids")
def test_home(new_box, uid, passwd, home):
    box = new_box("report")
    if passwd:
        box.file("/etc/passwd", passwd)
    box.process["user"]["uid"] = uid
    assert f"HOME={home}" in box.run().report["env"]


@pytest.mark.rows("PRC-08")
@pytest.mark.own
def test_home_with_a_passwd_that_points_outside(new_box):
    box = new_box("report")
    outside = box.beside("passwd", "x:x:0:0::/outside:\n")
    os.symlink(outside, box.path("/etc/passwd"))
    assert "HOME=/" in box.run().report["env"]


@pytest.mark.rows("PRC-10")
def test_cwd_is_made(new_box):
    box = new_box("report", "stat /a/b")
    box.process["cwd"] = "/a/b"
    told = box.run()
    assert told.report["cwd"] == "/a/b"
    assert told.line("stat", "/a/b")["mode"] == 0o755


@pytest.mark.rows("PRC-11")
@pytest.mark.needs("ids")
def test_cwd_that_only_root_may_enter(new_box):
    box = new_box("report")
    os.mkdir(box.path("/private"), 0o700)
    box.process.update(cwd="/private", user={"uid": 1000, "gid": 1000})
    assert box.run().report["cwd"] == "/private"


@pytest.mark.rows("PRC-10")
def test_cwd_is_a_file(new_box, fails):
    box = new_box("report")
    box.file("/etc/file")
    box.process["cwd"] = "/etc/file"
    fails(box.create(code=None), "/etc/file", "not a directory", at="/process/cwd")


@pytest.mark.rows("PRC-12", "PRC-13", "CAP-05")
@pytest.mark.needs("ids")
def test_user_and_groups(new_box):
    box = new_box("report")
    box.process["user"] = {"uid": 1000, "gid": 2000, "additionalGids": [7, 5, 65534]}
    report = box.run().report
    assert report["status"]["Uid"].split() == ["1000"] * 4
    assert report["status"]["Gid"].split() == ["2000"] * 4
    assert sorted(report["groups"]) == [5, 7, 65534]


@pytest.mark.rows("PRC-13")
@pytest.mark.needs("root: has groups")
def test_groups_of_the_caller_do_not_stay(box):
    told = box.run(preexec_fn=lambda: os.setgroups([11, 12, 13]))
    assert told.report["groups"] == []


@pytest.mark.rows("PRC-14")
@pytest.mark.parametrize("umask, want", [(None, 0o022), (0, 0), (0o77, 0o77), (0o777, 0o777)])
def test_umask(new_box, umask, want):
    box = new_box("report")
    if umask is not None:
        box.process["user"]["umask"] = umask
    assert box.run(umask=0o11).report["umask"] == want


@pytest.mark.rows("PRC-16", "TTY-15", "CRT-20")
@pytest.mark.needs("ids")
def test_pipes_belong_to_the_user(new_box):
    """A process that is not root may open /dev/stdin, /dev/stdout and /dev/stderr again."""
    box = new_box("open /dev/stdin r", "open /dev/stdout w", "open /dev/stderr w", "echo done")
    box.process["user"]["uid"] = 1000
    box.save()
    with subprocess.Popen([box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=host.PATIENCE)
    told = Told(process.returncode, out.decode(), err.decode())
    for name in ("stdin", "stdout", "stderr"):
        assert told.errno("open", f"/dev/{name}") is None, told


@pytest.mark.rows("PRC-16", "EXE-43")
@pytest.mark.needs("ids")
def test_dev_null_of_the_host_keeps_its_owner(new_box):
    box = new_box("report")
    box.process["user"] = {"uid": 1000, "gid": 1000}
    before = os.stat("/dev/null")
    box.run()
    after = os.stat("/dev/null")
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid,
                                                           before.st_mode)


@pytest.mark.rows("PRC-18", "PRC-22")
def test_rlimits(new_box):
    box = new_box("report")
    infinity = 18446744073709551615
    box.process["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_FSIZE", "soft": 1 << 40, "hard": infinity},
        {"type": "RLIMIT_RTTIME", "soft": infinity, "hard": infinity},
        {"type": "RLIMIT_STACK", "soft": 8 << 20, "hard": 1 << 35},
    ]
    limits = box.run().report["rlimits"]
    for entry in box.process["rlimits"]:
        assert limits[entry["type"][7:]] == [entry["soft"], entry["hard"]], entry


@pytest.mark.rows("PRC-18")
@pytest.mark.parametrize("name", ["RLIMIT_NONE", "NOFILE", "rlimit_nofile", ""])
def test_unknown_rlimit(box, fails, name):
    box.process["rlimits"] = [{"type": name, "soft": 1, "hard": 1}]
    fails(box.create(code=None), "rlimit", at="/process/rlimits/0/type", own=(name,))


@pytest.mark.rows("PRC-19")
@pytest.mark.own
def test_duplicate_rlimit(box, fails):
    box.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}] * 2
    fails(box.create(code=None), "RLIMIT_CORE", at="/process/rlimits/1")


@pytest.mark.rows("PRC-18")
def test_rlimit_soft_above_hard(box, fails):
    box.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]
    fails(box.create(code=None), own=("RLIMIT_CORE",), at="/process/rlimits/0")


@pytest.mark.rows("PRC-18")
@pytest.mark.own
def test_rlimit_that_the_kernel_refuses(box, fails):
    """Above fs.nr_open no process may go, privileged or not."""
    box.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 1 << 40, "hard": 1 << 40}]
    fails(box.create(code=None), "RLIMIT_NOFILE", "operation not permitted",
          at="/process/rlimits/0")


@pytest.mark.rows("PRC-23")
@pytest.mark.parametrize("score", [0, 500, 1000])
def test_oom_score(new_box, score):
    box = new_box("report")
    box.process["oomScoreAdj"] = score
    assert box.run().report["oom_score_adj"] == score


@pytest.mark.rows("PRC-24", "ENG-26")
def test_oom_score_is_inherited(box):
    def caller():
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("321")
    assert box.run(preexec_fn=caller).report["oom_score_adj"] == 321


@pytest.mark.rows("PRC-23")
@pytest.mark.parametrize("score", [1001, -1001, 5000000000])
def test_oom_score_out_of_range(box, fails, score):
    box.process["oomScoreAdj"] = score
    fails(box.create(code=None), own=(), at="/process/oomScoreAdj")


@pytest.mark.rows("PRC-36")
@pytest.mark.parametrize("value, want", [(True, 1), (False, 0), (None, 0)])
def test_no_new_privileges(new_box, value, want):
    box = new_box("report")
    box.process["noNewPrivileges"] = value
    if value is None:
        del box.process["noNewPrivileges"]
    assert box.run().report["nnp"] == want


@pytest.mark.rows("PRC-38", "ENG-12", "PRC-40", "ENG-13")
def test_session_and_parent(box):
    report = box.run().report
    assert (report["pid"], report["sid"], report["pgid"], report["ppid"]) == (1, 1, 1, 0)
    assert report["dumpable"] == 1 and report["pdeathsig"] == 0


@pytest.mark.rows("PRC-38", "NSP-09")
@pytest.mark.needs("fsopen", "root: a namespace of the host's user namespace")
def test_session_in_a_joined_pid_namespace(new_box):
    holder = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "sh", "-c",
                               "echo; exec sleep 1000"], stdout=subprocess.PIPE)
    holder.stdout.readline()
    try:
        box = new_box("report")
        box.namespace("pid", f"/proc/{holder.pid}/ns/pid_for_children")
        report = box.run().report
        assert report["pid"] == report["pgid"] == report["sid"] > 1
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@pytest.mark.rows("PRC-25", "PRC-26", "PRC-28")
@pytest.mark.own
@pytest.mark.parametrize("scheduler, policy, nice", [
    ({"policy": "SCHED_BATCH"}, 3, 0), ({"policy": "SCHED_OTHER", "nice": 5}, 0, 5),
    ({"policy": "SCHED_IDLE"}, 5, 0),
    ({"policy": "SCHED_BATCH", "nice": 19, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, 3 | 1 << 30, 19),
])
def test_scheduler(new_box, scheduler, policy, nice):
    box = new_box("report")
    box.process["scheduler"] = scheduler
    report = box.run().report
    assert (report["policy"], report["nice"]) == (policy, nice)


@pytest.mark.rows("PRC-25", "PRC-26", "PRC-27", "PRC-28", "PRC-29")
@pytest.mark.own
@pytest.mark.parametrize("scheduler, at", [
    ({}, ""), ({"policy": "SCHED_NONE"}, "/policy"),
    ({"policy": "SCHED_OTHER", "nice": 20}, "/nice"),
    ({"policy": "SCHED_OTHER", "nice": -21}, "/nice"),
    ({"policy": "SCHED_FIFO", "priority": 100}, "/priority"),
    ({"policy": "SCHED_OTHER", "priority": 5}, "/priority"),
    ({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_X"]}, "/flags/0"),
    ({"policy": "SCHED_OTHER", "runtime": 1}, "/runtime"),
    ({"policy": "SCHED_DEADLINE", "runtime": 30, "deadline": 20, "period": 40}, ""),
    ({"policy": "SCHED_DEADLINE", "runtime": 10, "deadline": 50, "period": 40}, ""),
], ids=label)
def test_bad_scheduler(box, fails, scheduler, at):
    box.process["scheduler"] = scheduler
    fails(box.create(code=None), at="/process/scheduler" + at)


@pytest.mark.rows("PRC-31")
@pytest.mark.own
@pytest.mark.parametrize("name, number", [("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)])
def test_io_priority(new_box, name, number):
    box = new_box("report")
    box.process["ioPriority"] = {"class": name, "priority": 4}
    assert box.run().report["ioprio"] == number << 13 | 4


@pytest.mark.rows("PRC-31")
@pytest.mark.own
@pytest.mark.parametrize("value, at", [
    ({"class": "IOPRIO_CLASS_X", "priority": 1}, "/class"), ({"priority": 1}, ""),
    ({"class": "IOPRIO_CLASS_BE", "priority": 8}, "/priority"),
    ({"class": "IOPRIO_CLASS_BE", "priority": -1}, "/priority")], ids=label)
def test_bad_io_priority(box, fails, value, at):
    box.process["ioPriority"] = value
    fails(box.create(code=None), at="/process/ioPriority" + at)


@pytest.mark.rows("PRC-32")
@pytest.mark.own
@pytest.mark.parametrize("value", ["x", "1-", "3-1", "1,,2", "-1"])
def test_bad_affinity(box, fails, value):
    box.process["execCPUAffinity"] = {"initial": value}
    fails(box.create(code=None), at="/process/execCPUAffinity/initial")


@pytest.mark.rows("PRC-33")
@pytest.mark.own
def test_affinity_of_the_caller_does_not_stay(box):
    """Nor that of the tests' own caller counts: taskset."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(1024))    # the kernel leaves those that there are
    total = len(os.sched_getaffinity(0))
    os.sched_setaffinity(0, own)
    report = box.run(preexec_fn=lambda: os.sched_setaffinity(0, {0})).report
    assert report["cpus"] == total


@pytest.mark.rows("PER-01", "PER-02")
@pytest.mark.own
def test_personality(new_box):
    box = new_box("report")
    box.linux["personality"] = {"domain": "LINUX32"}
    assert box.run().report["personality"] == 8
    box.linux["personality"] = {"domain": "LINUX64"}
    assert "/linux/personality/domain" in box.create(code=None).err


@pytest.mark.rows("PER-03")
@pytest.mark.parametrize("no_new_privs", [True, False], ids=["nnp", "no-nnp"])
def test_personality_that_the_filter_forbids(new_box, no_new_privs):
    """The filter is for the process, not for what rt does for it."""
    box = new_box("report")
    box.process["noNewPrivileges"] = no_new_privs
    box.linux["personality"] = {"domain": "LINUX32"}
    box.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ERRNO",
                      "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]}
    assert box.run().report["personality"] == 8


@pytest.mark.rows("MPL-04")
@pytest.mark.own
@pytest.mark.parametrize("policy", [{}, {"nodes": "0"}, {"mode": ""}], ids=label)
def test_memory_policy_without_a_mode(box, fails, policy):
    box.linux["memoryPolicy"] = policy
    fails(box.create(code=None), at="/linux/memoryPolicy")


@pytest.mark.rows("NSP-37", "PRC-23")
def test_oom_score_in_a_user_namespace(new_box):
    box = new_box("report")
    box.userns()
    box.process["oomScoreAdj"] = 500
    assert box.run().report["oom_score_adj"] == 500


PR_SET_NO_NEW_PRIVS = 38


@pytest.mark.rows("PRC-37")
@pytest.mark.parametrize("seccomp", [False, True])
@pytest.mark.needs("root: newuidmap gains nothing below no_new_privs")
def test_no_new_privs_of_the_caller_stays(new_box, seccomp):
    """Nobody can take it away, so the document's false is no error."""
    box = new_box("report")
    box.process["noNewPrivileges"] = False
    if seccomp:
        box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                                "syscalls": [{"names": ["getcpu"], "action": "SCMP_ACT_ERRNO"}]}
    told = box.run(preexec_fn=lambda: host.LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    assert told.report["status"]["NoNewPrivs"] == "1"


@pytest.mark.rows("PRC-43")
def test_what_fork_keeps_of_the_caller(new_box):
    """rt neither sets nor resets how nice its caller is."""
    box = new_box("read /proc/self/stat")
    told = box.run(preexec_fn=lambda: os.nice(7))
    assert told.text("/proc/self/stat").rpartition(")")[2].split()[16] == str(os.nice(0) + 7)
    told = box.run()
    assert told.text("/proc/self/stat").rpartition(")")[2].split()[16] == str(os.nice(0))
