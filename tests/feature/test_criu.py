# SPDX-License-Identifier: Apache-2.0
"""What checkpoint and restore ask of CRIU, and what they say of one that is missing, old or no help: with
fake_criu.py in its place, so on every host."""

import json
import os
import shutil
import stat
import tempfile

import pytest

import fake_criu
from bundle import label
from criu_images import Images

pytestmark = [pytest.mark.own, pytest.mark.needs("root: CRIU")]

DUMP, RESTORE, PRE_DUMP, VERSION = 1, 2, 4, 10
OPTIONS = 2


class Criu:
    """Its folder, and what it was asked for."""

    def __init__(self, directory):
        self.directory = directory
        os.mkdir(directory)
        shutil.copy(fake_criu.__file__, f"{directory}/criu")
        os.chmod(f"{directory}/criu", 0o755)

    def tell(self, name, text):
        with open(f"{self.directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def requests(self):
        """[(task, {field: [value, ...]})], without those for the version."""
        with open(f"{self.directory}/requests", encoding="utf-8") as file:
            found = [dict(json.loads(line)) for line in file]
        told = []
        for request in found:
            if request[1] != VERSION:
                told.append((request[1], {}))
                for field, value in request[OPTIONS]:
                    told[-1][1].setdefault(field, []).append(value)
        return told


@pytest.fixture
def criu(work, monkeypatch):
    made = Criu(f"{work}/fake-criu")
    monkeypatch.setenv("PATH", f"{made.directory}:{os.environ['PATH']}")
    return made


@pytest.fixture
def running(new_box):
    box = new_box("pause")
    box.up()
    box.images = os.path.join(box.dir, "images")
    return box


def checkpoint(box, *flags, code=0):
    told = box.rt.call("checkpoint", "--leave-running", "--image-path", box.images, *flags, box.id)
    assert told.code == code, told
    return told


def restore(box, *flags, name="another", code=1, images=None, **options):
    """Of the same bundle, in a cgroup of its own."""
    os.makedirs(box.images, mode=0o700, exist_ok=True)
    if images:
        images.write(box.images)
    box.linux["cgroupsPath"] = f"/{box.cgroup}-other"
    box.save()
    told = box.rt.call("restore", "-d", "-b", box.dir, "--image-path", box.images, *flags, name,
                       **options)
    assert told.code == code, told
    return told


def test_what_is_always_asked_for(criu, running):
    checkpoint(running)
    ((task, options),) = criu.requests
    assert task == DUMP
    assert options[2] == [running.pid] and options[3] == [1]
    assert options[34] == [0]          # the cgroups are rt's: nothing of them is believed from images
    assert options[10] == ["dump.log"] and options[13] == [running.rootfs]
    assert options[6] == options[12] == options[50] == [1] and options[9] == [4]
    assert not set(options) & {4, 5, 7, 8, 14, 15, 16, 18, 38, 46, 51, 52, 53, 63, 64}


@pytest.mark.needs("freezer")
def test_the_freezer(criu, running):
    checkpoint(running)
    assert criu.requests[0][1][44][0].endswith(f"/{running.cgroup}")


@pytest.mark.rows("CKP-05", "CKP-06", "CKP-07", "CKP-08", "CKP-09", "CKP-10", "CKP-11", "CKP-13", "CKP-14", "CKP-16",
                  "CKP-17")
@pytest.mark.parametrize("flags, field, value", [
    (["--tcp-established"], 5, 1), (["--tcp-skip-in-flight"], 46, 1), (["--link-remap"], 18, 1),
    (["--ext-unix-sk"], 4, 1), (["--shell-job"], 7, 1), (["--file-locks"], 8, 1), (["--auto-dedup"], 16, 1),
    (["--empty-ns", "network"], 38, 0x40000000), (["--pre-dump"], 15, 1),
    (["--manage-cgroups-mode", "ignore"], 34, 0), (["--manage-cgroups-mode", "soft"], 34, 3),
    (["--manage-cgroups-mode=full"], 34, 4), (["--manage-cgroups-mode", "strict"], 34, 5),
    (["--network-lock", "iptables"], 64, 1), (["--network-lock", "nftables"], 64, 2),
    (["--network-lock", "skip"], 64, 3)], ids=label)
def test_options_of_checkpoint(criu, running, flags, field, value):
    checkpoint(running, *flags)
    task, options = criu.requests[0]
    assert task == (PRE_DUMP if "--pre-dump" in flags else DUMP)
    assert options[field] == [value]


@pytest.mark.rows("CKP-15")
@pytest.mark.parametrize("word, address, port", [("127.0.0.1:27", "127.0.0.1", 27), ("host:65535", "host", 65535),
                                                 ("[::1]:27", "::1", 27)])
def test_page_server(criu, running, word, address, port):
    checkpoint(running, "--page-server", word)
    assert criu.requests[0][1][11] == [[[1, address], [2, port]]]


@pytest.mark.rows("CKP-15")
@pytest.mark.parametrize("word", ["host", ":27", "host:", "host:0", "host:65536", "host:x", "::1:27", "[]:27"])
def test_a_page_server_that_is_none(criu, running, fails, word):
    fails(checkpoint(running, "--page-server", word, code=1), f"--page-server {word} is not ADDRESS:PORT")
    assert not os.path.exists(running.images)


@pytest.mark.rows("CKP-15")
@pytest.mark.parametrize("tells, told", [("network-lock status-ready", b"\0"), ("network-lock", b"")])
def test_status_fd(criu, running, tells, told):
    """As go-runc passes it: a NUL byte when memory can be asked for."""
    criu.tell("tells", tells)
    read, write = os.pipe()
    try:
        answer = running.rt.call("checkpoint", "--leave-running", "--lazy-pages", "--status-fd", str(write),
                                 "--image-path", running.images, running.id, pass_fds=(write,))
    finally:
        os.close(write)
    assert answer.code == 0, answer
    assert os.read(read, 10) == told
    os.close(read)
    assert criu.requests[0][1][48] == [1]


@pytest.mark.rows("CKP-15")
@pytest.mark.parametrize("word, words", [("x", "is no descriptor"), ("-1", "is no descriptor"),
                                         ("777", "bad file descriptor")])
def test_a_status_fd_that_is_none(criu, running, fails, word, words):
    fails(checkpoint(running, "--status-fd", word, code=1), f"--status-fd {word}", words)
    assert not os.path.exists(running.images)


@pytest.mark.rows("CKP-15")
def test_a_status_fd_to_read_from(criu, running, fails):
    read, write = os.pipe()
    told = running.rt.call("checkpoint", "--status-fd", str(read), "--image-path", running.images, running.id,
                           pass_fds=(read,))
    os.close(read)
    os.close(write)
    fails(told, f"--status-fd {read} is not writable")


@pytest.mark.rows("CKP-15")
def test_a_reader_of_the_status_that_has_gone(criu, running, fails):
    criu.tell("tells", "status-ready")
    read, write = os.pipe()
    os.close(read)
    told = running.rt.call("checkpoint", "--lazy-pages", "--status-fd", str(write), "--image-path", running.images,
                           running.id, pass_fds=(write,))
    os.close(write)
    fails(told, f"cannot write to --status-fd {write}: broken pipe")
    assert running.status() == "running"


@pytest.mark.rows("CKP-15")
def test_lazy_restore(criu, running):
    criu.tell("answer", "no")
    restore(running, "--lazy-pages", images=Images(running))
    assert criu.requests[0][1][48] == [1]


@pytest.mark.rows("CKP-05", "CKP-08", "CKP-09", "CKP-10", "CKP-13", "CKP-32", "CKP-33")
@pytest.mark.parametrize("flags, field, value", [
    (["--tcp-established"], 5, 1), (["--tcp-close"], 52, 1), (["--ext-unix-sk"], 4, 1), (["--shell-job"], 7, 1),
    (["--file-locks"], 8, 1), (["--manage-cgroups-mode", "ignore"], 34, 0), (["--manage-cgroups-mode", "full"], 34, 4),
    (["--lsm-profile", "apparmor:box"], 53, "apparmor:box"),
    (["--lsm-profile", "selinux:system_u:object_r:x:s0"], 53, "selinux:system_u:object_r:x:s0"),
    (["--lsm-mount-context", "system_u:object_r:y:s0"], 63, "system_u:object_r:y:s0")], ids=label)
def test_options_of_restore(criu, running, flags, field, value):
    criu.tell("answer", "no")
    made = Images(running)
    if "full" in flags:
        made.cgroup = [[1, [[1, 1], [2, [[1, b"pids"], [2, b"/"]]]]]]
    restore(running, *flags, images=made)
    task, options = criu.requests[0]
    assert task == RESTORE and options[field] == [value] and options[26] == [1]


@pytest.mark.rows("CKP-16", "CKP-35")
@pytest.mark.parametrize("kind, empty", [("prestart", True), ("createRuntime", True), ("createContainer", False),
                                         ("poststart", False)])
def test_whose_the_network_is(criu, new_box, kind, empty):
    """It is the hooks' that run before the container does."""
    box = new_box("pause")
    box.hook(kind, "exit 0")
    box.up()
    box.images = os.path.join(box.dir, "images")
    checkpoint(box)
    criu.tell("answer", "no")
    restore(box, images=Images(box))
    assert [options.get(38) for _, options in criu.requests] == [[0x40000000] if empty else None] * 2


@pytest.mark.rows("CKP-12")
def test_parent_path(criu, running):
    os.makedirs(f"{running.dir}/first")
    checkpoint(running, "--parent-path", "../first")
    assert criu.requests[0][1][14] == ["../first"] and criu.requests[0][1][15] == [1]


@pytest.mark.rows("CKP-13", "CKP-14", "CKP-16", "CKP-32")
@pytest.mark.parametrize("verb, flags, words", [
    ("checkpoint", ["--manage-cgroups-mode", "hard"], ["hard", "ignore"]),
    ("checkpoint", ["--network-lock", "no"], ["no", "iptables"]),
    ("checkpoint", ["--empty-ns", "pid"], ["pid", "network"]),
    ("restore", ["--lsm-profile", "smack:x"], ["smack:x: unknown type", "apparmor:PROFILE"])], ids=label)
def test_words_that_are_none(criu, running, fails, verb, flags, words):
    fails(running.rt.call(verb, *flags, running.id), *words)
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-03", "CKP-02")
def test_the_default_is_beside_the_caller(criu, running):
    told = running.rt.call("checkpoint", "--leave-running", running.id, cwd=running.dir)
    assert told.code == 0, told
    assert {"descriptors.json", "dump.log"} <= set(os.listdir(f"{running.dir}/checkpoint"))


@pytest.mark.rows("CKP-25", "CKP-26", "CKP-23", "CKP-34")
def test_what_comes_from_outside(criu, running):
    """Known by the destination, so another bundle may have it elsewhere."""
    images = Images(running)
    images.bind("/data")
    running.bind(running.dir, "/data")
    running.namespace("ipc", "/proc/self/ns/ipc")
    running.namespace("network", f"/proc/{running.pid}/ns/net")
    criu.tell("answer", "no")
    restore(running, images=images)
    options = criu.requests[0][1]
    assert f"mnt[/data]:{running.dir}" in options[37] and "mnt[/proc/kcore]:/dev/null" in options[37]
    assert [dict(each)[1] for each in options[27]] == ["extRootNetNS"]
    assert [dict(each) for each in options[39]] == [{1: "ipc", 2: "/proc/self/ns/ipc"}]
    roots = {dict(each)[2] for each in options[25]}
    assert roots == {f"/{running.cgroup}-other"}


@pytest.fixture
def owned():
    """A directory whose every parent is root's alone, as that of a temporary file is not."""
    with tempfile.TemporaryDirectory(dir="/run") as made:
        yield made


def annotated(new_box, value):
    box = new_box("pause")
    box.config["annotations"] = {"org.criu.config": value}
    box.images = os.path.join(box.dir, "images")
    return box


def write(path, text=""):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@pytest.mark.rows("CKP-28", "ANN-10")
def test_file_of_options(criu, owned, new_box, fails):
    """CRIU reads the file that rt has opened and judged, whatever its name leads to later."""
    path = write(f"{owned}/criu.conf", "tcp-close")
    boxes = {value: annotated(new_box, value) for value in (path, "", f"{owned}/missing")}
    for box in boxes.values():
        box.up()
    criu.tell("reads", "51")
    checkpoint(boxes[path])
    with open(f"{criu.directory}/read", encoding="utf-8") as file:
        assert file.read() == "tcp-close"
    checkpoint(boxes[""])
    assert 51 not in criu.requests[1][1]
    fails(checkpoint(boxes[f"{owned}/missing"], code=1), f"cannot open {owned}/missing: no such file",
          at="/annotations/org.criu.config")
    assert len(criu.requests) == 2


@pytest.mark.rows("CKP-28", "ANN-10")
@pytest.mark.parametrize("how, words", [
    ("shared", "others can write to a directory on the way"), ("writable", "others can write to it"),
    ("foreign", "it is not root's"), ("foreign-parent", "a directory on the way is not root's"),
    ("link", "there is a link on the way"), ("linked-parent", "there is a link on the way"),
    ("dots", "it has .. in it"), ("fifo", "it is no regular file"), ("folder", "it is no regular file"),
    ("bundle", "it lies in the bundle"), ("rootfs", "it lies in the root file system")])
def test_a_file_of_options_that_is_not_roots_alone(criu, owned, new_box, fails, how, words):
    """Its options run programs as root, and whoever made the image may have written the annotation."""
    os.mkdir(f"{owned}/deep")
    path = write(f"{owned}/deep/criu.conf")
    box = annotated(new_box, path)
    if how == "shared":
        os.chmod(f"{owned}/deep", 0o1777)
    elif how == "writable":
        os.chmod(path, 0o664)
    elif how == "foreign":
        os.chown(path, 65534, 0)
    elif how == "foreign-parent":
        os.chown(f"{owned}/deep", 65534, 0)
    elif how == "link":
        os.rename(path, f"{path}.real")
        os.symlink(f"{path}.real", path)
    elif how == "linked-parent":
        os.rename(f"{owned}/deep", f"{owned}/real")
        os.symlink(f"{owned}/real", f"{owned}/deep")
    elif how == "dots":
        path = f"{owned}/deep/../deep/criu.conf"
    elif how == "fifo":
        os.unlink(path)
        os.mkfifo(path, 0o600)
    elif how == "folder":
        path = f"{owned}/deep"
    elif how in ("bundle", "rootfs"):
        place = f"{owned}/place"
        shutil.copytree(box.rootfs if how == "rootfs" else box.dir, place, symlinks=True)
        path = write(f"{place}/criu.conf")
        if how == "rootfs":
            box.config["root"]["path"] = place
        else:
            box.dir = place
    box.config["annotations"] = {"org.criu.config": path}
    box.up()
    fails(checkpoint(box, code=1), f"CRIU may not read its options from {path}: {words}",
          at="/annotations/org.criu.config")
    assert not os.path.exists(f"{criu.directory}/requests") and not os.path.exists(box.images)


@pytest.mark.rows("CKP-28", "ANN-10")
def test_a_relative_file_of_options(new_box, fails):
    box = annotated(new_box, "rootfs/criu.conf")
    fails(box.create(code=1), "must be an absolute path", at="/annotations/org.criu.config")


@pytest.mark.rows("CKP-02", "CKP-22")
@pytest.mark.parametrize("answer", ["no", "killed"])
def test_nothing_is_left_of_a_checkpoint_that_fails(criu, running, answer):
    """But CRIU's log, which says why."""
    criu.tell("answer", answer)
    criu.tell("writes", "pages-1.img inventory.img")
    checkpoint(running, code=1)
    assert os.listdir(running.images) == ["dump.log"]


@pytest.mark.rows("CKP-02", "CKP-03", "CKP-21")
def test_no_directory_is_left_without_criu(running, monkeypatch, work):
    monkeypatch.setenv("PATH", work)
    checkpoint(running, "--work-path", f"{running.dir}/work", code=1)
    assert not os.path.exists(running.images) and not os.path.exists(f"{running.dir}/work")
    os.mkdir(running.images)
    write(f"{running.images}/mine")
    checkpoint(running, code=1)
    assert os.listdir(running.images) == ["mine"]       # what was there stays


@pytest.mark.rows("CKP-02")
@pytest.mark.parametrize("old", ["none", "open", "link"])
def test_images_are_the_owners_alone(criu, running, old):
    """Also in a directory that was there, and over files that others may read or have put there."""
    victim = write(f"{running.dir}/victim", "as it was")
    os.mkdir(running.images, 0o755)
    for name in ("pages-1.img", "descriptors.json"):
        if old == "open":
            os.chmod(write(f"{running.images}/{name}"), 0o644)
        elif old == "link":
            os.symlink(victim, f"{running.images}/{name}")
    criu.tell("writes", "pages-1.img")
    checkpoint(running)
    for name in ("pages-1.img", "descriptors.json", "dump.log"):
        mode = os.lstat(f"{running.images}/{name}").st_mode
        assert stat.S_ISREG(mode) and stat.S_IMODE(mode) == 0o600, name
    with open(victim, encoding="utf-8") as file:
        assert file.read() == "as it was"


@pytest.mark.rows("CKP-02", "CKP-03")
@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
@pytest.mark.parametrize("option", ["--image-path", "--work-path"])
@pytest.mark.parametrize("mode, owner", [(0o1777, 0), (0o700, 65534)], ids=label)
def test_directories_of_others(criu, running, fails, verb, option, mode, owner):
    """What is judged there could be exchanged before CRIU reads it."""
    shared = f"{running.dir}/shared"
    os.mkdir(shared)
    os.chown(shared, owner, 0)
    os.chmod(shared, mode)
    running.images = shared if option == "--image-path" else running.images
    flags = ["--work-path", shared] if option == "--work-path" else []
    call = checkpoint if verb == "checkpoint" else restore
    fails(call(running, *flags, code=1), f"others can write to the directory {shared} of {option}", "mode 0700")
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-27", "CKP-29")
@pytest.mark.parametrize("name", ["descriptors.json", "core-1.img"])
@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_images_that_are_no_files(criu, running, fails, name, kind):
    """Opening a FIFO would wait for ever."""
    os.makedirs(running.images)
    path = f"{running.images}/{name}"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        os.symlink("/etc/passwd", path)
    told = restore(running)
    fails(told, name)
    assert "no regular file" in told.err or "symbolic link" in told.err
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-27")
@pytest.mark.parametrize("text, words", [("{}", "is not a list"), ("[1]", "other than strings"), ("[", "json")],
                         ids=label)
def test_descriptors_that_are_none(criu, running, fails, text, words):
    os.makedirs(running.images)
    with open(f"{running.images}/descriptors.json", "w", encoding="ascii") as file:
        file.write(text)
    fails(restore(running), "descriptors.json", words)
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-12", "CKP-29")
@pytest.mark.parametrize("how, words", [("fifo", "pages-1.img is no regular file"), ("loop", "without an end"),
                                        ("dangling", "cannot open the earlier images"),
                                        ("shared", "others can write to the directory of earlier images")])
def test_images_that_others_build_upon(criu, running, fails, how, words):
    first = f"{running.dir}/first"
    os.mkdir(first)
    os.makedirs(running.images)
    os.symlink("../first", f"{running.images}/parent")
    if how == "fifo":
        os.mkfifo(f"{first}/pages-1.img")
    elif how == "loop":
        os.symlink("../first", f"{first}/parent")
    elif how == "shared":
        os.chmod(first, 0o777)
    else:
        os.rmdir(first)
    fails(restore(running), words)
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-19")
@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_needs_root(running, fails, verb):
    told = running.rt.call(verb, running.id, user=65534, group=65534, extra_groups=[], cwd=running.dir)
    fails(told, f"cannot {verb}", "operation not permitted", "CRIU has to be root")


@pytest.mark.rows("CKP-21")
def test_missing(running, fails, monkeypatch, work):
    monkeypatch.setenv("PATH", work)
    fails(checkpoint(running, code=1), "cannot run criu: no such file or directory", "package criu")
    fails(restore(running, images=Images(running)), "cannot run criu: no such file or directory", "package criu")
    assert running.status() == "running"


@pytest.mark.rows("CKP-21")
@pytest.mark.parametrize("version", ["2.12", "3.13"])
def test_too_old(criu, running, fails, version):
    criu.tell("version", version)
    fails(checkpoint(running, code=1), f"criu is too old: {version}, and 3.14 is needed")
    assert criu.requests == []


@pytest.mark.rows("CKP-22")
def test_its_reason_is_told(criu, running, fails):
    criu.tell("answer", "no Error (criu/x.c:1): rlimit: first")
    criu.tell("log", "(00.1) Error (criu/util.c:1): rlimit: Can't raise it\n"
                     "(00.2) Warn  (criu/x.c:2): nothing\n"
                     "(00.3)      7: Error (criu/mount.c:12): mnt: no such mount\n"
                     "(00.4) Error (criu/cr-dump.c:12): Dumping FAILED.\n")
    told = fails(checkpoint(running, code=1), "criu could not dump the container: mnt: no such mount; Dumping FAILED.",
                 f"see {running.images}/dump.log")
    assert "rlimit" not in told.err
    assert running.status() == "running"


@pytest.mark.rows("CKP-22")
@pytest.mark.parametrize("answer, words", [
    ("silent", "criu ended with status 3 and no answer"), ("killed", "criu was killed by signal 9 (SIGKILL)"),
    ("ffffffff", "criu sent what is no answer")], ids=label)
def test_no_answer(criu, running, fails, answer, words):
    criu.tell("answer", answer)
    fails(checkpoint(running, code=1), words)
    assert running.status() == "running"


@pytest.mark.rows("CKP-22")
def test_bounded(criu, running, fails):
    criu.tell("answer", "hangs")
    told = running.rt.call("checkpoint", "--image-path", running.images, running.id, globals=("--timeout", "0.5s"))
    fails(told, "criu does not answer: waited 0.5 s", "it was")
    assert running.status() == "running"


@pytest.mark.rows("CKP-37", "CKP-22")
def test_nothing_is_left_of_a_restore_that_fails(criu, running):
    criu.tell("answer", "killed")
    restore(running, images=Images(running))
    assert running.rt.call("state", "another").code == 1
    assert running.cgroups.dirs(f"{running.cgroup}-other") == []


@pytest.mark.rows("CKP-01", "CKP-29")
@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_help(rt, verb):
    """podman looks for the verb so, and for a pod's restore by the words about a missing argument."""
    assert rt.call(verb, "--help", root=False).code == 0
    told = rt.call("restore", "--lsm-mount-context", root=False)
    assert told.code == 1 and "flag needs an argument" in told.err


@pytest.mark.rows("CKP-13")
@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_help_warns_of_what_believes_the_images(rt, verb):
    told = " ".join(rt.call(verb, "--help", root=False).out.split())
    assert "default: ignore" in told and "believe them first" in told
