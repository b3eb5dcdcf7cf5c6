# SPDX-License-Identifier: Apache-2.0
"""Networks, pods and what is made from files: several containers that know of each other."""

import json
import re
import subprocess

import pytest

import host
from fixtures import CGROUPS
from podman import read, write

SERVE = ("box", "sh", "-c", "echo page >/data/index.html; exec httpd -f -p 8080 -h /data")


def answers(podman, name, address):
    """A page of `httpd`, asked for from another container or (None) from the host's namespace."""
    words = ["wget", "-q", "-O", "-", f"http://{address}:8080/index.html"]
    argv = ("exec", name, *words)

    def asked():
        return podman.call(*argv, code=None).out == "page\n"
    host.until(asked, f"{name} has the page of {address}", 20)


def connects(podman, port):
    """From the namespace where podman runs."""
    argv = [*podman.place.enter(podman.user), "busybox", "wget", "-q", "-O", "-",
            f"http://127.0.0.1:{port}/index.html"]

    def asked():
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.stdout == b"page\n"
    host.until(asked, f"a page at port {port}", 20)


# --- networks

@pytest.mark.rows("ENG-30")
def test_bridge(podman):
    podman.up(*SERVE, network="podman")
    address = podman.inspect()["NetworkSettings"]["Networks"]["podman"]["IPAddress"]
    assert address
    podman.up("box", "sleep", "1000", name="two", network="podman")
    answers(podman, "two", address)
    assert podman.kernel_namespace("net") != podman.kernel_namespace("net", "two")


def test_published_port(podman):
    podman.up("--publish", "127.0.0.1:9090:8080", *SERVE, network="podman")
    connects(podman, 9090)


def test_network_of_ones_own(podman):
    podman.call("network", "create", "--subnet", "10.77.0.0/24", "net77")
    podman.up("--ip", "10.77.0.7", *SERVE, network="net77")
    podman.up("box", "sleep", "1000", name="two", network="net77")
    answers(podman, "two", "10.77.0.7")
    podman.call("network", "disconnect", "net77", "two")
    assert "10.77" not in podman.out("exec", "two", "cat", "/proc/net/fib_trie")


def test_no_network(podman):
    assert podman.run("box", "ls", "/sys/class/net").out.split() == ["lo"]


# --- pods

def pod(podman, *flags):
    podman.call("pod", "create", "--name", "pod", "--network", "none", *flags)


def join(podman, name, *args):
    podman.ids.append(podman.out("run", "--detach", "--pod", "pod", "--name", name, *args))


@pytest.mark.rows("ENG-27")
def test_pod(podman):
    """Network, ipc and uts are shared, mounts and processes are not; localhost is one."""
    pod(podman, "--hostname", "podhost")
    join(podman, "one", *SERVE)
    join(podman, "two", "box", "sleep", "1000")
    for kind in ("net", "ipc", "uts"):
        assert podman.kernel_namespace(kind) == podman.kernel_namespace(kind, "two"), kind
    for kind in ("mnt", "pid"):
        assert podman.kernel_namespace(kind) != podman.kernel_namespace(kind, "two"), kind
    answers(podman, "two", "localhost")
    assert podman.out("exec", "two", "hostname") == "podhost"
    parent = json.loads(podman.out("pod", "inspect", "pod"))["CgroupPath"]
    for name in ("one", "two"):
        paths = set(CGROUPS.of(podman.pid(name)).values())
        assert any(path.startswith(parent + "/") or parent in path for path in paths)
    podman.call("pod", "rm", "--force", "--time", "0", "pod")
    assert podman.out("ps", "--all", "--quiet") == ""


def test_pod_with_shared_processes(podman):
    pod(podman, "--share", "+pid")
    join(podman, "one", "box", "sleep", "1111")
    join(podman, "two", "box", "sleep", "2222")
    assert podman.kernel_namespace("pid") == podman.kernel_namespace("pid", "two")
    assert {"sleep 1111", "sleep 2222"} <= {line.split(None, 2)[-1] for line in
                                           podman.out("exec", "two", "ps", "-o", "pid,user,args").splitlines()}


def test_life_of_a_pod(podman):
    pod(podman)
    join(podman, "one", "box", "sleep", "1000")
    join(podman, "two", "box", "sleep", "1000")

    def states():
        return {podman.state(name)["Status"] for name in ("one", "two")}
    podman.call("pod", "pause", "pod")
    assert states() == {"paused"}
    podman.call("pod", "unpause", "pod")
    assert states() == {"running"}
    assert len(json.loads(podman.out("pod", "stats", "--no-stream", "--format", "json", "pod"))) == 3
    assert podman.out("pod", "top", "pod", "args").count("sleep 1000") == 2
    podman.call("pod", "stop", "--time", "0", "pod")
    assert states() == {"exited"}
    podman.call("pod", "start", "pod")
    assert states() == {"running"}
    podman.call("pod", "kill", "pod")
    host.until(lambda: states() == {"exited"}, "killed")


# --- play kube, generate

KUBE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {COLOUR: green}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostname: webhost
  restartPolicy: Never
  volumes:
  - {name: shared, emptyDir: {}}
  - {name: given, hostPath: {path: /run/podman, type: Directory}}
  initContainers:
  - name: before
    image: localhost/box
    command: [sh, -c, "echo page >/pages/index.html"]
    volumeMounts: [{name: shared, mountPath: /pages}]
  containers:
  - name: serve
    image: localhost/box
    command: [httpd, -f, -p, "8080", -h, /pages]
    volumeMounts: [{name: shared, mountPath: /pages}]
    resources: {limits: {memory: 32Mi}}
    securityContext: {capabilities: {drop: [ALL]}}
  - name: ask
    image: localhost/box
    command: [sh, -c]
    args: ["echo $COLOUR; cat /given/file; exec sleep 1000"]
    envFrom: [{configMapRef: {name: words}}]
    volumeMounts: [{name: given, mountPath: /given, readOnly: true}]
    securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true}
"""


@pytest.mark.rows("ENG-27")
def test_play_kube(podman):
    place = podman.place.inside("/run/podman")
    write(place + "/pod.yaml", KUBE)
    write(place + "/file", "from the host\n")
    podman.call("play", "kube", "--network", "none", "/run/podman/pod.yaml")
    try:
        answers(podman, "web-ask", "localhost")
        host.until(lambda: podman.logs("web-ask") == "green\nfrom the host\n", "what `ask` says")
        assert podman.kernel_namespace("net", "web-ask") == podman.kernel_namespace("net", "web-serve")
        assert podman.out("exec", "web-ask", "id", "-u") == "1000"
        assert "Read-only" in podman.call("exec", "web-ask", "touch", "/x", code=1).err
        assert "Read-only" in podman.call("exec", "--user", "0", "web-ask", "touch", "/given/x", code=1).err
        status = read(f"/proc/{podman.pid('web-serve')}/status")
        assert int(re.search(r"CapEff:\t(\w+)", status)[1], 16) == 0
        if "memory" in CGROUPS.controllers:
            assert CGROUPS.read(podman.pid("web-serve"), "memory", "memory.limit_in_bytes", "memory.max") \
                == str(32 << 20)
    finally:
        told = podman.call("play", "kube", "--down", "/run/podman/pod.yaml", code=None, timeout=90)
    assert told.code == 0, told
    assert podman.out("ps", "--all", "--quiet") == ""


def test_generate_kube(podman):
    """There and back."""
    podman.up("--env", "COLOUR=red", "box", "sleep", "1000")
    text = podman.out("generate", "kube", "one")
    podman.call("rm", "--force", "--time", "0", "one")
    write(podman.place.inside("/run/podman/again.yaml"), text)
    podman.call("play", "kube", "--network", "none", "/run/podman/again.yaml")
    name = podman.out("ps", "--format", "{{.Names}}", "--filter", "name=one").split()[0]
    assert podman.out("exec", name, "sh", "-c", "echo $COLOUR") == "red"


@pytest.mark.rows("ENG-11")
@pytest.mark.parametrize("new", [False, True])
def test_generate_systemd(podman, new):
    """The unit, and what its lines do: the pid that systemd is told of is conmon's or, by --new, it is
    told by notification."""
    podman.up("box", "sleep", "1000")
    text = podman.out("generate", "systemd", *(["--new"] if new else []), "--name", "one")
    unit = dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\w+=", line))
    assert unit["Type"] == ("notify" if new else "forking")
    if new:
        words = re.search(r"ExecStart=(.*?)\n\w+=", text, re.S)[1].replace("\\\n", " ").split()
        assert {"--cgroups=no-conmon", "--sdnotify=conmon", "--rm", "--detach"} <= set(words)
        assert words[0].endswith("podman")
    else:
        assert unit["ExecStart"].endswith("podman start one")
        pid = read(podman.place.inside(unit["PIDFile"]))
        assert host.describe(int(pid)).count("conmon")
