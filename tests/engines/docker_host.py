# SPDX-License-Identifier: Apache-2.0
"""docker_host: a Docker daemon of the tests' own, started by contrib/engines/docker/try.sh, that ends
with the tests, whatever happens to them."""

import collections
import contextlib
import io
import json
import os
import pty
import select
import shutil
import subprocess
import tarfile
import tempfile
import termios
import time

import pytest

import host

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRY = os.path.join(TOP, "contrib", "engines", "docker", "try.sh")
# Debian's docker comes before others that a machine may have.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
if os.environ.get("RT_TEST_CRIU"):
    PATH = os.path.dirname(os.environ["RT_TEST_CRIU"]) + ":" + PATH
IMAGE = "busybox"
SLEEP = ("sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 1; done")

Told = collections.namedtuple("Told", "code out err")


def runtime():
    return os.path.realpath(os.environ.get("RT") or os.path.join(TOP, "build", "rt"))


def missing():
    """Why there can be no daemon on this machine, or None."""
    for program in ("dockerd", "docker", "iptables", "busybox", "nsenter"):
        if not shutil.which(program, path=PATH):
            return f"{program} is not installed"
    return None


def busybox_image():
    """A tar of a root file system: Debian's static busybox and its names."""
    program = shutil.which("busybox", path=PATH)
    names = subprocess.run([program, "--list"], stdout=subprocess.PIPE, check=True, text=True).stdout
    files = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\nworker:x:1000:1000::/:/bin/sh\n",
             "etc/group": "root:x:0:\nworker:x:1000:\nextra:x:2000:worker\n",
             "data/kept": "of the image\n"}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, mode in (("bin", 0o755), ("etc", 0o755), ("data", 0o755), ("tmp", 0o1777)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
        tar.add(program, "bin/busybox")
        for name in set(names.split()) - {"busybox"}:
            entry = tarfile.TarInfo("bin/" + name)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return data.getvalue()


def executable(path, flags):
    return os.open(path, flags, 0o755)


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        child, = file.read().split()
    return int(child)


class Terminal:
    """A program on a terminal of its own, as a person has it."""

    def __init__(self, argv, env, rows=24, columns=80):
        self.outside, inside = pty.openpty()
        termios.tcsetwinsize(inside, (rows, columns))
        self.process = subprocess.Popen(argv, env=env, stdin=inside, stdout=inside, stderr=inside,
                                        start_new_session=True)
        os.close(inside)
        self.seen = ""

    def type(self, text):
        os.write(self.outside, text.encode())

    def expect(self, text, timeout=30):
        """Reads until the text has come; what was read before it is returned."""
        end = time.monotonic() + timeout
        while text not in self.seen:
            assert select.select([self.outside], [], [], max(0, end - time.monotonic()))[0], self.seen
            try:
                self.seen += os.read(self.outside, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended before {text!r}: {self.seen!r}") from None
        before, _, self.seen = self.seen.partition(text)
        return before

    def end(self):
        code = self.process.wait(30)
        os.close(self.outside)
        return code


class Docker:
    """The daemon, and its client: docker ("run", ...) is the standard output of one that succeeds."""

    def __init__(self, rt, *daemon_options):
        self.rt, self.again, self.daemon_argv = rt, None, None
        self.data = tempfile.mkdtemp(prefix="rt-docker-test.")
        os.chmod(self.data, 0o711)    # --userns-remap: ids without privilege must pass
        self.env = dict(os.environ, PATH=PATH, RT=rt, DOCKER_HOST=f"unix://{self.data}/docker.sock",
                        DOCKER_CONFIG=f"{self.data}/client", DOCKER_BUILDKIT="0")
        # BuildKit takes the first runc in the daemon's PATH; this one tells of each call.
        os.mkdir(self.data + "/bin")
        with open(self.data + "/bin/runc", "w", encoding="ascii", opener=executable) as file:
            file.write(f'#!/bin/sh\necho "$*" >>{self.data}/runc.log\nexec {rt} "$@"\n')
        self.env["PATH"] = f"{self.data}/bin:{PATH}"
        options = [word for option in daemon_options for word in ("--daemon-option", option)]
        self.process = subprocess.Popen([TRY, "--data", self.data] + options +
                                        ["sh", "-c", "echo up; exec cat"], env=self.env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"up\n":
            self.close()
            raise AssertionError("the daemon did not start")
        # try.sh, unshare, and the first process of the daemon's namespaces.
        self.first = only_child(only_child(self.process.pid))
        self.cgroup = f"/rt-docker-{self.process.pid}"
        self("import", "-", IMAGE, stdin=busybox_image())

    def close(self, code=0):
        """Ends the daemon and what it runs; `code`: what try.sh then ends with."""
        try:
            self.process.stdin.close()
            told = self.process.wait(60)
        finally:
            self.process.kill()
            if self.again:
                self.again.wait(60)
            shutil.rmtree(self.data, ignore_errors=True)
        assert told == code, "try.sh failed"

    def tell(self, *words, stdin=None, env=None):
        """(code, standard output, standard error) of a client."""
        ran = subprocess.run(["docker", *words], env=dict(self.env, **(env or {})), input=stdin, timeout=60, check=False,
                             **({} if stdin is not None else {"stdin": subprocess.DEVNULL}),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Told(ran.returncode, ran.stdout.decode(errors="replace"),
                    ran.stderr.decode(errors="replace"))

    def __call__(self, *words, stdin=None, env=None):
        told = self.tell(*words, stdin=stdin, env=env)
        assert told.code == 0, f"docker {' '.join(words)}\n{told!r}"
        return told.out.rstrip("\n")

    def run(self, *words, stdin=None):
        """Options before IMAGE's place, then `--`, then the command."""
        place = words.index("--")
        return self("run", "--rm", *words[:place], IMAGE, *words[place + 1:], stdin=stdin)

    def start(self, *words):
        """A container that stays: its id."""
        place = words.index("--")
        return self("run", "--detach", *words[:place], IMAGE, *words[place + 1:])

    def terminal(self, *words):
        return Terminal(["docker", *words], self.env)

    def inspect(self, container):
        return json.loads(self("inspect", container))[0]

    def state(self, container):
        return self.inspect(container)["State"]

    def until(self, container, condition, what):
        host.until(lambda: condition(self.state(container)), f"{what}: {self.state(container)}")

    def until_up(self, *containers):
        """SLEEP and others that say so: from now on they heed a signal."""
        for container in containers:
            host.until(lambda each=container: self.tell("logs", each).out.startswith("up"), f"{container} is up")

    def here(self, *argv):
        """A command where the daemon lives: its mounts, networks and processes."""
        ran = subprocess.run(["nsenter", "-t", str(self.first), "-m", "-n", "-p", "--", *argv],
                             env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=60, check=False, text=True)
        assert ran.returncode == 0, f"{argv}: {ran.stdout}"
        return ran.stdout

    def kill_daemon(self):
        """The daemon and its containerd, not the shims."""
        pid = self.here("cat", "/run/docker.pid").strip()
        self.daemon_argv = self.here("cat", f"/proc/{pid}/cmdline").split("\0")[:-1]
        self.here("kill", "-KILL", pid)
        host.until(lambda: "dockerd" not in self.here("ps", "-A", "-o", "comm").split(), "dockerd is dead")

    def start_daemon_again(self):
        with open(self.data + "/dockerd-again.log", "wb") as log:
            argv = ["nsenter", "-t", str(self.first), "-m", "-n", "-p", "--", *self.daemon_argv]
            self.again = subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log)
        host.until(lambda: self.tell("version").code == 0, "dockerd is back", 30)

    def state_root(self):
        """Where containerd's shim lets the runtime keep its records."""
        return self.here("sh", "-c", "echo /run/docker/runtime-*/moby").strip()

    def list(self):
        """{id: line} of rt's own list; there is no root of states before the first container."""
        if self.here("sh", "-c", "ls -A /run/docker | grep runtime- || true") == "":
            return {}
        told = self.here(self.rt, "--root", self.state_root(), "list", "--format", "json")
        return {line["id"]: line for line in json.loads(told) or []}

    def clean(self):
        """What a test made, and that the runtime knows of none of it afterwards."""
        for container in self("ps", "--all", "--quiet").split():
            self("rm", "--force", "--volumes", container)
        self("volume", "prune", "--force")
        self("network", "prune", "--force")
        assert self.list() == {}


def limit(docker, container, controller, v1_file, v2_file):
    """A file of the container's cgroup, as the host has it."""
    cgroups = host.Cgroups()
    name, side = ((v2_file, cgroups.v2) if cgroups.is_v2(controller)
                  else (v1_file, cgroups.v1[controller]))
    with open(f"{side}{docker.cgroup}/{container}/{name}", encoding="ascii") as file:
        return file.read().strip()


@contextlib.contextmanager
def daemon(*options):
    why = missing()
    if why:
        pytest.skip(why)
    made = Docker(runtime(), *options)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def docker_daemon():
    with daemon() as made:
        yield made


@pytest.fixture
def docker(docker_daemon):
    yield docker_daemon
    docker_daemon.clean()
