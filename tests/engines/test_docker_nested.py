# SPDX-License-Identifier: Apache-2.0
"""Docker in Docker: a daemon in a container that rt has made, with rt, and Debian's runc, below it.
docs/engines.md has a line for each of these tests."""

import pytest

import docker_nested
import host
from docker_host import IMAGE, SLEEP

# `--privileged`, or what is left of it where the host lacks a capability.
UNCONFINED = ("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--device-cgroup-rule", "a *:* rwm",
              *(word for name in ("seccomp", "apparmor", "systempaths")
                for word in ("--security-opt", f"{name}=unconfined")))


@pytest.fixture(scope="module", params=[
    pytest.param(("--privileged",), id="privileged", marks=pytest.mark.needs("sys_resource")),
    pytest.param(UNCONFINED, id="unconfined", marks=pytest.mark.needs("no-sys_resource", "any-v1")),
    pytest.param((*UNCONFINED, "--cgroupns", "private"), id="own-cgroupns",
                 marks=pytest.mark.needs("no-sys_resource"))])
def options(request):
    return request.param


@pytest.fixture(scope="module")
def inside(docker_daemon, options):
    made = docker_nested.Inside(docker_daemon, *options)
    yield made
    docker_daemon.clean()


@pytest.fixture(params=["rt", "runc"])
def runtime(request):
    return request.param


@pytest.mark.rows("ENG-33")
def test_run(inside, runtime):
    """What it prints, how it ends, and that it is the runtime that was asked for."""
    assert inside("info", "--format", "{{.DefaultRuntime}}, {{.CgroupDriver}}") == "rt, cgroupfs"
    command = ("run", "--rm", "--interactive", "--runtime", runtime, IMAGE, "sh", "-c")
    assert inside(*command, "cat; echo $$", stdin=b"told\n") == "told\n1"
    assert inside.tell(*command, "exit 7").code == 7
    container = inside("run", "--detach", "--runtime", runtime, IMAGE, *SLEEP)
    assert inside.listed(runtime) == {container}
    assert inside("exec", container, "cat", "/proc/1/comm") == "sh"
    inside("rm", "--force", container)
    assert inside.listed(runtime) == set()


@pytest.mark.rows("ENG-33")
@pytest.mark.needs("memory", "pids")
def test_limits(inside, runtime):
    """In a cgroup below the outer container's, and gone with the container."""
    container = inside("run", "--detach", "--runtime", runtime, "--memory", "32m", "--pids-limit", "20",
                       IMAGE, *SLEEP)
    cgroups = host.Cgroups()
    outer, inner = ({directory.removesuffix("/" + tail) for directory in cgroups.dirs(name)}
                    for name, tail in ((inside.container, inside.container),
                                       (container, f"{inside.container}/docker/{container}")))
    assert inner and inner == outer
    for controller, v1_file, v2_file, expected in (
            ("memory", "memory.limit_in_bytes", "memory.max", 32 << 20), ("pids", "pids.max", "pids.max", 20)):
        assert inside.limit(container, controller, v1_file, v2_file) == str(expected)
    inside("update", "--memory", "48m", "--memory-swap", "48m", container)
    assert inside.limit(container, "memory", "memory.limit_in_bytes", "memory.max") == str(48 << 20)
    inside("rm", "--force", container)
    assert cgroups.dirs(container) == []


@pytest.mark.needs("memory")
def test_out_of_memory(inside):
    """The first process has to live until the news has come: see test_docker.py."""
    container = inside("run", "--detach", "--memory", "16m", "--memory-swap", "16m", IMAGE, "sh", "-c",
                       "tail /dev/zero; while :; do sleep 1; done")
    host.until(lambda: inside("events", "--since", "0", "--until", inside.here("date", "+%s.%N").strip(),
                              "--filter", f"container={container}", "--filter", "event=oom"), "an OOM event")
    inside("kill", container)
    assert inside("wait", container) == "137"
    assert inside("inspect", "--format", "{{.State.OOMKilled}}", container) == "true"
    inside("rm", container)


def test_stop_and_pause(inside, runtime):
    container = inside("run", "--detach", "--runtime", runtime, IMAGE, *SLEEP)
    inside("pause", container)
    assert inside("inspect", "--format", "{{.State.Status}}", container) == "paused"
    inside("unpause", container)
    host.until(lambda: inside("logs", container) == "up", "it heeds signals")
    inside("stop", "--time", "20", container)
    assert inside("inspect", "--format", "{{.State.ExitCode}}", container) == "0"
    inside("rm", container)


def test_network(inside):
    """Two containers on the inner bridge, and what the outer container sees of it."""
    inside("run", "--detach", "--name", "server", "-p", "8080:80", IMAGE, "sh", "-c",
           "echo served >/tmp/index.html; exec httpd -f -p 80 -h /tmp")
    host.until(lambda: inside.tell("exec", "server", "wget", "-qO-", "http://127.0.0.1/").code == 0,
               "the server answers", 30)
    address = inside("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "server")
    assert inside("run", "--rm", IMAGE, "wget", "-qO-", f"http://{address}/") == "served"
    assert inside.here("busybox", "wget", "-qO-", "http://127.0.0.1:8080/") == "served"
    inside("rm", "--force", "server")


@pytest.mark.needs("sys_resource")
def test_privileged(inside):
    """As far down as it goes: a container that may do all that the outer one may."""
    assert inside("run", "--rm", "--privileged", IMAGE, "sh", "-c",
                  "mount -t tmpfs none /tmp && echo mounted") == "mounted"


@pytest.mark.rows("ENG-33")
def test_nothing_is_left(docker_daemon, options):
    """The outer container is removed while those inside run."""
    def here():
        """Without the one who asks."""
        processes = docker_daemon.here("ps", "-A", "-o", "pid,comm", "--no-headers").splitlines()
        return {"processes": [line for line in processes if line.split()[1] != "ps"],
                "links": [line.split()[0] for line in
                          docker_daemon.here("ip", "-brief", "link").splitlines()],
                "mounts": docker_daemon.here("cat", "/proc/self/mountinfo").splitlines()}
    docker_daemon.clean()
    # A shim ends a little after its container.
    host.until(lambda: not any("containerd-shim" in line for line in here()["processes"]), "only the daemon is there")
    before = here()
    made = docker_nested.Inside(docker_daemon, *options)
    inner = [made("run", "--detach", "--runtime", name, IMAGE, *SLEEP) for name in ("rt", "runc", "rt")]
    cgroups = host.Cgroups()
    assert all(cgroups.dirs(each) for each in [made.container, *inner])
    docker_daemon("rm", "--force", "--volumes", made.container)
    host.until(lambda: here() == before, "all is gone but what was there before")
    assert not [directory for each in [made.container, *inner] for directory in cgroups.dirs(each)]
