# SPDX-License-Identifier: Apache-2.0
"""Containers that the engines write to files and bring back, by rt and a real CRIU (RT_TEST_CRIU).

They count signals in their memory, as tests/feature/counting.py's do: whose next line is "count 2" is the
one that had said "count 1" before."""

import subprocess

import pytest

import docker_host
import host
from containerd import BUSYBOX

pytestmark = pytest.mark.needs("criu")

COUNTER = ("sh", "-c", "trap 'n=$((n+1)); echo count $n' USR1; echo up; sleep 1000000 & while :; do wait $!; done")


# --- podman ------------------------------------------------------------------------------------

def begin(podman, *args, **options):
    podman.up(*args, "box", *COUNTER, **options)
    podman.until_logged("up", "one")


def count(podman, number, name="one"):
    podman.call("kill", "--signal", "USR1", name)
    podman.until_logged(f"count {number}", name)


def checkpoint(podman, *args):
    podman.call("container", "checkpoint", *args, "one")


def restore(podman, *args, name="one"):
    podman.call("container", "restore", *args)
    podman.ids.append(podman.inspect(name)["Id"])


@pytest.mark.rows("CKP-01", "CKP-29", "CKP-30", "ENG-03", "ENG-05")
def test_podman(podman):
    """The log goes on, and exec works."""
    begin(podman, "--memory", "64m", "--pids-limit", "50")
    count(podman, 1)
    checkpoint(podman)
    assert podman.inspect()["State"]["Status"] == "exited"
    restore(podman, "one")
    count(podman, 2)
    assert podman.call("exec", "one", "echo", "inside").out == "inside\n"
    podman.call("kill", "one")
    assert podman.out("wait", "one") == "137"


@pytest.mark.rows("CKP-04", "ENG-03")
def test_podman_makes_a_second_one(podman):
    begin(podman)
    count(podman, 1)
    archive = podman.place.dir + "/one.tar"
    checkpoint(podman, "--leave-running", "--export", archive)
    count(podman, 2)
    restore(podman, "--import", archive, "--name", "two", name="two")
    count(podman, 2, "two")


@pytest.mark.rows("CKP-25", "CKP-26")
def test_podman_exports(podman):
    """The container is gone, and what lay in its root, in a tmpfs and in a volume comes back."""
    begin(podman, "-v", "vol:/data", "--tmpfs", "/scratch")
    podman.call("exec", "--user", "root", "one", "sh", "-c",
                "echo root >/file; echo volume >/data/file; echo memory >/scratch/file")
    archive = podman.place.dir + "/one.tar"
    checkpoint(podman, "--export", archive)
    podman.call("rm", "--volumes", "one")
    podman.call("volume", "rm", "-f", "vol")
    restore(podman, "--import", archive)
    count(podman, 1)
    told = podman.call("exec", "one", "cat", "/file", "/data/file", "/scratch/file").out
    assert told.split() == ["root", "volume", "memory"]


@pytest.mark.rows("CKP-23")
def test_podman_bridge(podman):
    begin(podman, network="bridge")
    before = podman.inspect()["NetworkSettings"]["Networks"]
    checkpoint(podman)
    restore(podman, "one")
    count(podman, 1)
    after = podman.inspect()["NetworkSettings"]["Networks"]
    assert [each["IPAddress"] for each in after.values()] == [each["IPAddress"] for each in before.values()]


@pytest.mark.rows("CKP-30", "ENG-14")
def test_podman_terminal(podman):
    podman.up("-t", "-i", "box", "sh")
    with podman.terminal("attach", "one") as terminal:
        terminal.send("x=5; tty\n")
        terminal.expect("/dev/pts")
    checkpoint(podman)
    restore(podman, "one")
    with podman.terminal("attach", "one") as terminal:
        terminal.send("echo x=$x$x\n")
        terminal.expect("x=55")


@pytest.mark.rows("CKP-23", "CKP-24", "CKP-33")
def test_podman_pods(podman):
    """Out of one pod into another, whose namespaces are others."""
    podman.call("pod", "create", "--name", "p", "--network", "none")
    other = podman.out("pod", "create", "--name", "q", "--network", "none")
    podman.ids.append(podman.out("run", "-d", "--pod", "p", "--name", "one", "box", *COUNTER))
    podman.until_logged("up", "one")
    count(podman, 1)
    archive = podman.place.dir + "/one.tar"
    checkpoint(podman, "--export", archive)
    podman.call("rm", "one")
    restore(podman, "--import", archive, "--pod", other)
    count(podman, 2)


def test_podman_refuses_with_exec(podman):
    begin(podman)
    podman.call("exec", "-d", "one", "sleep", "10000")
    told = podman.call("container", "checkpoint", "one", code=None)
    assert told.code == 125 and "does not descend from its init (rt exec has made it" in told.err
    count(podman, 1)


# --- containerd --------------------------------------------------------------------------------

def logged(path, words):
    try:
        with open(path, encoding="utf-8") as file:
            return words in file.read()
    except FileNotFoundError:
        return False


def begin_task(containerd, name):
    """The path of its log. It counts into a file, too, that exec can look at."""
    counter = [word.replace("echo count $n'", "echo count $n | tee /count'") for word in COUNTER]
    containerd.ctr("run", "--runc-binary", containerd.runtime, "-d", "--log-uri", f"file:///run/{name}.log", BUSYBOX,
                   name, *counter)
    log = containerd.path(f"/run/{name}.log")
    host.until(lambda: logged(log, "up"), "up")
    return log


def count_task(containerd, name, log, number):
    containerd.ctr("task", "kill", "-s", "USR1", name)
    host.until(lambda: logged(log, f"count {number}"), f"count {number}")


@pytest.mark.rows("CKP-04", "CKP-29", "ENG-05")
def test_ctr(containerd):
    """A task is written and runs on, and another container comes of it."""
    log = begin_task(containerd, "one")
    count_task(containerd, "one", log, 1)
    containerd.ctr("containers", "checkpoint", "--task", "--image", "one", "saved")
    count_task(containerd, "one", log, 2)
    containerd.ctr("task", "rm", "--force", "one")
    containerd.ctr("container", "rm", "one")

    out = containerd.path("/run/two.out")
    with open(out, "w", encoding="utf-8") as file:
        process = subprocess.Popen(containerd.command("containers", "restore", "--live", "two", "saved"),
                                   stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
    try:
        host.until(lambda: "RUNNING" in containerd.ctr("task", "ls").out, "it runs", 30)
        containerd.ctr("task", "kill", "-s", "USR1", "two")
        host.until(lambda: containerd.ctr("task", "exec", "--exec-id", "look", "two", "cat", "/count",
                                          code=None).out == "count 2\n", "count 2", 20)
        containerd.ctr("task", "kill", "-s", "KILL", "two")
        assert process.wait(20) is not None
    finally:
        process.kill()
        process.wait()
    containerd.ctr("task", "rm", "--force", "two", code=None)
    containerd.ctr("container", "rm", "two")
    containerd.ctr("images", "rm", "--sync", "saved")


@pytest.mark.rows("CKP-01", "ENG-05")
def test_ctr_ends_with_it(containerd):
    begin_task(containerd, "three")
    before = set(containerd.ctr("images", "ls", "-q").out.splitlines())
    containerd.ctr("task", "checkpoint", "--exit", "three")
    host.until(lambda: "STOPPED" in containerd.ctr("task", "ls").out, "it has ended")
    (saved,) = set(containerd.ctr("images", "ls", "-q").out.splitlines()) - before
    containerd.ctr("task", "rm", "three")
    containerd.ctr("container", "rm", "three")
    containerd.ctr("images", "rm", "--sync", saved)


# --- docker ------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def experimental():
    with docker_host.daemon("--experimental") as docker:
        yield docker


@pytest.mark.rows("CKP-01", "CKP-29", "CKP-35")
@pytest.mark.parametrize("network", ["none", "bridge"])
def test_docker(experimental, network):
    """Twice, with its network and its volume."""
    docker = experimental

    def counted(number):
        docker("kill", "-s", "USR1", "one")
        host.until(lambda: f"count {number}" in docker("logs", "one"), f"count {number}")

    try:
        docker.start("--name", "one", "--network", network, "-v", "vol:/data", "--memory", "64m", "--", *COUNTER)
        host.until(lambda: "up" in docker("logs", "one"), "up")
        counted(1)
        docker("exec", "one", "sh", "-c", "echo volume >/data/file; echo root >/file")
        for number, name in enumerate(("first", "second"), 2):
            docker("checkpoint", "create", "one", name)
            docker("wait", "one")
            docker("start", "--checkpoint", name, "one")
            counted(number)
        assert docker("exec", "one", "cat", "/data/file", "/file").split() == ["volume", "root"]
        if network == "bridge":
            address = docker.inspect("one")["NetworkSettings"]["IPAddress"]
            assert address in docker("exec", "one", "ip", "address")
            docker.here("busybox", "ping", "-c", "1", address)
    finally:
        docker.clean()
