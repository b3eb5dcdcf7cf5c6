# SPDX-License-Identifier: Apache-2.0
"""podman with its systemd cgroup manager on a host whose first process is systemd:

    tests/vm/run-systemd.sh tests/engines/test_podman_systemd.py
"""

import json
import os
import shutil
import subprocess
import tarfile

import pytest

import host
from fixtures import runtime_path

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own,
              pytest.mark.skipif(not shutil.which("podman"), reason="no podman")]
UID = 1000


class Podman:
    """podman with storage of its own, as root or as the user."""

    def __init__(self, directory, user=None):
        self.user, self.directory = user, directory
        self.env = {"PATH": os.environ["PATH"], "HOME": directory, "TMPDIR": directory}
        if user is not None:
            self.env["XDG_RUNTIME_DIR"] = f"/run/user/{user}"
            self.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path=/run/user/{user}/bus"

    def call(self, *args, code=0):
        argv = ["podman", "--root", f"{self.directory}/root", "--runroot", f"{self.directory}/run",
                "--cgroup-manager", "systemd", "--runtime", runtime_path(), *args]
        ids = {} if self.user is None else \
            {"user": self.user, "group": self.user, "extra_groups": []}
        done = subprocess.run(argv, env=self.env, cwd=self.directory, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, **ids)
        assert code in (None, done.returncode), f"{args}: {done.returncode}\n{done.stderr}"
        return done.stdout.strip() + (done.stderr if code is None else "")

    def inspect(self, name):
        return json.loads(self.call("inspect", name))[0]


@pytest.fixture(scope="module", params=["root", "user"])
def podman(request, tmp_path_factory):
    """With an image `box` of busybox alone. Its storage is gone with the machine."""
    directory = f"/var/tmp/podman-{request.param}"
    os.makedirs(directory)
    archive = f"{directory}/box.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for name in ("sh", "cat", "sleep", "true", "kill", "dd", "id"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    if request.param == "user":
        os.chown(directory, UID, UID)
    engine = Podman(directory, UID if request.param == "user" else None)
    engine.call("import", archive, "box")
    yield engine
    engine.call("rm", "--all", "--force", "--time", "0")
    engine.call("pod", "rm", "--all", "--force")


def cgroup_of(podman, name):
    with open(f"/proc/{podman.inspect(name)['State']['Pid']}/cgroup", encoding="ascii") as file:
        return file.read().strip()[3:]


def value(podman, name, file):
    with open(f"/sys/fs/cgroup{cgroup_of(podman, name)}/{file}", encoding="ascii") as found:
        return found.read().strip()


NET = ("--network", "none")


@pytest.mark.rows("CGS-01", "CGS-29", "ENG-25")
def test_run_and_exec(podman):
    """The scope has the name that podman asks for, and conmon's is beside it."""
    podman.call("run", "--detach", "--name", "one", *NET, "box", "sleep", "1000")
    told = podman.inspect("one")
    assert f"libpod-{told['Id']}.scope" in cgroup_of(podman, "one")
    assert podman.call("exec", "one", "id", "-u") == "0"
    podman.call("exec", "one", "sh", "-c", "exit 7", code=7)
    podman.call("stop", "--time", "0", "one")
    assert podman.inspect("one")["State"]["ExitCode"] == 137
    podman.call("rm", "one")
    host.until(lambda: f"libpod-{told['Id']}" not in all_units(podman), "the scope is gone")


def all_units(podman):
    user = [] if podman.user is None else ["--user"]
    ids = {} if podman.user is None else \
        {"user": podman.user, "group": podman.user, "extra_groups": []}
    return subprocess.run(["systemctl", *user, "list-units", "--all", "--no-legend", "libpod-*"],
                          env=podman.env, text=True, check=True, stdout=subprocess.PIPE, **ids).stdout


@pytest.mark.rows("CGS-15", "CGS-16", "CGS-18", "CGS-20")
def test_limits(podman):
    podman.call("run", "--detach", "--name", "limits", *NET, "--memory", "32m", "--pids-limit", "20",
                "--cpus", "0.5", "box", "sleep", "1000")
    assert value(podman, "limits", "memory.max") == str(32 << 20)
    assert value(podman, "limits", "pids.max") == "20"
    assert value(podman, "limits", "cpu.max") == "50000 100000"
    podman.call("rm", "--force", "--time", "0", "limits")


@pytest.mark.rows("CGS-16")
def test_no_more_memory(podman):
    podman.call("run", "--name", "oom", *NET, "--memory", "16m", "--memory-swap", "16m", "box",
                "dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1", code=137)
    podman.call("rm", "oom")


@pytest.mark.rows("CGS-30")
def test_pause(podman):
    podman.call("run", "--detach", "--name", "paused", *NET, "box", "sleep", "1000")
    podman.call("pause", "paused")
    assert podman.inspect("paused")["State"]["Status"] == "paused"
    podman.call("unpause", "paused")
    assert podman.inspect("paused")["State"]["Status"] == "running"
    podman.call("rm", "--force", "--time", "0", "paused")


@pytest.mark.rows("CGM-19", "CGS-13")
def test_systemd_mode(podman):
    """--systemd: the container's own first process divides its cgroup."""
    script = ("mkdir=/bin/busybox; $mkdir mkdir /sys/fs/cgroup/init.scope && "
              "echo 1 >/sys/fs/cgroup/init.scope/cgroup.procs && cat /proc/1/cgroup")
    assert podman.call("run", "--rm", "--systemd", "always", *NET, "box", "sh", "-c", script) \
        == "0::/init.scope"


@pytest.mark.rows("CGS-06")
def test_pod(podman):
    """Two containers in the slice of a pod."""
    podman.call("pod", "create", "--infra=false", "--name", "pod")
    slices = set()
    for name in ("first", "second"):
        podman.call("run", "--detach", "--pod", "pod", "--name", name, *NET, "box", "sleep", "1000")
        scope = os.path.dirname(cgroup_of(podman, name).removesuffix("/container"))
        slices.add(os.path.dirname(scope) if scope.endswith(".scope") else scope)
    assert len(slices) == 1 and slices.pop().endswith(".slice")
    podman.call("pod", "rm", "--force", "--time", "0", "pod")
