# SPDX-License-Identifier: Apache-2.0
"""What is measured: floor (floor.c), and the runtimes beside it."""

import os
import subprocess
import sys
import tempfile
import time

import host

HERE = os.path.dirname(os.path.abspath(__file__))
NULL = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]
VERBS = ("create", "start", "kill", "delete")


class Broken(Exception):
    """A program cannot do what is measured."""


def spawn(argv, environ=os.environ):
    return os.posix_spawn(argv[0], argv, environ, file_actions=NULL)


def finish(pid, argv):
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise Broken(f"{' '.join(argv)}: exit {status}")


def timed(argv, environ=os.environ):
    """One program from start to end, in nanoseconds."""
    begin = time.monotonic_ns()
    finish(spawn(argv, environ), argv)
    return time.monotonic_ns() - begin


def compiled(work, name, *flags):
    path = os.path.join(work, name + (".so" if "-shared" in flags else ""))
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", *flags, "-o", path,
                    os.path.join(HERE, name + ".c")], check=True)
    return path


class Program:
    """Both kinds: run () and the verbs, each a command line."""

    def __init__(self, name, path, work):
        self.name, self.path, self.work = name, path, work
        self.environ = dict(os.environ)
        self.pid_file = os.path.join(work, "pid-" + name)

    def pid(self):
        with open(self.pid_file, encoding="ascii") as file:
            return int(file.read())

    def do(self, verb, bundle, tag=""):
        return timed(self.argv(verb, bundle, tag), self.environ)

    def end(self, tag=""):
        """Of a container that runs: the times of kill and delete."""
        killed = self.do("kill", None, tag)
        os.waitpid(self.pid(), 0)
        return {"kill": killed, "delete": self.do("delete", None, tag)}

    def lifecycle(self, bundle):
        begin = time.monotonic_ns()
        took = {verb: self.do(verb, bundle) for verb in ("create", "start")}
        took.update(self.end())
        took["commands"] = time.monotonic_ns() - begin
        return took


class Floor(Program):
    version = "floor.c"

    def __init__(self, work):
        super().__init__("floor", compiled(work, "floor", "-static"), work)
        self.gate = os.path.join(work, "gate")

    def argv(self, verb, bundle, tag=""):
        cgroup = f"{host.CGROUP}/{host.PREFIX}floor{tag}"
        rootfs = os.path.join(bundle, "rootfs") if bundle else ""
        pid = str(self.pid()) if verb in ("kill", "exec") else ""
        return (self.path, *{
            "run": ("run", rootfs, cgroup),
            "create": ("create", rootfs, self.gate, self.pid_file, cgroup),
            "start": ("start", self.gate), "kill": ("kill", pid), "delete": ("delete", self.gate, cgroup),
            "exec": ("exec", pid, cgroup), "state": ("empty",)}[verb])

    def probe(self, _bundle):
        return None

    def lifecycle(self, bundle):
        """Beside a run too: nothing less makes the same container."""
        took = super().lifecycle(bundle)
        took["lifecycle"] = self.do("run", bundle)
        return took


class Runtime(Program):
    def __init__(self, name, path, work):
        super().__init__(name, path, work)
        self.root = os.path.join(work, "state-" + name)
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        self.version = told.stdout.splitlines()[0] if told.stdout else "?"
        if name == "crun" and not host.may_raise_memlock():
            self.environ["LD_PRELOAD"] = compiled(work, "memlock", "-shared", "-fPIC")

    def id(self, tag=""):
        return f"{host.PREFIX}{self.name}{tag}"

    def words(self, *words):
        return (self.path, "--root", self.root, *words)

    def argv(self, verb, bundle, tag=""):
        name = self.id(tag)
        return self.words(*{
            "run": ("run", "--bundle", bundle, name),
            "create": ("create", "--bundle", bundle, "--pid-file", self.pid_file, name),
            "start": ("start", name), "kill": ("kill", name, "KILL"), "delete": ("delete", name),
            "exec": ("exec", name, "/bin/true"), "state": ("state", name)}[verb])

    def lifecycle(self, bundle):
        took = super().lifecycle(bundle)
        took["lifecycle"] = took["commands"]
        return took

    def said(self, *words):
        """(exit status, what it says on both outputs)."""
        with tempfile.TemporaryFile() as file:
            done = subprocess.run(self.words(*words), env=self.environ, stdin=subprocess.DEVNULL,
                                  stdout=file, stderr=file, check=False, timeout=20)
            file.seek(0)
            return done.returncode, file.read().decode(errors="replace")

    def probe(self, bundle):
        """Why this program cannot run the bundle here, or None."""
        status, said = self.said("run", "--bundle", bundle, self.id())
        if status == 0:
            return None
        self.said("delete", "--force", self.id())
        return (said.strip().splitlines() or [f"exit {status}"])[-1]


def find(options, work):
    found = [Floor(work)]
    for name, path in (("rt", options.rt), ("rt-glibc", options.rt_glibc), ("crun", options.crun),
                       ("runc", options.runc)):
        if path and os.access(path, os.X_OK):
            found.append(Runtime(name, os.path.abspath(path), work))
        elif path != "":
            print(f"bench: no {name}" + (f" at {path}" if path else ""), file=sys.stderr)
    return found


def able(every, bundle, what):
    """Those that can run the bundle; the others are named."""
    found = []
    for each in every:
        reason = each.probe(bundle)
        if reason:
            print(f"bench: {each.name} cannot run '{what}' here: {reason}", file=sys.stderr)
        else:
            found.append(each)
    return found
