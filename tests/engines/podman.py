# SPDX-License-Identifier: Apache-2.0
"""podman: the packaged Podman with rt by contrib/engines/podman/containers.conf, as docs/engines.md
tells people to install it. It runs in a mount and a network namespace of its own, with storage on a
tmpfs: the machine's containers, networks and firewall are neither seen nor touched. Only cgroups lie on
the machine, and `leftovers` tells of those."""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time

import pytest

import host
from bundle import Told
from fixtures import CGROUPS, TOP, runtime_path

CONF = os.path.join(TOP, "contrib", "engines", "podman", "containers.conf")
APPLETS = ("sh cat cp cut dd df echo env false grep hostname httpd id ip kill ln ls mkdir mkfifo mount nc printf ps pwd "
           "readlink rm seq sleep stat stty sync tail test touch true tty wget yes").split()
USER, UID = "rt-test-user", 5000
FIRST, COUNT = 500000, 65536
# Podman's own defaults are above what a host without CAP_SYS_RESOURCE lets anybody set.
LIMITS = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'

# {dir} is the engine's directory. /etc/containers is a copy with our drop-in, and the user exists here.
ENTER = """
set -e
for place in /run /dev/shm /var/cache /var/lib /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$place"; done
mkdir -p /run/netns /run/lock /var/lib/cni
mount --bind /run/netns /run/netns
mount --make-shared /run/netns
cp -a /etc/containers {dir}/etc-containers
mkdir -p {dir}/etc-containers/containers.conf.d
cp {dir}/*.conf {dir}/etc-containers/containers.conf.d
mount --bind {dir}/etc-containers /etc/containers
for file in passwd group subuid subgid; do mount --bind "{dir}/$file" "/etc/$file"; done
if [ -e /dev/net/tun ]; then
    mknod -m 666 {dir}/tun c 10 200
    mount --bind {dir}/tun /dev/net/tun
fi
ip link set lo up
echo ready
exec sleep infinity
"""


def require(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def make_tree(tree):
    """The smallest image: busybox and a user data base."""
    for name in ("bin", "etc", "tmp", "data"):
        os.makedirs(os.path.join(tree, name))
    shutil.copy(shutil.which("busybox"), os.path.join(tree, "bin", "busybox"))
    for applet in APPLETS:
        os.symlink("busybox", os.path.join(tree, "bin", applet))
    write(os.path.join(tree, "etc", "passwd"),
          "root:x:0:0:root:/:/bin/sh\nworker:x:1000:1000::/:/bin/sh\n")
    write(os.path.join(tree, "etc", "group"), "root:x:0:\nworker:x:1000:\nextra:x:2000:worker\n")
    os.chmod(os.path.join(tree, "tmp"), 0o1777)
    return tree


class Place:
    """The namespaces, and a process that keeps them: it ends with us."""

    def __init__(self, directory):
        self.dir = directory
        os.mkdir(directory)
        os.mkdir(f"{directory}/bin")
        # The build may lie where an ordinary user cannot go.
        self.runtime = shutil.copy(runtime_path(), f"{directory}/bin/rt")
        conf = read(CONF)
        paths = 'rt = ["/usr/local/sbin/rt", "/usr/local/bin/rt", "/usr/sbin/rt", "/usr/bin/rt"]'
        assert conf.count(paths) == 1
        write(f"{directory}/50-rt.conf", conf.replace(paths, f'rt = ["{self.runtime}"]') + "\n")
        write(f"{directory}/60-limits.conf", LIMITS)
        if os.environ.get("RT_TEST_CRIU"):      # where a host has it, Podman's own PATH for conmon finds it
            write(f"{directory}/70-path.conf", f'[engine]\nconmon_env_vars = ["PATH={os.environ["PATH"]}"]\n')
        write(f"{directory}/passwd", read("/etc/passwd") +
              f"\n{USER}:x:{UID}:{UID}::{directory}/user:/bin/sh\n")
        write(f"{directory}/group", read("/etc/group") + f"\n{USER}:x:{UID}:\n")
        for name in ("subuid", "subgid"):
            write(f"{directory}/{name}", f"{USER}:{FIRST}:{COUNT}\n")
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "sh", "-c",
             ENTER.format(dir=directory)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert self.holder.stdout.readline() == b"ready\n"

    def enter(self, user=False):
        """The words that run a command there."""
        ids = ["--setuid", str(UID), "--setgid", str(UID)] if user else []
        return ["nsenter", "--target", str(self.holder.pid), "--mount", "--net",
                f"--wdns={self.dir}", *ids]

    def inside(self, path):
        """A path there, as seen from here."""
        return f"/proc/{self.holder.pid}/root{path}"

    def mounts(self):
        """Mount points that neither the namespaces nor podman's own store explain."""
        return [line[4] for line in host.mountinfo(f"/proc/{self.holder.pid}/mountinfo")]

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, argv, env, rows=24, columns=80):
        self.outer, inner = pty.openpty()
        termios.tcsetwinsize(self.outer, (rows, columns))
        self.out = ""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv], env=env, stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.outer, (rows, columns))

    def send(self, text):
        os.write(self.outer, text.encode())

    def expect(self, word, timeout=30):
        """Reads until the word has come (None: to the end); returns all since the last word."""
        end = time.monotonic() + timeout
        while word is None or word not in self.out:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.outer], [], [], left)[0]:
                raise AssertionError(f"no {word!r} in {self.out!r}")
            try:
                chunk = os.read(self.outer, 65536)
            except OSError:     # EIO: nobody has it open any more
                chunk = b""
            if not chunk and word is None:
                break
            assert chunk, f"the end, and no {word!r} in {self.out!r}"
            self.out += chunk.decode().replace("\r\n", "\n")
        at = len(self.out) if word is None else self.out.index(word) + len(word)
        found, self.out = self.out[:at], self.out[at:]
        return found

    def wait(self):
        """The exit code, after all output."""
        self.expect(None)
        return self.process.wait(30)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.outer)


class Engine:
    """A program of the family, as root or as the user, by its own options."""

    def __init__(self, place, program, options, user=False):
        self.place, self.user, self.options = place, user, [program, *options]
        self.home = f"{place.dir}/{'user' if user else 'root'}"
        self.env = {"PATH": os.environ["PATH"], "HOME": self.home, "LANG": "C.UTF-8",
                    "TMPDIR": "/var/tmp", "TERM": "dumb"}
        if user:
            self.env |= {"XDG_RUNTIME_DIR": f"/run/user-{UID}", "USER": USER}

    def argv(self, *args):
        return [*self.place.enter(self.user), *self.options, *args]

    def call(self, *args, code=0, text=None, timeout=60, env=None):
        """Told; `code` None: any."""
        given = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
        done = subprocess.run(self.argv(*args), env=self.env | (env or {}), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              **given)
        told = Told(done.returncode, done.stdout, done.stderr)
        assert code in (None, told.code), f"{args}: {told!r}"
        return told

    def out(self, *args, **options):
        return self.call(*args, **options).out.strip()

    def start(self, *args, **options):
        """Not waited for: a Popen."""
        return subprocess.Popen(self.argv(*args), env=self.env, text=True, **options)

    @contextlib.contextmanager
    def terminal(self, *args, **options):
        made = Terminal(self.argv(*args), self.env, **options)
        try:
            yield made
        finally:
            made.close()


class Podman(Engine):
    """Podman with an image `box`."""

    def __init__(self, place, user=False):
        base = f"{place.dir}/{'user' if user else 'root'}"
        run = f"/run/user-{UID}" if user else "/run/podman"
        super().__init__(place, "podman", [
            "--root", f"{base}/storage", "--runroot", f"{run}/storage", "--tmpdir", f"{run}/tmp",
            "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
            "--network-config-dir", f"{base}/networks"], user)
        for path in (base, place.inside(run)):
            os.mkdir(path)
            if user:
                os.chown(path, UID, UID)
        tree = make_tree(f"{base}/tree")
        archive = f"{base}/box.tar"
        subprocess.run(["tar", "-C", tree, "--owner=0", "--group=0", "-cf", archive, "."], check=True)
        self.tree, self.ids = tree, []
        self.call("import", "--quiet", "--change", "ENV PATH=/bin", archive, "box")

    def run(self, *args, code=0, **options):
        """`run --rm` without a network."""
        return self.call("run", "--rm", "--network", "none", *args, code=code, **options)

    def up(self, *args, name="one", network="none"):
        """A container in the background; its id."""
        self.ids.append(self.out("run", "--detach", "--name", name, "--network", network, *args))
        return self.ids[-1]

    def inspect(self, name="one"):
        return json.loads(self.out("container", "inspect", name))[0]

    def state(self, name="one"):
        return self.inspect(name)["State"]

    def pid(self, name="one"):
        return self.state(name)["Pid"]

    def running(self, name="one"):
        return self.out("container", "inspect", "--format", "{{.State.Status}}", name) == "running"

    def logs(self, name="one"):
        return self.call("logs", name).out

    def until_logged(self, word, name="one"):
        """Follows the log until the word has come."""
        with self.start("logs", "--follow", name, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                        stderr=subprocess.STDOUT) as process:
            try:
                told = ""
                for line in process.stdout:
                    told += line
                    if word in line:
                        return told
                raise AssertionError(f"no {word!r} in the log of {name}: {told!r}")
            finally:
                process.kill()

    def kernel_namespace(self, kind, name="one"):
        return os.readlink(f"/proc/{self.pid(name)}/ns/{kind}")

    def clean(self):
        """All but the image goes, by podman's own verbs."""
        self.call("pod", "rm", "--all", "--force", "--time", "0", code=None)
        # Podman takes them in no order, and fails where one is needed by the next.
        for code in (None, 0):
            self.call("rm", "--all", "--force", "--time", "0", "--volumes", code=code)
        self.call("volume", "prune", "--force")
        self.call("network", "prune", "--force", code=None)


def processes_left(keep):
    """Children of ours that live on, after the time that conmon takes to end; they are killed."""
    alive = []
    for pid in sorted(set(host.children()) - keep, key=lambda pid: host.stat_state(pid) != "Z"):
        try:
            host.wait_dead(pid, 20)
        except AssertionError:
            alive.append(host.describe(pid))
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return alive + processes_left(keep) if set(host.children()) - keep else alive


def leftovers(podman, mounts, keep):
    """What a test left behind, in words."""
    found = [f"process {each}" for each in processes_left(keep)]
    for name in podman.ids:
        found += [f"cgroup {path}" for path in CGROUPS.dirs(f"libpod-{name}")]
    found += [f"mount {path}" for path in podman.place.mounts() if path not in mounts]
    state = podman.place.inside(f"/run/user-{UID}/rt" if podman.user else "/run/rt")
    if os.path.isdir(state):
        found += [f"state {name}" for name in os.listdir(state)]
    return found


def remove_parents():
    """What podman itself never removes. Another podman of this machine may use it too."""
    for path in sorted(CGROUPS.dirs("conmon") + CGROUPS.dirs("libpod_parent"), key=len, reverse=True):
        if "/libpod_parent" in path:
            with contextlib.suppress(OSError):
                os.rmdir(path)


@pytest.fixture(scope="session")
def podman_place(area):
    require("podman", "conmon", "nsenter", "setpriv")
    made = Place(f"{area}/podman")
    yield made
    made.close()
    remove_parents()


@pytest.fixture(scope="session")
def podman_root(podman_place):
    return Podman(podman_place)


@pytest.fixture(scope="session")
def podman_user(podman_place):
    require("newuidmap")
    made = Podman(podman_place, user=True)
    yield made
    made.call("system", "migrate")     # ends the process that keeps the user namespace


def emptied(engine):
    """The engine for one test, which leaves nothing."""
    mounts, keep = engine.place.mounts(), set(host.children())
    yield engine
    engine.clean()
    found = leftovers(engine, mounts, keep)
    engine.ids.clear()
    assert not found, "left behind:\n" + "\n".join(found)


@pytest.fixture
def podman(podman_root):
    yield from emptied(podman_root)


@pytest.fixture
def rootless(podman_user):
    yield from emptied(podman_user)
