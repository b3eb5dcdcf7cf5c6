# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp: what the filter does to system calls, and what the document may say."""

import base64
import json
import os
import struct

import pytest

from bundle import label
from executed import process_file

ERRNO = "SCMP_ACT_ERRNO"
ALLOW = "SCMP_ACT_ALLOW"


def profile(*rules, default=ALLOW, **more):
    return {"defaultAction": default, "syscalls": list(rules), **more}


def rule(*names, action=ERRNO, **more):
    return {"names": list(names), "action": action, **more}


def arg(index, value, op="SCMP_CMP_EQ", **more):
    return {"index": index, "value": value, "op": op, **more}


@pytest.mark.rows("SEC-05", "SEC-01", "SEC-11")
@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.parametrize("number, word", [(None, "EPERM"), (38, "ENOSYS"), (5, "EIO")], ids=label)
def test_errno(new_box, nnp, number, word):
    box = new_box("call getcpu", "call getpid")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = profile(rule("getcpu", **({"errnoRet": number} if number else {})))
    told = box.run()
    assert told.errno("call", "getcpu") == word
    assert told.errno("call", "getpid") is None


@pytest.mark.rows("SEC-34")
@pytest.mark.needs("all-calls")
def test_no_seccomp(new_box):
    status = new_box("report").run().report["status"]
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("0", "1")


@pytest.mark.rows("SEC-36", "SEC-23", "SEC-24")
@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.needs("ids")
def test_calls_that_the_runtime_itself_uses(new_box, nnp):
    """Everything that is done after the load gets by without them."""
    box = new_box("report")
    box.process["noNewPrivileges"] = nnp
    box.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
    box.linux["seccomp"] = profile(rule(
        "close_range", "fsopen", "fsconfig", "fspick", "openat2", "open_tree", "move_mount",
        "mount_setattr", "clone3", "pidfd_open", "mount", "umount2", "pivot_root", "sethostname",
        "setns", "unshare", "keyctl", "add_key", errnoRet=38))
    report = box.run().report
    assert report["status"]["Seccomp"] == "2"


@pytest.mark.rows("SEC-01", "SEC-02")
@pytest.mark.parametrize("more, word", [({}, "EPERM"), ({"defaultErrnoRet": 38}, "ENOSYS")],
                         ids=label)
def test_default_errno(new_box, more, word):
    calls = ("execve execveat read write readv writev open openat close brk mmap munmap mprotect "
             "arch_prctl set_tid_address set_robust_list rseq prlimit64 getrandom readlinkat "
             "readlink newfstatat fstat exit exit_group getpid futex rt_sigaction rt_sigprocmask "
             "capset capget prctl setuid setgid setgroups setresuid setresgid chdir fcntl fchdir "
             "getcwd seccomp close_range dup2 dup3 dup poll ppoll nanosleep clock_nanosleep "
             "sched_yield epoll_pwait epoll_ctl epoll_wait tgkill gettid getppid kill sigaltstack "
             "rt_sigreturn clone madvise statx getdents64 umask setsid fchown sendmsg recvmsg "
             "sendto recvfrom socket connect lseek uname ioctl faccessat2 faccessat access "
             "getuid geteuid getgid getegid personality sched_getaffinity pread64 statfs fstatfs "
             "prlimit getrlimit setrlimit").split()
    box = new_box("call sched_yield", "call getcpu", "call getpid")
    box.process["noNewPrivileges"] = False
    box.linux["seccomp"] = profile(rule(*calls, action=ALLOW), default=ERRNO, **more)
    told = box.run()
    assert told.errno("call", "getcpu") == word
    assert told.errno("call", "getpid") is None


@pytest.mark.rows("SEC-25")
def test_calls_newer_than_the_profile_are_enosys(new_box):
    box = new_box("call newest", "call getcpu")
    box.linux["seccomp"] = profile(rule(*EVERYTHING, action=ALLOW), default=ERRNO,
                                   architectures=["SCMP_ARCH_X86_64"])
    told = box.run()
    assert told.errno("call", "newest") == "ENOSYS"
    assert told.errno("call", "getcpu") == "EPERM"


EVERYTHING = ("read write open close stat fstat lstat poll lseek mmap mprotect munmap brk "
              "rt_sigaction rt_sigprocmask rt_sigreturn ioctl pread64 pwrite64 readv writev access "
              "pipe select sched_yield mremap msync mincore madvise dup dup2 pause nanosleep "
              "getitimer alarm setitimer getpid sendfile socket connect accept sendto recvfrom "
              "sendmsg recvmsg shutdown bind listen getsockname getpeername socketpair setsockopt "
              "getsockopt clone fork vfork execve exit wait4 kill uname fcntl flock fsync "
              "ftruncate getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink symlink "
              "readlink chmod fchmod chown fchown umask gettimeofday getrlimit getrusage sysinfo "
              "times getuid getgid setuid setgid geteuid getegid setpgid getppid getpgrp setsid "
              "setreuid setregid getgroups setgroups setresuid getresuid setresgid getresgid "
              "getpgid getsid capget capset sigaltstack statfs fstatfs getpriority prctl "
              "arch_prctl setrlimit chroot sync gettid futex sched_setaffinity sched_getaffinity "
              "epoll_create getdents64 set_tid_address clock_gettime clock_nanosleep exit_group "
              "epoll_wait epoll_ctl tgkill openat mkdirat fchownat newfstatat unlinkat readlinkat "
              "fchmodat faccessat pselect6 ppoll set_robust_list get_robust_list utimensat "
              "epoll_pwait fallocate eventfd2 epoll_create1 dup3 pipe2 prlimit64 sendmmsg "
              "seccomp getrandom memfd_create execveat statx rseq pidfd_open clone3 close_range "
              "openat2 faccessat2").split()


@pytest.mark.rows("SEC-06", "SEC-08")
@pytest.mark.parametrize("args, denied", [
    ([arg(0, 5)], {5}), ([arg(0, 5, "SCMP_CMP_NE")], {0, 4, 6, 9}),
    ([arg(0, 5, "SCMP_CMP_LT")], {0, 4}), ([arg(0, 5, "SCMP_CMP_LE")], {0, 4, 5}),
    ([arg(0, 5, "SCMP_CMP_GT")], {6, 9}), ([arg(0, 5, "SCMP_CMP_GE")], {5, 6, 9}),
    ([arg(0, 4, "SCMP_CMP_MASKED_EQ", valueTwo=4)], {4, 5, 6}),
], ids=["EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"])
def test_argument_operators(new_box, args, denied):
    values = (0, 4, 5, 6, 9)
    box = new_box(*[f"call getcpu 0 0 {value}" for value in values])
    box.linux["seccomp"] = profile(rule("getcpu", args=args, errnoRet=38))
    for each in box.linux["seccomp"]["syscalls"]:
        each["args"][0]["index"] = 2
    lines = box.run().lines
    assert {value for value, line in zip(values, lines) if line.get("errno") == "ENOSYS"} == denied


@pytest.mark.rows("SEC-06", "SEC-07")
@pytest.mark.parametrize("args, denied", [
    ([arg(2, 5), arg(1, 0)], {(0, 5)}),            # different arguments: both
    ([arg(2, 5), arg(2, 6)], {(0, 5), (0, 6), (1, 5)}),   # the same one: either
], ids=["and", "or"])
def test_argument_conditions(new_box, args, denied):
    values = [(0, 0), (0, 5), (1, 5), (0, 6)]
    box = new_box(*[f"call getcpu 0 {one} {two}" for one, two in values])
    box.linux["seccomp"] = profile(rule("getcpu", args=args, errnoRet=38))
    lines = box.run().lines
    assert {value for value, line in zip(values, lines) if line.get("errno") == "ENOSYS"} == denied


@pytest.mark.rows("SEC-06", "CRT-34")
def test_argument_of_64_bits(new_box):
    box = new_box("call getcpu 0 0 0x100000005", "call getcpu 0 0 5")
    box.linux["seccomp"] = profile(rule("getcpu", args=[arg(2, 0x100000005)], errnoRet=38))
    assert [line.get("errno") for line in box.run().lines] == ["ENOSYS", None]


@pytest.mark.rows("SEC-03")
def test_unknown_names_are_skipped(new_box):
    box = new_box("call getcpu")
    box.linux["seccomp"] = profile(rule("no_such_call", "getcpu"))
    assert box.run().errno("call", "getcpu") == "EPERM"


@pytest.mark.rows("SEC-09")
def test_rule_equal_to_the_default(new_box):
    box = new_box("call getcpu", "call getpid")
    box.linux["seccomp"] = profile(rule("getpid", "getppid", action=ALLOW), rule("getcpu"))
    assert box.run().errno("call", "getcpu") == "EPERM"


@pytest.mark.rows("SEC-10", "SEC-11")
@pytest.mark.parametrize("archs", [["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                                   ["SCMP_ARCH_AARCH64"], []], ids=label)
def test_architectures(new_box, archs):
    box = new_box("call getcpu")
    box.linux["seccomp"] = profile(rule("getcpu"), architectures=archs)
    assert box.run().errno("call", "getcpu") == "EPERM"


@pytest.mark.rows("SEC-01", "SEC-37", "CRT-16")
@pytest.mark.parametrize("action", ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                                    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"])
def test_kill(new_box, action):
    box = new_box("call getcpu", "echo survived")
    box.linux["seccomp"] = profile(rule("getcpu", action=action))
    told = box.run(code=159)
    assert "survived" not in told.out


@pytest.mark.rows("SEC-01")
@pytest.mark.parametrize("action", ["SCMP_ACT_LOG", "SCMP_ACT_ALLOW"])
def test_log_and_allow(new_box, action):
    box = new_box("call getcpu")
    box.linux["seccomp"] = profile(rule("getcpu", action=action), default="SCMP_ACT_LOG")
    assert box.run().errno("call", "getcpu") is None


@pytest.mark.rows("SEC-12")
@pytest.mark.own
@pytest.mark.parametrize("flags", [["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
                                   ["SECCOMP_FILTER_FLAG_TSYNC"], []], ids=label)
def test_flags(new_box, flags):
    box = new_box("call getcpu")
    box.linux["seccomp"] = profile(rule("getcpu"), flags=flags)
    assert box.run().errno("call", "getcpu") == "EPERM"


@pytest.mark.rows("SEC-01", "SEC-02", "SEC-03", "SEC-05", "SEC-06", "SEC-10", "SEC-12", "SEC-15")
@pytest.mark.own
@pytest.mark.parametrize("value, at", [
    ({"syscalls": []}, ""), (profile(default="SCMP_ACT_NONE"), "/defaultAction"),
    (profile(rule("getcpu", action="DENY")), "/syscalls/0/action"),
    (profile({"names": [], "action": ERRNO}), "/syscalls/0/names"),
    (profile({"action": ERRNO}), "/syscalls/0"),
    (profile(rule("getcpu", action=ALLOW, errnoRet=1)), "/syscalls/0/errnoRet"),
    (profile(defaultErrnoRet=1), "/defaultErrnoRet"),
    (profile(rule("getcpu", args=[arg(6, 1)])), "/syscalls/0/args/0/index"),
    (profile(rule("getcpu", args=[arg(0, 1, "EQ")])), "/syscalls/0/args/0/op"),
    (profile(rule("getcpu", args=[arg(0, -1)])), "/syscalls/0/args/0/value"),
    (profile(architectures=["SCMP_ARCH_Z80"]), "/architectures/0"),
    (profile(flags=["SECCOMP_FILTER_FLAG_X"]), "/flags/0"),
    (profile(rule("getcpu", action="SCMP_ACT_NOTIFY")), ""),
], ids=["no-default", "default", "action", "no-names", "names-missing", "errnoRet",
        "defaultErrnoRet",
        "index", "op", "value", "arch", "flag", "notify"])
def test_bad_profile(box, fails, value, at):
    box.linux["seccomp"] = value
    fails(box.create(code=None), at="/linux/seccomp" + at)


@pytest.mark.rows("SEC-27", "SEC-23", "CAP-12")
@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.needs("ids")
def test_a_profile_like_the_engines(new_box, nnp):
    """A long list of allowed calls; dropping rights must not need what it forbids."""
    box = new_box("report", "call getcpu", "call bpf", "call keyctl 0 -3 0")
    box.process["noNewPrivileges"] = nnp
    box.process["user"] = {"uid": 7, "gid": 7}
    box.linux["seccomp"] = profile(rule(*EVERYTHING, action=ALLOW),
                                   rule("personality", action=ALLOW, args=[arg(0, 0xffffffff)]),
                                   default=ERRNO, architectures=["SCMP_ARCH_X86_64"])
    box.linux["seccomp"]["syscalls"][0]["names"] += ["ioprio_get", "sched_getscheduler",
                                                    "sched_getparam"]
    told = box.run()
    assert told.report["status"]["Uid"].split() == ["7"] * 4
    assert told.errno("call", "getcpu") == told.errno("call", "bpf") == "EPERM"


@pytest.mark.rows("HKS-31")
@pytest.mark.own
def test_start_container_hooks_run_below_the_filter(new_box):
    box = new_box("pause")
    box.hook("startContainer", "call getcpu", path="/bin/probe")
    box.linux["seccomp"] = profile(rule("getcpu", action="SCMP_ACT_KILL_PROCESS"))
    box.create()
    told = box.start(code=None)
    assert told.code == 1 and "startContainer" in told.err, told
    box.exists = box.rt.call("state", box.id).code == 0
    assert os.path.exists(box.dir)


UNKNOWN = "run.oci.seccomp_fail_unknown_syscall"


@pytest.mark.rows("SEC-04", "SEC-03")
@pytest.mark.parametrize("value", ["", "1"], ids=["empty", "1"])
def test_unknown_names_may_be_errors(new_box, fails, value):
    box = new_box("call getcpu")
    box.linux["seccomp"] = profile(rule("getcpu", "no_such_call"))
    assert box.run().errno("call", "getcpu") == "EPERM"
    box.config["annotations"] = {UNKNOWN: value}
    fails(box.create(code=None), "no_such_call", at="/linux/seccomp/syscalls/0/names/1")
    box.linux["seccomp"] = profile(rule("getcpu"))
    assert box.run().errno("call", "getcpu") == "EPERM"


PROGRAM = "run.oci.seccomp_bpf_data"


def program(*instructions):
    return base64.b64encode(b"".join(struct.pack("=HBBI", *each) for each in instructions)).decode()


LOAD_NUMBER, RETURN, JUMP_EQUAL = 0x20, 0x06, 0x15


def deny_getcpu():
    number = {"x86_64": 309, "aarch64": 168, "riscv64": 168}[os.uname().machine]
    return program((LOAD_NUMBER, 0, 0, 0), (JUMP_EQUAL, 0, 1, number),
                   (RETURN, 0, 0, 0x00050000 | 18), (RETURN, 0, 0, 0x7fff0000))


@pytest.mark.rows("SEC-29")
def test_a_program_instead_of_the_profile(new_box):
    box = new_box("call getcpu", "call getppid", "report", "pause")
    box.process["noNewPrivileges"] = True
    box.config["annotations"] = {PROGRAM: deny_getcpu()}
    told = box.up()
    assert told.errno("call", "getcpu") == "EXDEV"
    assert told.errno("call", "getppid") is None
    assert told.report["status"]["Seccomp"] == "2"
    assert box.exec(ops=("call getcpu",)).errno("call", "getcpu") == "EXDEV"


@pytest.mark.rows("SEC-29")
@pytest.mark.own
@pytest.mark.parametrize("value, words", [
    ("?", "base64"), ("BgAA", "base64"),
    (program((LOAD_NUMBER, 0, 0, 0), (0xffff, 0, 0, 1), (RETURN, 0, 0, 0x7fff0000)),
     "instruction 1 (0xffff, 0, 0, 0x1)")], ids=["no", "cut", "no code"])
def test_a_program_that_is_none(new_box, fails, value, words):
    box = new_box("echo ran")
    box.process["noNewPrivileges"] = True
    box.config["annotations"] = {PROGRAM: value}
    told = fails(box.run(code=None), words, at=f"/annotations/{PROGRAM}")
    assert "ran" not in told.out
    assert box.rt.call("state", box.id).code != 0


@pytest.mark.rows("SEC-29")
@pytest.mark.own
def test_a_program_needs_no_new_privileges(new_box, fails):
    """Else it answers the calls that drop rights, and nothing in a program says what for."""
    box = new_box("pause")
    box.process["noNewPrivileges"] = False
    box.config["annotations"] = {PROGRAM: deny_getcpu()}
    fails(box.create(code=None), "without process.noNewPrivileges", at=f"/annotations/{PROGRAM}")
    box.process["noNewPrivileges"] = True
    box.up()
    path = process_file(box, args=["/bin/probe", "echo", "ran"], noNewPrivileges=False)
    told = fails(box.rt.call("exec", "-p", path, box.id), "noNewPrivileges", "process.json")
    assert "ran" not in told.out
    path = process_file(box, args=["/bin/probe", "echo", "ran"], noNewPrivileges=True)
    assert "ran" in box.rt.call("exec", "-p", path, box.id).out


NEEDED = ("sendmsg", "recvmsg", "capset", "setsid", "accept", "getpid")


@pytest.mark.rows("SEC-36", "SEC-23", "SEC-24")
@pytest.mark.own
@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.parametrize("action", ["SCMP_ACT_KILL_PROCESS", ERRNO])
def test_calls_of_the_runtime_below_the_filter_pass(new_box, action, nnp):
    """By its own door; the program's do not."""
    box = new_box("call getpid")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = profile(rule(*NEEDED, action=action, **({"errnoRet": 0} if action == ERRNO else {})))
    if action == ERRNO:
        assert box.run().line("call", "getpid")["ret"] == 0
    else:
        box.run(code=159)


@pytest.mark.rows("SEC-36")
@pytest.mark.own
@pytest.mark.parametrize("value, at, words", [
    (profile(rule("read", action=ALLOW), default=ERRNO), "/defaultAction", "fails with errno 1"),
    (profile(default="SCMP_ACT_KILL_PROCESS"), "/defaultAction", "kills the process"),
    (profile(rule("getcpu"), rule("execveat", "execve", action="SCMP_ACT_KILL_PROCESS")), "/syscalls/1",
     "kills the process"),
    (profile(rule("execve", errnoRet=0)), "/syscalls/0", "reports success and does nothing"),
    (profile(rule("execve", action="SCMP_ACT_TRAP")), "/syscalls/0", "SIGSYS"),
    (profile(rule("execve", args=[arg(0, 0, "SCMP_CMP_MASKED_EQ", valueTwo=0)])), "/syscalls/0",
     "fails with errno 1"),
], ids=["denied by default", "killed by default", "killed", "faked", "trapped", "on each condition"])
def test_a_profile_below_which_no_program_can_begin(new_box, fails, work, value, at, words):
    """Found before anything is made, the directory of the states among it."""
    box = new_box("echo ran")
    box.linux["seccomp"] = value
    box.save()
    states = os.path.join(work, "states")
    for verb in ("create", "run"):
        told = fails(box.rt.call(verb, "-b", box.dir, box.id, root=False, globals=("--root", states)),
                     "never allows execve", words, at="/linux/seccomp" + at)
        assert "ran" not in told.out
        assert not os.path.exists(states)


@pytest.mark.rows("SEC-36", "SEC-29")
@pytest.mark.own
@pytest.mark.parametrize("answer, words", [(0x00050000, "reports success"), (0x7fc00000, "agent"),
                                           (0x80000000, "kills the process")], ids=label)
def test_a_program_below_which_none_can_begin(new_box, fails, answer, words):
    box = new_box("echo ran")
    box.process["noNewPrivileges"] = True
    box.config["annotations"] = {PROGRAM: program((RETURN, 0, 0, answer))}
    fails(box.create(code=None), "never allows execve", words, at=f"/annotations/{PROGRAM}")
    assert box.rt.call("state", box.id).code != 0


@pytest.mark.rows("SEC-29")
@pytest.mark.own
def test_no_program_beside_a_profile(new_box, fails):
    """An image's annotation does not undo what the engine forbids."""
    box = new_box("echo ran")
    box.process["noNewPrivileges"] = True
    box.config["annotations"] = {PROGRAM: program((RETURN, 0, 0, 0x7fff0000))}
    box.linux["seccomp"] = profile(rule("getppid"))
    fails(box.create(code=None), "must not be set beside linux.seccomp", at=f"/annotations/{PROGRAM}")


@pytest.mark.rows("SEC-33")
@pytest.mark.own
def test_a_profile_is_never_ignored(new_box, rt, fails):
    """A build without libseccomp refuses it, and says so in its features."""
    enabled = json.loads(rt.call("features", root=False).out)["linux"]["seccomp"]["enabled"]
    box = new_box("call getcpu")
    box.linux["seccomp"] = profile(rule("getcpu"))
    if enabled:
        assert box.run().errno("call", "getcpu") == "EPERM"
    else:
        fails(box.create(code=None), "built without libseccomp", at="/linux/seccomp")
        del box.linux["seccomp"]
        assert box.run().errno("call", "getcpu") is None
