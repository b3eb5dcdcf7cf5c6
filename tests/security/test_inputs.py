# SPDX-License-Identifier: Apache-2.0
"""Descriptors, rt's own program, and documents that try to overflow, to escape or to inject."""

import hashlib
import json
import os
import socket
import stat

import pytest

import host
from bundle import label

OWN = pytest.mark.own


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


# ---- rt's own program and its descriptors

@pytest.mark.rows("HDN-01", "HDN-14")
@OWN
@pytest.mark.parametrize("program", ["/proc/self/exe", "script"])
def test_the_program_itself_as_the_entry_point(new_box, rt, program):
    """CVE-2019-5736: what runs as /proc/self/exe is rt; nobody inside may write to it."""
    box = new_box()
    if program == "script":
        box.file("/bin/script", "#!/proc/self/exe\n", 0o755)
        program = "/bin/script"
    box.process["args"] = [program, "--version"]
    before = digest(rt.path)
    told = box.run(code=None)
    assert told.code is not None
    assert digest(rt.path) == before


@pytest.mark.rows("HDN-01", "PRC-40", "LCY-16")
@OWN
def test_the_program_of_a_waiting_init_cannot_be_written(new_box, rt):
    """Seen from the host with all rights: still not rt's own file, or read-only."""
    box = new_box("pause")
    before = digest(rt.path)
    box.create()
    path = f"/proc/{box.pid}/exe"
    with pytest.raises(OSError):
        os.close(os.open(path, os.O_WRONLY))
    # through an O_PATH descriptor, as the attack does once the program has ended
    fd = os.open(path, os.O_PATH)
    try:
        box.kill("KILL")
        box.wait()
        with pytest.raises(OSError):    # a sealed copy may be opened, but not written to
            writer = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY)
            try:
                os.write(writer, b"x")
            finally:
                os.close(writer)
    finally:
        os.close(fd)
    assert digest(rt.path) == before


@pytest.mark.rows("FDS-15", "CRT-45", "HDN-03", "FDS-17")
@pytest.mark.parametrize("when", ["running"])
def test_descriptors_of_init(new_box, when):
    box = new_box("ls /proc/1/fd", "report", "pause")
    told = box.up()
    assert set(told.report["fds"]) == {"0", "1", "2"}
    for number in ("0", "1", "2"):
        assert not os.readlink(f"/proc/{box.pid}/fd/{number}").startswith(box.rt.root)


@pytest.mark.rows("FDS-15", "HDN-03", "CRT-45")
@OWN
def test_descriptors_of_a_waiting_init_lead_nowhere(new_box, rt):
    """Whoever joins the container before `start` finds no directory of the host in them."""
    box = new_box("pause")
    box.create()
    for number, target in host.open_files(box.pid).items():
        if target.startswith("/") and not target.startswith("/dev/"):
            status = os.stat(f"/proc/{box.pid}/fd/{number}")
            assert not stat.S_ISDIR(status.st_mode), (number, target)


@pytest.mark.rows("HDN-14", "PRC-40", "LCY-16")
@OWN
@pytest.mark.needs("root: a user must look into what is his")
def test_a_waiting_init_is_not_dumpable(new_box):
    """Its /proc files belong to root of the host, so that neighbours inside cannot open them."""
    box = new_box("pause")
    box.userns()
    box.create()
    assert os.stat(f"/proc/{box.pid}/environ").st_uid == 0


@pytest.mark.rows("CRT-11")
@OWN
@pytest.mark.parametrize("count", [1, 2])
def test_preserve_fds_that_are_not_open(box, fails, count):
    """runc 1.1.5 hands out descriptors of its own."""
    told = box.run("--preserve-fds", str(count), code=None, shell='exec "$@" 3<&- 4<&- 5<&-')
    fails(told, "3", own=("--preserve-fds",))


@pytest.mark.rows("CRT-11", "CLI-36")
def test_preserve_fds_of_thousands(box):
    told = box.run("--preserve-fds", "100000", code=None)
    assert told.code not in (0, None)


@pytest.mark.rows("HKS-10", "HKS-11", "HKS-18")
@OWN
def test_hooks_do_not_inherit_the_container_s_environment(new_box):
    """CVE-2025-23266: LD_PRELOAD of the image must not reach a hook on the host."""
    box = new_box("pause")
    box.process["env"].append("LD_PRELOAD=/evil.so")
    for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
        box.hook(kind, f"hook {box.dir}/{kind}")
    box.create()
    box.start()
    box.delete("-f")
    box.wait()
    for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
        [(report, _)] = box.hook_reports(f"{box.dir}/{kind}")
        assert "LD_PRELOAD=/evil.so" not in report["env"], kind
        assert report["env"] == [] or kind != "createContainer"
        assert report["cwd"] == box.dir


@pytest.mark.rows("HDN-18", "LCY-03", "CLI-01")
@OWN
def test_state_directory_below_umask_0(new_box, rt):
    """CVE-2021-41103."""
    box = new_box("pause")
    box.create(umask=0)
    for path, names, files in os.walk(rt.root):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700, path
        for name in files:
            status = os.lstat(os.path.join(path, name))
            if stat.S_ISREG(status.st_mode):
                assert stat.S_IMODE(status.st_mode) == 0o600, name
            else:
                assert stat.S_IMODE(status.st_mode) & 0o077 == 0, name


@pytest.mark.rows("HDN-18")
def test_no_abstract_sockets(new_box):
    """CVE-2020-15257. Others of this machine have some: of all sockets those count that the container's
    process has; when `create` is over nobody else of rt's is there who could have any."""

    def names(box):
        found = {}
        for table in ("/proc/net/unix", f"/proc/{box.pid}/net/unix"):
            with open(table, encoding="utf-8", errors="replace") as file:
                for words in map(str.split, file):
                    found[f"socket:[{words[6]}]"] = "".join(words[7:])
        return [found[link] for link in host.open_files(box.pid).values() if link in found]
    box = new_box("pause")
    box.create()
    gate = names(box)
    assert gate and not any(name.startswith("@") for name in gate), gate
    box.start()
    host.until(lambda: host.comm(box.pid) == "probe", "its program runs")
    assert names(box) == []


# ---- numbers and sizes

@pytest.mark.rows("PRC-12", "CRT-34", "HDN-13")
@pytest.mark.parametrize("field", ["uid", "gid", "additionalGids"])
@pytest.mark.parametrize("number", ["4294967296", "-1", "1e10", "1.5", "-2147483648", "\"0\"",
                                    pytest.param("4294967295", marks=OWN),
                                    "99999999999999999999999"])
def test_ids_that_are_no_ids(box, fails, field, number):
    """CVE-2024-40635: never wrapped into 0."""
    box.process["user"][field] = [77777] if field == "additionalGids" else 77777
    box.save()
    with open(box.dir + "/config.json", encoding="utf-8") as file:
        text = file.read()
    with open(box.dir + "/config.json", "w", encoding="utf-8") as file:
        file.write(text.replace("77777", number))
    fails(box.create(code=None, save=False), at="/process/user/" + field)


@pytest.mark.rows("PRC-12")
@pytest.mark.parametrize("number", [2147483647, pytest.param(2147483648, marks=OWN),
                                    pytest.param(4294967294, marks=OWN)])
@pytest.mark.needs("root: ids of the host")
def test_large_ids(new_box, number):
    box = new_box("report")
    box.process["user"].update(uid=number, gid=number)
    report = box.run().report
    assert report["status"]["Uid"].split() == [str(number)] * 4
    assert report["status"]["Gid"].split() == [str(number)] * 4


@pytest.mark.rows("HDN-12", "UID-02")
@OWN
@pytest.mark.needs("root: chooses ids")
def test_thousands_of_mappings(new_box):
    """CVE-2021-43784. The kernel takes 340 lines of one page; more is a clean error."""
    box = new_box("read /proc/self/uid_map")
    box.userns()
    maps = [{"containerID": number * 2, "hostID": 100000 + number * 2, "size": 1}
            for number in range(250)]
    box.linux["uidMappings"] = maps
    assert len(box.run().text("/proc/self/uid_map").splitlines()) == 250
    box.linux["uidMappings"] = [{"containerID": number * 2, "hostID": 100000 + number * 2,
                                 "size": 1} for number in range(5000)]
    told = box.create(code=None)
    assert told.code == 1 and "/linux/uidMappings" in told.err, told


@pytest.mark.rows("HDN-12", "HDN-17")
@OWN
@pytest.mark.parametrize("where", ["cwd", "args", "destination", "source", "cgroupsPath", "masked",
                                   "hook", "rootfs"])
def test_paths_of_70_kib(box, fails, where):
    path = "/" + "x" * 71680
    if where == "cwd":
        box.process["cwd"] = path
    elif where == "args":
        box.process["args"] = [path]
    elif where == "destination":
        box.mount(path)
    elif where == "source":
        box.bind(path, "/data")
    elif where == "cgroupsPath":
        box.linux["cgroupsPath"] = path
    elif where == "masked":
        box.linux["maskedPaths"].append(path)
    elif where == "hook":
        box.config["hooks"] = {"createRuntime": [{"path": path}]}
    else:
        box.config["root"]["path"] = path
    told = box.create(code=None)
    assert told.code == 1 and "too long" in told.err.lower(), told
    assert len(told.err) < 4096


@pytest.mark.rows("HDN-12", "HDN-17", "HDN-19")
@OWN
def test_environment_of_2_mib(new_box):
    """More than execve takes, in single strings that it would take."""
    box = new_box("report")
    box.process["env"] = [f"X{number}=" + "y" * 100000 for number in range(22)]
    told = box.create(code=None)
    if told.code == 0:
        told = box.start(code=None)
        if told.code == 0:      # the kernel's limit depends on the stack's
            assert box.rest()
            box.wait()
            return
    assert "argument list too long" in told.err.lower() and "yyyy" not in told.err, told


@pytest.mark.rows("HDN-17")
@OWN
@pytest.mark.parametrize("text", [
    "[" * 200000, '{"a":' * 200000, '{"ociVersion":"' + "x" * (1 << 20) + '"}',
    '{"ociVersion": 1' + "0" * 100000 + "}", '"' + "\\u0000" * 1000 + '"', "\x00" * 1000,
    "\xff\xfe", '{"ociVersion":"1.0.0","root":{"path":"a\\u0000b"}}', "nul", "{}",
    '{"ociVersion":"1.0.0","process":null,"root":null,"mounts":null,"linux":null,"hooks":null}',
], ids=["arrays", "objects", "long", "digits", "nuls", "binary", "utf-8", "nul-in-path", "word",
        "empty", "nulls"])
def test_documents_that_are_none(box, text):
    with open(box.dir + "/config.json", "w", encoding="latin-1") as file:
        file.write(text)
    told = box.create(code=None, save=False)
    assert told.code == 1 and "config.json" in told.err, told
    assert len(told.err) < 8192


@pytest.mark.rows("NET-11", "NET-06", "NET-09")
@OWN
@pytest.mark.parametrize("name, value", [
    ("net.ipv4.../../kernel/core_pattern", "x"), ("net/../kernel/core_pattern", "x"),
    ("net//ipv4", "x"), ("net.ipv4.ip_forward\n", "1"), ("net.ipv4.ip_forward", "1\nkernel.x=1"),
    ("net.ipv4.ip_forward+kernel.core_pattern", "1"), ("/net/ipv4/ip_forward", "1"),
    ("net", "1"), ("net.", "1"), ("..", "1"), ("kernel.shm_rmid_forced/../core_pattern", "x"),
    ("fs.mqueue/../../kernel/core_pattern", "x"), ("net.ipv4.ip_forward/", "1"),
], ids=label)
def test_sysctl_names_that_lead_elsewhere(box, fails, name, value):
    """CVE-2022-0811 and its like."""
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as file:
        before = file.read()
    box.linux["sysctl"] = {name: value}
    fails(box.create(code=None), "sysctl", at="/linux/sysctl")
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as file:
        assert file.read() == before


@pytest.mark.rows("CGM-07", "CGM-32", "CGR-28", "CGR-31")
@OWN
@pytest.mark.parametrize("resources, at", [
    ({"hugepageLimits": [{"pageSize": "../../cgroup.procs", "limit": 1}]}, "/hugepageLimits/0"),
    ({"hugepageLimits": [{"pageSize": "2MB/../x", "limit": 1}]}, "/hugepageLimits/0"),
    ({"unified": {"../cgroup.procs": "1"}}, "/unified"), ({"unified": {"a/b.c": "1"}}, "/unified"),
    ({"unified": {"..": "1"}}, "/unified"), ({"cpu": {"cpus": "0\n1"}}, "/cpu/cpus"),
    ({"rdma": {"a b\nc": {"hcaHandles": 1}}}, "/rdma"),
    ({"network": {"priorities": [{"name": "lo\neth0", "priority": 1}]}}, "/network/priorities/0"),
], ids=label)
def test_resources_that_lead_elsewhere(box, fails, resources, at):
    box.linux["resources"].update(resources)
    fails(box.create(code=None), at="/linux/resources" + at)


@pytest.mark.rows("CGM-07", "CGM-04")
@OWN
@pytest.mark.parametrize("path", ["../../..", "/../../..", "/..", "a/../../..", "/x/../../y"])
def test_cgroups_path_that_leads_upwards(box, fails, cgroups, path):
    own = cgroups.of("self")
    box.linux["cgroupsPath"] = path
    fails(box.create(code=None), "..", at="/linux/cgroupsPath")
    assert cgroups.of("self") == own


@pytest.mark.rows("CRT-25")
@pytest.mark.parametrize("name", ["-x", "--force", ".hidden", "..", "../../tmp/x", "a/../b", "a%2f",
                                  "$(id)", "a;b", "a\x7f", "\u202e", "a" * 5000, "-"])
@pytest.mark.parametrize("verb", ["create", "run", "state", "kill", "delete"])
def test_ids_that_are_paths(box, rt, name, verb):
    if name in (".hidden", "-x", "-", "--force") and os.environ.get("RT_PEER"):
        pytest.xfail("the peer allows it")
    box.save()
    flags = ["-b", box.dir] if verb in ("create", "run") else []
    told = rt.call(verb, *flags, "--", name)
    assert told.code == 1 and told.err.strip(), told
    assert not os.path.exists(rt.root) or os.listdir(rt.root) == []


@pytest.mark.rows("HDN-19", "PRC-06")
@OWN
def test_values_of_the_environment_are_not_told(new_box):
    """In no error, no debug message and no log."""
    box = new_box("report")
    box.process["env"] += ["TOKEN=hidden-word"]
    box.process["args"] = ["nothing"]
    box.save()
    log = box.dir + "/log"
    told = box.rt.call("create", "-b", box.dir, box.id,
                       globals=["--debug", "--log", log, "--log-format", "json"])
    assert told.code == 1
    with open(log, encoding="utf-8") as file:
        text = file.read()
    assert "hidden-word" not in text + told.err + told.out
    assert all(json.loads(line) for line in text.splitlines())


@pytest.mark.rows("CAP-05", "HDN-11")
@pytest.mark.needs("ids")
def test_a_user_that_is_not_root_has_no_capabilities(new_box):
    """CVE-2016-8867, CVE-2022-29162: nothing ambient, nothing inheritable."""
    box = new_box("report")
    box.process["user"] = {"uid": 1000, "gid": 1000}
    status = box.run().report["status"]
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status[name], 16) == 0, name


@pytest.mark.rows("PRC-13")
@pytest.mark.needs("root: has groups")
def test_groups_of_the_caller(new_box):
    """CVE-2022-36109 and its like."""
    box = new_box("report")
    box.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [42]}
    told = box.run(preexec_fn=lambda: os.setgroups([0, 11, 12]))
    assert told.report["groups"] == [42]


@pytest.mark.rows("ENG-06", "TTY-09")
def test_console_socket_that_is_no_socket(new_box, fails):
    box = new_box("report")
    box.process["terminal"] = True
    path = box.beside("plain", "kept")
    fails(box.create("--console-socket", path, code=None), "connection refused")
    with open(path, encoding="ascii") as file:
        assert file.read() == "kept"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(box.dir + "/datagram")
        assert box.create("--console-socket", box.dir + "/datagram", code=None).code == 1
