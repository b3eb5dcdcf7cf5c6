# SPDX-License-Identifier: Apache-2.0
"""create and run: flags, the bundle, the document, and that a failure leaves nothing."""

import json
import os
import resource
import signal
import stat
import subprocess

import pytest

import host
from bundle import label


@pytest.mark.rows("CRT-01", "VRB-01", "LCY-01", "ENG-29")
def test_create_stops_before_the_program(new_box):
    box = new_box("append /ran x", "echo up", "pause")
    box.create()
    assert box.status() == "created"
    assert not os.path.exists(box.path("/ran"))
    box.start()
    box.lines_until("up")
    assert box.status() == "running"
    assert os.path.exists(box.path("/ran"))


@pytest.mark.rows("CRT-02", "CRT-17", "VRB-06")
def test_run_leaves_nothing(box, fails):
    assert box.run().report["pid"] == 1
    fails(box.rt.call("state", box.id), "does not exist", own=(box.id,))


@pytest.mark.rows("CRT-16", "SEC-37")
@pytest.mark.parametrize("ops, code", [
    (["exit 0"], 0), (["exit 7"], 7), (["exit 255"], 255),
    (["trap 0", "signal 9"], 0),  # init of a pid namespace does not hear its own signals
], ids=["0", "7", "255", "own-signal"])
def test_run_exit_code(new_box, ops, code):
    new_box(*ops).run(code=code)


@pytest.mark.rows("CRT-16")
def test_run_exit_code_of_a_signal(new_box):
    box = new_box("signal 15")
    box.namespace("pid", absent=True)
    box.run(code=143)


@pytest.mark.rows("CRT-03")
def test_bundle_defaults_to_the_current_directory(new_box):
    box = new_box("pause")
    box.save()
    assert box.rt.call("create", box.id, cwd=box.dir).code == 0
    box.exists = True
    assert box.state()["bundle"] == box.dir


@pytest.mark.rows("CRT-03", "CLI-43")
def test_bundle_relative_to_the_caller(new_box):
    box = new_box("pause")
    box.save()
    told = box.rt.call("create", "--bundle", box.id, box.id, cwd=os.path.dirname(box.dir))
    assert told.code == 0, told
    box.exists = True
    assert box.state()["bundle"] == box.dir


@pytest.mark.rows("CRT-03")
def test_no_config(box, fails):
    fails(box.create(code=None, save=False), "config.json", own=("no such file or directory",))


@pytest.mark.rows("CRT-03")
def test_no_bundle(box, fails):
    fails(box.rt.call("create", "-b", box.dir + "/nowhere", box.id), "nowhere",
          "no such file or directory")


@pytest.mark.rows("CRT-06", "CRT-07", "ENG-10", "CLI-43")
def test_pid_file(new_box):
    box = new_box("pause")
    box.beside("pid", "123456789 and a rest")
    box.create("--pid-file", "pid", cwd=box.dir)
    with open(box.dir + "/pid", encoding="ascii") as file:
        assert file.read() == str(box.state()["pid"])


@pytest.mark.rows("CRT-08", "CRT-27")
def test_pid_file_that_cannot_be_written(box, fails):
    told = box.create("--pid-file", box.dir + "/no/pid", code=None)
    fails(told, "no such file or directory", "pid")


@pytest.mark.rows("CRT-09", "RFS-02")
def test_no_pivot(new_box):
    box = new_box("report", "ls /", ["ls", "/../.."])
    told = box.run("--no-pivot")
    assert told.report["root"] == "/"
    assert sorted(told.line("ls", "/")["names"]) == sorted(told.line("ls", "/../..")["names"])
    assert "bin" in told.line("ls", "/")["names"]


@pytest.mark.rows("CRT-10", "LSM-09")
def test_session_keyring(new_box):
    box = new_box("keyring")
    told = box.run()
    assert box.id in told.line("keyring")["describe"]


@pytest.mark.rows("CRT-10")
def test_no_new_keyring(new_box):
    box = new_box("keyring")
    told = box.run("--no-new-keyring")
    assert box.id not in told.line("keyring")["describe"]


@pytest.mark.rows("CRT-11", "FDS-15")
def test_preserve_fds(new_box):
    box = new_box("report")
    told = box.run("--preserve-fds", "2", shell='exec "$@" 3</dev/null 4</dev/zero 5</dev/full')
    assert set(told.report["fds"]) == {"0", "1", "2", "3", "4"}


@pytest.mark.rows("CRT-11", "CLI-36")
@pytest.mark.parametrize("value", ["x", "-1", "1x", "99999999999999999999", " 1", ""])
@pytest.mark.own
def test_preserve_fds_is_a_number(box, value):
    told = box.run("--preserve-fds", value, code=None)
    assert told.code not in (0, None) and told.err, told


@pytest.mark.rows("CRT-14", "ENG-11")
def test_run_detached(new_box):
    box = new_box("echo up", "pause")
    box.create("-d", verb="run")
    box.lines_until("up")
    assert box.status() == "running"
    assert box.pid in host.children()


@pytest.mark.rows("CRT-15")
def test_run_keep(new_box):
    box = new_box("exit 3")
    box.run("--keep", code=3)
    box.exists = True
    assert box.status() == "stopped"
    box.delete()


@pytest.mark.rows("CRT-18")
@pytest.mark.parametrize("verb, flags", [("create", []), ("run", ["-d"])])
def test_terminal_needs_a_console_socket(box, fails, verb, flags):
    box.process["terminal"] = True
    box.save()
    fails(box.rt.call(verb, *flags, "-b", box.dir, box.id), "console", own=("--console-socket",))


@pytest.mark.rows("CRT-19")
def test_console_socket_without_terminal(box, fails):
    box.save()
    told = box.rt.call("create", "-b", box.dir, "--console-socket", box.dir + "/none", box.id)
    fails(told, "console")


@pytest.mark.rows("CRT-20", "CRT-21", "ENG-06", "TTY-02")
def test_stdio_is_handed_over(new_box):
    box = new_box("copy", "report", "complain elsewhere")
    told = box.run(text="through and through\n")
    assert told.out.startswith("through and through\n")
    assert told.err == "elsewhere\n"
    assert set(told.report["fds"]) == {"0", "1", "2"}


@pytest.mark.rows("CRT-20")
def test_create_keeps_no_pipe(new_box):
    """When the container is dead nobody holds its standard output."""
    box = new_box("echo up", "pause")
    box.create()
    box.start()
    box.lines_until("up")
    box.kill("KILL")
    assert box.rest() == ""
    box.wait()


@pytest.mark.rows("CRT-22")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT,
                                    signal.SIGRTMIN + 1])
def test_run_forwards_signals(new_box, number):
    box = new_box(f"trap {int(number)}", "echo up", f"until {int(number)}", "exit 4")
    box.save()
    process = subprocess.Popen([box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout.readline() == b"up\n"
    process.send_signal(number)
    assert process.stdout.readline() == f"signal {int(number)}\n".encode()
    assert process.wait(host.PATIENCE) == 4
    process.stdout.close()


@pytest.mark.rows("CRT-24", "ENG-18")
@pytest.mark.parametrize("verb", ["create", "run"])
def test_duplicate_id(new_box, fails, verb):
    box = new_box("pause")
    box.create()
    before = box.state()
    other = new_box("report")
    other.save()
    fails(box.rt.call(verb, "-b", other.dir, box.id), "already exists", own=(box.id,))
    assert box.state() == before


@pytest.mark.rows("CRT-25")
@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "/x", "a b", "a\n", "ä", "a*", "a:b",
                                  "a" * 300, "a\tb"])
@pytest.mark.parametrize("verb", ["create", "state", "start", "kill", "delete"])
def test_bad_id(box, name, verb):
    box.save()
    flags = ["-b", box.dir] if verb == "create" else []
    told = box.rt.call(verb, *flags, name)
    assert told.code not in (0, None), told
    assert told.err.strip()
    assert not os.path.exists(box.rt.root) or os.listdir(box.rt.root) == []


@pytest.mark.rows("CRT-25")
@pytest.mark.parametrize("name", ["a", "A.b-c_d+e", "0", "a" * 100])
def test_good_id(new_box, name):
    box = new_box("report", name=name)
    assert box.run().report["pid"] == 1


@pytest.mark.rows("CRT-26", "LCY-14")
@pytest.mark.own
def test_parallel_create_of_one_id(new_box):
    box = new_box("pause")
    box.save()
    argv = [box.rt.path, "--root", box.rt.root, "create", "-b", box.dir, box.id]
    with open(box.dir + "/err", "wb") as err:
        many = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=err) for _ in range(6)]
        codes = sorted(each.wait(host.PATIENCE) for each in many)
    box.exists = True
    with open(box.dir + "/err", encoding="utf-8") as err:
        assert codes == [0, 1, 1, 1, 1, 1], err.read()
    assert box.status() == "created"


BROKEN = {
    "mount": lambda c: c["mounts"].append({"destination": "/x", "type": "nosuchfs", "source": "x"}),
    "source": lambda c: c["mounts"].append({"destination": "/x", "source": "/nosuch/file",
                                            "options": ["bind"]}),
    "sysctl": lambda c: c["linux"].update(sysctl={"net.no.such": "1"}),
    "program": lambda c: c["process"].update(args=["/bin/none"]),
    "hook": lambda c: c.update(hooks={"createRuntime": [{"path": "/bin/false"}]}),
    "namespace": lambda c: c["linux"]["namespaces"].append({"type": "user",
                                                            "path": "/proc/self/ns/net"}),
    "rlimit": lambda c: c["process"].update(rlimits=[{"type": "RLIMIT_NOFILE", "soft": 20,
                                                      "hard": 10}]),
}


@pytest.mark.rows("CRT-27", "CRT-32", "LCY-10", "ENG-07", "ENG-09")
@pytest.mark.parametrize("what", sorted(BROKEN))
def test_failed_create_leaves_nothing(new_box, what, fails):
    """The fixture looks for what is left. Afterwards the id is free."""
    box = new_box("report")
    good = json.loads(json.dumps(box.config))
    BROKEN[what](box.config)
    fails(box.create(code=None))
    assert box.cgroups.dirs(box.id) == []
    assert box.rt.call("list", "-q").out == ""
    box.config = good
    box.run()


@pytest.mark.rows("CRT-28", "LCY-07", "VRB-23")
@pytest.mark.own
@pytest.mark.parametrize("hook", ["createRuntime", "createContainer"])
def test_create_killed_midway(new_box, hook):
    """delete --force clears what a killed create left behind."""
    box = new_box("pause")
    gate, told = box.fifo("/gate"), box.beside("told", "")
    os.unlink(told)
    os.mkfifo(told)
    box.hook(hook, f"append {told} x", f"await {gate}")
    box.save()
    process = subprocess.Popen([box.rt.path, "--root", box.rt.root, "create", "-b", box.dir,
                                box.id], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    assert host.heard(told) == "x\n"   # the hook runs now
    assert box.rt.state(box.id)["status"] == "creating"
    process.kill()
    process.wait()
    fd = os.open(gate, os.O_RDWR | os.O_NONBLOCK)   # a hook that lives on ends
    os.close(fd)
    assert box.rt.call("delete", "-f", box.id).code == 0
    assert box.rt.call("list", "-q").out == ""


@pytest.mark.rows("CRT-29", "LCY-08")
def test_config_is_read_once(new_box):
    box = new_box("echo first", "pause")
    box.create()
    os.unlink(box.dir + "/config.json")
    box.start()
    assert box.line() == "first"
    box.kill("KILL")
    box.wait()
    box.delete()


@pytest.mark.rows("CRT-30")
@pytest.mark.own
@pytest.mark.parametrize("version", [None, "", "x", "1", "1.0", "2.0.0", "0.9.0", 1])
def test_bad_oci_version(box, fails, version):
    box.config["ociVersion"] = version
    if version is None:
        del box.config["ociVersion"]
    fails(box.create(code=None), "ociVersion")


@pytest.mark.rows("CRT-30")
@pytest.mark.parametrize("version", ["1.0.0", "1.0.2-dev", "1.1.0+x", "1.2.1", "1.3.0", "1.9.0"])
def test_good_oci_version(box, version):
    box.config["ociVersion"] = version
    box.run()


@pytest.mark.rows("CRT-31", "ANN-01", "ANN-12", "VMC-02", "PRC-15", "PRC-35", "MNT-73")
def test_unknown_properties_are_ignored(box):
    box.config.update({"x-new": {"a": [1]}, "windows": {"layerFolders": ["x"]}, "solaris": {},
                       "annotations": {"org.opencontainers.image.stopSignal": "9", "x": ""}})
    box.process.update({"commandLine": "x", "x": None})
    box.process["user"]["username"] = "somebody"
    box.linux["x"] = {"y": 1}
    box.config["mounts"][0]["x"] = True
    box.run()


@pytest.mark.rows("CRT-33")
@pytest.mark.own
@pytest.mark.parametrize("text, place, words", [
    ("{", "1:", ("config.json",)),
    ('{"ociVersion": "1.0.0",\n  "root": }', "2:", ("config.json",)),
    ("", "config.json", ()),
    ("[]", "config.json", ("object",)),
    ('{"ociVersion": "1.0.0"} x', "1:", ("config.json",)),
    ('{"ociVersion": "1.0.0", "ociVersion": "1.0.0"}', "1:", ("twice", "ociVersion")),
    ('{"ociVersion": "1.0.0\\u0000"}', "config.json", ("nul",)),
    ("[" * 100000, "config.json", ("nested deeper",)),
], ids=["open", "syntax", "empty", "array", "rest", "duplicate", "nul", "deep"])
def test_broken_json(box, fails, text, place, words):
    box.beside("config.json", text)
    fails(box.create(code=None, save=False), place, *words)


@pytest.mark.rows("CRT-34", "CRT-32")
@pytest.mark.parametrize("pointer, value", [
    ("/process/user/uid", "0"), ("/process/user/uid", -1), ("/process/user/uid", 4294967296),
    ("/process/user/gid", 1.5), ("/process/args", "x"), ("/process/args/0", 1),
    ("/process/terminal", "yes"), ("/process/env", {}), ("/process/rlimits/0/soft", -1),
    ("/process/rlimits/0/hard", 18446744073709551616), ("/root/readonly", 1), ("/root/path", 5),
    ("/mounts/0/options", "ro"), ("/mounts", {}), ("/mounts/0/destination", 1),
    ("/linux/namespaces", {}), ("/linux/maskedPaths", "x"), ("/hostname", 7),
    ("/linux/resources/devices/0/allow", "no"), ("/process/user/additionalGids", [-1]),
    ("/annotations", {"a": 1}), ("/linux/sysctl", {"net.ipv4.ip_forward": 1}),
    ("/process/noNewPrivileges", "true"), ("/hooks", []),
], ids=label)
def test_wrong_types(box, fails, pointer, value):
    *path, last = pointer.strip("/").split("/")
    node = box.config
    for word in path:
        node = node[int(word)] if isinstance(node, list) else node[word]
    node[int(last) if isinstance(node, list) else last] = value
    at = pointer if not isinstance(value, (list, dict)) or not value else pointer + "/"
    fails(box.create(code=None), at=at, own=("config.json:1:",))


@pytest.mark.rows("CRT-32")
@pytest.mark.own
def test_all_mistakes_are_counted(box):
    box.process["cwd"] = "relative"
    box.process["args"] = []
    box.config["root"] = {}
    told = box.create(code=None)
    assert told.code == 1
    assert "2 more" in told.err or all(word in told.err for word in ("cwd", "args", "root")), told


@pytest.mark.rows("CRT-35")
def test_root_is_missing(box, fails):
    del box.config["root"]
    fails(box.create(code=None), "root", at="/root")


@pytest.mark.rows("CRT-36")
@pytest.mark.parametrize("kind", ["relative", "absolute", "dotted"])
def test_root_path(new_box, kind):
    box = new_box("report")
    box.config["root"]["path"] = {"relative": "rootfs", "absolute": box.rootfs,
                                  "dotted": "./rootfs/../rootfs/"}[kind]
    box.run()


@pytest.mark.rows("CRT-36")
def test_root_is_the_bundle(new_box):
    box = new_box("report")
    for name in os.listdir(box.rootfs):
        os.rename(box.path("/" + name), os.path.join(box.dir, name))
    os.rmdir(box.rootfs)
    box.config["root"]["path"] = "."
    box.run()


@pytest.mark.rows("CRT-36")
def test_root_does_not_exist(box, fails):
    box.config["root"]["path"] = "nowhere"
    fails(box.create(code=None), "nowhere", own=("no such file or directory",), at="/root/path")


@pytest.mark.rows("CRT-36")
def test_root_is_a_file(box, fails):
    box.config["root"]["path"] = "config.json"
    fails(box.create(code=None), "not a directory", own=("config.json",), at="/root/path")


@pytest.mark.rows("CRT-39")
@pytest.mark.parametrize("args", [[], None])
def test_args_are_empty(box, fails, args):
    box.process["args"] = args
    if args is None:
        del box.process["args"]
    fails(box.create(code=None), "args", at="/process")


@pytest.mark.rows("CRT-40")
@pytest.mark.parametrize("cwd", ["", "bin", "./", None])
def test_cwd_is_not_absolute(box, fails, cwd):
    box.process["cwd"] = cwd
    if cwd is None:
        del box.process["cwd"]
    fails(box.create(code=None), "cwd", at="/process")


@pytest.mark.rows("CRT-41", "CRT-42")
@pytest.mark.own
@pytest.mark.needs("root: no user namespace")
def test_no_linux_and_no_mounts(box):
    """Nothing but a root: the container shares the host's namespaces, its mounts excepted."""
    del box.config["linux"]
    box.config["linux"] = {"namespaces": [{"type": "mount"}], "cgroupsPath": f"/{box.id}"}
    del box.config["mounts"]
    del box.config["hostname"]
    told = box.ops("ls /").run()
    assert "bin" in told.line("ls", "/")["names"]


@pytest.mark.rows("CRT-43", "CGM-18")
@pytest.mark.own
def test_cgroup_with_processes_is_refused(new_box, fails):
    first = new_box("echo up", "pause")
    first.up()
    second = new_box("report")
    second.linux["cgroupsPath"] = first.linux["cgroupsPath"]
    before = first.state()
    fails(second.create(code=None), first.id, own=("not empty",), at="/linux/cgroupsPath")
    assert first.state() == before


@pytest.mark.rows("CRT-45", "FDS-15", "HDN-03")
def test_no_descriptor_leaks(new_box):
    """None of rt's, and none of the caller's that was not promised."""
    box = new_box("report", "pause")
    extra = [os.open("/", os.O_RDONLY) for _ in range(3)]
    try:
        told = box.up(pass_fds=extra)
        assert set(told.report["fds"]) == {"0", "1", "2"}
        assert set(os.listdir(f"/proc/{box.pid}/fd")) == {"0", "1", "2"}
    finally:
        for fd in extra:
            os.close(fd)


@pytest.mark.rows("CRT-45", "LCY-13", "CRT-23")
def test_only_init_remains(new_box):
    box = new_box("pause")
    box.create()
    assert host.children() == [box.pid]


@pytest.mark.rows("CLI-42", "PRC-42")
def test_environment_of_the_caller_stays_outside(new_box):
    box = new_box("report")
    told = box.run(env={**os.environ, "SECRET": "x", "_LIBCONTAINER_X": "1", "RT_X": "1"})
    assert set(told.report["env"]) == {"PATH=/sbin:/bin", "A=1", "HOME=/"}


@pytest.mark.rows("CLI-43", "LCY-03", "HDN-18", "CLI-01")
@pytest.mark.own
def test_umask_of_the_caller_does_not_matter(new_box):
    box = new_box("report", "pause")
    box.config["mounts"].append({"destination": "/made/by/rt", "type": "tmpfs", "source": "t"})
    for mask in (0, 0o777):
        told = box.create(umask=mask)
        assert told.code == 0
        for path, mode in ((box.rt.root, 0o700), (os.path.join(box.rt.root, box.id), 0o700)):
            got = stat.S_IMODE(os.stat(path).st_mode)
            assert got & 0o022 == 0 and got & 0o700 == 0o700, (path, oct(got))
        assert stat.S_IMODE(os.stat(box.path("/made/by")).st_mode) == 0o755
        box.start()
        box.delete("-f")
        box.wait()


@pytest.mark.rows("CLI-44")
@pytest.mark.own
def test_closed_stdio(new_box):
    """Descriptors 0 to 2 are closed: nothing of rt's may land there."""
    box = new_box("pause")
    box.save()
    told = box.rt.call("create", "-b", box.dir, box.id, shell='exec "$@" <&- >&- 2>&-')
    assert told.code == 0
    box.exists = True
    for number in "012":
        assert os.readlink(f"/proc/{box.state()['pid']}/fd/{number}").endswith("/dev/null")


@pytest.mark.rows("CLI-45", "PRC-41")
@pytest.mark.own
def test_signals_start_with_their_defaults(new_box):
    def caller():
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGUSR1, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD})
    status = new_box("report").run(preexec_fn=caller).report["status"]
    assert int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) == 0
    assert int(status["SigCgt"], 16) == 0


@pytest.mark.rows("HDN-17", "CGM-22")
@pytest.mark.own
def test_a_document_of_many_megabytes_is_refused(box, fails):
    box.config["annotations"] = {"x": "y" * (17 << 20)}
    fails(box.create(code=None), "config.json")


@pytest.mark.rows("PRC-21")
def test_low_descriptor_limit_of_the_caller(new_box):
    """The runtime lives with few descriptors; the container gets its own limit."""
    box = new_box("report")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = box.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, limit[1])))
    assert told.report["rlimits"]["NOFILE"] == [1000, 1024]
