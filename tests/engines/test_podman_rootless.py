# SPDX-License-Identifier: Apache-2.0
"""Podman of an ordinary user with subordinate ids, XDG_RUNTIME_DIR and nothing else."""

import json
import os
import re
import shutil

import pytest

import host
from podman import COUNT, FIRST, UID, require
from test_podman_pods import SERVE, answers, connects, join, pod


@pytest.mark.rows("ENG-19", "ENG-32")
def test_run(rootless):
    """Root inside is the user outside, and the next id is his first subordinate one."""
    told = json.loads(rootless.out("info", "--format", "json"))["host"]
    assert told["security"]["rootless"] and told["ociRuntime"]["path"] == rootless.place.runtime
    told = rootless.run("box", "sh", "-c", "id -u; cat /proc/self/uid_map; exit 4", code=4)
    assert told.out.split() == ["0", "0", str(UID), "1", "1", str(FIRST), str(COUNT)]


@pytest.mark.rows("ENG-19")
def test_drop_in_of_the_user(rootless):
    """His own comes after that of /etc."""
    directory = f"{rootless.home}/.config/containers/containers.conf.d"
    os.makedirs(directory)
    with open(f"{directory}/50-rt.conf", "w", encoding="ascii") as file:
        file.write(f'[engine]\nruntime = "mine"\n[engine.runtimes]\nmine = ["{rootless.place.runtime}"]\n')
    try:
        assert rootless.out("info", "--format", "{{.Host.OCIRuntime.Name}}") == "mine"
        assert rootless.run("box", "id", "-u").out == "0\n"
    finally:
        shutil.rmtree(f"{rootless.home}/.config/containers/containers.conf.d")


def test_whose_it_is(rootless):
    directory = f"{rootless.home}/shared"
    os.makedirs(directory, exist_ok=True)
    os.chown(directory, UID, UID)
    rootless.run("--volume", f"{directory}:/data", "box", "sh", "-c", "touch /data/root")
    assert os.stat(f"{directory}/root").st_uid == UID
    rootless.run("--userns", "keep-id", "--volume", f"{directory}:/data", "box", "sh", "-c",
                 f"test $(id -u) = {UID} && touch /data/kept")
    assert os.stat(f"{directory}/kept").st_uid == UID
    rootless.run("--user", "worker", "--volume", f"{directory}:/data:U", "box", "touch", "/data/worker")
    assert os.stat(f"{directory}/worker").st_uid == FIRST + 999
    shutil.rmtree(directory)


@pytest.mark.rows("ENG-17", "ENG-07")
@pytest.mark.parametrize("argv, code", [(["nowhere"], 127), (["/data"], 126)])
def test_what_cannot_be_executed(rootless, argv, code):
    assert "rt: exec" in rootless.run("box", *argv, code=code).err


@pytest.mark.rows("ENG-02", "EXE-13")
def test_exec(rootless):
    rootless.up("box", "sleep", "1000")
    told = rootless.call("exec", "--interactive", "--user", "worker", "one", "sh", "-c",
                         "id -u; cat; exit 5", text="typed\n", code=5)
    assert told.out == "1000\ntyped\n"
    with rootless.terminal("exec", "-it", "one", "sh", rows=33, columns=99) as terminal:
        # Podman tells the size when it likes.
        terminal.send("tty; until stty size | grep -x '33 99'; do sleep 0.01; done; exit 7\n")
        terminal.expect("/dev/pts/0\n")
        terminal.expect("33 99\n")
        assert terminal.wait() == 7


@pytest.mark.rows("ENG-11")
def test_life(rootless):
    name = rootless.up("box", "sh", "-c", "trap 'echo ending; exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    rootless.until_logged("ready")
    state = rootless.place.inside(f"/run/user-{UID}/rt/{name}")
    assert os.stat(state).st_uid == UID
    assert "sh -c" in rootless.out("top", "one", "args")
    rootless.call("restart", "one")
    host.until(lambda: rootless.logs().count("ready\n") == 2, "ready again")
    rootless.call("stop", "one")
    assert rootless.state()["ExitCode"] == 9 and rootless.logs().count("ending\n") == 2
    rootless.call("rm", "one")
    assert not os.path.exists(state)


def test_init_and_systemd(rootless):
    assert "podman-init" in rootless.run("--init", "box", "cat", "/proc/1/cmdline").out
    told = rootless.run("--systemd", "always", "box", "sh", "-c", "echo $container; touch /run/x /tmp/x && grep ' /run ' /proc/mounts")
    assert told.out.startswith("podman\ntmpfs /run tmpfs")


def test_health_and_volume(rootless):
    rootless.up("--health-cmd", "test -e /data/well", "--health-interval", "disable", "--volume", "kept:/data",
                "box", "sleep", "1000")
    rootless.call("healthcheck", "run", "one", code=1)
    rootless.run("--volume", "kept:/data", "box", "touch", "/data/well")
    rootless.call("healthcheck", "run", "one")
    assert rootless.state()["Health"]["Status"] == "healthy"


@pytest.mark.needs("any-v1")
@pytest.mark.rows("ENG-32")
def test_limits_that_cannot_be_had(rootless):
    """On v1 the user has no cgroups: podman leaves limits out and says so, and rt asks for none."""
    assert "ignored on cgroups V1 rootless" in rootless.run("--memory", "32m", "box", "true").err


@pytest.mark.rows("CGS-30")
def test_pause(rootless):
    """Where the user has no cgroup podman refuses; on v2 with one see test_podman_systemd.py."""
    rootless.up("box", "sleep", "1000")
    assert "cgroup" in rootless.call("pause", "one", code=125).err
    assert rootless.running()


def test_network(rootless):
    require("slirp4netns")
    rootless.up("--publish", "127.0.0.1:9091:8080", *SERVE, network="slirp4netns")
    assert "tap0" in rootless.out("exec", "one", "ls", "/sys/class/net")
    connects(rootless, 9091)


def test_pod(rootless):
    pod(rootless)
    join(rootless, "one", *SERVE)
    join(rootless, "two", "box", "sleep", "1000")
    for kind in ("net", "ipc", "uts", "user"):
        assert rootless.kernel_namespace(kind) == rootless.kernel_namespace(kind, "two"), kind
    answers(rootless, "two", "localhost")


def test_without_privileges(rootless):
    status = rootless.run("box", "grep", "-E", "^(CapEff|Seccomp|NoNewPrivs):", "/proc/self/status").out
    assert re.search(r"Seccomp:\t2", status)
    assert rootless.run("--privileged", "box", "sh", "-c", "mount -t tmpfs tmpfs /data && echo done").out \
        == "done\n"


def test_where_the_host_is_safe(rootless):
    """Root inside is nobody to the host's files."""
    secret = rootless.place.inside("/run/podman-secret")
    with open(secret, "w", encoding="ascii") as file:
        file.write("secret")
    os.chmod(secret, 0o600)
    told = rootless.run("--volume", "/run:/host:ro", "box", "cat", "/host/podman-secret", code=1)
    assert "ermission denied" in told.err
