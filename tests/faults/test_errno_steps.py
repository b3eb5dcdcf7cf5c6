# SPDX-License-Identifier: Apache-2.0
"""Each system call of a command fails once, as the kernel could let it fail (stepper.c), or all do that need one
more descriptor than there are: the answer is then the truth or an error with a text, and what a command was to make
or to take away is whole, or gone.

ENOENT and ESRCH are not among the errors: they are the kernel's word for "no"."""

import errno
import json
import os
import platform
import resource
import subprocess

import pytest

import host
from fixtures import leftovers, remove_by_force

pytestmark = [pytest.mark.own, pytest.mark.needs("root: traces and makes cgroups"),
              pytest.mark.skipif(platform.machine() != "x86_64", reason="stepper.c knows the registers of x86-64")]

LONG = os.environ.get("RT_TEST_LONG") == "1"
SAMPLE = 40         # injections of each verb, spread evenly; all with --long
ENOUGH = 5          # failures after which the rest would tell nothing new
LIMITS = range(3, 41)
SPAN = 3            # seconds: what rt waits for at most, so that none of these waits is long

SLOW = {"read", "write", "poll", "ppoll", "epoll_wait", "epoll_pwait", "waitid", "wait4", "flock", "recvmsg",
        "sendmsg", "connect", "accept4", "openat", "openat2", "nanosleep", "clock_nanosleep", "pread64"}
MAKES_DESCRIPTOR = {"openat", "openat2", "open", "socket", "socketpair", "pidfd_open", "epoll_create1", "signalfd4",
                    "eventfd2", "timerfd_create", "memfd_create", "open_tree", "fsopen", "fsmount", "clone3", "pipe2"}
GROWS = {"write", "pwrite64", "mkdir", "mkdirat", "openat", "symlinkat", "linkat", "renameat", "mount"}
# Those of libc's own start, without which there is no rt to say anything; those that cannot fail, of
# fcntl that with F_GETFD.
LEFT_OUT = {"arch_prctl", "set_tid_address", "set_robust_list", "rseq", "execve", "brk", "fcntl",
            "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "umask", "uname"}


def errors_for(name):
    found = ["EIO", "EPERM", "ENOMEM"]
    if name in MAKES_DESCRIPTOR:
        found += ["EMFILE", "EACCES"]
    if name in SLOW:
        found += ["EINTR"]
    if name in GROWS:
        found += ["ENOSPC"]
    return found


class Step:
    """A verb that is called again and again."""

    def __init__(self, stepper, box, words, whose=()):
        # What the child does behind these is its own life: the gate, and the program.
        self.last = {"create": "sendmsg", "exec": "execve"}.get(words[0]) if whose else None
        self.box, self.rt, self.stepper, self.whose = box, box.rt, stepper, whose
        self.words = [self.rt.path, "--root", self.rt.root, "--timeout", f"{SPAN}s", *words]
        self.report = os.path.join(box.dir, "report")
        self.mounts = host.mountinfo()
        self.failures, self.done = [], 0

    def begin(self, number, error, **streams):
        return subprocess.Popen([self.stepper, *self.whose, self.report, str(number), str(error), "--", *self.words],
                                **streams)

    def call(self, number, error):
        out, err = os.path.join(self.box.dir, "out"), os.path.join(self.box.dir, "err")
        with open(out, "wb") as to, open(err, "wb") as told:
            process = self.begin(number, error, stdin=subprocess.DEVNULL, stdout=to, stderr=told)
            try:
                self.code = process.wait(10 * SPAN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.code = "hangs"
        with open(out, encoding="utf-8", errors="replace") as file:
            self.out = file.read()
        with open(err, encoding="utf-8", errors="replace") as file:
            self.err = file.read()

    def steps(self):
        self.call(0, 0)
        assert self.code == 0, self.err
        with open(self.report, encoding="ascii") as file:
            names = file.read().split()
        if self.last:
            del names[len(names) - names[::-1].index(self.last):]
        calls = [(number, name) for number, name in enumerate(names, 1) if name not in LEFT_OUT]
        every = [(number, name, error) for number, name in calls for error in errors_for(name)]
        if LONG or len(every) <= SAMPLE:
            return every
        return [every[round(i * (len(every) - 1) / (SAMPLE - 1))] for i in range(SAMPLE)]

    def run(self, check, before=lambda: None):
        """check (): what is wrong now, in words; before () makes what the verb needs."""
        before()
        todo = self.steps()
        wrong = check()
        assert not wrong, wrong
        for number, name, error in todo:
            before()
            self.call(number, getattr(errno, error))
            wrong = check()
            if self.code != 0 and not self.err.strip():
                wrong = f"{wrong}; no text" if wrong else "no text"
            if self.code == "hangs":
                wrong = f"hangs; {wrong}"
            self.done += 1
            if wrong:
                self.failures.append(f"{name} ({number}) {error}: exit {self.code}: {wrong}\n    {self.err.strip()}")
            if len(self.failures) >= (50 if LONG else ENOUGH):
                break
        assert not self.failures, f"{len(self.failures)} of {self.done}\n" + "\n".join(self.failures)
        print(f"{self.done} failures injected")

    # ---- what is the case

    def gone(self):
        """After delete --force nothing may be left."""
        told = self.rt.call("delete", "--force", self.box.id)
        found = [f"delete --force: {told.err}"] if told.code else []
        found += leftovers(self.rt, [self.box.id], self.mounts)
        if found:
            host.reap_all()
            remove_by_force(self.rt, [self.box.id], [self.box.id])
        self.box.exists = False
        return "; ".join(found)

    def status(self):
        told = self.rt.call("state", self.box.id)
        return json.loads(told.out)["status"] if told.code == 0 else None


class FewDescriptors(Step):
    """The same under each small limit on descriptors; for `children` one that rt may raise."""

    def begin(self, number, error, **streams):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = (number, most if self.whose else number) if number else (most, most)
        return subprocess.Popen(self.words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
                                **streams)

    def steps(self):
        self.call(0, 0)
        assert self.code == 0, self.err
        return [(number, "RLIMIT_NOFILE", "EMFILE") for number in LIMITS]


@pytest.fixture(params=[Step, FewDescriptors], ids=["errno", "nofile"])
def stepped(request, new_box, stepper):
    def make(*words, box=None, whose=()):
        box = box or new_box("pause")
        box.save()
        return request.param(stepper, box, [*words[:1], *(word.replace("BUNDLE", box.dir).replace("ID", box.id)
                                                          for word in words[1:])], whose)
    return make


def bring(step, status):
    """The container in this state, whatever it was."""
    box = step.box
    if step.status() == status:
        return
    step.rt.call("delete", "--force", box.id)
    host.reap_all()
    assert step.rt.call("create", "-b", box.dir, box.id).code == 0
    box.exists = True
    if status != "created":
        assert step.rt.call("start", box.id).code == 0
    if status == "paused":
        assert step.rt.call("pause", box.id).code == 0
    if status == "stopped":
        assert step.rt.call("kill", box.id, "KILL").code == 0
        host.reap_all()


@pytest.mark.rows("VRB-14", "VRB-16")
@pytest.mark.parametrize("status", ["created", "running", "paused", "stopped"])
@pytest.mark.parametrize("verb", ["state", "list"])
def test_what_is_said_is_true(stepped, verb, status):
    step = stepped("state", "ID") if verb == "state" else stepped("list", "-f", "json")
    bring(step, status)

    def check():
        if step.code != 0:
            return ""
        told = json.loads(step.out or "null")
        rows = [told] if verb == "state" else told or []
        found = [(row["id"], row["status"], row["pid"] > 0) for row in rows]
        return "" if found == [(step.box.id, status, status != "stopped")] else f"says {found}"

    step.run(check)


@pytest.mark.parametrize("verb, before, after", [("pause", "running", "paused"), ("resume", "paused", "running"),
                                                 ("start", "created", "running")])
def test_a_change_is_made_or_an_error(stepped, verb, before, after):
    step = stepped(verb, "ID")

    def check():
        now = step.status()
        if step.code == 0:
            return "" if now == after else f"is {now}"
        allowed = {"start": ("created", "stopped"), "pause": ("running",), "resume": ("running", "paused")}[verb]
        return "" if now in allowed else f"is {now} after an error"

    step.run(check, lambda: bring(step, before))


@pytest.mark.parametrize("flags", [(), ("--all",)], ids=["init", "all"])
def test_kill_reaches_it_or_says_why_not(stepped, flags):
    step = stepped("kill", *flags, "ID", "KILL")

    def check():
        if step.code == 0:
            host.reap_all()
        now = step.status()
        return f"is {now}" if now not in ("stopped", "running") or (step.code == 0 and now != "stopped") else ""

    step.run(check, lambda: bring(step, "running"))


@pytest.mark.rows("VRB-23")
@pytest.mark.parametrize("flags, before", [((), "stopped"), (("--force",), "running")], ids=["stopped", "force"])
def test_delete_leaves_nothing_or_says_what(stepped, flags, before):
    step = stepped("delete", *flags, "ID")

    def check():
        left = leftovers(step.rt, [step.box.id], step.mounts) if step.code == 0 else []
        return "; ".join([*left, *filter(None, [step.gone()])])

    step.run(check, lambda: bring(step, before))


@pytest.mark.parametrize("whose", [(), ("children",)], ids=["parent", "child"])
def test_create_is_whole_or_nothing(stepped, whose):
    step = stepped("create", "--bundle", "BUNDLE", "ID", whose=whose)

    def check():
        now, left = step.status(), ""
        if step.code == 0 and now != "created":
            left = f"is {now}"
        if step.code != 0:
            left = "; ".join(leftovers(step.rt, [step.box.id], step.mounts))
        return "; ".join(filter(None, [left, step.gone()]))

    step.run(check)


@pytest.mark.parametrize("whose", [(), ("children",)], ids=["parent", "child"])
def test_exec_is_done_or_an_error(stepped, whose):
    step = stepped("exec", "ID", "/bin/probe", "echo", "done", whose=whose)
    bring(step, "running")
    init = step.rt.state(step.box.id)["pid"]

    def check():
        done = "done" in step.out
        wrong = "said nothing" if step.code == 0 and not done else ""
        inside = json.loads(step.rt.call("ps", "-f", "json", step.box.id).out)
        return wrong or ("" if inside == [init] else f"left in it: {inside}")

    step.run(check)


def test_run_does_all_or_undoes_it(stepped, new_box):
    """Also what fails once the container runs, and rt only has to wait for it."""
    step = stepped("run", "--bundle", "BUNDLE", "ID", box=new_box("echo done"))

    def check():
        if step.code == 0:
            wrong = [] if "done" in step.out else ["said nothing"]
            wrong += leftovers(step.rt, [step.box.id], step.mounts)
        else:       # what it could not remove is named, and stands still
            now = step.status()
            wrong = [f"is {now}"] if now not in (None, "stopped") else []
        return "; ".join(filter(None, [*wrong, step.gone()]))

    step.run(check)
