# SPDX-License-Identifier: Apache-2.0
"""An ordinary user, and the cgroups that his service manager delegates to him: rt writes the files
itself (no systemd driver), and what the user asks for bites. Without a delegation it is refused."""

import os
import shutil

import pytest

import host
from bundle import label
from test_rootless import UID, user_box  # noqa: F401 (a fixture)
from units import systemctl

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own]

DELEGATED = f"/user.slice/user-{UID}.slice/user@{UID}.service"
# Since 253 systemd marks what it delegates in users' trees, too.
MARK = ("import os, sys; own = '/sys/fs/cgroup' + open ('/proc/self/cgroup').read ()[3:-1]; "
        "os.setxattr (own, 'user.delegate', b'1'); os.execvp (sys.argv[1], sys.argv[1:])")
OWN_SCOPE = ('exec systemd-run --user --scope --quiet --property Delegate=yes -- '
             f'/usr/bin/python3 -c "{MARK}" "$@"')
PLAIN_SCOPE = 'exec systemd-run --user --scope --quiet -- "$@"'


def in_scopes(user_box, work, shell):  # noqa: F811
    """As user_box, but rt is started in a scope of the user's own service manager."""
    act = user_box.act

    def in_scope(verb, *flags, **options):
        return act(verb, *flags, shell=shell, env={"XDG_RUNTIME_DIR": f"/run/user/{UID}"},
                   **options)
    user_box.act = in_scope
    user_box.rt.root = os.path.join(work, "users")
    os.mkdir(user_box.rt.root, 0o700)
    os.chown(user_box.rt.root, UID, UID)
    return user_box


@pytest.fixture
def own_box(user_box, work):  # noqa: F811
    return in_scopes(user_box, work, OWN_SCOPE)


@pytest.fixture
def users_box(user_box, work):  # noqa: F811
    return in_scopes(user_box, work, PLAIN_SCOPE)


def up(box, *ops):
    """The container runs; what its process has told before it waits is in the Told."""
    box.ops(*ops, "echo up", "pause")
    box.pipe, write = os.pipe()
    told = box.act("create", stdout=write)
    os.close(write)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    told = box.act("start")
    assert told.code == 0, told
    return box.lines_until("up")


def end(box):
    told = box.act("delete", "-f")
    assert told.code == 0, told
    box.exists = False
    box.wait()
    assert not box.cgroups.dirs(box.id)


@pytest.mark.rows("UID-14", "CGM-06", "CGM-08", "CGM-11")
def test_place(own_box, cgroups):
    """In the scope that rt was started in, which has to make room; it ends with the container."""
    up(own_box)
    path = cgroups.of(own_box.pid)[""]
    scope, name = os.path.split(path)
    assert name == own_box.id
    assert scope.startswith(f"{DELEGATED}/app.slice/run-") and scope.endswith(".scope")
    assert os.stat(cgroups.v2 + path).st_uid == UID
    end(own_box)
    host.until(lambda: not os.path.exists(cgroups.v2 + scope), "the scope is gone")


@pytest.mark.rows("UID-14", "CGM-06", "CGM-08")
def test_place_in_what_is_systemd_s(users_box, cgroups):
    """A scope that was not delegated: the container lies beside it, where the files are the user's,
    too."""
    up(users_box)
    assert cgroups.of(users_box.pid)[""] == f"{DELEGATED}/app.slice/{users_box.id}"
    end(users_box)


@pytest.mark.rows("UID-14", "CGM-04", "CGM-05")
@pytest.mark.parametrize("path", [f"{DELEGATED}/app.slice/rt-asked", "rt-asked"])
def test_place_by_cgroups_path(own_box, cgroups, path):
    own_box.linux["cgroupsPath"] = path
    own_box.linux["resources"] = {"pids": {"limit": 9}}
    up(own_box)
    got = cgroups.of(own_box.pid)[""]
    assert got == path if path[0] == "/" else \
        got.startswith(f"{DELEGATED}/app.slice/run-") and got.endswith(".scope/rt-asked")
    assert cgroups.read(own_box.pid, "pids", "", "pids.max") == "9"
    end(own_box)
    assert not cgroups.dirs("rt-asked")


@pytest.mark.rows("UID-14", "CGM-04")
def test_place_in_what_is_not_delegated(own_box, fails):
    own_box.linux["cgroupsPath"] = "/system.slice/rt-not-mine"
    fails(own_box.act("run"), "permission denied", "/system.slice/rt-not-mine", "delegated",
          at="/linux/cgroupsPath")


@pytest.mark.rows("UID-14", "CGR-01", "CGR-03", "CGR-14", "CGR-15", "CGR-21", "CGR-31")
@pytest.mark.parametrize("resources, values", [
    ({"memory": {"limit": 64 << 20, "reservation": 32 << 20}},
     {"memory.max": str(64 << 20), "memory.low": str(32 << 20)}),
    ({"cpu": {"shares": 512, "quota": 50000, "period": 100000}},
     {"cpu.weight": "59", "cpu.max": "50000 100000"}),
    ({"pids": {"limit": 9}}, {"pids.max": "9"}),
    ({"unified": {"memory.high": "50331648"}}, {"memory.high": "50331648"}),
], ids=label)
def test_values(own_box, cgroups, resources, values):
    own_box.linux["resources"] = resources
    up(own_box)
    for name, value in values.items():
        assert cgroups.read(own_box.pid, "", "", name) == value
    systemctl("daemon-reload", user=UID)
    for name, value in values.items():
        assert cgroups.read(own_box.pid, "", "", name) == value
    end(own_box)


@pytest.mark.rows("UID-14", "CGR-21")
def test_no_more_processes(own_box):
    own_box.linux["resources"] = {"pids": {"limit": 5}}
    assert up(own_box, "children 10").line("children")["ret"] == 4
    end(own_box)


@pytest.mark.rows("UID-14", "CGR-01", "CGR-04")
def test_no_more_memory(own_box):
    own_box.linux["resources"] = {"memory": {"limit": 16 << 20, "swap": 16 << 20}}
    own_box.ops("memory 1048576", "memory 67108864", "echo alive")
    told = own_box.act("run")
    assert told.code == 137, told
    assert told.errno("memory", "1048576") is None
    assert "alive" not in told.out


def busy(box):
    """A process that uses all the time it gets."""
    shutil.copy("/bin/busybox", box.path("/bin/busybox"))
    box.process["args"] = ["/bin/busybox", "sh", "-c", "while :; do :; done"]


@pytest.mark.rows("UID-14", "CGR-15")
def test_no_more_time(own_box, cgroups):
    own_box.linux["resources"] = {"cpu": {"quota": 5000, "period": 100000}}
    busy(own_box)
    assert own_box.act("create").code == 0
    own_box.exists, own_box.pid = True, own_box.state()["pid"]
    assert own_box.act("start").code == 0

    def throttled():
        text = cgroups.read(own_box.pid, "cpu", "", "cpu.stat")
        return int(dict(line.split() for line in text.splitlines())["nr_throttled"]) > 1
    host.until(throttled, "throttled", 30)
    end(own_box)


@pytest.mark.rows("CGM-19", "UID-14")
def test_the_container_divides_what_it_has(own_box):
    """Its root owns the cgroup, and what is below it obeys the limits of the whole."""
    own_box.namespace("cgroup")
    own_box.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "rw"])
    own_box.linux["resources"] = {"pids": {"limit": 20}}
    told = up(own_box, "mkdir /sys/fs/cgroup/init", "write /sys/fs/cgroup/init/cgroup.procs 1",
              ["write", "/sys/fs/cgroup/cgroup.subtree_control", "+pids"],
              "write /sys/fs/cgroup/init/pids.max 3", "write /sys/fs/cgroup/pids.max 100",
              "children 10")
    for line in told.lines:
        if line["op"] in ("mkdir", "write") and line["path"] != "/sys/fs/cgroup/pids.max":
            assert line.get("errno") is None, line
    assert told.errno("write", "/sys/fs/cgroup/pids.max") in ("EACCES", "EPERM")
    assert told.line("children")["ret"] == 2
    end(own_box)


@pytest.mark.rows("VRB-23", "UID-14")
def test_life(own_box, cgroups):
    """pause, resume and kill work on a cgroup that is the user's."""
    up(own_box, "children 2")
    assert own_box.act("pause").code == 0
    assert own_box.status() == "paused"
    assert cgroups.read(own_box.pid, "", "", "cgroup.freeze") == "1"
    assert own_box.act("resume").code == 0
    assert own_box.status() == "running"
    end(own_box)


# ---- without a delegation

LOGIN_SCOPE = ("exec systemd-run --scope --quiet --uid={0} --gid={0} --slice=user-{0}.slice -- "
               '"$@"').format(UID)


@pytest.fixture
def login_box(user_box):  # noqa: F811
    """As user_box, but rt is started as from a login: in a scope that belongs to root."""
    act = user_box.act

    def in_scope(verb, *flags, **options):
        return act(verb, *flags, shell=LOGIN_SCOPE, as_root=True, **options)
    user_box.act = in_scope
    return user_box


@pytest.mark.rows("UID-14", "CGM-06")
def test_nothing_is_asked_for(login_box, cgroups):
    """The container stays in the cgroup of its caller."""
    login_box.ops("read /proc/self/cgroup")
    told = login_box.act("run")
    assert told.code == 0, told
    assert told.text("/proc/self/cgroup").startswith(f"0::/user.slice/user-{UID}.slice/run-")


@pytest.mark.rows("UID-14", "CRT-27")
@pytest.mark.parametrize("resources", [{"pids": {"limit": 5}}, {"memory": {"limit": 1 << 26}},
                                       {"unified": {"memory.high": "50331648"}}], ids=label)
def test_a_limit_is_asked_for(login_box, fails, resources):
    login_box.linux["resources"] = resources
    fails(login_box.act("run"), "permission denied", "cgroup", "delegated")
