# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' side of containerd: pods by the Container Runtime Interface, as the kubelet asks for them,
with rt as the handler of a RuntimeClass. Each feature's effect is told by the container itself, its
log or its cgroup; after each test nothing of the pod is left."""

import json
import os
import subprocess

import pytest

import cri as client
import host
import limits
from containerd import CONFIG, PAUSE, WORKER

pytest.importorskip("grpc", reason="grpc is not installed")

from pods import RUNNING, Pod, refused  # noqa: E402

MIB = 1 << 20
POD, CONTAINER, NODE, TARGET = range(4)     # NamespaceMode; POD is what nothing said means
RUNTIME_DEFAULT, UNCONFINED, LOCALHOST = range(3)
STATUS = ("cat", "/proc/self/status")


@pytest.fixture(scope="module")
def cri(containerd):
    reason = client.missing()
    if reason:
        pytest.skip(f"CRI: {reason}")
    speaker = client.Cri(containerd)
    host.until(lambda: speaker.ImageStatus(image={"image": PAUSE}).image.id, "the images are known")
    yield speaker
    speaker.close()


@pytest.fixture
def new_pod(cri, work, containerd):
    pods = []

    def make(handler="rt", **config):
        pods.append(Pod(cri, work, handler, **config))
        return pods[-1]
    yield make
    for pod in pods:
        pod.remove()
    containerd.nothing_left()


@pytest.fixture
def pod(new_pod):
    return new_pod()


def links(box, *names):
    return [os.readlink(f"/proc/{box.pid}/ns/{name}") for name in names]


def status(told):
    return dict(line.split(":\t", 1) for line in told.out if ":\t" in line)


def namespaces(**modes):
    return {"namespace_options": modes}


# ---- the runtime


def test_the_daemon_is_ready_for_pods(cri):
    answer = cri.Status()
    assert {each.type: each.status for each in answer.status.conditions} == \
        {"RuntimeReady": True, "NetworkReady": True}


def test_the_configuration_that_is_given_out_names_the_handler(containerd):
    told = containerd.call(["containerd", "--config", CONFIG, "config", "dump"])
    part = told.out.partition("containerd.runtimes.rt]")[2]
    assert 'runtime_type = "io.containerd.runc.v2"' in part
    assert 'BinaryName = "/usr/local/sbin/rt"' in part and "SystemdCgroup = true" in part


@pytest.mark.rows("ENG-05")
def test_the_handler_is_rt(pod, containerd):
    box = pod.up()
    assert pod.status.runtime_handler == "rt"
    known = json.loads(containerd.rt("list", "--format", "json", namespace="k8s.io").out)
    assert {each["id"] for each in known} == {pod.id, box.id}


def test_a_handler_that_is_not_configured_is_refused(cri, work):
    with refused() as refusal:
        Pod(cri, work, handler="absent")
    assert 'no runtime for "absent" is configured' in refusal.details()


# ---- containers


@pytest.mark.rows("ENG-06")
def test_logs_and_exit_code(pod):
    told = pod.run("sh", "-c", "echo one; echo two >&2; printf three; exit 7")
    assert told == (7, ["one", "three"], ["two"])


def test_environment_directory_and_labels(pod):
    box = pod.up("sh", "-c", "echo $COLOUR; pwd", envs=[{"key": "COLOUR", "value": "green"}],
                 working_dir="/home", labels={"a": "b"}, annotations={"run.example/x": "y"})
    assert box.wait().out == ["green", "/home"]
    assert (box.status.labels["a"], box.status.annotations["run.example/x"]) == ("b", "y")


@pytest.mark.rows("ENG-08", "ENG-17")
@pytest.mark.parametrize("command, words", [("absent", "executable file not found in $PATH"),
                                            ("/bin/absent", "no such file or directory"),
                                            ("/etc/passwd", "permission denied")])
def test_why_a_container_did_not_start(pod, command, words):
    box = pod.create(command)
    with refused() as refusal:
        box.start()
    assert words.lower() in refusal.details().lower()
    assert box.status.reason == "StartError" and words.lower() in box.status.message.lower()
    assert box.status.exit_code == 128


def test_a_terminal(pod):
    box = pod.up("sh", "-c", "tty; sleep 1000", tty=True)
    host.until(box.lines, "the terminal's name")
    assert [line.rstrip("\r") for line in box.lines()] == ["/dev/pts/0"]


def test_logs_go_on_in_a_new_file_after_rotation(pod, cri):
    box = pod.up("sh", "-c", "echo first; while ! [ -e /tmp/go ]; do sleep 0.02; done; echo second; sleep 1000")
    host.until(box.lines, "the first line")
    os.rename(box.log, box.log + ".old")
    cri.ReopenContainerLog(container_id=box.id)
    box.exec("touch", "/tmp/go")
    host.until(box.lines, "the second line")
    assert box.lines() == ["second"]


# ---- exec, attach


def test_a_probe_by_exec_sync(pod):
    box = pod.up()
    assert box.exec("sh", "-c", "echo fine; echo not >&2; exit 3") == (3, "fine\n", "not\n")
    assert box.exec("true").code == 0
    with refused() as refusal:
        box.exec("absent")
    assert "executable file not found in $PATH" in refusal.details()
    assert box.status.state == RUNNING


def test_a_probe_that_takes_too_long_is_killed(pod):
    box = pod.up()
    with refused() as refusal:
        box.exec("sleep", "999", timeout=1)
    assert "timeout 1s exceeded" in refusal.details()
    assert "sleep 999" not in box.exec("ps", "-o", "args").out


def test_exec_streams_input_output_and_error(pod, cri):
    box = pod.up()
    url = cri.Exec(container_id=box.id, cmd=["sh", "-c", "read line; echo got $line; echo bad >&2; exit 5"],
                   stdin=True, stdout=True, stderr=True).url
    with cri.stream(url) as stream:
        stream.send(b"a line\n")
        told = stream.read_all()
    assert (told[stream.STDOUT], told[stream.STDERR]) == (b"got a line\n", b"bad\n")
    assert json.loads(told[stream.ERROR])["details"]["causes"] == [{"reason": "ExitCode", "message": "5"}]


def test_exec_with_a_terminal_that_is_resized(pod, cri):
    box = pod.up()
    url = cri.Exec(container_id=box.id, cmd=["sh"], stdin=True, stdout=True, tty=True).url
    with cri.stream(url) as stream:
        stream.send(b"tty; echo $((40 + 2))s\n")
        assert b"/dev/pts/" in stream.expect(b"42s")
        stream.resize(40, 100)
        stream.send(b"until [ \"$(stty size 2>/dev/null)\" = '40 100' ]; do sleep 0.02; done; exit 6\n")
        told = stream.read_all()
    assert b'"message":"6"' in told[stream.ERROR]


def test_attach_reaches_the_containers_own_streams(pod, cri):
    box = pod.up("sh", "-c", "while read line; do echo got $line; done; sleep 1000", stdin=True)
    with cri.stream(cri.Attach(container_id=box.id, stdin=True, stdout=True, stderr=True).url) as stream:
        stream.send(b"this\n")
        assert stream.expect(b"got this\n")
    host.until(box.lines, "the line is in the log, too")
    assert box.lines() == ["got this"]


# ---- the end


@pytest.mark.rows("ENG-23")
def test_stop_asks_first(pod):
    box = pod.up("sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
    host.until(box.lines, "the trap is set")
    box.stop(timeout=30)
    assert box.wait() == (0, ["ready", "bye"], [])


@pytest.mark.rows("ENG-23")
def test_stop_kills_after_the_grace_period(pod):
    box = pod.up("sh", "-c", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.02; done")
    host.until(box.lines, "the trap is set")
    box.stop(timeout=1)
    assert box.wait() == (137, ["ready", "asked"], [])


def test_stop_of_the_pod_ends_all_in_it(pod, containerd):
    boxes = [pod.up() for _ in range(3)]
    pids = [box.pid for box in boxes] + [pod.pid]
    pod.stop()
    for pid in pids:
        host.wait_dead(pid)
    assert pod.status.state == 1 and {box.status.exit_code for box in boxes} == {137}
    pod.stop()      # the kubelet does it more than once


@pytest.mark.rows("ENG-05")
def test_a_daemon_that_starts_again_finds_its_pods(pod, containerd, cri):
    box = pod.up()
    before = box.pid
    containerd.restart()
    host.until(lambda: _answers(cri), "the plugin serves", 30)
    assert box.status.state == RUNNING and box.pid == before
    assert box.exec("echo", "again").out == "again\n"


def _answers(cri):
    import grpc
    try:
        return cri.Version().runtime_name
    except grpc.RpcError:
        return None


# ---- resources


@pytest.mark.rows("ENG-25", "ENG-27")
def test_resources_are_limits_of_the_cgroup_below_the_pods(pod):
    box = pod.up(resources={"memory_limit_in_bytes": 64 * MIB, "cpu_quota": 20000, "cpu_period": 100000,
                            "cpu_shares": 256})
    assert limits.limit_of(box) == str(64 * MIB)
    assert limits.bandwidth_of(box) == ("20000", "100000")
    assert limits.shares_of(box) in ("256", "10")
    assert f"/{pod.daemon.tag}/{box.id}" in host.Cgroups().of(box.pid).values()


def test_resources_of_a_running_container_change(pod, cri):
    box = pod.up(resources={"memory_limit_in_bytes": 64 * MIB, "cpu_quota": 20000, "cpu_period": 100000})
    cri.UpdateContainerResources(container_id=box.id, linux={
        "memory_limit_in_bytes": 96 * MIB, "cpu_quota": 30000, "cpu_period": 100000, "cpu_shares": 512})
    assert limits.limit_of(box) == str(96 * MIB)
    assert limits.bandwidth_of(box) == ("30000", "100000")
    assert limits.shares_of(box) in ("512", "20")


@pytest.mark.rows("ENG-25")
def test_a_container_out_of_memory_is_told_apart(pod):
    """The first process lives until the news of the kill has come: with the cgroup it would be gone."""
    box = pod.up("sh", "-c", "tail /dev/zero; sleep 1000", resources={"memory_limit_in_bytes": 16 * MIB})
    host.until(lambda: box.status.reason == "OOMKilled", "the kill is known")
    box.stop()
    assert box.wait().code == 137
    assert box.status.reason == "OOMKilled"


def test_stats_are_of_the_container(pod, cri):
    box = pod.up("sh", "-c", "head -c 8388608 /dev/zero >/dev/shm/data; echo ready; sleep 1000",
                 resources={"memory_limit_in_bytes": 64 * MIB})
    host.until(box.lines, "the data are there")
    stats = cri.ContainerStats(container_id=box.id).stats
    assert stats.attributes.id == box.id
    assert 8 * MIB <= stats.memory.working_set_bytes.value < 64 * MIB
    assert stats.cpu.usage_core_nano_seconds.value > 0


# ---- what a container may


def test_seccomp_runtime_default(pod):
    script = ("sh", "-c", "unshare -U true; grep Seccomp: /proc/self/status")
    free = pod.run(*script, security={"seccomp": {"profile_type": UNCONFINED}})
    held = pod.run(*script, security={"seccomp": {"profile_type": RUNTIME_DEFAULT}})
    assert free.out == ["Seccomp:\t0"] and "not permitted" not in str(free.err)
    assert held.out == ["Seccomp:\t2"] and "Operation not permitted" in str(held.err)


def test_seccomp_localhost(pod, work):
    with open(f"{work}/profile.json", "w", encoding="utf-8") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW",
                   "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}, file)
    told = pod.run("mkdir", "/tmp/b", security={"seccomp": {
        "profile_type": LOCALHOST, "localhost_ref": f"{work}/profile.json"}})
    assert told.code == 1 and "Operation not permitted" in str(told.err)


def test_user_group_and_supplemental_groups(pod):
    told = pod.run("id", security={"run_as_user": {"value": 1000}, "run_as_group": {"value": 3000},
                                   "supplemental_groups": [4000]})
    assert told.out[0].startswith("uid=1000(worker) gid=3000") and "4000" in told.out[0]
    assert pod.run("id", "-un", security={"run_as_username": "worker"}).out == ["worker"]
    assert pod.run("id", "-un", image={"image": WORKER}).out == ["worker"]


def test_capabilities(pod):
    told = pod.run(*STATUS, security={"capabilities": {"add_capabilities": ["NET_ADMIN"],
                                                       "drop_capabilities": ["ALL"]}})
    assert int(status(told)["CapEff"], 16) == 1 << 12
    assert int(status(told)["CapBnd"], 16) == 1 << 12


def test_no_new_privileges(pod):
    assert status(pod.run(*STATUS, security={"no_new_privs": True}))["NoNewPrivs"] == "1"
    assert status(pod.run(*STATUS))["NoNewPrivs"] == "0"


def test_a_privileged_container(new_pod):
    pod = new_pod(linux={"security_context": {"privileged": True}})
    told = pod.run("sh", "-c", "cat /proc/self/status; mount -t tmpfs none /tmp && echo mounted; ls -d /dev/kmsg;"
                   " echo 1 >/proc/sys/net/ipv4/ip_forward && echo written",
                   security={"privileged": True})
    with open("/proc/self/status", encoding="ascii") as file:
        ours = next(line.split()[1] for line in file if line.startswith("CapEff"))
    assert status(told)["CapEff"] == ours, told
    assert told.out[-3:] == ["mounted", "/dev/kmsg", "written"], told


def test_a_read_only_root(pod):
    told = pod.run("touch", "/tmp/a", security={"readonly_rootfs": True})
    assert told.code == 1 and "Read-only file system" in str(told.err)


def test_masked_and_read_only_paths(pod):
    security = {"masked_paths": ["/etc/passwd", "/data"], "readonly_paths": ["/tmp"]}
    told = pod.run("sh", "-c", "wc -c </etc/passwd; touch /data/x; touch /tmp/a", security=security)
    assert told.out == ["0"] and len(told.err) == 2
    assert all("Read-only file system" in line for line in told.err)


# ---- what a container sees


def test_volumes_read_only_or_not(pod, work):
    os.mkdir(f"{work}/volume")
    with open(f"{work}/volume/greeting", "w", encoding="ascii") as file:
        file.write("hello\n")
    told = pod.run("sh", "-c", "cat /ro/greeting; touch /rw/made; touch /ro/not", mounts=[
        {"host_path": f"{work}/volume", "container_path": "/ro", "readonly": True},
        {"host_path": f"{work}/volume", "container_path": "/rw"}])
    assert told.out == ["hello"] and "Read-only file system" in str(told.err)
    assert os.path.exists(f"{work}/volume/made")


def test_a_mount_of_the_host_comes_to_the_container_that_asks(pod, containerd, work):
    os.mkdir(f"{work}/volume")
    shared = containerd.inside("sh", "-c", f"mount --bind {work}/volume {work}/volume && "
                               f"mount --make-shared {work}/volume && mkdir {work}/volume/sub")
    containerd.call(shared)
    boxes = [pod.up(mounts=[{"host_path": f"{work}/volume", "container_path": "/data", "propagation": mode}])
             for mode in (0, 1)]
    containerd.call(containerd.inside("mount", "-t", "tmpfs", "late", f"{work}/volume/sub"))
    seen = ["late" in box.exec("cat", "/proc/mounts").out for box in boxes]
    containerd.call(containerd.inside("umount", "-R", f"{work}/volume"))
    assert seen == [False, True]


def test_a_device(pod):
    told = pod.run("sh", "-c", "echo x >/dev/full0", devices=[
        {"host_path": "/dev/full", "container_path": "/dev/full0", "permissions": "rw"}])
    assert "No space left on device" in str(told.err)


# ---- a pod's namespaces


def test_the_containers_of_a_pod_share_its_network_and_its_ipc(pod):
    own = namespaces(pid=CONTAINER)
    first, second = pod.up(security=own), pod.up(security=own)
    assert links(first, "net", "ipc", "uts") == links(second, "net", "ipc", "uts") == \
        links(pod, "net", "ipc", "uts")
    assert not set(links(first, "pid", "mnt")) & set(links(second, "pid", "mnt"))
    first.exec("sh", "-c", "echo shared >/dev/shm/note")
    assert second.exec("cat", "/dev/shm/note").out == "shared\n"
    assert first.exec("hostname").out == pod.config["hostname"] + "\n"


def test_pods_reach_each_other_over_the_bridge(new_pod):
    server, caller = new_pod(), new_pod()
    server.up("nc", "-l", "-p", "8080", "-e", "echo", "hello")
    answer = caller.run("sh", "-c", f"until nc {server.status.network.ip} 8080; do sleep 0.02; done")
    assert answer.out == ["hello"]


def test_the_host_network(new_pod, containerd):
    pod = new_pod(hostname="", linux={"security_context": namespaces(network=NODE)})
    box = pod.up(security=namespaces(network=NODE))
    assert links(box, "net") == [os.readlink(f"/proc/{containerd.first}/ns/net")]


def test_the_hosts_processes_and_ipc(new_pod, containerd):
    modes = namespaces(pid=NODE, ipc=NODE)
    pod = new_pod(linux={"security_context": modes})
    box = pod.up(security=modes)
    assert links(box, "pid") == [os.readlink(f"/proc/{containerd.first}/ns/pid")]
    assert links(box, "ipc") == [os.readlink(f"/proc/{containerd.first}/ns/ipc")]
    assert "containerd" in box.exec("ps", "-o", "args").out


def test_a_shared_process_namespace(new_pod):
    modes = namespaces(pid=POD)
    pod = new_pod(linux={"security_context": modes})
    first, second = pod.up("sleep", "111", security=modes), pod.up("sleep", "222", security=modes)
    assert links(first, "pid") == links(second, "pid") == links(pod, "pid")
    seen = second.exec("ps", "-o", "pid,args").out
    assert "1 /pause" in seen and "sleep 111" in seen and "sleep 222" in seen
    first.stop()
    assert "sleep 111" not in second.exec("ps", "-o", "pid,args").out


def test_processes_of_their_own_beside_a_debugger_that_sees_them(new_pod):
    own = namespaces(pid=CONTAINER)
    pod = new_pod(linux={"security_context": own})
    target, other = pod.up("sleep", "111", security=own), pod.up("sleep", "222", security=own)
    debugger = pod.up(security=namespaces(pid=TARGET, target_id=target.id))
    seen = debugger.exec("ps", "-o", "pid,args").out
    assert "1 sleep 111" in seen and "sleep 222" not in seen and "pause" not in seen
    assert links(other, "pid") != links(target, "pid") == links(debugger, "pid")


def test_sysctls_and_dns_of_the_pod(new_pod):
    pod = new_pod(linux={"sysctls": {"net.ipv4.ip_unprivileged_port_start": "77", "kernel.shm_rmid_forced": "1"}},
                  dns_config={"servers": ["10.0.0.1"], "searches": ["example"], "options": ["ndots:2"]})
    told = pod.run("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/kernel/shm_rmid_forced",
                   "/etc/resolv.conf")
    assert told.out == ["77", "1", "search example", "nameserver 10.0.0.1", "options ndots:2"]


def test_a_pod_as_an_ordinary_user(new_pod):
    pod = new_pod(linux={"security_context": {"run_as_user": {"value": 1000}, "readonly_rootfs": True,
                                              "seccomp": {"profile_type": RUNTIME_DEFAULT}}})
    with open(f"/proc/{pod.pid}/status", encoding="ascii") as file:
        told = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    assert told["Uid"].split() == ["1000"] * 4 and told["Seccomp"] == "2"
    assert pod.run("true").code == 0


def test_a_manifest_names_the_handler():
    """kubectl is not here to read it; its two words are what joins it to the daemon's configuration."""
    manifest = os.path.join(os.path.dirname(os.path.dirname(CONFIG)), "kubernetes", "runtimeclass.yaml")
    told = subprocess.run(["grep", "-E", "^(kind|handler): "], stdin=open(manifest, encoding="ascii"),
                          capture_output=True, text=True, check=True)
    assert told.stdout == "kind: RuntimeClass\nhandler: rt\n"
