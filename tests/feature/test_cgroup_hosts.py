# SPDX-License-Identifier: Apache-2.0
"""Cgroups as other hosts have them: in a mount namespace of rt's own, with some hierarchies, or none.

Each command of rt gets a new mount namespace and finds there what `on` was given; the kernel's cgroups
are those of this host all the time."""

import json
import os

import pytest

import host
from fixtures import CGROUPS, host_words

pytestmark = pytest.mark.needs("root: mounts of the host's cgroups")

TOP = "/sys/fs/cgroup"
CLONE_NEWCGROUP = 0x02000000
MS_RDONLY = 1


@pytest.fixture
def on(rt):
    """on (change, ...): from now on rt runs where these have changed the mounts."""
    execute = rt.execute

    def use(*changes):
        def enter():
            host.checked(host.LIBC.unshare(host.CLONE_NEWNS), "unshare")
            host.mount("none", "/", flags=host.MS_REC | host.MS_PRIVATE)
            for change in changes:
                change()

        rt.execute = lambda argv, **options: execute(argv, preexec_fn=enter, **options)

    return use


def without(*names):
    def change():
        for name in names:
            host.umount(f"{TOP}/{name}")
    return change


def v2_alone():
    host.umount(TOP)
    host.mount("cgroup2", TOP, "cgroup2")


def nothing():
    host.umount(TOP)


def missing():
    host.mount("tmpfs", "/sys/fs", "tmpfs")


def empty():
    host.umount(TOP)
    host.mount("tmpfs", TOP, "tmpfs")


def one_v1_on_top():
    host.mount(CGROUPS.v1["freezer"], TOP, flags=host.MS_BIND)


def read_only():
    for line in host.mountinfo():
        if line[line.index("-") + 1] in ("cgroup", "cgroup2") and line[4].startswith(TOP):
            host.mount("none", line[4], flags=host.MS_REMOUNT | host.MS_BIND | MS_RDONLY)


def layout_told(told):
    """What the debug log says of the host."""
    return [line.split("cgroups: ")[1] for line in told.err.splitlines() if "cgroups: " in line]


def bare(box):
    """No cgroup mount in it, nor a cgroup namespace: those have tests of their own."""
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    return box


def mounted_keys(gone=()):
    return {name for name in CGROUPS.of("self")
            if name not in gone and (name or CGROUPS.v2)
            and (name in CGROUPS.v1 or name == "" or name.startswith("name="))}


def create(box):
    """create with the debug log; rt's own part of what it says."""
    box.save()
    told = box.rt.call("create", "-b", box.dir, box.id, globals=("--debug",))
    box.exists = told.code == 0
    assert told.code == 0, told
    box.pid = box.state()["pid"]
    return told


def end(box):
    box.delete("-f")
    box.wait()


@pytest.mark.rows("CGM-01")
def test_the_layout_is_told(new_box):
    box = bare(new_box("pause"))
    [line] = layout_told(create(box))
    why = {"v2": "is cgroup2", "hybrid": "unified is cgroup2", "v1": "neither"}
    assert line.startswith(f"{CGROUPS.layout}, as ") and why[CGROUPS.layout] in line
    for name, path in CGROUPS.v1.items():
        if name in CGROUPS.controllers:
            assert f" at {path}, we in " in line
    end(box)


@pytest.mark.rows("CGM-02", "CGM-01", "CGM-15", "CGM-25", "CGM-24")
@pytest.mark.needs("hybrid", "v1:pids")
def test_v1_alone(new_box, on, rt):
    on(without("unified"))
    box = bare(new_box("children 3", "pause"))
    box.linux["resources"]["pids"] = {"limit": 20}
    [line] = layout_told(create(box))
    assert line.startswith("v1, as neither") and line.endswith("not mounted: v2")
    places = CGROUPS.of(box.pid)
    for name in mounted_keys():
        assert places[name] == (f"/{box.cgroup}" if name else CGROUPS.of("self")[""]), name
    box.start()
    rt.call("pause", box.id)
    assert box.status() == "paused"
    assert box.exec(code=None).code != 0
    rt.call("resume", box.id)
    box.exec("--cgroup", "/", ops=("exit 0",))
    end(box)
    assert not CGROUPS.dirs(box.cgroup)


@pytest.mark.rows("CGM-02", "CGM-15", "CGR-35")
@pytest.mark.needs("hybrid", "v1:pids", "v1:freezer")
def test_v1_with_some_controllers(new_box, on, fails):
    on(without("unified", "pids"))
    box = bare(new_box("pause"))
    assert " pids" in layout_told(create(box))[0].split("not mounted:")[1]
    assert CGROUPS.of(box.pid)["pids"] == CGROUPS.of("self")["pids"]
    assert CGROUPS.of(box.pid)["freezer"] == f"/{box.cgroup}"
    end(box)
    box.linux["resources"]["pids"] = {"limit": 20}
    fails(box.create(code=None), "controller 'pids' is not available on this host",
          at="/linux/resources/pids/limit")
    assert not CGROUPS.dirs(box.cgroup)


@pytest.mark.rows("CGM-03", "CGR-35", "CGD-03")
@pytest.mark.needs("hybrid", "v1:pids")
def test_v2_without_what_v1_has(new_box, on, fails, rt):
    """v2 on top, while v1 keeps the controllers: a limit says who has it; devices, pause and kill are
    v2's own."""
    on(v2_alone)
    box = bare(new_box("mknod /tmp/mem c 1 1", "open /tmp/mem r", "open /dev/null r", "pause"))
    [line] = layout_told(create(box))
    assert line.startswith("v2, as /sys/fs/cgroup is cgroup2")
    assert CGROUPS.of(box.pid)[""] == f"/{box.cgroup}"
    assert CGROUPS.of(box.pid)["pids"] == CGROUPS.of("self")["pids"]
    box.start()
    rt.call("pause", box.id)
    assert box.status() == "paused"
    rt.call("resume", box.id)
    end(box)
    box = bare(new_box("mknod /tmp/mem c 1 1", "open /tmp/mem r", "open /dev/null r"))
    told = box.run()
    assert told.errno("open", "/tmp/mem") == "EPERM" and told.errno("open", "/dev/null") is None
    box.linux["resources"]["pids"] = {"limit": 20}
    fails(box.create(code=None), "controller 'pids' is not available in", "used by cgroup v1",
          at="/linux/resources/pids/limit")
    assert not CGROUPS.dirs(box.cgroup)


@pytest.mark.rows("CGM-03", "CGM-01")
@pytest.mark.needs("hybrid")
def test_v2_beside_empty_directories_of_v1(new_box, on):
    """tmpfs with `unified` alone: v2's directory is all that there is, for devices, too."""
    on(lambda: [host.umount(path) for path in set(CGROUPS.v1.values())])
    box = bare(new_box("mknod /tmp/mem c 1 1", "open /tmp/mem r"))
    assert box.run().errno("open", "/tmp/mem") == "EPERM"


@pytest.mark.rows("CGM-01")
@pytest.mark.own
@pytest.mark.parametrize("change, why", [
    (nothing, "nothing is mounted on /sys/fs/cgroup"), (missing, "/sys/fs/cgroup is not there"),
    (empty, "neither /sys/fs/cgroup nor"),
    pytest.param(one_v1_on_top, "a v1 hierarchy itself", marks=pytest.mark.needs("v1:freezer"))])
def test_no_cgroups(new_box, on, fails, change, why):
    on(change)
    box = bare(new_box("report"))
    told = fails(box.run(code=None), "no cgroup hierarchy is mounted below /sys/fs/cgroup", why)
    assert "switch cgroups off" in told.err
    del box.linux["resources"]
    box.save()
    assert box.rt.call("--cgroup-manager", "disabled", "run", "-b", box.dir, box.id).code == 0
    # Who is forgiven that there is no cgroup needs none, unless something was asked of it.
    del box.linux["cgroupsPath"]
    box.save()
    assert box.rt.call("--rootless", "run", "-b", box.dir, box.id).code == 0
    box.linux["resources"] = {"pids": {"limit": 5}}
    box.save()
    fails(box.rt.call("--rootless", "run", "-b", box.dir, box.id), "no cgroup hierarchy")


@pytest.mark.rows("CGM-01", "VRB-29")
@pytest.mark.own
def test_read_only(new_box, on, fails, rt):
    on(read_only)
    box = bare(new_box("report", "pause"))
    told = fails(box.create(code=None), "read-only file system", "mount it writable",
                 at="/linux/cgroupsPath")
    assert not os.path.isdir(f"{rt.root}/{box.id}"), told
    del box.linux["resources"], box.linux["cgroupsPath"]
    box.save()
    told = rt.call("--rootless", "create", "-b", box.dir, box.id)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    assert CGROUPS.of(box.pid) == CGROUPS.of("self")
    end(box)


@pytest.mark.rows("VRB-29")
@pytest.mark.own
def test_delete_where_cgroups_cannot_be_removed(new_box, on, fails):
    """What was never made is no error; what is there and stays is."""
    box = bare(new_box("exit 0"))
    box.create()
    box.start()
    box.wait()
    on(read_only)
    fails(box.delete(code=None), "remove cgroup", "read-only")
    for path in CGROUPS.dirs(box.cgroup):
        os.rmdir(path)
    box.delete()


# ---- in a container

@pytest.fixture
def part(work):
    """A cgroup in each hierarchy, for rt to live in: {mount: path below}."""
    name, made = f"rt-part-{os.getpid()}", {}
    for root in CGROUPS.roots:
        made[root] = f"{root}/{name}"
        os.mkdir(made[root])
        for knob in ("cpuset.cpus", "cpuset.mems"):
            if root == CGROUPS.v1.get("cpuset"):
                with open(f"{root}/{knob}", encoding="ascii") as file:
                    value = file.read()
                with open(f"{made[root]}/{knob}", "w", encoding="ascii") as file:
                    file.write(value)
    yield made
    for path in made.values():
        for directory, _, _ in os.walk(path, topdown=False):
            host.until(lambda directory=directory: host.removed(directory), directory, 5)


def move_into(part):
    for path in part.values():
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")


@pytest.mark.rows("CGM-02", "CGM-12", "EXE-21", "CGM-23")
@pytest.mark.parametrize("namespace", [False, True], ids=["bind", "namespace"])
def test_inside_a_container(part, new_box, on, namespace):
    """The mounts show no more than the outer container's part: bound without a cgroup namespace (then
    /proc says the host's paths), or mounted in one."""
    def enter():
        if not namespace:
            for root, path in part.items():
                host.mount(path, root, flags=host.MS_BIND)
            return
        host.checked(host.LIBC.unshare(CLONE_NEWCGROUP), "unshare")
        for line in host.mountinfo():
            kind, options = line[line.index("-") + 1], line[-1].split(",")
            if line[4] not in part:
                continue
            words = [word for word in options if word not in ("rw", "xattr", "nsdelegate")]
            words += ["none"] if any(word.startswith("name=") for word in words) else []
            host.umount(line[4])
            host.mount(kind, line[4], kind, data=",".join(words) if kind == "cgroup" else "")

    on(lambda: move_into(part), enter)
    box = bare(new_box("pause"))
    box.namespace("cgroup", absent=True)
    inner = f"/{os.path.basename(list(part.values())[0])}/{box.cgroup}"
    box.up()
    for name in mounted_keys():
        assert CGROUPS.of(box.pid)[name] == inner, name
    told = box.exec(ops=(["read", "/proc/self/cgroup"],))
    for line in told.text("/proc/self/cgroup").splitlines():
        key = line.split(":")[1].split(",")[0]
        if key in mounted_keys():
            assert line.split(":")[2] == (f"/{box.cgroup}" if namespace else inner), line
    end(box)
    assert not CGROUPS.dirs(box.cgroup)


# ---- v2 trees that somebody else has begun

def v2_limit():
    """A limit that v2 keeps on this host, and its controller."""
    if "v2:memory" in host_words():
        return "memory", {"memory": {"limit": 64 << 20}}
    return "hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 << 20}]}


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


@pytest.mark.rows("CGM-11", "CGR-35")
@pytest.mark.needs("v2-tree")
@pytest.mark.own
def test_below_a_cgroup_with_processes(part, new_box, on, fails):
    """It cannot enable controllers for others: no limits there, and it stays as it is."""
    parent = part[CGROUPS.v2]
    on(lambda: move_into({CGROUPS.v2: parent}))
    first = bare(new_box("pause"))
    first.linux["cgroupsPath"] = f"/{os.path.basename(parent)}/{first.cgroup}"
    holder = bare(new_box("pause"))
    holder.linux["cgroupsPath"] = f"/{os.path.basename(parent)}/{holder.cgroup}"
    holder.up()
    write(f"{parent}/cgroup.procs", str(holder.pid))
    first.up()
    assert CGROUPS.of(first.pid)[""] == first.linux["cgroupsPath"]
    assert read(f"{parent}/cgroup.type") == "domain"
    assert read(f"{parent}/cgroup.subtree_control") == ""
    end(first)
    controller, resources = v2_limit()
    first.linux["resources"].update(resources)
    fails(first.create(code=None), f"controller '{controller}' is not available",
          "the parent has processes of its own", at="/linux/resources/")
    end(holder)


@pytest.mark.rows("CGM-10", "CGM-24", "VRB-49", "CGR-35")
@pytest.mark.needs("v2-tree")
@pytest.mark.own
def test_below_a_threaded_cgroup(part, new_box, fails, rt):
    """A container can be there, too, with what can be limited there; the kernel does not list its
    processes, nor kill them at once."""
    parent = part[CGROUPS.v2]
    os.mkdir(f"{parent}/beside")
    write(f"{parent}/beside/cgroup.type", "threaded")
    assert read(f"{parent}/cgroup.type") == "domain threaded"
    box = bare(new_box("children 3", "pause"))
    box.linux["cgroupsPath"] = f"/{os.path.basename(parent)}/above/{box.cgroup}"
    if "v2:pids" in host_words():
        box.linux["resources"]["pids"] = {"limit": 20}
    box.up()
    directory = CGROUPS.dir(box.pid, "")
    assert directory == f"{parent}/above/{box.cgroup}"
    assert read(f"{directory}/cgroup.type") == "threaded"
    if "v2:pids" in host_words():
        assert read(f"{directory}/pids.max") == "20"
    pids = json.loads(rt.call("ps", "--format", "json", box.id).out)
    assert len(pids) == 4 and box.pid in pids
    rt.call("pause", box.id)
    assert box.status() == "paused"
    rt.call("resume", box.id)
    box.kill("--all", "KILL")
    box.wait()
    box.delete()
    controller, resources = v2_limit()
    box.linux["resources"].update(resources)
    fails(box.create(code=None), f"controller '{controller}' is not available", "it is threaded",
          at="/linux/resources/")
