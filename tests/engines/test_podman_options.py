# SPDX-License-Identifier: Apache-2.0
"""What the options of `podman run` ask for has its effect in the container."""

import json
import os
import subprocess

import pytest

import host
from fixtures import CGROUPS
from podman import read, write


def value(podman, controller, v1_file, v2_file):
    return CGROUPS.read(podman.pid(), controller, v1_file, v2_file)


# --- limits

@pytest.mark.needs("memory")
@pytest.mark.rows("ENG-27")
def test_memory(podman):
    """Killed by its limit. Podman's OOMKilled stays false by cgroupfs, under runc too: see
    test_podman_systemd.py for that, and test_conmon.py for what conmon notes."""
    podman.up("--memory", "16m", "--memory-swap", "16m", "box", "dd", "if=/dev/zero", "of=/dev/null",
              "bs=64M", "count=1")
    assert podman.out("wait", "one") == "137"


@pytest.mark.needs("pids")
@pytest.mark.rows("ENG-27")
def test_pids(podman):
    told = podman.run("--pids-limit", "5", "box", "sh", "-c",
                      "for n in 1 2 3 4 5 6; do sleep 1000 & done; echo all", code=None)
    assert "all" not in told.out and "can't fork" in told.err


@pytest.mark.needs("cpu")
@pytest.mark.rows("ENG-27")
def test_cpu(podman):
    podman.up("--cpus", "0.5", "box", "sleep", "1000")
    quota = value(podman, "cpu", "cpu.cfs_quota_us", "cpu.max").split()[0]
    assert int(quota) * 2 == int(CGROUPS.read(podman.pid(), "cpu", "cpu.cfs_period_us", "cpu.max").split()[-1])


@pytest.mark.needs("cpu", "memory")
@pytest.mark.rows("ENG-27")
def test_update(podman):
    podman.up("--cpu-shares", "512", "--memory", "64m", "box", "sleep", "1000")
    before = value(podman, "cpu", "cpu.shares", "cpu.weight")
    podman.call("update", "--cpu-shares", "2048", "--memory", "32m", "one")
    assert int(value(podman, "cpu", "cpu.shares", "cpu.weight")) > int(before)
    assert value(podman, "memory", "memory.limit_in_bytes", "memory.max") == str(32 << 20)


@pytest.mark.needs("any-v1")
@pytest.mark.rows("ENG-27")
def test_cpuset(podman):
    assert "0" == podman.run("--cpuset-cpus", "0", "box", "sh", "-c",
                             "grep Cpus_allowed_list /proc/self/status").out.split()[1]


def test_cgroup_parent(podman):
    name = podman.up("--cgroup-parent", "/libpod_parent/rt-test", "box", "sleep", "1000")
    paths = set(CGROUPS.of(podman.pid()).values())
    podman.call("rm", "--force", "--time", "0", "one")
    for parent in CGROUPS.dirs("rt-test"):
        for path, _, _ in os.walk(parent, topdown=False):
            host.until(lambda path=path: host.removed(path), path)
    assert f"/libpod_parent/rt-test/libpod-{name}" in paths


@pytest.mark.rows("ENG-32")
def test_no_cgroup(podman):
    """Podman asks for `--cgroup-manager disabled`."""
    name = podman.up("--cgroups", "disabled", "box", "sleep", "1000")
    assert not CGROUPS.dirs(f"libpod-{name}")
    assert podman.out("exec", "one", "echo", "inside") == "inside"


@pytest.mark.rows("ENG-26")
def test_ulimit_and_oom_score(podman):
    told = podman.run("--ulimit", "nofile=100:200", "--ulimit", "nproc=1000", "--oom-score-adj", "500", "box",
                      "sh", "-c", "grep processes /proc/self/limits; ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj")
    assert told.out.split() == ["Max", "processes", "1000", "1000", "processes", "100", "200", "500"]


# --- rights

STATUS = ("box", "grep", "-E", "^(CapEff|CapBnd|NoNewPrivs|Seccomp):", "/proc/self/status")


def status(told):
    return dict(line.split(":\t") for line in told.out.splitlines())


def test_capabilities(podman):
    plain = status(podman.run(*STATUS))
    assert int(plain["CapEff"], 16) == int(plain["CapBnd"], 16) != 0 and plain["Seccomp"] == "2"
    few = status(podman.run("--cap-drop", "all", "--cap-add", "chown", *STATUS))
    assert int(few["CapEff"], 16) == 1
    assert int(status(podman.run("--user", "worker", *STATUS))["CapEff"], 16) == 0


def test_no_new_privileges(podman):
    assert status(podman.run("--security-opt", "no-new-privileges", *STATUS))["NoNewPrivs"] == "1"


def test_seccomp(podman):
    profile = write(podman.place.inside("/run/podman/profile.json"), json.dumps(
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}))
    option = f"seccomp={profile.partition('/root')[2]}"
    told = podman.run("--cap-add", "SYS_ADMIN", "--security-opt", option, "box", "hostname", "x", code=1)
    assert "Function not implemented" in told.err
    assert status(podman.run("--security-opt", "seccomp=unconfined", *STATUS))["Seccomp"] == "0"


def test_privileged(podman):
    assert podman.run("--privileged", "box", "sh", "-c", "mount -t tmpfs tmpfs /data && echo done").out \
        == "done\n"


def test_devices(podman):
    podman.run("--device", "/dev/kmsg:/dev/log:w", "box", "sh", "-c", ": >/dev/log")
    told = podman.run("--device", "/dev/kmsg:/dev/log:r", "box", "sh", "-c", ": >/dev/log", code=1)
    assert "/dev/log: Operation not permitted" in told.err
    told = podman.run("--cap-add", "MKNOD", "box", "sh", "-c",
                      "/bin/busybox mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg", code=1)
    assert "peration not permitted" in told.err


def test_masked_and_read_only(podman):
    script = ("for f in kcore keys timer_list; do [ ! -e /proc/$f ] || head -c 1 /proc/$f; done; ls /sys/firmware; "
              "echo x >/proc/sys/kernel/domainname; touch /made; touch /tmp/made")
    told = podman.run("--read-only", "box", "sh", "-c", script)
    assert told.out == ""
    assert "domainname: Read-only file system" in told.err and "/made: Read-only" in told.err


def test_user_namespace(podman):
    """What root makes inside belongs to the first of the ids outside; what is the host's is nobody's."""
    os.makedirs(podman.place.inside("/run/podman/open"), mode=0o777, exist_ok=True)
    os.chmod(podman.place.inside("/run/podman/open"), 0o777)
    told = podman.run("--uidmap", "0:200000:1000", "--gidmap", "0:200000:1000", "--volume",
                      "/run/podman/open:/open", "box", "sh", "-c",
                      "id -u; touch /open/made; stat -c %u /open /open/made /bin")
    assert told.out.split() == ["0", "65534", "0", "0"]
    assert os.stat(podman.place.inside("/run/podman/open/made")).st_uid == 200000


# --- namespaces

@pytest.mark.parametrize("kind, flag", [("pid", "--pid"), ("ipc", "--ipc"), ("uts", "--uts"), ("net", None),
                                        ("cgroup", "--cgroupns")])
def test_namespace_of_the_host(podman, kind, flag):
    ours = os.readlink(f"/proc/{podman.place.holder.pid}/ns/{kind}")
    flags, network = ([], "host") if kind == "net" else ([flag, "host"], "none")
    podman.up(*flags, "box", "sleep", "1000", network=network)
    assert podman.kernel_namespace(kind) == ours
    podman.up("--cgroupns", "private", "box", "sleep", "1000", name="two")
    assert podman.kernel_namespace(kind, "two") != ours


def test_namespaces_of_another_container(podman):
    podman.up("box", "sleep", "1000")
    podman.up("--pid", "container:one", "--ipc", "container:one", "box", "sleep", "2000", name="two",
              network="container:one")
    for kind in ("pid", "ipc", "net"):
        assert podman.kernel_namespace(kind) == podman.kernel_namespace(kind, "two")
    assert podman.kernel_namespace("mnt") != podman.kernel_namespace("mnt", "two")
    assert "sleep 2000" in podman.out("exec", "one", "ps")


def test_sysctl_and_hostname(podman):
    told = podman.run("--sysctl", "kernel.msgmax=9000", "--hostname", "inner", "box", "cat",
                      "/proc/sys/kernel/msgmax", "/proc/sys/kernel/hostname")
    assert told.out.split() == ["9000", "inner"]


# --- what becomes pid 1

@pytest.mark.rows("LCY-13")
def test_init(podman):
    """catatonit is the first process, and reaps what nobody waits for."""
    podman.up("--init", "box", "sh", "-c", "(sleep 0 &); (sleep 0 &); echo ready; exec sleep 1000")
    podman.until_logged("ready")
    assert "podman-init" in podman.out("exec", "one", "cat", "/proc/1/cmdline")
    host.until(lambda: podman.out("top", "one", "state").split().count("Z") == 0, "no zombie")
    podman.call("stop", "one")
    assert podman.state()["ExitCode"] == 143, "the signal reaches the second process"


TINY_INIT = """
test "$container" = podman || exit 41
for place in /run /run/lock /tmp; do touch $place/x && grep -q " $place tmpfs" /proc/mounts || exit 42; done
for own in /sys/fs/cgroup/systemd /sys/fs/cgroup; do [ -e $own/cgroup.procs ] && break; done
own=$own$(grep -e name=systemd: -e ^0::/ /proc/self/cgroup | head -n 1 | cut -d : -f 3)
mkdir $own/init.scope && echo 1 >$own/init.scope/cgroup.procs || exit 43
grep -q '/init.scope$' /proc/1/cgroup || exit 44
trap 'exit 45' 37
trap 'exit 46' TERM
echo up; while :; do sleep 0.05; done
"""


@pytest.mark.rows("CGM-19")
def test_systemd(podman):
    """A first process that does what systemd does: runs in /run, divides its cgroup, and ends by
    SIGRTMIN+3, which podman sends as the number 37."""
    podman.up("--systemd", "always", "box", "sh", "-c", TINY_INIT)
    host.until(lambda: podman.logs() == "up\n" or not podman.running(), "up", 20)
    assert podman.running(), podman.state()["ExitCode"]
    podman.call("stop", "one")
    assert podman.state()["ExitCode"] == 45


def test_health(podman):
    """By hand, as nothing here keeps the timer: an exec whose exit code is the verdict."""
    podman.up("--health-cmd", "test -e /data/well", "--health-interval", "disable",
              "--health-retries", "2", "box", "sleep", "1000")
    for _ in range(2):
        podman.call("healthcheck", "run", "one", code=1)
    assert podman.state()["Health"]["Status"] == "unhealthy"
    podman.call("exec", "one", "touch", "/data/well")
    podman.call("healthcheck", "run", "one")
    assert podman.state()["Health"]["Status"] == "healthy"


# --- files

def test_volumes(podman):
    """A named volume outlives its container and begins with what the image has there."""
    told = podman.run("--volume", "kept:/etc", "box", "sh", "-c", "echo mine >/etc/mine; head -n 1 /etc/passwd")
    assert told.out.startswith("root:")
    assert podman.run("--volume", "kept:/see:ro", "box", "cat", "/see/mine").out == "mine\n"
    told = podman.run("--volume", "kept:/see:ro", "box", "touch", "/see/mine", code=1)
    assert "Read-only file system" in told.err
    podman.up("--volume", "/anonymous", "box", "sleep", "1000")
    podman.up("--volumes-from", "one", "box", "touch", "/anonymous/x", name="two")
    podman.call("wait", "two")
    podman.call("exec", "one", "test", "-e", "/anonymous/x")
    assert len(podman.out("volume", "ls", "--quiet").split()) == 2


def test_bind_and_tmpfs(podman):
    directory = podman.place.inside("/run/podman/shared")
    os.makedirs(directory + "/below", exist_ok=True)
    write(directory + "/file", "from outside\n")
    told = podman.run("--volume", "/run/podman/shared:/data", "--tmpfs", "/scratch:size=64k,mode=1700",
                      "--mount", "type=tmpfs,dst=/etc,tmpcopyup", "box", "sh", "-c",
                      "cat /data/file; echo inner >/data/below/new; stat -c %a /scratch; "
                      "head -c 100000 /dev/zero >/scratch/big; stat -c %s /scratch/big; head -n 1 /etc/group")
    assert told.out == "from outside\n1700\n65536\nroot:x:0:\n"
    assert read(directory + "/below/new") == "inner"


def test_propagation(podman):
    """A mount made outside later is seen inside, where that was asked for."""
    place, options = podman.place, ["--volume", "/run/podman/tree:/data:rslave"]
    enter = place.enter()

    def run(*argv):
        subprocess.run([*enter, *argv], check=True)

    run("mkdir", "-p", "/run/podman/tree/late")
    run("mount", "--bind", "/run/podman/tree", "/run/podman/tree")
    run("mount", "--make-shared", "/run/podman/tree")
    try:
        podman.up(*options, "box", "sleep", "1000")
        run("mount", "-t", "tmpfs", "tmpfs", "/run/podman/tree/late")
        assert " /data/late tmpfs" in podman.out("exec", "one", "cat", "/proc/mounts")
    finally:
        run("umount", "--recursive", "/run/podman/tree")


@pytest.mark.rows("ENG-30")
def test_hooks(podman):
    """Hooks of a directory: they get the state, and what they print is not the container's."""
    directory = podman.place.inside("/run/podman/hooks")
    os.makedirs(directory, exist_ok=True)
    script = write(directory + "/hook", "#!/bin/sh\necho noise\ncat >/run/podman/hooks/$1.state\n", 0o755)
    hook = script.partition("/root")[2]
    stages = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
    for stage in stages:
        write(f"{directory}/{stage}.json", json.dumps(
            {"version": "1.0.0", "hook": {"path": hook, "args": ["hook", stage]}, "when": {"always": True},
             "stages": [stage]}))
    told = podman.call("--hooks-dir", "/run/podman/hooks", "run", "--network", "none", "--name", "one", "box",
                       "echo", "hello")
    assert told.out == "hello\n"
    podman.call("rm", "one")
    for stage in stages:
        assert json.loads(read(f"{directory}/{stage}.state"))["id"], stage


@pytest.mark.rows("FDS-10")
def test_preserved_descriptors(podman):
    argv = podman.argv("run", "--rm", "--network", "none", "--preserve-fds", "2", "box", "sh", "-c",
                       "cat <&3; cat <&4; ls /proc/self/fd | tail -n 2")
    told = subprocess.run(["sh", "-c", 'exec 3</proc/sys/kernel/ostype 4</proc/sys/kernel/ngroups_max && exec "$@"', "sh", *argv],
                          env=podman.env, stdout=subprocess.PIPE, check=True, text=True)
    assert told.stdout.split()[:2] == ["Linux", "65536"]
