# SPDX-License-Identifier: Apache-2.0
"""containerd: the daemon with rt as its runtime, below one directory, and what the tests ask it.

It runs in a mount, network and pid namespace of its own: sockets, data and the places that are fixed
in it (/run/containerd, /run/netns) are the tests' own, and nothing of it outlives the tests. Cgroups
are the machine's; those have names of their own, and each test looks whether any is left."""

import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import compiled
import host
import oci_archive
from bundle import Told
from fixtures import runtime_path

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIG = os.path.join(TOP, "contrib", "engines", "containerd", "config.toml")
BUSYBOX, WORKER, PAUSE = (f"docker.io/library/{name}:latest" for name in ("busybox", "worker", "pause"))
PLUGINS = "/usr/lib/cni"
NEEDED = ("containerd", "ctr", "containerd-shim-runc-v2", "busybox", "unshare", "nsenter", "setpriv")

# As the first process of a pid namespace a shell reaps what shims leave, as a machine's init does; and
# as there, a daemon that ends is started again.
FIRST = """
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && mkdir -p /run/netns &&
ip link set lo up || exit
until [ -e "$1/stop" ]; do containerd --config "$1/config.toml" >>"$1/log" 2>&1; done
"""

# Whoever calls runc has not understood what was asked for.
TRAP = """#!/bin/sh
echo "$0 $*" >>{calls}
exit 99
"""

SETTINGS = """version = 2
root = "{root}/data"
state = "{root}/run"
[grpc]
  address = "{root}/socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{plugins}"
  conf_dir = "{root}/net.d"
"""

NETWORK = {
    "cniVersion": "0.4.0", "name": "pods",
    "plugins": [{
        "type": "bridge", "bridge": "pods0", "isGateway": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}]],
                 "routes": [{"dst": "0.0.0.0/0"}]},
    }],
}


def missing():
    """Why there can be no daemon here, or None."""
    absent = [name for name in NEEDED if not shutil.which(name)]
    return f"not installed: {' '.join(absent)}" if absent else None


def _written(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def descendants(pid):
    """All processes below a process. (/proc/PID/task/*/children may leave one out when another ends.)"""
    below = {}
    for each in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            below.setdefault(host.parent(each), []).append(int(each))
    found = list(below.get(pid, []))
    for each in found:
        found += below.get(each, [])
    return found


def command_line(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1]
    return []


def settings(root, runtime):
    """The daemon's configuration: what people copy from contrib, and the places of the tests."""
    mine = SETTINGS.format(root=root, pause=PAUSE, plugins=PLUGINS)
    copied = _read(CONFIG).replace("version = 2\n", "").replace("/usr/local/sbin/rt", runtime)
    return mine + copied.replace("SystemdCgroup = true", "SystemdCgroup = false")


class Containerd:
    """The daemon. `tag` is in the name of each cgroup that it makes."""

    def __init__(self, directory, runtime, cgroups):
        self.root, self.runtime, self.cgroups = directory, runtime, cgroups
        self.tag = f"rt-ctrd-{os.getpid()}"
        self.socket, self.calls = f"{directory}/socket", f"{directory}/runc-was-called"
        self.log = f"{directory}/log"
        for name in ("bin", "net.d"):
            os.mkdir(f"{directory}/{name}")
        _written(f"{directory}/bin/runc", TRAP.format(calls=self.calls), 0o755)
        _written(f"{directory}/net.d/10-pods.conflist", json.dumps(NETWORK))
        _written(f"{directory}/config.toml", settings(directory, runtime))
        self.outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork",
             "--kill-child", "--mount-proc", "--propagation", "slave", "sh", "-c", FIRST, "sh", directory],
            env={**os.environ, "PATH": f"{directory}/bin:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            host.until(self._serves, "containerd serves", 60)
            self._images()
        except BaseException:
            self.stop()
            raise
        self.mounts = self._mounts()

    def _serves(self):
        if self.outer.poll() is not None:
            raise AssertionError(f"the daemon's namespaces: exit {self.outer.returncode}")
        return os.path.exists(self.socket) and self.ctr("version", code=None).code == 0

    def _images(self):
        pause = compiled.program("pause", [os.path.join(TOP, "tests", "tools", "pause.c")])
        tree = oci_archive.busybox_tree()
        for name, layer, config in (
                (BUSYBOX, tree, {"Cmd": ["sh"]}),
                (WORKER, tree, {"Cmd": ["id"], "User": "worker"}),
                (PAUSE, oci_archive.program_tree("pause", pause), {"Entrypoint": ["/pause"]})):
            archive = f"{self.root}/image.tar"
            oci_archive.write(archive, name, layer, **config)
            for namespace in (self.tag, "k8s.io"):
                self.ctr("images", "import", archive, namespace=namespace)
            os.unlink(archive)

    @property
    def first(self):
        """The first process of the daemon's pid namespace, by the machine's numbers."""
        child, = _read(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").split()
        return int(child)

    def inside(self, *argv):
        """A command in the daemon's namespaces."""
        return ["nsenter", "-t", str(self.first), "-m", "-n", "-p", "--", *map(str, argv)]

    def command(self, *args, namespace=None):
        return self.inside("ctr", "-a", self.socket, "-n", namespace or self.tag, *args)

    def call(self, argv, code=0, timeout=60, **options):
        """Runs it to its end, which must be `code` (None: any)."""
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              start_new_session=True,
                              **({"stdin": subprocess.DEVNULL} | options)) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        told = Told(process.returncode, out, err)
        assert code is None or told.code == code, f"{argv}: {told!r}"
        return told

    def ctr(self, *args, namespace=None, **options):
        return self.call(self.command(*args, namespace=namespace), **options)

    def rt(self, *args, namespace=None, **options):
        """The runtime itself, as the shim calls it, on the state of that namespace's containers."""
        root = f"/run/containerd/runc/{namespace or self.tag}"
        return self.call(self.inside(self.runtime, "--root", root, *args), **options)

    def path(self, inside):
        """How we see a file of the daemon's mount namespace."""
        return f"/proc/{self.first}/root{inside}"

    # ---- the daemon itself

    def pids(self, name):
        """The processes of that program that are in the daemon's pid namespace, by our numbers."""
        return [pid for pid in descendants(self.first)
                if os.path.basename((command_line(pid) or ["?"])[0]) == name]

    def outside(self, inner):
        """Our number of a process that has this number in the daemon's pid namespace."""
        for pid in descendants(self.first):
            with contextlib.suppress(OSError):
                numbers = next(line for line in _read(f"/proc/{pid}/status").splitlines()
                               if line.startswith("NSpid:")).split()
                if numbers[numbers.index(str(pid)) + 1] == str(inner):
                    return pid
        raise AssertionError(f"no process {inner} in the daemon's pid namespace")

    def restart(self):
        daemon, = self.pids("containerd")
        os.kill(daemon, signal.SIGTERM)
        host.wait_dead(daemon)
        host.until(lambda: self.pids("containerd") not in ([], [daemon]) and self._serves(),
                   "containerd serves again", 60)

    # ---- what may be left

    def _mounts(self):
        return [line[4] for line in host.mountinfo(f"/proc/{self.first}/mountinfo")]

    def leftovers(self):
        """What there is beyond the daemon itself, in words."""
        found = [f"process {pid}: {command_line(pid)}"
                 for pid in set(descendants(self.first)) - set(self.pids("containerd"))]
        found += [f"mount {place}" for place in self._mounts() if place not in self.mounts]
        for top in self.tops():
            found += [f"cgroup {path}" for path, _, _ in os.walk(top) if path != top]
        found += [f"state {path}" for path in glob.glob(self.path("/run/containerd/runc/*/*"))]
        found += [f"network namespace {name}" for name in os.listdir(self.path("/run/netns"))]
        if os.path.exists(self.calls):
            found.append(f"runc was called: {_read(self.calls)}")
            os.unlink(self.calls)
        return found

    def tops(self):
        """The cgroups that hold all of the containers' cgroups."""
        return [path for root in self.cgroups.roots
                for path in (os.path.join(root, self.tag),) if os.path.isdir(path)]

    def nothing_left(self):
        """What ends does so a little after the engine has said so."""
        end = time.monotonic() + host.PATIENCE
        while (left := self.leftovers()) and time.monotonic() < end:
            time.sleep(0.02)
        assert not left, "left behind:\n" + "\n".join(left)

    def stop(self):
        """Ends the daemon, with which its namespaces and all in them go. The cgroups above the
        containers' are left by engines for their owner, who we are."""
        _written(f"{self.root}/stop", "")
        if self.outer.poll() is None:
            for pid in self.pids("containerd"):
                os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):    # a client that a failed test left
            self.outer.wait(10)
        self.outer.kill()
        self.outer.wait()
        for top in self.tops():
            for path, _, _ in os.walk(top, topdown=False):
                host.until(lambda path=path: host.removed(path), f"rmdir {path}", 5)


@pytest.fixture(scope="session")
def containerd(area, cgroups):
    """The daemon with the rt under test, for all tests of the session."""
    if reason := missing():
        pytest.skip(f"containerd: {reason}")
    directory = tempfile.mkdtemp(prefix="containerd-", dir=area)
    daemon = Containerd(directory, runtime_path(), cgroups)
    yield daemon
    daemon.stop()
    shutil.rmtree(directory)
