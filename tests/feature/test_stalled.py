# SPDX-License-Identifier: Apache-2.0
"""A bundle, a document, a root or a source on a file system that never answers: a process that asks it can
be held against SIGKILL, and rt is not that process."""

import json
import os
import shutil
import signal
import subprocess

import pytest

import host
from silent_fs import GETATTR, STATFS, DeafFs, SilentFs
from test_patience import SOON, calling

pytestmark = [pytest.mark.own, pytest.mark.needs("root: mounts a FUSE file system", "dev-fuse", "openat2")]


@pytest.fixture(params=[SilentFs, DeafFs], ids=["silent", "deaf"])
def stalled(work, request):
    fs = request.param(os.path.join(work, "stalled"))
    yield fs
    fs.close()


@pytest.fixture
def deaf(work):
    """Its top answers: only what is below it does not."""
    fs = DeafFs(os.path.join(work, "stalled"), [GETATTR, STATFS])
    yield fs
    fs.close()


def bundle(box, fs):
    return ["-b", f"{fs.path}/bundle"], f"{fs.path}/bundle", None


def bundle_itself(box, fs):
    return ["-b", fs.path], f"{fs.path}/config.json", None


def config(box, fs):
    return ["-b", box.dir, "-f", f"{fs.path}/my.json"], f"{fs.path}/my.json", None


def root(box, fs):
    box.config["root"]["path"] = f"{fs.path}/rootfs"
    return ["-b", box.dir], f"{fs.path}/rootfs", "/root/path"


def root_itself(box, fs):
    box.config["root"]["path"] = fs.path
    return ["-b", box.dir], fs.path, "/root/path"


def source(box, fs):
    box.bind(f"{fs.path}/data", "/tmp/data")
    return ["-b", box.dir], f"{fs.path}/data", f"/mounts/{len(box.config['mounts']) - 1}/source"


def source_itself(box, fs):
    box.bind(fs.path, "/tmp/data")
    return ["-b", box.dir], fs.path, f"/mounts/{len(box.config['mounts']) - 1}/source"


def source_of_a_user_namespace(box, fs):
    box.userns()
    return source_itself(box, fs)


def source_that_is_shared(box, fs):
    box.linux["rootfsPropagation"] = "rshared"
    box.bind(fs.path, "/tmp/data", "rshared")
    return ["-b", box.dir], fs.path, f"/mounts/{len(box.config['mounts']) - 1}/source"


STALLED = [bundle, bundle_itself, config, root, root_itself, source, source_itself, source_of_a_user_namespace,
           source_that_is_shared]
named = pytest.mark.parametrize("where", STALLED, ids=lambda where: where.__name__)


def nothing_is_left(box):
    assert not os.path.isdir(box.rt.root) or not os.listdir(box.rt.root)
    assert not box.cgroups.dirs(box.cgroup)


@pytest.mark.rows("LCY-12")
@named
@pytest.mark.parametrize("verb", ["create", "run"])
def test_what_does_not_answer_is_given_up(new_box, stalled, fails, where, verb):
    box = new_box("report")
    flags, path, at = where(box, stalled)
    box.save()
    told = box.rt.call(verb, *flags, box.id, globals=SOON, timeout=20)
    fails(told, f"cannot open {path}: the file system does not answer", "waited 0.7 s for process",
          "(rt:opener), ", at=at)
    nothing_is_left(box)


@pytest.mark.rows("LCY-12")
@pytest.mark.parametrize("ends, where", [(signal.SIGTERM, where) for where in STALLED] +
                         [(signal.SIGINT, config), (signal.SIGHUP, root)],
                         ids=lambda value: getattr(value, "name", None) or value.__name__)
def test_signals_end_it(new_box, deaf, ends, where):
    """And what is held has nothing of the caller's: the end of its pipe comes."""
    box = new_box("report")
    deaf.answered = ()
    flags, _, _ = where(box, deaf)
    box.save()
    process = calling(box, "create", *flags, globals=())
    try:
        host.until(lambda: deaf.unanswered, "the file system is asked")
        opener = host.child_named(process.pid, "rt:opener")
        process.send_signal(ends)
        process.communicate(timeout=20)
        assert process.returncode == -ends
        assert host.stat_state(opener) not in ("Z", None)    # no signal reaches it
        assert all(name.startswith(("socket:", deaf.path)) for name in host.open_files(opener).values())
        nothing_is_left(box)
    finally:
        process.kill()
        process.wait()


@pytest.mark.rows("LCY-12", "EXE-02")
def test_a_process_of_exec_that_does_not_answer(new_box, stalled, fails):
    box = new_box("pause")
    box.up()
    told = box.rt.call("exec", "-p", f"{stalled.path}/p.json", box.id, globals=SOON, timeout=20)
    fails(told, f"cannot open {stalled.path}/p.json: the file system does not answer")
    told = box.rt.call("update", "-r", f"{stalled.path}/r.json", box.id, globals=SOON, timeout=20)
    fails(told, f"cannot open {stalled.path}/r.json: the file system does not answer")
    box.delete("-f")
    box.wait()


@pytest.mark.rows("LCY-12")
@pytest.mark.needs("pidfd-signal")
def test_a_killed_process_that_is_held_is_no_stopped_container(new_box, deaf, fails):
    """Its mounts and its cgroup are there, and so is it."""
    box = new_box("stat /tmp/data/x")
    box.bind(deaf.path, "/tmp/data")
    box.create()
    box.start()
    host.until(lambda: deaf.unanswered, "the container asks for a file")
    host.kill(box.pid)
    host.until(lambda: host.stat_state(box.pid) == "D", "it is held")
    assert box.status() == "running"
    fails(box.rt.call("delete", box.id, globals=SOON), "running")
    fails(box.rt.call("delete", "-f", box.id, globals=SOON, timeout=20), f"{box.pid} (", "D in")
    assert box.status() == "running"
    deaf.close()
    deaf.close = lambda: None
    box.wait()
    assert box.status() == "stopped"
    box.delete()


@pytest.mark.rows("LCY-12")
@pytest.mark.parametrize("where", [root_itself, source_of_a_user_namespace, config], ids=lambda where: where.__name__)
def test_another_user_s_file_system_refuses(new_box, work, fails, where):
    """It need not be waited for."""
    box, fs = new_box("report"), SilentFs(os.path.join(work, "refused"), owner=1234)
    try:
        flags, path, at = where(box, fs)
        box.save()
        fails(box.rt.call("create", *flags, box.id, timeout=20), path, "permission denied", at=at)
    finally:
        fs.close()


def pid_file(box, fs):
    return ["--pid-file", f"{fs.path}/dir/pid"]


def console_socket(box, fs):
    box.process["terminal"] = True
    return ["--console-socket", f"{fs.path}/dir/console"]


def pidfd_socket(box, fs):
    return ["--pidfd-socket", f"{fs.path}/dir/pidfd"]


def output_of_hooks(box, fs):
    box.hook("poststart", "exit 0")
    box.config["annotations"] = {"run.oci.hooks.stdout": f"{fs.path}/dir/output"}
    return []


@pytest.mark.rows("LCY-12")
@pytest.mark.parametrize("what", [pid_file, console_socket, pidfd_socket, output_of_hooks],
                         ids=lambda what: what.__name__)
def test_the_place_of_what_is_made_does_not_answer(new_box, deaf, fails, what):
    """It is found out before anything is."""
    box = new_box("report")
    told = box.create(*what(box, deaf), code=None, globals=SOON, timeout=20)
    fails(told, f"cannot open {deaf.path}/dir: the file system does not answer")
    nothing_is_left(box)


@pytest.mark.rows("LCY-12")
@pytest.mark.parametrize("flag, name", [("--pid-file", "pid"), ("--pidfd-socket", "pidfd")])
def test_the_place_of_what_exec_makes_does_not_answer(new_box, deaf, fails, flag, name):
    box = new_box("pause")
    box.up()
    told = box.rt.call("exec", flag, f"{deaf.path}/dir/{name}", box.id, "/bin/probe", "exit", "0", globals=SOON,
                       timeout=20)
    fails(told, f"cannot open {deaf.path}/dir: the file system does not answer")
    box.delete("-f")
    box.wait()


@pytest.mark.rows("LCY-12", "CLI-05")
@pytest.mark.parametrize("flag, before", [("--log", ""), ("--log", "file:"), ("--trace", "")])
def test_a_log_that_does_not_answer(new_box, deaf, fails, flag, before):
    box = new_box("report")
    box.save()
    told = box.rt.call("create", "-b", box.dir, box.id, globals=[*SOON, flag, f"{before}{deaf.path}/dir/log"],
                       timeout=20)
    fails(told, f"cannot open {deaf.path}/dir: the file system does not answer")
    nothing_is_left(box)


@pytest.mark.rows("LCY-12")
@pytest.mark.parametrize("verb, flags", [("restore", ["-b"]), ("checkpoint", [])])
def test_images_that_do_not_answer(new_box, deaf, fails, verb, flags):
    box = new_box("pause")
    if verb == "checkpoint":
        box.up()
    else:
        box.save()
    told = box.rt.call(verb, *flags, *([box.dir] if flags else []), "--image-path", f"{deaf.path}/images", box.id,
                       globals=SOON, timeout=20)
    fails(told, f"cannot open {deaf.path}/images: the file system does not answer")
    if verb == "checkpoint":
        assert box.status() == "running"
        box.delete("-f")
        box.wait()


@pytest.fixture
def asked(work):
    """A file system that answers, but is none of those that rt knows to answer."""
    path = os.path.join(work, "asked")
    os.mkdir(path)
    host.mount("asked", path, "ramfs", data="mode=755")
    yield path
    host.umount(path)


@pytest.mark.rows("LCY-12")
def test_what_answers_is_opened_by_the_child(new_box, asked):
    """The same comes of it as of a file system that needs not be asked."""
    box = new_box("report", "read /tmp/data")
    box.save()
    shutil.copytree(box.dir, f"{asked}/real")
    os.symlink("real", f"{asked}/bundle")
    with open(f"{asked}/data", "w", encoding="ascii") as file:
        file.write("asked")
    box.bind(f"{asked}/data", "/tmp/data")
    with open(f"{asked}/bundle/config.json", "w", encoding="ascii") as file:
        json.dump(box.config, file)
        file.write(" " * 300000)
    told = box.rt.call("run", "-b", f"{asked}/bundle", box.id)
    assert told.code == 0 and told.text("/tmp/data") == "asked", told
    told = box.rt.call("run", "-b", f"{asked}/missing", box.id)
    assert told.code == 1 and f"find the bundle `{asked}/missing`" in told.err, told
    told = box.rt.call("run", "-b", asked, "-f", asked, box.id)
    assert told.code == 1 and f"open `{asked}`: is a directory" in told.err.lower() or "not a regular file" in told.err


@pytest.mark.rows("LCY-12")
def test_a_usual_run_needs_no_other_process(new_box, work):
    box = new_box("report")
    box.bind(box.dir, "/tmp", "ro")
    if tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 8):  # statmount
        box.bind("/sys", "/etc", "rbind", "ro")
    box.save()
    box.run()
    trace = os.path.join(work, "trace")
    subprocess.run(["env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-f", "-o", trace, "-e",
                    "trace=clone,clone3,fork,vfork", box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id],
                   check=True, stdout=subprocess.DEVNULL, timeout=60)
    with open(trace, encoding="utf-8") as file:
        assert sum("= " in line and "clone" in line for line in file) == 1 + host.openers(box.dir)
